"""The workarounds for Streamlit 1.67, each with the behaviour that it answers and the test that shows when it can go.

After an update of Streamlit: take one out, run its test, and delete both if the test passes.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from itertools import count
from pathlib import Path
from typing import ParamSpec

import pandas as pd
import streamlit as st
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_cache import create_reference_msg
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils import script_run_context

from explorer.paths import ASSETS

P = ParamSpec("P")
_DRAWING_S = 0.1  # in which a slow browser draws a line of numbers, or starts a component and draws its picture
_MAX_ROWS = 1_000  # of the editable table, between two of its versions
_FALSE_NOT_FOUND = "false_page_not_found"
_HTML = "<span></span>"
_SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"
_CELL_EDITOR = next((script.name for script in _SCRIPTS.glob("data-grid-overlay-editor.*.js")), "")

_rerun_after = st.components.v2.component("rerun_after", html=_HTML, js=(ASSETS / "rerun_after.js").read_text("utf-8"))
_download_failures = st.components.v2.component(
    "download_failures", html=_HTML, js=(ASSETS / "download_failures.js").read_text("utf-8")
)
_close_page_not_found = st.components.v2.component(
    "close_page_not_found", html=_HTML, js=(ASSETS / "close_page_not_found.js").read_text("utf-8")
)
_history_steps = st.components.v2.component(
    "history_steps", html=_HTML, js=(ASSETS / "history_steps.js").read_text("utf-8")
)
_accessibility = st.components.v2.component(
    "accessibility", html=_HTML, js=(ASSETS / "accessibility.js").read_text("utf-8")
)
_follow_theme = st.components.v2.component(
    "follow_theme", html=_HTML, js=(ASSETS / "follow_theme.js").read_text("utf-8")
)
_keyboard = st.components.v2.component("keyboard", html=_HTML, js=(ASSETS / "keyboard.js").read_text("utf-8"))
_calls = count()


def _reference(msg: ForwardMsg) -> ForwardMsg:
    """Stand for a message that the browser has by its hash, except in fragments.

    Behaviour: when a fragment runs again, Streamlit drops what its last run drew and the browser has not got yet, but
    keeps references, which do not name their fragment. One that follows dropped elements has no place in the page: the
    browser fails with "Bad delta path" and the page stands still.
    Test: ``tests/ui/test_streamlit_workarounds.py``, references in a queue.
    """
    return msg if msg.delta.fragment_id else create_reference_msg(msg)


script_run_context.create_reference_msg = _reference  # type: ignore[attr-defined]  # its own import, replaced


def reset_drawing_context() -> None:
    """Draw on the page itself, whatever ran before in this thread. Call this before anything is drawn.

    Behaviour: a full run that was requested just as a fragment ended runs in the fragment's thread, where Streamlit
    leaves the fragment's container open (``ScriptRunner._run_script_thread``). The page was drawn into itself, and the
    next fragment to run left the browser with a white page.
    Test: ``tests/ui/test_streamlit_workarounds.py``, the full run in the thread of a fragment.
    """
    context_dg_stack.set(get_default_dg_stack_value())


def let_browser_draw() -> None:
    """Pause, so that the browser draws the first part of an answer before it receives the rest.

    Behaviour: the script holds Python's lock while it runs, so without a pause the first numbers leave together with
    the last; and what arrives while the browser draws is drawn in the same pass, which delays all of it.
    Test: ``python -m benchmarks``, the time from an edit to its first number.
    """
    time.sleep(_DRAWING_S)


def fragment(function: Callable[P, None]) -> Callable[P, None]:
    """Decorate as ``st.fragment`` does, and rerun the whole page for a change of a control outside of the fragment.

    Behaviour: the browser sends changes that come close together as one request. If one of them is a fragment's, only
    that fragment runs, and the page does not follow the others: an edit of the table was lost while a fragment asked
    for its result.
    Test: ``tests/browser/test_rerun_after.py``, the change in the same request.
    """

    @st.fragment
    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        if _has_change_outside():
            st.rerun()
        function(*args, **kwargs)

    return run


def _has_change_outside() -> bool:
    """Whether the request for this run of a fragment came with a change of a control that is not in it."""
    context = get_script_run_ctx()
    if context is None or not context.fragment_ids_this_run:
        return False
    state = context.session_state._state
    sent = state._new_widget_state
    changed = (sent.widget_metadata.get(widget) for widget in sent if state._widget_changed(widget))
    return any(
        metadata is not None and metadata.fragment_id not in context.fragment_ids_this_run for metadata in changed
    )


def rerun_after(seconds: float, key: str) -> None:
    """Rerun the surrounding fragment after ``seconds``. Call this once per ``key``, and only while there is a wait.

    Behaviour: a fragment with ``run_every`` keeps its timer until the whole page runs again, and its requests undo a
    click on another page or break off a run.
    Test: ``tests/browser/test_rerun_after.py``.
    """
    with st.container(key=f"rerun_after_{key}", height="content"):
        _rerun_after(
            key=key, data={"ms": round(1_000 * seconds), "call": next(_calls)}, on_due_change=lambda: None, height=1
        )


def rerun_on_download_failure(box: str, reasons: str) -> None:
    """Rerun the surrounding fragment when a file of the container ``box`` could not be made.

    The container ``reasons`` is hidden from the next click on, until there is another failure. Both are keys.
    Behaviour: with ``on_click="ignore"`` Streamlit makes a file in a thread without a session and reports a failure in
    the browser alone, in its own words.
    Test: ``tests/browser/test_downloads.py``.
    """
    _download_failures(
        key=f"{box}_failures", data={"box": box, "reasons": reasons}, on_failed_change=lambda: None, height=1
    )


def merge_history_steps() -> None:
    """Let Back leave a page at the first press. Call this once in each run.

    Behaviour: every parameter that a page writes into its address becomes a step of the browser's history. So Back from
    a page that had written one led to the same page without it, which wrote it again.
    Test: ``tests/browser/test_navigation.py``, Back from the page Look inside.
    """
    _history_steps(key="history_steps", height=1)


def is_page_unknown() -> bool:
    """Whether Streamlit has not yet seen ``st.navigation`` in this server. Ask before calling it.

    Until then Streamlit discovers pages in its old way, finds none in the folder ``pages``, and tells a visitor with a
    deep link that the page does not exist.
    """
    return bool(PagesManager.uses_pages_directory)


def close_page_not_found(is_wrong: bool, *, is_redirect: bool = False) -> None:
    """Close the dialog "Page not found" if it ``is_wrong``. A run that only redirects leaves that to the next run.

    Behaviour: see :func:`is_page_unknown`. And Streamlit does not know the name of the first page, which has the root
    as its address.
    Test: ``tests/browser/test_network.py``, the cold deep link.
    """
    is_wrong = st.session_state.pop(_FALSE_NOT_FOUND, False) or is_wrong
    if is_redirect:
        st.session_state[_FALSE_NOT_FOUND] = is_wrong
    elif is_wrong:
        _close_page_not_found(key="close_page_not_found", height=1)


def editor_frame(rows: Sequence[Mapping[str, object]], version: int, numbers: Iterable[str]) -> pd.DataFrame:
    """Return the data of ``st.data_editor``: its ``version`` changes whenever pending edits are to be discarded.

    Behaviour: the grid holds its edits by position and gives them up only if its data have another index; a new key
    would draw it again from nothing. So the hidden index numbers the version. And a column of numbers drops letters
    without a word (``1e9`` becomes 19), so the columns ``numbers`` are of text.
    Test: ``tests/browser/test_network.py``, undo of an edit in the grid and a letter in a cell.
    """
    start, names = version * _MAX_ROWS, set(numbers)
    texts = [
        {name: str(cell) if name in names and cell is not None else cell for name, cell in row.items()} for row in rows
    ]
    return pd.DataFrame(texts, index=pd.RangeIndex(start, start + len(rows)), dtype=object)


def support_keyboard() -> None:
    """Lose no key that is typed into a cell of a grid, and no focus. Call this once on each page.

    Behaviour: the grid loads its cell editor with the first key that is typed. Each key that follows before the editor
    is open replaces the ones before it: with 100 ms of latency 300 arrived as 0. The editor answers each key in a later
    task, and one that comes after Enter discards the cell: in a busy browser an edit was lost. And where a control goes
    or is disabled, such as a button that was pressed, the keyboard starts again at the top of the page.
    Test: ``tests/browser/test_slow_line.py``, and ``tests/browser/test_keyboard.py`` after "Reveal".
    """
    _keyboard(key="keyboard", data={"editor": _CELL_EDITOR}, height=1)


def mend_accessibility() -> None:
    """Let the keyboard reach what scrolls, and give uploaders and the menu roles that fit. Call this once on each page.

    Behaviour: a table, code or formula that is wider than its box scrolls without being focusable; the area of
    ``st.file_uploader`` has a name although its role is "presentation"; the menu of a narrow page is a list whose
    items are not its children.
    Test: ``tests/browser/test_axe.py``.
    """
    _accessibility(key="accessibility", height=1)


def follow_theme() -> None:
    """Run again when the browser changes between light and dark. Call this once on each page.

    Behaviour: Streamlit changes its own colours, but tables and charts whose colours the server chose
    (``st.context.theme``) keep those of the other theme until the next run.
    Test: ``tests/browser/test_axe.py``.
    """
    _follow_theme(key="follow_theme", data={"theme": st.context.theme.type}, on_change_change=lambda: None, height=1)
