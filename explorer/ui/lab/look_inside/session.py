"""What *Look inside* inspects in this session: the network with its weights, the preprocessing, and scaled branches.

:func:`request_fields` has what all requests about images share; :mod:`explorer.ui.lab.look_inside.requests` sends them.
The weights have a token, which the URL carries, so that a reload or a link finds them again:

- the name of a file that comes with the app, such as ``mini_fashion_mnist``;
- the weights of a run, as :mod:`explorer.runs.links` writes them;
- ``kept_`` and the name of a file in the content store, for weights that a user uploaded or downloaded;
- ``random`` for the current network with random weights;
- ``current``, in links only: the weights in use if they fit the current network, or else ``random``.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypedDict

import streamlit as st

from explorer.config import GoogLeNetConfig
from explorer.data.content_store import FOLDER, ContentStore
from explorer.data.preprocessing import Preprocessing
from explorer.data.weight_files import WeightsInfo, WeightsMetadata, read_weights_info, rename_weights, stored_token
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Scale, scale_problems
from explorer.paths import ASSETS
from explorer.runs.links import PARAMETER, parse_weights_token
from explorer.runs.schema import StoreError
from explorer.settings import data_folder
from explorer.ui import runs, state
from explorer.ui.components.one_number_link import CURRENT
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import fragment
from explorer.views.diagrams import block_of

BUNDLED = ("mini_fashion_mnist", "mini_scales")
RANDOM = "random"
WEIGHTS_FOLDER = ASSETS / "weights"
VIEW_KEY = "look_inside_view"  # of the control that chooses the view

IMAGE_SOURCE = SessionValue[str | None]("look_inside_source", None)  # other weights start with the images they know
_TOKEN = SessionValue("look_inside_weights", BUNDLED[0])
_TOKEN_IN_URL = SessionValue[str | None]("look_inside_weights_in_url", None)
_REFUSAL = SessionValue("look_inside_weights_refusal", "")
_PREPROCESSING = SessionValue[Preprocessing | None]("look_inside_preprocessing", None)
_STORED = SessionValue[tuple[str, ...]]("look_inside_stored_weights", ())  # tokens
_SCALES = SessionValue[tuple[Scale, ...]]("look_inside_scales", ())
_MAP = SessionValue[tuple[str, int] | None]("look_inside_selected_map", None)
_STORED_TOKEN = re.compile(r"kept_([0-9a-f]{40})")


# ── what is inspected ──────────────────────────────────────────────────────────────────────────────────────────────


class ChosenImage(NamedTuple):
    """An image: its name, the path of its PNG file in the content store, and what is known about it.

    ``label`` is its ground-truth class, empty if it is unknown or not one of the network's classes.
    """

    name: str
    path: str
    about: str
    label: str = ""


class InspectedNetwork(NamedTuple):
    """The inspected network with its weights: a token and :class:`explorer.data.weight_files.Described`.

    ``class_names`` is empty if they are unknown; ``is_unverified`` if only an uploaded file says how it was trained.
    """

    token: str
    network: Network
    title: str
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    training: WeightsMetadata | None
    is_unverified: bool = False
    name: str = ""

    @property
    def config(self) -> GoogLeNetConfig:
        """The configuration of the network."""
        return self.network.config

    @property
    def short_title(self) -> str:
        """The name of the network in the title of a chart: the user's, or else that with which it was trained."""
        return self.name or (self.training.name if self.training else self.title.partition(",")[0])

    def class_name(self, number: int) -> str:
        """Return the name of a class, or its number where the names are not known."""
        return self.class_names[number] if self.class_names else f"class {number}"


def sync_url() -> None:
    """Use the weights that the URL names after a navigation, then write the token of the weights in use to the URL.

    An address without a token stands for the first weights, unless the page was opened from the menu.
    """
    in_url = st.query_params.get(PARAMETER)
    is_named = in_url is not None or state.is_history_navigation()
    if state.follows_url() and is_named and in_url != _TOKEN_IN_URL.get():
        use_weights(_token_in_link(in_url))
    token = None if _TOKEN.get() == _TOKEN.default else _TOKEN.get()
    _TOKEN_IN_URL.set(token)
    state.write_parameter(PARAMETER, token)


def _token_in_link(in_url: str | None) -> str:
    """Return the weights that a link names: those in use if they belong to the current network, where it asks so."""
    if in_url != CURRENT:
        return _TOKEN.default if in_url is None else in_url
    is_current = inspected_network().config == state.current().config
    return _TOKEN.get() if is_current else RANDOM


def use_weights(token: str) -> None:
    """Inspect the network with these weights; if they are not available, only :func:`refusal` changes."""
    try:
        found = resolve(token)
    except InputError as error:
        _REFUSAL.set(f"{error} The current weights stay in use.")
        return
    if found.config != inspected_network().config:
        _SCALES.clear()
    _TOKEN.set(token)
    for value in (_REFUSAL, _PREPROCESSING, IMAGE_SOURCE):
        value.clear()


def refusal() -> str:
    """Return why the weights that were last chosen are not in use; empty if they are."""
    return _REFUSAL.get()


def inspected_network() -> InspectedNetwork:
    """Return the inspected network. If its weights no longer exist, it is the current network with random weights."""
    try:
        return resolve(_TOKEN.get())
    except InputError as error:
        _TOKEN.set(RANDOM)
        _REFUSAL.set(f"{error} Random weights are used instead.")
        return resolve(RANDOM)


