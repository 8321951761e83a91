"""The weights in use, and the ways to others: bundled, trained here, a file, a download, or random."""

from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.data.content_store import ContentStoreError
from explorer.data.import_report import printable
from explorer.data.inbox import inbox_files, inbox_path
from explorer.data.weight_files import stored_token
from explorer.data.weights import ShapeMismatch
from explorer.diff import find_changes
from explorer.errors import InputError
from explorer.history import Version
from explorer.jobs.inspection import DownloadRequest, ImportedWeights, ImportRequest
from explorer.presets import CATALOGUE, PRESETS
from explorer.runs.links import weights_token
from explorer.runs.schema import StoreError
from explorer.settings import data_folder
from explorer.training.names import file_stem
from explorer.ui import messages, runs, state
from explorer.ui.components.trained_weights import show_weights_downloads
from explorer.ui.lab.look_inside import requests, session
from explorer.ui.lab.look_inside.session import InspectedNetwork
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import fragment
from explorer.views import formatting as fmt
from explorer.views.network_table import version_title
from explorer.views.results import accuracy_text, percent

MAX_FILE_MB = 64
MAX_RUNS = 50
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")
_CHOICE, _INBOX = "look_inside_weights_choice", "look_inside_weights_inbox"
_NAME, _CLASSES = "look_inside_weights_name", "look_inside_weights_classes"
_UPLOADER = SessionValue("look_inside_weights_uploader", 0)
_REQUEST = SessionValue[ImportRequest | DownloadRequest | None]("look_inside_import_request", None)
_ERROR = SessionValue[tuple[str, tuple[ShapeMismatch, ...]] | None]("look_inside_import_error", None)


def show_weights() -> None:
    """Show which weights are in use and which network they belong to, with the menu of others."""
    inspected = session.inspected_network()
    with st.container(horizontal=True, vertical_alignment="center", key="look_inside_weights_bar", gap="small"):
        if inspected.training and not inspected.is_unverified:
            st.badge("trained", icon=":material/school:", color="green")
        elif inspected.network.weights:
            st.badge("from a file", icon=":material/draft:", color="blue")
        else:
            st.badge("random weights", icon=":material/casino:", color="orange")
        st.markdown(_summary(inspected), width="stretch")
        menu = st.popover("Weights", icon=":material/folder_open:", on_change="rerun", key="look_inside_weights_menu")
        _show_export(inspected)
    if menu.open:
        with menu:
            _show_menu()
    if session.refusal():
        messages.show_refusal(session.refusal())
    _show_import()
    _show_current_network(inspected)


def _show_export(inspected: InspectedNetwork) -> None:
    """Offer the weights in use as files; random ones are made by the menu Export of the bar."""
    if not inspected.network.weights:
        return
    menu = st.popover("Export weights", icon=":material/download:", on_change="rerun", key="look_inside_export")
    if menu.open:
        with menu:
            st.markdown(f"**{fmt.markdown(inspected.title)}**")
            name = inspected.training.name if inspected.training else "weights"
            show_weights_downloads(inspected.config, Path(inspected.network.weights), file_stem(name))


def _summary(inspected: InspectedNetwork) -> str:
    """Return in a line what is inspected, with the accuracy of its weights."""
    if not inspected.network.weights:
        return (
            f"**{fmt.markdown(_current_title())}** with random weights: its predictions have no meaning; shapes, times "
            "and images are still valid."
        )
    title, training = f"**{fmt.markdown(inspected.title)}**", inspected.training
    if not training or training.accuracy is None:
        return title
    images = training.facts.test
    accuracy = accuracy_text(round(training.accuracy * images), images) if images > 0 else percent(training.accuracy)
    return f"{title} · {'according to the file, ' if inspected.is_unverified else ''}{accuracy}"


def _current_title() -> str:
    version = state.current()
    return version_title(CATALOGUE[version.base].title, find_changes(version.base_config, version.config))


