"""What a session remembers. The one shared value is the history of frozen configs; the URL carries its present.

Only this module names shared keys of the session state.
"""

from typing import Any, NamedTuple

import streamlit as st

from explorer.config import GoogLeNetConfig, InceptionModule, Problem
from explorer.history import History, Version
from explorer.presets import PRESETS
from explorer.share import ShareError, from_token, to_token

_HISTORY = "history"
_URL_TOKEN = "url_token"
_PAGE = "page"
_NOTICE = "notice"
_CHOSEN = "chosen"
_EDITION = "table_edition"
_REFUSED = "refused"
PARAMETER = "net"
DEFAULT = Version("paper", PRESETS["paper"])


def open_session(page: str) -> None:
    """Make the state follow the URL: at the start, after Back or Forward, and after a pasted link.

    A page switch drops the URL's parameters; then the session keeps its network. A link that cannot be read
    leaves the network as it is and puts a notice in its place.
    """
    state = st.session_state
    moved = state.get(_PAGE) not in (None, page)
    state[_PAGE] = page
    state.setdefault(_HISTORY, History(DEFAULT))
    if moved:
        discard_pending()  # the grid of another page is gone, with the edits it held
    token = st.query_params.get(PARAMETER)
    if token == state.get(_URL_TOKEN) or (token is None and moved):
        return
    state[_URL_TOKEN] = token
    try:
        version = from_token(token) if token else DEFAULT
    except ShareError as error:
        state[_NOTICE] = f"{error} The network shown is the last good one."
        return
    state[_NOTICE] = None
    _push(version)
    discard_pending()


def write_url() -> None:
    """Put the present network into the URL, so that a reload or a copied link restores it."""
    version = present()
    token = None if version == DEFAULT else to_token(version)
    if token != st.query_params.get(PARAMETER):
        if token is None:
            del st.query_params[PARAMETER]
        else:
            st.query_params[PARAMETER] = token
    st.session_state[_URL_TOKEN] = token


def history() -> History:
    """Return this session's versions of the network."""
    return st.session_state.get(_HISTORY, History(DEFAULT))


def present() -> Version:
    """Return the network the session works on."""
    return history().present


def commit(config: GoogLeNetConfig, *, from_table: bool = False) -> None:
    """Make a checked config the present one; its base stays. Other rows than the grid knows are a new edition."""
    other_rows = config.modules != present().config.modules
    _push(Version(present().base, config))
    if other_rows and not from_table:
        discard_pending()


def start_from(base: str) -> None:
    """Start from a preset. Undo leads back."""
    _push(Version(base, PRESETS[base]))
    discard_pending()


def undo() -> None:
    """Go one version back."""
    st.session_state[_HISTORY] = history().undo()
    discard_pending()


def redo() -> None:
    """Go one version forward."""
    st.session_state[_HISTORY] = history().redo()
    discard_pending()


def _push(version: Version) -> None:
    st.session_state[_HISTORY] = history().push(version)


class Edition(NamedTuple):
    """The table as the grid was given it: edits are held by the grid and lie over these rows.

    Within an edition the grid keeps its edits and is never fed its own changes, so an edit costs one run. What
    changes the rows from outside (undo, a preset, an added row, another page) starts a new edition.
    """

    number: int
    modules: tuple[InceptionModule, ...]


def edition() -> Edition:
    """Return the table that the grid's edits lie over."""
    if _EDITION not in st.session_state:
        st.session_state[_EDITION] = Edition(0, present().config.modules)
    return st.session_state[_EDITION]


def discard_pending() -> None:
    """Forget refused input everywhere: the table and the settings show the present network again."""
    st.session_state[_EDITION] = Edition(edition().number + 1, present().config.modules)
    st.session_state.pop(_REFUSED, None)


def refuse(key: str, value: Any, problems: tuple[Problem, ...]) -> None:
    """Remember what a setting was given and why it was not taken, to show both where it was typed."""
    st.session_state[_REFUSED] = {key: (value, problems)}


def refused(key: str) -> tuple[Any, tuple[Problem, ...]] | None:
    """Return the refused value of a setting with its problems, if there is one."""
    return st.session_state.get(_REFUSED, {}).get(key)


def accept() -> None:
    """Forget a refused setting, because a good value has come."""
    st.session_state.pop(_REFUSED, None)


def notice() -> str | None:
    """Return the message about the link this session was opened with, if it was bad."""
    return st.session_state.get(_NOTICE)


def chosen() -> str:
    """Return the path of the chosen node; it is a block or a layer of the present network."""
    return st.session_state.get(_CHOSEN, "inception_4a")


def choose(path: str) -> None:
    """Choose a node; every page highlights the same one."""
    st.session_state[_CHOSEN] = path
