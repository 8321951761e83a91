"""The state of a session that pages share: the history of frozen configs, the shelf, and what is compared.

The URL carries these three, and what a link for a class leaves out. This module alone names the keys of shared state
in ``st.session_state``.
"""

from collections.abc import Callable
from typing import Any, Generic, Literal, NamedTuple, TypeVar
from uuid import uuid4

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.config import GoogLeNetConfig, InceptionModule
from explorer.diff import find_changes
from explorer.errors import Problem
from explorer.history import History, Version
from explorer.lessons import class_link
from explorer.presets import CATALOGUE, PRESETS
from explorer.share import ShareError, from_shelf_token, from_token, to_shelf_token, to_token
from explorer.shelf import Shelf, default_names, names_from_token, names_to_token, version_of
from explorer.views.network_table import version_title

T = TypeVar("T")
Width = int | Literal["stretch"]  # of a control, in pixels


class SessionValue(Generic[T]):
    """A value in the session's state: its key, its type, and what it is until it is set."""

    def __init__(self, key: str, default: T) -> None:
        self.key, self.default = key, default

    def get(self) -> T:
        """Return the value."""
        value: T = st.session_state.get(self.key, self.default)
        return value

    def set(self, value: T) -> None:
        """Set the value."""
        st.session_state[self.key] = value

    def clear(self) -> None:
        """Return to the default."""
        st.session_state.pop(self.key, None)


class RejectedInput(NamedTuple):
    """What a control was given and why it was rejected, to show both at that control.

    ``of_network`` is true if it was meant for the current network, which then is not what the control shows.
    """

    value: Any
    problems: tuple[Problem, ...]
    of_network: bool = False


class TableSnapshot(NamedTuple):
    """The table as the grid received it. The grid holds its edits and lays them over these rows.

    While the ``number`` stays the same the grid keeps its edits and never gets its own changes back, so an edit costs
    one run. What changes the rows from outside (undo, a preset, an added row, another page) makes a new snapshot.
    """

    number: int
    modules: tuple[InceptionModule, ...]


