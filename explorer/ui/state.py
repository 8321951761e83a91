"""What a session remembers: the history of frozen configs, the shelf, and what is compared. The URL carries all three.

This module alone names the keys of what the pages share. A choice that belongs to one control and is read elsewhere
(the device, the colouring of the pictures) has its key, and the function that reads it, beside that control.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.config import GoogLeNetConfig, InceptionModule, Problem
from explorer.history import History, Version
from explorer.presets import PRESETS
from explorer.share import ShareError, from_shelf_token, from_token, to_shelf_token, to_token
from explorer.shelf import Shelf, choice_token, chosen_names, default_choice, version_of

_HISTORY = "history"
_URL_TOKEN = "url_token"
_SHELF = "shelf"
_COMPARED = "compared"
_MEASURED = "measured"
_MAX_MEASURED = 64
_PAGE = "page"
_LED = "led_by_address"
_NOTICE = "notice"
_CHOSEN = "chosen"
_EDITION = "table_edition"
_REFUSED = "refused"
PARAMETER = "net"
SHELF_PARAMETER = "shelf"
COMPARED_PARAMETER = "compare"
DEFAULT = Version("paper", PRESETS["paper"])


def open_session(page: str) -> None:
    """Make the state follow the URL where the browser leads.

    That is at the start (a link, a reload), after Back or Forward, and where another page was opened by a link
    with a network in it. At any other time the URL follows the state: a busy browser may ask for a run before it
    has taken in the URL of the run before, and to follow that would undo the edit that was just made. A link that
    cannot be read leaves the network as it is and puts a notice in its place.
    """
    state = st.session_state
    first, moved = _PAGE not in state, state.get(_PAGE) not in (None, page)
    state[_PAGE] = page
    state[_LED] = first or moved or _navigated()
    state.setdefault(_HISTORY, History(DEFAULT))
    if moved:
        discard_pending()  # the grid of another page is gone, with the edits it held
    if not navigated_by_address():
        return
    told = [_follow(parameter, take, moved) for parameter, take in _FOLLOWED.items()]
    if any(message is not None for message in told):
        _notify(" ".join(filter(None, told)))


def navigated_by_address() -> bool:
    """Whether this run was led by the address, so that a page takes in what the address says for it alone."""
    return st.session_state.get(_LED, True)


def _navigated() -> bool:
    """Whether this run comes from the browser's Back or Forward."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _follow(parameter: str, take: Callable[[str | None], None], moved: bool) -> str | None:
    """Take in what the URL says now. Return what is wrong with it, nothing if all is well, None if it is not new."""
    known = f"{_URL_TOKEN}_{parameter}"
    token = st.query_params.get(parameter)
    if token == st.session_state.get(known) or (token is None and moved):
        return None
    st.session_state[known] = token
    try:
        take(token)
    except ShareError as error:
        return f"{error} What is shown is the last good state."
    return ""


def _take_network(token: str | None) -> None:
    _push(from_token(token) if token else DEFAULT)
    discard_pending()


def _take_shelf(token: str | None) -> None:
    set_shelf(shelf().replaced_by(from_shelf_token(token) if token else ()))


def _take_compared(token: str | None) -> None:
    st.session_state[_COMPARED] = chosen_names(token) if token else ()


_FOLLOWED = {PARAMETER: _take_network, SHELF_PARAMETER: _take_shelf, COMPARED_PARAMETER: _take_compared}


def write_url() -> None:
    """Put the present state into the URL, so that a reload or a copied link restores it."""
    for parameter, token in tokens().items():
        if token != st.query_params.get(parameter):
            if token is None:
                del st.query_params[parameter]
            else:
                st.query_params[parameter] = token
        st.session_state[f"{_URL_TOKEN}_{parameter}"] = token


def tokens() -> dict[str, str | None]:
    """Return what the URL carries, by parameter; None where there is nothing to carry or it is too long."""
    kept, compared_names = shelf().variants, st.session_state.get(_COMPARED, ())
    return {
        PARAMETER: None if current() == DEFAULT else to_token(current()),
        SHELF_PARAMETER: to_shelf_token(kept) if kept else None,
        COMPARED_PARAMETER: choice_token(compared_names) if compared_names else None,
    }


