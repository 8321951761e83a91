"""Which images a run learns from: the sets that are there, one's own brought in, and what they look like."""

from functools import lru_cache
from typing import Any

import streamlit as st

from explorer.data.arrays import DataError
from explorer.data.datasets import available, load
from explorer.data.imports import SIDES, Upload, delete
from explorer.jobs.image_imports import import_in_child
from explorer.settings import data_folder
from explorer.training.events import Misclassification
from explorer.training.plan import DATASETS, DatasetChoice, DatasetInfo
from explorer.ui import messages, runs
from explorer.ui.lab.train import drafts
from explorer.ui.runs import View
from explorer.views import formatting as fmt
from explorer.views.image_strips import ClassStrip, mistakes_html, strips_html

_EACH = 12  # images of a class in the preview
_BROUGHT = "train_brought"
_HELP = (
    "A zip with a folder of pictures per class (cat/1.png, or train/cat/1.png and test/cat/2.png); an .npz with "
    "images and labels; or IDX files in pairs. PNG, JPEG, GIF, BMP or WebP. Nothing leaves this server."
)


def choose_images(view: View) -> DatasetInfo | None:
    """Let the reader choose a set or bring one; return what is known of it, None if it is not there."""
    options = {_token(data): data for data in available(data_folder())}
    now = drafts.draft(view).data
    options.setdefault(_token(now), now)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        drafts.choice(
            view,
            "Images",
            "images",
            {token: _title(data) for token, data in options.items()},
            _token(now),
            lambda draft, token: draft.replace(data=options[token]),
            explained=False,
        )
        with st.popover("", icon=":material/upload:", help="Your own images", key=f"{view}_own"):
            _bring(view)
    drafts.explain(f"{view}_images")
    try:
        return runs.facts_of(now)
    except DataError as error:
        messages.show_refusal(str(error))
        return None


def _token(data: DatasetChoice) -> str:
    return data.upload if data.name == "own" else data.name


def _title(data: DatasetChoice) -> str:

    if data.name != "own":
        return DATASETS[data.name].title
    try:
        return f"{runs.facts_of(data).title} (yours)"
    except DataError:
        return "images that are gone"


def _bring(view: View) -> None:

    st.markdown("**Your own images**")
    edition = st.session_state.get(_BROUGHT, (0, ""))[0]
    files = st.file_uploader("Files", accept_multiple_files=True, key=f"{view}_files_{edition}", help=_HELP)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        side = st.selectbox(
            "Shrink pictures to", SIDES, index=SIDES.index(32), format_func=lambda n: f"{n} × {n} px", width=160
        )
        asked = st.button("Import", icon=":material/add:", key=f"{view}_import", disabled=not files)
    if asked:
        with st.spinner("The images are read, which may take a minute or two …"):
            brought = _import(view, files, side)
        if brought:
            st.rerun()
    st.caption(_HELP)
    told = st.session_state.get(f"{view}_import_told", "")
    if told:
        messages.show_refusal(told)
    for note in st.session_state.get(_BROUGHT, (0, ()))[1]:
        st.caption(fmt.markdown(note))
    if drafts.draft(view).data.name == "own":
        st.button(
            "Delete the chosen set",
            icon=":material/delete:",
            key=f"{view}_forget",
            on_click=_forget,
            args=(view,),
            help="Runs that used it stay; they can no longer be resumed.",
        )


def _import(view: View, files: list[Any], side: int) -> bool:
    """Bring images and say whether that was done; if not, the reason is kept, to be shown below."""
    try:
        brought = import_in_child([Upload(file.name, file) for file in files], data_folder(), side=side)
    except DataError as error:
        st.session_state[f"{view}_import_told"] = str(error)
        return False
    st.session_state.pop(f"{view}_import_told", None)
    st.session_state[_BROUGHT] = (st.session_state.get(_BROUGHT, (0, ()))[0] + 1, brought.notes)
    drafts.put(view, drafts.draft(view).replace(data=brought.data))
    runs.look_away(view)  # the images that were brought are worth seeing
    return True


def _forget(view: View) -> None:

    delete(drafts.draft(view).data.upload, data_folder())
    drafts.put(view, drafts.draft(view).replace(data=DatasetChoice()))


def show_preview(data: DatasetChoice, facts: DatasetInfo) -> None:
    """Show some images of each class, with how many there are."""
    try:
        st.html(_strips(data, str(data_folder())))
    except DataError as error:
        messages.show_refusal(str(error))
        return
    st.caption(
        f"{fmt.markdown(facts.title)}: {facts.train:,} training and {facts.test:,} test images of "
        f"{fmt.shape(facts.shape)}. Test images are never learned from. Source: {fmt.markdown(facts.source)}"
    )


@lru_cache(maxsize=16)
def _strips(data: DatasetChoice, folder: str) -> str:
    """Keep the pictures, not the set they come from."""
    from pathlib import Path

    whole = load(data, Path(folder))
    pictures = dict(whole.preview(_EACH))
    return strips_html([ClassStrip(name, train, test, pictures[name]) for name, train, test in whole.counts()])


@lru_cache(maxsize=32)
def mistakes(data: DatasetChoice, folder: str, found: tuple[Misclassification, ...]) -> str:
    """Return the test images that were mistaken, as HTML. Raises DataError when the set is not there any more."""
    from pathlib import Path

    whole = load(data, Path(folder))
    if any(mistake.index >= len(whole.test) for mistake in found):
        raise DataError("The images are not those that this run was tested on.")
    pictures = whole.test[[mistake.index for mistake in found]].transpose(0, 2, 3, 1)
    return mistakes_html(pictures, found, whole.info.classes)
