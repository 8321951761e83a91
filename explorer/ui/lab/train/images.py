"""The images of a run: choose a dataset, import one, rename or delete an imported one."""

from functools import partial

import streamlit as st

from explorer.data.arrays import DataError
from explorer.data.datasets import available_datasets, imported_dataset_path
from explorer.data.imported_names import COMMAND_LINE, read_names
from explorer.data.imports import delete, rename
from explorer.settings import data_folder
from explorer.training.plan import DATASETS, DatasetChoice, DatasetInfo
from explorer.ui import messages, runs
from explorer.ui.components.browser_token import browser_token
from explorer.ui.lab.train import drafts, samples
from explorer.ui.lab.train.image_import import show_import_button
from explorer.ui.runs import View
from explorer.ui.state import SessionValue

_NAMES_ERROR = SessionValue("train_names_error", "")


def choose_images(view: View) -> DatasetInfo | None:
    """Let the user choose or import a dataset; return its description, None if it no longer exists."""
    options = {_token(data): data for data in available_datasets(data_folder())}
    chosen = drafts.get_draft(view).data
    options.setdefault(_token(chosen), chosen)
    drafts.choice(
        view,
        "Images",
        "images",
        {token: _title(data) for token, data in options.items()},
        _token(chosen),
        lambda draft, token: draft.replace(data=options[token]),
    )
    with st.container(horizontal=True, gap="small"):
        show_import_button(view, partial(_choose_imported, view))
        if chosen.name == "own":
            with st.popover("Rename or delete", icon=":material/edit:", key=f"{view}_own_menu"):
                _show_menu(view, chosen)
    try:
        return runs.load_dataset_info(chosen)
    except DataError as error:
        messages.show_refusal(str(error))
        return None


def _choose_imported(view: View, dataset: DatasetChoice) -> None:
    drafts.set_draft(view, drafts.get_draft(view).replace(data=dataset))
    runs.deselect_run(view)  # the page then shows the imported images instead of a run


def _token(data: DatasetChoice) -> str:
    return data.upload if data.name == "own" else data.name


def _title(data: DatasetChoice) -> str:
    if data.name != "own":
        return DATASETS[data.name].title
    try:
        title = runs.load_dataset_info(data).title
    except DataError:
        return "deleted images"
    whose = "imported by the command line" if _owner(data) == COMMAND_LINE else "imported from another browser"
    return f"{title} ({'yours' if _is_own(data) else whose})"


def _is_own(data: DatasetChoice) -> bool:
    return _owner(data) == browser_token()


def _owner(data: DatasetChoice) -> str:
    """Return who imported a dataset; empty if that is unknown."""
    names = read_names(imported_dataset_path(data.upload, data_folder()))
    return names.owner if names else ""


def _show_menu(view: View, data: DatasetChoice) -> None:
    """Show fields for the names of an imported dataset, and the button that deletes it after a second click."""
    try:
        info = runs.load_dataset_info(data)
    except DataError as error:
        messages.show_refusal(str(error))
        return
    _show_names(view, data, info)
    st.divider()
    used = sum(run.plan.data.upload == data.upload for run in runs.store().runs())
    warning = "This permanently deletes the images." if used == 0 else _USED.format(used)
    st.caption(warning if _is_own(data) else f"{warning} They may belong to another person: ask first.")
    st.button(
        "Delete permanently",
        icon=":material/delete:",
        key=f"{view}_delete_dataset",
        on_click=_delete_dataset,
        args=(view,),
    )


_USED = "This permanently deletes the images. Runs that used them: {}. They stay, but cannot be resumed."


def _show_names(view: View, data: DatasetChoice, info: DatasetInfo) -> None:
    title, classes = f"{view}_dataset_title_{data.upload}", f"{view}_dataset_classes_{data.upload}"
    st.session_state[title], st.session_state[classes] = info.title, "\n".join(info.classes)

    def on_change() -> None:
        names = st.session_state[classes].strip().splitlines()
        _NAMES_ERROR.clear()
        if len(names) != len(info.classes):
            _NAMES_ERROR.set(f"There are {len(info.classes)} classes and {len(names)} names. Write one name per line.")
            return
        try:
            rename(data.upload, data_folder(), st.session_state[title], names)
            samples.forget_names()
        except DataError as error:
            _NAMES_ERROR.set(str(error))

    st.text_input("Title", key=title, max_chars=40, on_change=on_change)
    st.text_area("Classes, one per line", key=classes, on_change=on_change)
    if _NAMES_ERROR.get():
        messages.show_refusal(_NAMES_ERROR.get())


def _delete_dataset(view: View) -> None:
    draft = drafts.get_draft(view)
    delete(draft.data.upload, data_folder())
    drafts.set_draft(view, draft.replace(data=drafts.DEFAULT_DATA))
