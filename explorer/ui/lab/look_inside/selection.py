"""What the page *Look inside* looks with and at: the weights, the pictures, how they are prepared, what is scaled.

The weights go by a token, which the URL carries, so that a reload or a link finds them again:

- the name of a file that comes with the app, such as ``mini_fashion_mnist``;
- a lane of a run, as :mod:`explorer.runs.links` writes it;
- ``kept_`` and the name of a file in the scratch folder, for weights that someone brought;
- ``random`` for the network on the bench with random weights.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from explorer.config import GoogLeNetConfig
from explorer.data.content_store import FOLDER, ContentStore
from explorer.data.metadata import WeightsMetadata
from explorer.data.weight_files import Described, describe
from explorer.jobs.inspection import InputError, Network, Preprocessing, Scale, scale_problems
from explorer.runs.links import PARAMETER, run_weights
from explorer.runs.store import StoreError
from explorer.settings import ASSETS, data_folder
from explorer.ui import runs, state

SHIPPED = ("mini_fashion_mnist", "mini_scales")
RANDOM = "random"
WEIGHTS = ASSETS / "weights"

_TOKEN, _KNOWN, _REFUSED = "look_weights", "look_weights_url", "look_weights_refused"
_PREPARATION, _SCALES = "look_preparation", "look_scales"
PICTURES = "look_kind"  # which kind of pictures lies on the desk; other weights begin with those they know
_KEPT = re.compile(r"kept_([0-9a-f]{40})")


class InUse(NamedTuple):
    """The network that is looked into, with its weights; as :class:`explorer.data.weight_files.Described`."""

    token: str
    network: Network
    title: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    training: WeightsMetadata | None
    claimed: bool = False

    @property
    def config(self) -> GoogLeNetConfig:
        """Its description."""
        return self.network.config

    def class_name(self, number: int) -> str:
        """Return what a class is called."""
        return self.classes[number] if self.classes else f"class {number}"


def follow_url() -> None:
    """Take the weights from the URL where the browser leads, and put those in use into it."""
    asked = st.query_params.get(PARAMETER)
    if state.navigated_by_address() and asked is not None and asked != st.session_state.get(_KNOWN):
        use(asked)
    token = _token()
    st.session_state[_KNOWN] = token
    if st.query_params.get(PARAMETER) != token:
        st.query_params[PARAMETER] = token


def use(token: str) -> None:
    """Look with other weights. Those that cannot be had leave the present ones, and :func:`refused` says why."""
    try:
        found = resolved(token)
    except InputError as error:
        st.session_state[_REFUSED] = f"{error} The weights in use stay."
        return
    if found.config != in_use().config:
        st.session_state.pop(_SCALES, None)
    st.session_state[_TOKEN] = token
    for key in (_REFUSED, _PREPARATION, PICTURES):
        st.session_state.pop(key, None)


def refused() -> str:
    """Return why the weights last asked for are not in use; empty where they are."""
    return st.session_state.get(_REFUSED, "")


def in_use() -> InUse:
    """Return the network that is looked into. Where its weights have gone, it is that on the bench, untrained."""
    try:
        return resolved(_token())
    except InputError as error:
        st.session_state[_TOKEN] = RANDOM
        st.session_state[_REFUSED] = f"{error} Random weights are used instead."
        return resolved(RANDOM)


def _token() -> str:
    return st.session_state.get(_TOKEN, SHIPPED[0])


def resolved(token: str) -> InUse:
    """Return what a token stands for. Raises InputError where there is no such thing (any more)."""
    if token == RANDOM:
        return untrained(state.current().config, "random weights")
    path = path_of(token)
    if path is None:
        raise InputError(f"There are no weights “{token[:40]}” here (any more).")
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        raise InputError("The file of weights is no longer there.") from None
    return InUse(token, *_described(path, changed))


@lru_cache(maxsize=32)
def _described(path: Path, _changed: int) -> Described:
    """Read the head of a file of weights; again when the file has changed. Raises InputError where it is none."""
    return describe(path)


def untrained(config: GoogLeNetConfig, title: str, like: InUse | None = None) -> InUse:
    """Return a network with random weights; with the classes and the preparation of pictures of one that is trained."""
    if like is None:
        return InUse(RANDOM, Network(config=config), title, (), Preprocessing(), None)
    return InUse(RANDOM, Network(config=config), title, like.classes, like.preprocessing, None)


def path_of(token: str) -> Path | None:
    """Return the file of weights that a token stands for; None where there is none."""
    if token in SHIPPED:
        return WEIGHTS / f"{token}.safetensors"
    if found := _KEPT.fullmatch(token):
        path = scratch().folder / f"{found[1]}.safetensors"
        return path if path.is_file() else None
    if run := run_weights(token):
        try:
            return runs.store().weights_path(run.run_id, run.lane)
        except StoreError:
            return None
    return None


def token_of(path: str) -> str:
    """Return the token of a file in the scratch folder."""
    return f"kept_{Path(path).stem}"


def scratch() -> ContentStore:
    """Return the folder in which pictures and weights wait for the checking process."""
    return ContentStore(data_folder() / FOLDER)


def preparation() -> Preprocessing:
    """Return how pictures are prepared: as the reader has set it, else as the weights need it."""
    return st.session_state.get(_PREPARATION) or in_use().preprocessing


def prepare(how: Preprocessing | None) -> None:
    """Set how pictures are prepared; None for what the weights need."""
    st.session_state[_PREPARATION] = how


def scales() -> tuple[Scale, ...]:
    """Return the branches whose outputs are scaled."""
    return st.session_state.get(_SCALES, ())


def scale(changed: tuple[Scale, ...]) -> None:
    """Scale other branches. Those that the network does not have are left out."""
    config = in_use().config
    st.session_state[_SCALES] = tuple(one for one in changed if not scale_problems(config, (one,)))


def device() -> str:
    """Return where the reader wants networks to run; the badge of the network page asks for it."""
    return st.session_state.get("device", "auto")
