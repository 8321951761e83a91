"""The dialog that imports a user's own images: it shows how an upload is understood before anything is saved."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.data.archives import ENCODINGS
from explorer.data.arrays import DataError
from explorer.data.images import BIT_DEPTHS
from explorer.data.import_report import SIDES, ImportOptions, ImportReport, Upload
from explorer.data.inbox import inbox_files, inbox_path
from explorer.jobs.image_imports import analyse_in_worker, import_in_worker
from explorer.settings import data_folder
from explorer.training.plan import DatasetChoice
from explorer.ui import messages
from explorer.ui.components.browser_token import browser_token
from explorer.ui.runs import View
from explorer.ui.state import SessionValue
from explorer.views import formatting as fmt
from explorer.views import import_report as texts

FORMATS = (
    "A zip or tar with a folder of images per class (cat/1.png, or train/cat/1.png and test/cat/2.png), or with images "
    "and a CSV file of labels; an .npz or .npy files with images and labels; pairs of IDX files; CIFAR's batches. "
    "Images are PNG, JPEG, WebP, GIF, BMP or TIFF. Nothing leaves this server."
)
_BATCH_SUFFIXES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".npz")
_DEFAULT = ImportOptions()
OnImport = Callable[[DatasetChoice], None]


class _Review(NamedTuple):
    """What the worker found in these files with these options: a report, or why there is none."""

    files: tuple[str, ...]
    options: ImportOptions
    report: ImportReport | None
    error: str


_VIEW = SessionValue[View | None]("train_import_view", None)  # that opened the dialog; None if it is closed
_UPLOADER = SessionValue("train_uploader", 0)
_OPTIONS = SessionValue("train_import_options", _DEFAULT)
_REVIEW = SessionValue[_Review | None]("train_import_review", None)
_ERROR = SessionValue("train_import_error", "")


def show_import_button(view: View, on_import: OnImport) -> None:
    """Show the button that opens the dialog, and the dialog itself while it is open.

    ``on_import`` is called with an imported dataset.
    """
    st.button(
        "Your own images",
        icon=":material/upload:",
        key=f"{view}_own",
        on_click=_VIEW.set,
        args=(view,),
    )
    if _VIEW.get() == view:
        _show_dialog(on_import)


def _close() -> None:
    for value in (_VIEW, _OPTIONS, _REVIEW, _ERROR):
        value.clear()
    _UPLOADER.set(_UPLOADER.get() + 1)


@st.dialog("Import your own images", width="large", on_dismiss=_close)
def _show_dialog(on_import: OnImport) -> None:
    if _VIEW.get() is None:  # a click on Import reruns the dialog alone; the page has to show the imported images
        st.rerun()
    files: list[UploadedFile] = st.file_uploader(
        "Files", accept_multiple_files=True, key=f"import_files_{_UPLOADER.get()}", on_change=_reset
    )
    name = _choose_inbox_file()
    if not files and not name:
        st.caption(FORMATS)
        return
    with st.spinner("Reading the images. This may take a minute or two."):
        review = _review(files, name)
    if review.error:
        messages.show_refusal(review.error)
    if review.report:
        _show_report(review.report)
        _show_choices(review.report)
        if _ERROR.get():
            messages.show_refusal(_ERROR.get())
        st.button(
            "Import",
            icon=":material/add:",
            key="import_start",
            type="primary",
            disabled=bool(review.report.problem),
            on_click=_import,
            args=(files, name, on_import),
        )


def _reset() -> None:
    """Forget the choices for other files."""
    for value in (_OPTIONS, _REVIEW, _ERROR):
        value.clear()


def _choose_inbox_file() -> str:
    """Let the user choose a file that is too large for an upload; return its name, empty for none."""
    names = inbox_files(data_folder(), _BATCH_SUFFIXES)
    if not names:
        return ""
    return st.selectbox(
        "Or a large file in the server's inbox folder",
        ["", *names],
        key="import_inbox",
        format_func=lambda name: fmt.markdown(name) or "none",
        on_change=_reset,
        help=f"Files of over 64 MB: put them into the folder {data_folder() / 'inbox'}.",
    )


def _open_files(stack: ExitStack, files: list[UploadedFile], name: str) -> list[Upload]:
    path = inbox_path(data_folder(), name) if name and not files else None
    if path:
        return [Upload(path.name, stack.enter_context(path.open("rb")))]
    return [Upload(file.name, file) for file in files]


def _review(files: list[UploadedFile], name: str) -> _Review:
    """Return what is in the files, analysed again only if they or the options have changed."""
    identity = tuple(file.file_id for file in files) or (name,)
    review = _REVIEW.get()
    if review and (review.files, review.options) == (identity, _OPTIONS.get()):
        return review
    report, error = None, ""
    try:
        with ExitStack() as stack:
            report = analyse_in_worker(_open_files(stack, files, name), data_folder(), _OPTIONS.get())
    except (DataError, OSError) as failure:
        error = str(failure)
    review = _Review(identity, _OPTIONS.get(), report, error)
    _REVIEW.set(review)
    return review


def _show_report(report: ImportReport) -> None:
    if report.problem:
        messages.show_refusal(report.problem)
    else:
        st.markdown(f"**{fmt.markdown(report.title)}**: {texts.summary(report)}")
    st.markdown("\n".join(f"- {fmt.markdown(sentence)}" for sentence in texts.findings(report)))
    st.html(texts.classes_html(report))
    if report.source.tree:
        with st.expander("Folders"):
            st.code(texts.tree_text(report), language=None)


def _show_choices(report: ImportReport) -> None:
    """Show the choices that this upload leaves open; each change reads it again."""
    source, options = report.source, _OPTIONS.get()
    with st.container(horizontal=True, vertical_alignment="bottom", key="import_choices"):
        if source.kind == "archive":
            _choice("Resize images to", "side", {side: f"{side} × {side} px" for side in SIDES}, options.side)
        if len(source.label_sources) > 1:
            titles = {found.key: texts.label_source(found) for found in source.label_sources}
            _choice("Classes", "classes_from", titles, source.classes_from)
        if report.validation:
            _choice("Validation images", "validation", dict(texts.VALIDATION_USES), report.validation)
        if source.encoding:
            _choice("Encoding of names", "encoding", ENCODINGS, source.encoding)
        if source.bits:
            _choice("Depth", "bits", {bits: f"{bits} bits" for bits in BIT_DEPTHS if bits > 8}, source.bits)
    with st.expander("Names"):
        _name_fields(report)


def _choice(label: str, field: str, titles: Mapping[Any, str], value: Any) -> None:
    key = f"import_{field}"
    st.session_state[key] = value

    def on_change() -> None:
        _OPTIONS.set(_OPTIONS.get().replace(**{field: st.session_state[key]}))

    st.selectbox(
        label, list(titles), key=key, format_func=lambda option: titles.get(option, str(option)), on_change=on_change
    )


def _name_fields(report: ImportReport) -> None:
    """Show fields for the title and for the names of the classes."""
    title, names = "import_title", "import_class_names"
    current = "\n".join(found.name for found in report.classes)
    st.session_state[title], st.session_state[names] = report.title, current

    def on_change() -> None:
        lines = tuple(st.session_state[names].strip().splitlines())
        _ERROR.clear()
        if len(lines) != len(report.classes):
            _ERROR.set(f"There are {len(report.classes)} classes and {len(lines)} names. Write one name per line.")
            return
        changed = lines if st.session_state[names] != current else _OPTIONS.get().class_names
        _OPTIONS.set(_OPTIONS.get().replace(title=st.session_state[title].strip(), class_names=changed))

    st.text_input("Title", key=title, max_chars=40, on_change=on_change)
    st.text_area("Classes, one per line in the order of the table", key=names, on_change=on_change)


def _import(files: list[UploadedFile], name: str, on_import: OnImport) -> None:
    """Import the images and close the dialog; if that fails, record why."""
    try:
        with ExitStack() as stack:
            uploads = _open_files(stack, files, name)
            imported = import_in_worker(uploads, data_folder(), _OPTIONS.get(), browser_token())
    except (DataError, OSError) as error:
        _ERROR.set(str(error))
        return
    on_import(imported.dataset)
    _close()