DEFAULT = Version("paper", PRESETS["paper"])
NETWORK_PARAMETER = "net"
SHELF_PARAMETER = "shelf"
COMPARED_PARAMETER = "compare"
HIDDEN_PARAMETER = "hide"
PRESENT_PARAMETER = "present"
DEVICES = {"auto": "best device", "cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}
DEVICE_KEY = "device"  # of every control that selects the device

_HISTORY = SessionValue("history", History(DEFAULT))
_SHELF = SessionValue("shelf", Shelf())
_COMPARED = SessionValue[tuple[str, ...]]("compared", ())
_HIDDEN_PARTS = SessionValue[frozenset[str]]("hidden_parts", frozenset())
_PRESENTS = SessionValue("presents", False)
_LATENCIES = SessionValue[dict[GoogLeNetConfig, tuple[float, ...]]]("latencies", {})
_PAGE = SessionValue[str | None]("page", None)
_FOLLOWS_URL = SessionValue("follows_url", True)
_PAGE_WARNING = SessionValue[str | None]("page_warning", None)
_SELECTED_NODE = SessionValue("selected_node", "inception_4a")
_TABLE_SNAPSHOT = SessionValue[TableSnapshot | None]("table_snapshot", None)
_REJECTED = SessionValue[dict[str, RejectedInput]]("rejected_input", {})
_DEVICE = SessionValue(DEVICE_KEY, "auto")
_SESSION_ID = SessionValue("session_id", "")
_URL_TOKEN = "url_token"
_ON = "1"
_MAX_LATENCIES = 64
_MAX_REASONS = 3  # that are shown for one rejected input


def session_id() -> str:
    """Return a name of this session; in a job queue a session's newer request replaces its older one."""
    if not _SESSION_ID.get():
        _SESSION_ID.set(uuid4().hex)
    return _SESSION_ID.get()


def device() -> str:
    """Return where the reader wants networks to run: a key of ``DEVICES``."""
    return _DEVICE.get()


def sync_from_url(page: str) -> None:
    """Make the state follow the URL in a run that the URL caused.

    Those are the first run (a link, a reload), a run after Back or Forward, and the first run of another page, which
    may have been opened by a link with a network. In all others the URL follows the state: a busy browser may request
    a run before it has received the URL of the last one, and following that would undo the edit just made. A link that
    cannot be read leaves the network as it is and warns above the page.
    """
    is_first, is_new_page = _PAGE.get() is None, _PAGE.get() not in (None, page)
    _PAGE.set(page)
    _FOLLOWS_URL.set(is_first or is_new_page or is_history_navigation())
    st.session_state.setdefault(_HISTORY.key, _HISTORY.default)
    if is_new_page:
        _PAGE_WARNING.clear()
        discard_pending_edits()  # the grid of the other page is gone, and its edits with it
    if not follows_url():
        return
    results = [_follow(parameter, load, is_new_page) for parameter, load in _LOADERS.items()]
    if any(error is not None for error in results):
        warn(" ".join(filter(None, results)))


def follows_url() -> bool:
    """Whether this run follows the URL, so that a page reads its own parameters from there."""
    return _FOLLOWS_URL.get()


def is_history_navigation() -> bool:
    """Whether this run comes from the browser's Back or Forward."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _follow(parameter: str, load: Callable[[str | None], None], is_new_page: bool) -> str | None:
    """Load what a parameter of the URL holds. Return the error, "" if there is none, None if nothing is new."""
    known = f"{_URL_TOKEN}_{parameter}"
    token = st.query_params.get(parameter)
    if token == st.session_state.get(known) or (token is None and is_new_page):
        return None
    st.session_state[known] = token
    try:
        load(token)
    except ShareError as error:
        return f"{error} The page shows the last valid state."
    return ""


def _load_network(token: str | None) -> None:
    _push(from_token(token) if token else DEFAULT)
    discard_pending_edits()


def _load_shelf(token: str | None) -> None:
    set_shelf(shelf().replace_all(from_shelf_token(token) if token else ()))


def _load_compared(token: str | None) -> None:
    _COMPARED.set(names_from_token(token) if token else ())


def _load_hidden(token: str | None) -> None:
    _HIDDEN_PARTS.set(class_link.parse(token) if token else frozenset())


_LOADERS = {
    NETWORK_PARAMETER: _load_network,
    SHELF_PARAMETER: _load_shelf,
    COMPARED_PARAMETER: _load_compared,
    HIDDEN_PARAMETER: _load_hidden,
    PRESENT_PARAMETER: lambda token: _PRESENTS.set(token == _ON),
}


def write_url() -> None:
    """Write the state into the URL, so that a reload or a copied link restores it."""
    for parameter, token in url_tokens().items():
        write_parameter(parameter, token)
        st.session_state[f"{_URL_TOKEN}_{parameter}"] = token


def write_parameter(parameter: str, value: str | None) -> None:
    """Write a parameter into the URL, or remove it for None, if the URL does not say so already."""
    if value is None:
        st.query_params.pop(parameter, None)
    elif value != st.query_params.get(parameter):
        st.query_params[parameter] = value


def url_tokens() -> dict[str, str | None]:
    """Return what the URL holds, by parameter; None where there is nothing to hold or it is too long."""
    variants, names, hidden = shelf().variants, _COMPARED.get(), hidden_parts()
    return {
        NETWORK_PARAMETER: None if current() == DEFAULT else to_token(current()),
        SHELF_PARAMETER: to_shelf_token(variants) if variants else None,
        COMPARED_PARAMETER: names_to_token(names) if names else None,
        HIDDEN_PARAMETER: class_link.to_text(hidden) if hidden else None,
        PRESENT_PARAMETER: _ON if presents() else None,
    }


def is_shelf_in_url() -> bool:
    """Whether the URL holds the whole shelf, so that a reload restores it; an empty one needs nothing."""
    return not shelf().variants or url_tokens()[SHELF_PARAMETER] is not None


def hidden_parts() -> frozenset[str]:
    """Return the parts of lessons that this session leaves out because it began with a link for a class."""
    return _HIDDEN_PARTS.get()


def presents() -> bool:
    """Whether text and charts are enlarged for a projector, on every page."""
    return _PRESENTS.get()


def set_presents(is_on: bool) -> None:
    """Enlarge text and charts for a projector, or no longer."""
    _PRESENTS.set(is_on)


def shelf() -> Shelf:
    """Return the variants that this session has saved."""
    return _SHELF.get()


def set_shelf(changed: Shelf) -> None:
    """Set the session's shelf. The shelf has its own undo."""
    _SHELF.set(changed)
    _PAGE_WARNING.clear()


def compared_names() -> tuple[str, ...]:
    """Return the names of the networks to compare, the base first, without those that no longer exist."""
    known = tuple(name for name in _COMPARED.get() if version_of(name, shelf(), current()))
    return known or default_names(shelf(), current())


def set_compared_names(names: tuple[str, ...]) -> None:
    """Set what is compared; no names mean the default choice."""
    _COMPARED.set(names)


def version_named(name: str) -> Version:
    """Return the network of a name; the current network if the name is unknown."""
    return version_of(name, shelf(), current()) or current()


def set_current(version: Version) -> None:
    """Make a network, with the preset that it is compared with, the current one. Undo restores the old one."""
    _push(version)
    discard_pending_edits()


def latencies_ms(config: GoogLeNetConfig) -> tuple[float, ...]:
    """Return the milliseconds per image that this session last measured of a network; empty before the first time."""
    return _LATENCIES.get().get(config, ())


def record_latencies(times: dict[GoogLeNetConfig, tuple[float, ...]]) -> None:
    """Record the milliseconds per image of networks that were measured together, beside the last older ones."""
    known = {**_LATENCIES.get(), **times}
    _LATENCIES.set(dict(list(known.items())[-_MAX_LATENCIES:]))


def history() -> History:
    """Return this session's versions of the network."""
    return _HISTORY.get()


def current() -> Version:
    """Return the current network, which the session edits."""
    return history().present


def current_title() -> str:
    """Return the name of the current network: ``paper``, ``paper + 2 edits``."""
    version = current()
    return version_title(CATALOGUE[version.base].title, find_changes(version.base_config, version.config))


def commit(config: GoogLeNetConfig, *, from_table: bool = False) -> None:
    """Make a buildable config the current one, with the same base. Rows unknown to the grid discard its edits."""
    has_other_rows = config.modules != current().config.modules
    _push(Version(current().base, config))
    if has_other_rows and not from_table:
        _renew_table()


def load_preset(name: str) -> None:
    """Make a preset the current network. Undo restores the old one. An unknown name, which is forged, only warns."""
    if name in PRESETS:
        set_current(Version(name, PRESETS[name]))
    else:
        warn(f"There is no preset “{str(name)[:30]}”. The network stays as it is.")


def undo() -> None:
    """Go one version back."""
    _go_to(history().undo())
    discard_pending_edits()


def redo() -> None:
    """Go one version forward."""
    _go_to(history().redo())
    discard_pending_edits()


def _push(version: Version) -> None:
    _go_to(history().push(version))


def _go_to(changed: History) -> None:
    """Set the session's history. A reader who edits on has read the warning."""
    if changed != history():
        _HISTORY.set(changed)
        _PAGE_WARNING.clear()


def table_snapshot() -> TableSnapshot:
    """Return the table over which the grid lays its edits."""
    if (known := _TABLE_SNAPSHOT.get()) is not None:
        return known
    first = TableSnapshot(0, current().config.modules)
    _TABLE_SNAPSHOT.set(first)
    return first


def discard_pending_edits() -> None:
    """Discard rejected input everywhere: the table and all controls show the current network again."""
    _renew_table()
    _REJECTED.clear()


def _renew_table() -> None:
    _TABLE_SNAPSHOT.set(TableSnapshot(table_snapshot().number + 1, current().config.modules))


def reject_input(key: str, value: Any, problems: tuple[Problem, ...], *, of_network: bool = False) -> None:
    """Record what the control of a key was given and why it was rejected, until it is given something valid."""
    _REJECTED.set({**_REJECTED.get(), key: RejectedInput(value, problems, of_network)})


def rejected_input(key: str) -> RejectedInput | None:
    """Return the rejected input of a control, if there is one."""
    return _REJECTED.get().get(key)


def rejection(key: str) -> tuple[Problem, ...]:
    """Return why the last input of a control was rejected, the first few reasons; empty if it was accepted."""
    rejected = rejected_input(key)
    return rejected.problems[:_MAX_REASONS] if rejected else ()


def is_network_outdated() -> bool:
    """Whether an input for the current network was rejected, so that the network is not what some control shows."""
    return any(rejected.of_network for rejected in _REJECTED.get().values())


def clear_rejected_input(*keys: str) -> None:
    """Forget the rejected input of these controls; without a key, of all."""
    _REJECTED.set({key: rejected for key, rejected in _REJECTED.get().items() if keys and key not in keys})


def page_warning() -> str | None:
    """Return the warning above the page, such as that its link was bad."""
    return _PAGE_WARNING.get()


def warn(message: str) -> None:
    """Show a warning above the page until the next edit, or until another page is opened."""
    _PAGE_WARNING.set(message)


def selected_node() -> str:
    """Return the path of the selected node: a block or a layer, of the current network unless an edit removed it."""
    return _SELECTED_NODE.get()


def select_node(path: str) -> None:
    """Select a node; every page highlights the same one."""
    _SELECTED_NODE.set(path)
