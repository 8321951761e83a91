"""Which weights are in use, always in view, and the ways to others: shipped, trained here, a file, a download, none."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.data.content_store import ContentStoreError
from explorer.diff import changes
from explorer.history import Version
from explorer.jobs.inspection import DownloadRequest, ImportedWeights, ImportRequest, InputError
from explorer.presets import CATALOGUE, PRESETS
from explorer.runs.links import weights_token
from explorer.runs.store import StoreError
from explorer.ui import messages, runs, state
from explorer.ui.lab.look_inside import requests, selection
from explorer.ui.lab.look_inside.selection import InUse
from explorer.views import formatting as fmt
from explorer.views.network_table import version_title

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile


MAX_FILE_MB = 64
MAX_RUNS = 50
_CHOSEN, _EDITION, _BROUGHT, _ASKED, _TOLD = (
    "look_weights_choice",
    "look_weights_edition",
    "look_weights_brought",
    "look_weights_asked",
    "look_weights_told",
)


def show_weights() -> None:
    """Say which weights are in use and which network they belong to, with the way to others."""
    in_use = selection.in_use()
    with st.container(horizontal=True, vertical_alignment="center", key="look_weights_bar", gap="small"):
        if in_use.training and not in_use.claimed:
            st.badge("trained", icon=":material/school:", color="green")
        elif in_use.network.weights:
            st.badge("from a file", icon=":material/draft:", color="blue")
        else:
            st.badge("random weights", icon=":material/casino:", color="orange")
        st.markdown(_said(in_use), width="stretch")
        menu = st.popover("Weights", icon=":material/folder_open:", on_change="rerun", key="look_weights_menu")
    if menu.open:
        with menu:
            _menu()
    if selection.refused():
        messages.show_refusal(selection.refused())
    _waiting()
    _bench(in_use)


def _said(in_use: InUse) -> str:
    """Say in a line what is looked into."""
    if not in_use.network.weights:
        return (
            f"**{fmt.markdown(_bench_title())}** with random weights: its answers mean nothing; shapes, time and "
            "pictures still do."
        )
    told = f"**{fmt.markdown(in_use.title)}**"
    training = in_use.training
    if training and training.accuracy is not None:
        share = f"{100 * training.accuracy:.1f} %"
        if in_use.claimed:
            return f"{told} · by its own account {share} of its test images told right"
        told += f" · {share} of {training.facts.test:,} test images told right"
    return told


def _bench_title() -> str:
    version = state.current()
    return version_title(CATALOGUE[version.base].title, changes(version.base_config, version.config))


def _bench(in_use: InUse) -> None:
    """Where the network on the bench is another one, say so, and offer one click either way."""
    with st.container(horizontal=True, vertical_alignment="center", key="look_bench", gap="small"):
        if in_use.token == selection.RANDOM:
            st.button(
                "Look into mini as trained",
                icon=":material/school:",
                on_click=selection.use,
                args=(selection.SHIPPED[0],),
                key="look_mini",
            )
        elif in_use.config != state.current().config:
            st.markdown(
                f":small[The network on the bench, {fmt.markdown(_bench_title())}, is another one: these weights do "
                "not fit it, and this page looks into the network they belong to.]",
                width="content",
            )
            st.button(
                "Put their network on the bench",
                icon=":material/open_in_new:",
                on_click=_to_bench,
                args=(in_use,),
                key="look_to_bench",
                help="Undo leads back to yours.",
            )
            st.button(
                "Look into the bench's, untrained",
                icon=":material/casino:",
                on_click=selection.use,
                args=(selection.RANDOM,),
                key="look_random",
            )


def _to_bench(in_use: InUse) -> None:
    base = in_use.training.name if in_use.training else "torchvision"
    state.make_current(Version(base if base in PRESETS else state.current().base, in_use.config))


def known() -> dict[str, str]:
    """Return the tokens of all weights that can be had without asking anybody, with what each is called."""
    found = {token: _shipped_title(token) for token in selection.SHIPPED if selection.path_of(token)}
    found |= _runs()
    found |= st.session_state.get(_BROUGHT, {})
    if selection.in_use().token not in found:
        found[selection.in_use().token] = selection.in_use().title
    return found | {selection.RANDOM: f"random weights for {_bench_title()}"}


def _shipped_title(token: str) -> str:

    try:
        return f"{selection.resolved(token).title} (comes with the app)"
    except InputError:
        return token


def _runs() -> dict[str, str]:
    """Return the lanes of all runs that have weights."""
    try:
        store = runs.store()
        ended = store.runs(("finished", "cancelled", "paused", "interrupted"))[:MAX_RUNS]
    except StoreError:
        return {}
    found = {}
    for run in ended:
        lanes = run.plan.trainers
        for number, lane in enumerate(lanes):
            if store.weights_path(run.id, number):
                part = f", {run.plan.entrants[lane[0]].name}, seed {lane[1]}" if len(lanes) > 1 else ""
                state_of = "" if run.state == "finished" else f" ({run.state})"
                found[weights_token(run.id, number)] = f"run {run.name}{part}{state_of}"
    return found


def _menu() -> None:
    offered = known()
    st.session_state[_CHOSEN] = selection.in_use().token
    st.radio(
        "Look with",
        list(offered),
        key=_CHOSEN,
        format_func=lambda token: fmt.markdown(offered[token]),
        on_change=lambda: selection.use(st.session_state[_CHOSEN]),
    )
    st.divider()
    _file()


def _file() -> None:
    key = f"look_weights_file_{st.session_state.setdefault(_EDITION, 0)}"
    st.file_uploader(
        "A file of weights: ours, or a GoogLeNet in torchvision's layout",
        ["safetensors", "pth", "pt"],
        key=key,
        on_change=_brought,
        args=(key,),
        max_upload_size=MAX_FILE_MB,
    )
    st.button(
        "Fetch torchvision's ImageNet weights (52 MB)",
        icon=":material/cloud_download:",
        on_click=_fetch,
        key="look_fetch",
        help="From download.pytorch.org; the only thing here that needs the internet.",
    )


def _brought(key: str) -> None:
    """Keep the file for the checking process and ask it to read it."""
    file: UploadedFile | None = st.session_state[key]
    if file is None:
        return
    st.session_state[_EDITION] += 1
    st.session_state.pop(_TOLD, None)
    try:
        path = selection.scratch().keep(file.getvalue(), ".weights")
    except ContentStoreError as error:
        st.session_state[_TOLD] = (str(error), ())
        return
    st.session_state[_ASKED] = ImportRequest(path=str(path), config=state.current().config)


def _fetch() -> None:

    request = DownloadRequest(folder=str(selection.scratch().folder))
    requests.forget(request)
    st.session_state.pop(_TOLD, None)
    st.session_state[_ASKED] = request


@st.fragment
def _waiting() -> None:
    """Wait for weights that were brought or fetched, and use them when they come; else say why not, row by row."""
    request: ImportRequest | DownloadRequest | None = st.session_state.get(_ASKED)
    if request:
        doing = "The weights are fetched" if request.kind == "download" else "The file is read"
        found = requests.await_result(request, "look_import", doing)
        if found is not None:
            st.session_state[_ASKED] = None
            _take(found)
            st.rerun()
    if _TOLD in st.session_state:
        _explain(*st.session_state[_TOLD])


def _take(found: ImportedWeights) -> None:
    if found.network is None:
        st.session_state[_TOLD] = (found.about, found.misfits)
        return
    token = selection.token_of(found.network.weights)
    st.session_state[_BROUGHT] = {**st.session_state.get(_BROUGHT, {}), token: found.about}
    selection.use(token)


def _explain(about: str, misfits: tuple) -> None:
    messages.show_refusal(about)
    if misfits:
        rows = [
            {"row": one.path, "tensor": one.tensor, "expected": _shape(one.expected), "in the file": _shape(one.found)}
            for one in misfits
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            height=min(36 + 35 * len(rows), 240),
            alt="What does not fit, row by row",
        )


def _shape(dimensions: tuple[int, ...] | None) -> str:
    return "missing" if dimensions is None else fmt.shape(dimensions)
