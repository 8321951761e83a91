"""The images of a run: choose a dataset, import one, and show images of each class and misclassified ones."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.data.arrays import DataError
from explorer.data.datasets import available_datasets
from explorer.data.imports import SIDES, Upload, delete
from explorer.jobs.image_imports import import_in_worker
from explorer.settings import data_folder
from explorer.training.plan import DATASETS, DatasetChoice, DatasetInfo
from explorer.ui import messages, runs, state
from explorer.ui.lab.train import drafts
from explorer.ui.runs import View
from explorer.ui.state import SessionValue
from explorer.views import formatting as fmt

_UPLOADER = SessionValue("train_uploader", 0)
_IMPORT_NOTES = SessionValue[tuple[str, ...]]("train_import_notes", ())
_FORMATS = (
    "A zip file with a folder of images per class (cat/1.png, or train/cat/1.png and test/cat/2.png); an .npz file "
    "with images and labels; or pairs of IDX files. Images are PNG, JPEG, GIF, BMP or WebP. Nothing leaves this server."
)


def choose_images(view: View) -> DatasetInfo | None:
    """Let the user choose or import a dataset; return its description, None if it no longer exists."""
    options = {_token(data): data for data in available_datasets(data_folder())}
    chosen = drafts.get_draft(view).data
    options.setdefault(_token(chosen), chosen)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        drafts.choice(
            view,
            "Images",
            "images",
            {token: _title(data) for token, data in options.items()},
            _token(chosen),
            lambda draft, token: draft.replace(data=options[token]),
            shows_problems=False,
        )
        with st.popover("", icon=":material/upload:", help="Your own images", key=f"{view}_own"):
            _show_import(view)
    messages.show_problems(state.rejection(f"{view}_images"))
    try:
        return runs.load_dataset_info(chosen)
    except DataError as error:
        messages.show_refusal(str(error))
        return None


def _token(data: DatasetChoice) -> str:
    return data.upload if data.name == "own" else data.name


def _title(data: DatasetChoice) -> str:
    if data.name != "own":
        return DATASETS[data.name].title
    try:
        return f"{runs.load_dataset_info(data).title} (yours)"
    except DataError:
        return "deleted images"


def _show_import(view: View) -> None:
    st.markdown("**Your own images**")
    files = st.file_uploader("Files", accept_multiple_files=True, key=f"{view}_files_{_UPLOADER.get()}", help=_FORMATS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        side = st.selectbox(
            "Resize images to", SIDES, index=SIDES.index(32), format_func=lambda n: f"{n} × {n} px", width=160
        )
        is_clicked = st.button("Import", icon=":material/add:", key=f"{view}_import", disabled=not files)
    error = SessionValue(f"{view}_import_error", "")
    if is_clicked:
        with st.spinner("Reading the images. This may take a minute or two."):
            error.set(_import(view, files, side))
        if not error.get():
            st.rerun()
    st.caption(_FORMATS)
    if error.get():
        messages.show_refusal(error.get())
    for note in _IMPORT_NOTES.get():
        st.caption(fmt.markdown(note))
    if drafts.get_draft(view).data.name == "own":
        st.button(
            "Delete this dataset",
            icon=":material/delete:",
            key=f"{view}_delete_dataset",
            on_click=_delete_dataset,
            args=(view,),
            help="Runs that used it stay, but cannot be resumed.",
        )


def _import(view: View, files: list[UploadedFile], side: int) -> str:
    """Import images and choose them; return the error message, empty if there is none."""
    try:
        imported = import_in_worker([Upload(file.name, file) for file in files], data_folder(), side=side)
    except DataError as error:
        return str(error)
    _UPLOADER.set(_UPLOADER.get() + 1)
    _IMPORT_NOTES.set(imported.notes)
    drafts.set_draft(view, drafts.get_draft(view).replace(data=imported.dataset))
    runs.deselect_run(view)  # the page then shows the imported images instead of a run
    return ""


def _delete_dataset(view: View) -> None:
    draft = drafts.get_draft(view)
    delete(draft.data.upload, data_folder())
    drafts.set_draft(view, draft.replace(data=DatasetChoice()))