def resolve(token: str) -> InspectedNetwork:
    """Return the network that a token names. Raises InputError if there is none."""
    if token == RANDOM:
        untrained = untrained_network(state.current().config, "random weights")
        return untrained._replace(name=f"{state.current_title()}, untrained")
    path = weights_path(token)
    if path is None:
        raise InputError(f"There are no weights “{token[:40]}” on this server, or they were deleted.")
    try:
        modified = path.stat().st_mtime_ns
    except OSError:
        raise InputError("The weights file no longer exists.") from None
    return InspectedNetwork(token, *_describe(path, modified, parse_weights_token(token) is not None))


@lru_cache(maxsize=32)
def _describe(path: Path, _modified: int, is_local: bool) -> WeightsInfo:
    """Read the header of a weights file, once per modification time. Raises InputError if it is not valid."""
    return read_weights_info(path, is_local=is_local)


def untrained_network(config: GoogLeNetConfig, title: str, like: InspectedNetwork | None = None) -> InspectedNetwork:
    """Return a network with random weights; it has the class names and the preprocessing of ``like``, if given."""
    if like is None:
        return InspectedNetwork(RANDOM, Network(config=config), title, (), Preprocessing(), None)
    return InspectedNetwork(RANDOM, Network(config=config), title, like.class_names, like.preprocessing, None)


def weights_path(token: str) -> Path | None:
    """Return the weights file that a token names; None if there is none."""
    if token in BUNDLED:
        return WEIGHTS_FOLDER / f"{token}.safetensors"
    if found := _STORED_TOKEN.fullmatch(token):
        path = content_store().folder / f"{found[1]}.safetensors"
        return path if path.is_file() else None
    if run := parse_weights_token(token):
        try:
            return runs.store().weights_path(run.run_id, run.trainer)
        except StoreError:
            return None
    return None


def is_stored(token: str) -> bool:
    """Whether a token names weights in the content store: a user uploaded or downloaded them."""
    return bool(_STORED_TOKEN.fullmatch(token))


def stored_weights() -> tuple[str, ...]:
    """Return the tokens of the weights that this session uploaded or downloaded, if they still exist."""
    return tuple(token for token in _STORED.get() if weights_path(token))


def remember_stored(token: str, instead_of: str = "") -> None:
    """Offer uploaded weights in this session, in place of others if they are those with another name."""
    _STORED.set((*(other for other in _STORED.get() if other not in (token, instead_of)), token))


def rename(inspected: InspectedNetwork, name: str, classes: Sequence[str]) -> None:
    """Give uploaded weights another name, and their classes other names. The URL then has another token.

    Raises InputError or ContentStoreError if the new file cannot be written.
    """
    path = rename_weights(Path(inspected.network.weights), content_store(), name, classes)
    token = stored_token(str(path))
    remember_stored(token, instead_of=inspected.token)
    use_weights(token)


def content_store() -> ContentStore:
    """Return the folder that holds images and weights for the worker process."""
    return ContentStore(data_folder() / FOLDER)


def preprocessing() -> Preprocessing:
    """Return the preprocessing that the user chose, or else the one that the weights need."""
    return _PREPROCESSING.get() or inspected_network().preprocessing


def set_preprocessing(chosen: Preprocessing | None) -> None:
    """Set the preprocessing of images; None for the one that the weights need."""
    _PREPROCESSING.set(chosen)


def scales() -> tuple[Scale, ...]:
    """Return the branches whose outputs are scaled."""
    return _SCALES.get()


def set_scales(changed: tuple[Scale, ...]) -> None:
    """Set the scaled branches, without those that the network does not have."""
    config = inspected_network().config
    _SCALES.set(tuple(scale for scale in changed if not scale_problems(config, (scale,))))


class RequestFields(TypedDict):
    """The fields that all requests about images share."""

    network: Network
    images: tuple[str, ...]
    preprocessing: Preprocessing
    scales: tuple[Scale, ...]
    device: str


def request_fields(*images: str) -> RequestFields:
    """Return the shared fields of a request about these images (paths in the content store)."""
    return {
        "network": inspected_network().network,
        "images": images,
        "preprocessing": preprocessing(),
        "scales": scales(),
        "device": state.device(),
    }


def unscaled(fields: RequestFields) -> RequestFields:
    """Return the fields without scaled branches: the network as it was trained."""
    return {**fields, "scales": ()}


# ── what the page shows ────────────────────────────────────────────────────────────────────────────────────────────


def run_as_fragment(draw: Callable[[], None]) -> None:
    """Draw a part of the page as a fragment. If a control in it changes what other parts show, rerun the page."""
    drawn_with = _shared_state()

    @fragment
    def part() -> None:
        if _shared_state() != drawn_with:
            st.rerun()
        draw()

    part()


def _shared_state() -> tuple[Network, tuple[Scale, ...], str | None]:
    return inspected_network().network, scales(), view()


def view() -> str | None:
    """Return the view that the page shows; None before the first choice."""
    name: str | None = st.session_state.get(VIEW_KEY)
    return name


def set_view(name: str) -> None:
    """Choose a view of the page."""
    st.session_state[VIEW_KEY] = name


def block_name(config: GoogLeNetConfig | None = None) -> str:
    """Return the block whose feature maps are shown: the chosen one, or else the network's first module."""
    modules = [module.name for module in (config or inspected_network().config).modules]
    chosen = block_of(state.selected_node())
    return chosen if chosen in ("stem", *modules) else modules[0]


def selected_map() -> tuple[str, int] | None:
    """Return the path and the channel of the map that the user selected last; None before the first selection."""
    return _MAP.get()


def select_map(path: str, channel: int) -> None:
    """Select the feature map of a channel."""
    _MAP.set((path, channel))
