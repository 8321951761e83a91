"""Rows of the table: add, remove, rename and reset them."""

import streamlit as st

from explorer.table import ParsedTable, add_below, remove, rename, reset, validated
from explorer.ui import messages, state

_WHICH, _NAME = "row", "row_name"


def row_menu() -> None:
    """Offer what can be done with the rows of the table, folded away; each step can be undone."""
    with st.popover("Rows", icon=":material/table_rows:"):
        _row_controls()
        st.button("Reset the whole table", icon=":material/restart_alt:", on_click=reset_table, key="table_reset")


def _row_controls() -> None:
    config = state.current().config
    names = [module.name for module in config.modules]
    # Said anew on each run: a closed popover forgets what it was told before it is opened.
    held = st.session_state.get(_WHICH)
    st.session_state[_WHICH] = held if held in names else names[-1]
    st.selectbox("Row", names, key=_WHICH)
    which = st.session_state[_WHICH]
    with st.container(horizontal=True):
        st.button("Add below", icon=":material/add:", on_click=_add, key="row_add")
        st.button("Remove", icon=":material/delete:", on_click=_remove, key="row_remove", disabled=len(names) == 1)
        st.button("Reset", icon=":material/restart_alt:", on_click=_reset, key="row_reset", disabled=_same(which))
    st.session_state[_NAME] = (state.refused(_NAME) or (which,))[0]
    st.text_input("Rename to", key=_NAME, max_chars=3, on_change=_rename, help="Stage and letter, such as 4f.")
    for key in (_NAME, _WHICH):
        messages.show_problems((state.refused(key) or (None, ()))[1])


def _same(name: str) -> bool:
    version = state.current()
    known = {module.name: module for module in version.base_config.modules}
    return name not in known or known[name] == version.config.module(name)


def _add() -> None:
    config, after = state.current().config, st.session_state[_WHICH]
    parsed = add_below(config, after)
    if _take(_WHICH, after, parsed):
        at = [module.name for module in config.modules].index(after)
        st.session_state[_WHICH] = parsed.config.modules[at + 1].name


def _remove() -> None:
    which = st.session_state[_WHICH]
    _take(_WHICH, which, remove(state.current().config, which))


def _rename() -> None:
    old, new = st.session_state[_WHICH], st.session_state[_NAME].strip()
    if _take(_NAME, new, rename(state.current().config, old, new)):
        st.session_state[_WHICH] = new


def _reset() -> None:
    version, which = state.current(), st.session_state[_WHICH]
    _take(_WHICH, which, reset(version.config, version.base_config, which))


def reset_table() -> None:
    """Put the preset's modules back; the other settings stay. Undo leads back."""
    version = state.current()
    names = {module.name for module in version.base_config.modules}
    taps = tuple(tap for tap in version.config.aux.taps if tap in names)
    config = version.config.replace(modules=version.base_config.modules, aux=version.config.aux.replace(taps=taps))
    _take(_WHICH, "", validated(config))


def _take(key: str, value: str, parsed: ParsedTable) -> bool:
    if parsed.config is None:
        state.refuse(key, value, parsed.problems)
        return False
    state.commit(parsed.config)
    state.discard_pending()
    return True