def shelf_in_link() -> bool:
    """Whether the address carries the whole shelf, so that a reload keeps it; an empty one needs no carrying."""
    return not shelf().variants or tokens()[SHELF_PARAMETER] is not None


def shelf() -> Shelf:
    """Return the variants that this session has kept."""
    return st.session_state.get(_SHELF, Shelf())


def set_shelf(changed: Shelf) -> None:
    """Make another shelf this session's. Its own undo leads back."""
    st.session_state[_SHELF] = changed
    st.session_state.pop(_NOTICE, None)


def compared() -> tuple[str, ...]:
    """Return the names of the networks to compare, the base first; what is no longer there is left out."""
    chosen = st.session_state.get(_COMPARED, ())
    known = tuple(name for name in chosen if version_of(name, shelf(), current()))
    return known or default_choice(shelf(), current())


def compare(names: tuple[str, ...]) -> None:
    """Choose what is compared; nothing chooses what is usual."""
    st.session_state[_COMPARED] = names


def version_named(name: str) -> Version:
    """Return the network that a name stands for; the one on the bench for an unknown name."""
    return version_of(name, shelf(), current()) or current()


def make_current(version: Version) -> None:
    """Make a network, with the preset it is told against, the present one. Undo leads back."""
    _push(version)
    discard_pending()


def measured(config: GoogLeNetConfig) -> tuple[float, ...]:
    """Return the milliseconds per image that this session last measured of a network; none if it did not."""
    return st.session_state.get(_MEASURED, {}).get(config, ())


def remember_measured(times: dict[GoogLeNetConfig, tuple[float, ...]]) -> None:
    """Remember what was measured together; older measurements are kept beside it as long as there is room."""
    known = {**st.session_state.get(_MEASURED, {}), **times}
    st.session_state[_MEASURED] = dict(list(known.items())[-_MAX_MEASURED:])


def history() -> History:
    """Return this session's versions of the network."""
    return st.session_state.get(_HISTORY, History(DEFAULT))


def current() -> Version:
    """Return the network the session works on."""
    return history().present


def commit(config: GoogLeNetConfig, *, from_table: bool = False) -> None:
    """Make a checked config the present one; its base stays. Other rows than the grid knows are a new edition."""
    other_rows = config.modules != current().config.modules
    _push(Version(current().base, config))
    if other_rows and not from_table:
        discard_pending()


def start_from(base: str) -> None:
    """Start from a preset. Undo leads back. A name that is none, which no menu of ours offers, changes nothing."""
    if base in PRESETS:
        make_current(Version(base, PRESETS[base]))
    else:
        _notify(f"There is no preset “{str(base)[:30]}”: the network stays as it is.")


def undo() -> None:
    """Go one version back."""
    _go_to(history().undo())
    discard_pending()


def redo() -> None:
    """Go one version forward."""
    _go_to(history().redo())
    discard_pending()


def _push(version: Version) -> None:
    _go_to(history().push(version))


def _go_to(changed: History) -> None:
    """Make another history this session's. Whoever goes on working has read what was wrong with the link."""
    if changed != history():
        st.session_state[_HISTORY] = changed
        st.session_state.pop(_NOTICE, None)


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
        st.session_state[_EDITION] = Edition(0, current().config.modules)
    return st.session_state[_EDITION]


def discard_pending() -> None:
    """Forget refused input everywhere: the table and the settings show the present network again."""
    st.session_state[_EDITION] = Edition(edition().number + 1, current().config.modules)
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
    """Return what is to be said above the page, such as that its link was bad, until the next edit."""
    return st.session_state.get(_NOTICE)


def _notify(message: str) -> None:
    st.session_state[_NOTICE] = message


def chosen() -> str:
    """Return the path of the chosen node; it is a block or a layer of the present network."""
    return st.session_state.get(_CHOSEN, "inception_4a")


def choose(path: str) -> None:
    """Choose a node; every page highlights the same one."""
    st.session_state[_CHOSEN] = path