def _show_current_network(inspected: InspectedNetwork) -> None:
    """If the inspected network is not the current network, say so and offer buttons that make them the same."""
    with st.container(horizontal=True, vertical_alignment="center", key="look_inside_current", gap="small"):
        if inspected.token == session.RANDOM:
            st.button(
                "Inspect mini with trained weights",
                icon=":material/school:",
                on_click=session.use_weights,
                args=(session.BUNDLED[0],),
                key="look_inside_use_mini",
            )
        elif inspected.config != state.current().config:
            st.markdown(
                f":small[The current network, {fmt.markdown(_current_title())}, is a different one: these weights do "
                "not fit it. This page inspects the network that they belong to.]",
                width="content",
            )
            st.button(
                "Make this the current network",
                icon=":material/open_in_new:",
                on_click=_make_current,
                args=(inspected,),
                key="look_inside_make_current",
                help="Undo restores your network.",
            )
            st.button(
                "Inspect the current network, untrained",
                icon=":material/casino:",
                on_click=session.use_weights,
                args=(session.RANDOM,),
                key="look_inside_use_random",
            )


def _make_current(inspected: InspectedNetwork) -> None:
    base = inspected.training.name if inspected.training else "torchvision"
    state.set_current(Version(base if base in PRESETS else state.current().base, inspected.config))


def available_weights() -> dict[str, str]:
    """Return the titles of all weights that can be used at once, by token."""
    found = {token: _bundled_title(token) for token in session.BUNDLED if session.weights_path(token)}
    found |= _weights_of_runs()
    found |= {token: session.resolve(token).title for token in session.stored_weights()}
    inspected = session.inspected_network()
    found.setdefault(inspected.token, inspected.title)
    return found | {session.RANDOM: f"random weights for {_current_title()}"}


def _bundled_title(token: str) -> str:
    try:
        return f"{session.resolve(token).title} (comes with the app)"
    except InputError:
        return token


def _weights_of_runs() -> dict[str, str]:
    """Return the titles of all networks of runs that have weights, by token."""
    try:
        store = runs.store()
        ended = store.runs(("finished", "cancelled", "paused", "interrupted"))[:MAX_RUNS]
    except StoreError:
        return {}
    found = {}
    for run in ended:
        trainers = run.plan.trainers
        for number, trainer in enumerate(trainers):
            if store.weights_path(run.id, number):
                network = run.plan.networks[trainer.network].name
                part = f", {network}, seed {trainer.seed}" if len(trainers) > 1 else ""
                state_of_run = "" if run.state == "finished" else f" ({run.state})"
                found[weights_token(run.id, number)] = f"run {run.name}{part}{state_of_run}"
    return found


def _show_menu() -> None:
    options = available_weights()
    st.session_state[_CHOICE] = session.inspected_network().token
    st.radio(
        "Use weights",
        list(options),
        key=_CHOICE,
        format_func=lambda token: fmt.markdown(options[token]),
        on_change=_on_choice,
    )
    _show_names()
    st.divider()
    key = f"look_inside_weights_file_{_UPLOADER.get()}"
    st.file_uploader(
        "Weights file: exported by this app, or a GoogLeNet in torchvision's layout; also inside a checkpoint",
        [suffix.removeprefix(".") for suffix in SUFFIXES],
        key=key,
        on_change=_import_file,
        args=(key,),
        max_upload_size=MAX_FILE_MB,
    )
    if names := inbox_files(data_folder(), SUFFIXES):
        st.selectbox(
            "Or a large file in the server's inbox folder",
            ["", *names],
            key=_INBOX,
            format_func=lambda name: fmt.markdown(name) or "none",
            on_change=_import_inbox_file,
            help=f"Files of over {MAX_FILE_MB} MB: put them into the folder {data_folder() / 'inbox'}.",
        )
    st.button(
        "Download torchvision's ImageNet weights (52 MB)",
        icon=":material/cloud_download:",
        on_click=_import_download,
        key="look_inside_download",
        help="From download.pytorch.org. Nothing else here needs the internet.",
    )


def _on_choice() -> None:
    _dismiss()
    session.use_weights(st.session_state[_CHOICE])


def _dismiss() -> None:
    """Forget an import that failed."""
    _REQUEST.clear()
    _ERROR.clear()


def _import_file(key: str) -> None:
    """Store the uploaded file and request its import."""
    file: UploadedFile | None = st.session_state[key]
    if file is None:
        return
    _UPLOADER.set(_UPLOADER.get() + 1)
    try:
        path = session.content_store().add(file.getvalue(), ".weights")
    except ContentStoreError as error:
        _ERROR.set((str(error), ()))
        return
    _request_import(path, file.name)


def _import_inbox_file() -> None:
    path = inbox_path(data_folder(), st.session_state[_INBOX])
    if path:
        _request_import(path, path.name)


def _request_import(path: Path, name: str) -> None:
    _ERROR.clear()
    request = ImportRequest(
        path=str(path),
        config=state.current().config,
        folder=str(session.content_store().folder),
        name=printable(name),
    )
    requests.forget_result(request)
    _REQUEST.set(request)


def _import_download() -> None:
    request = DownloadRequest(folder=str(session.content_store().folder))
    requests.forget_result(request)
    _ERROR.clear()
    _REQUEST.set(request)


@fragment
def _show_import() -> None:
    """Show the progress of an import and use its weights when it is done, or show why they do not fit."""
    request = _REQUEST.get()
    if request:
        task = "Downloading the weights" if request.kind == "download" else "Reading the file"
        found = requests.await_result(request, "look_inside_import", task, _dismiss)
        if found is not None:
            _REQUEST.clear()
            _use_imported(found)
            st.rerun()
    if error := _ERROR.get():
        _show_error(*error)


def _use_imported(found: ImportedWeights) -> None:
    if found.network is None:
        _ERROR.set((found.about, found.mismatches))
        return
    token = stored_token(found.network.weights)
    session.remember_stored(token)
    session.use_weights(token)


def _show_names() -> None:
    """Show fields for the names of uploaded weights and of their classes; other weights keep theirs."""
    inspected = session.inspected_network()
    if not session.is_stored(inspected.token):
        return
    title, classes = f"{_NAME}_{inspected.token}", f"{_CLASSES}_{inspected.token}"
    st.session_state[title] = inspected.name
    current = [inspected.class_name(number) for number in range(inspected.config.classes)]
    st.session_state[classes] = "\n".join(current)

    def on_change() -> None:
        names = st.session_state[classes].strip().splitlines()
        _ERROR.clear()
        if (st.session_state[title], names) == (inspected.name, current):
            return
        if len(names) != inspected.config.classes:
            _ERROR.set((f"The network has {inspected.config.classes:,} classes; there are {len(names):,} names.", ()))
            return
        try:
            session.rename(inspected, printable(st.session_state[title].strip()), names)
        except (InputError, ContentStoreError) as error:
            _ERROR.set((str(error), ()))

    with st.expander("Names"):
        st.text_input("Name of these weights", key=title, max_chars=40, on_change=on_change)
        st.text_area("Classes, one per line", key=classes, on_change=on_change)


def _show_error(message: str, mismatches: tuple[ShapeMismatch, ...]) -> None:
    messages.show_refusal(message)
    st.button("Dismiss", icon=":material/close:", key="look_inside_error_dismiss", on_click=_dismiss)
    if mismatches:
        rows = [
            {
                "layer": mismatch.path,
                "tensor": mismatch.tensor,
                "expected": _shape(mismatch.expected),
                "in the file": _shape(mismatch.found),
            }
            for mismatch in mismatches
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height=min(36 + 35 * len(rows), 240),
            alt="Tensors that do not fit, one per row",
            placeholder=fmt.NO_VALUE,
        )


def _shape(dimensions: tuple[int, ...] | None) -> str:
    return "missing" if dimensions is None else fmt.shape(dimensions)
