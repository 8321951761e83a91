"""Rows of the table: add, remove, rename and reset them, and edit one as a form."""

import streamlit as st

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.table import TableResult, add_below, check_table, remove, rename, reset
from explorer.ui import messages, state
from explorer.ui.components.network_settings import module_numbers
from explorer.views.network_table import row_text

_ROW, _NAME, _FORM_ROW = "row", "row_name", "row_of_form"
FORM = "row_form"


def row_menu() -> None:
    """Offer the operations on rows in a popover; each can be undone."""
    with st.popover("Rows", icon=":material/table_rows:"):
        _row_controls()
        st.button("Reset the whole table", icon=":material/restart_alt:", on_click=reset_table, key="table_reset")


def row_form() -> None:
    """Show the row of one module as a form in an expander: the table's numbers for screen readers, in plain fields."""
    expander = st.expander("Edit a row as a form", icon=":material/list_alt:", on_change="rerun", key=FORM)
    if not expander.open:
        return
    version = state.current()
    names = [module.name for module in version.config.modules]
    if st.session_state.get(_FORM_ROW) not in names:
        st.session_state[_FORM_ROW] = names[0]
    with expander, st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Module", names, key=_FORM_ROW, width=110, persist_state="session")
        name = st.session_state[_FORM_ROW]
        module_numbers(version.config, name, width=110)
        st.markdown(row_text(summarize(version.config), summarize(version.base_config), name), width="content")


def _row_controls() -> None:
    config = state.current().config
    names = [module.name for module in config.modules]
    # The values are set in each run, because a popover loses them if they arrive before it is opened.
    selected = st.session_state.get(_ROW)
    st.session_state[_ROW] = selected if selected in names else names[-1]
    st.selectbox("Row", names, key=_ROW)
    selected = st.session_state[_ROW]
    with st.container(horizontal=True):
        st.button("Add below", icon=":material/add:", on_click=_add, key="row_add")
        st.button("Remove", icon=":material/delete:", on_click=_remove, key="row_remove", disabled=len(names) == 1)
        st.button("Reset", icon=":material/restart_alt:", on_click=_reset, key="row_reset", disabled=_is_same(selected))
    rejected = state.rejected_input(_NAME)
    st.session_state[_NAME] = rejected.value if rejected else selected
    st.text_input("Rename to", key=_NAME, max_chars=3, on_change=_rename, help="Stage and letter, such as 4f.")
    for key in (_NAME, _ROW):
        messages.show_problems(state.rejection(key))


def _is_same(name: str) -> bool:
    """Whether a row is as in the preset, so that there is nothing to reset."""
    version = state.current()
    preset_rows = {module.name: module for module in version.base_config.modules}
    return name not in preset_rows or preset_rows[name] == version.config.module(name)


def _add() -> None:
    config, after = state.current().config, st.session_state[_ROW]
    if new := _commit(_ROW, after, add_below(config, after)):
        index = [module.name for module in config.modules].index(after)
        st.session_state[_ROW] = new.modules[index + 1].name


def _remove() -> None:
    row = st.session_state[_ROW]
    _commit(_ROW, row, remove(state.current().config, row))


def _rename() -> None:
    old, new = st.session_state[_ROW], st.session_state[_NAME].strip()
    if _commit(_NAME, new, rename(state.current().config, old, new)):
        st.session_state[_ROW] = new


def _reset() -> None:
    version, row = state.current(), st.session_state[_ROW]
    _commit(_ROW, row, reset(version.config, version.base_config, row))


def reset_table() -> None:
    """Restore the preset's modules; the other settings stay. Can be undone."""
    version = state.current()
    names = {module.name for module in version.base_config.modules}
    taps = tuple(tap for tap in version.config.aux.taps if tap in names)
    config = version.config.replace(modules=version.base_config.modules, aux=version.config.aux.replace(taps=taps))
    _commit(_ROW, "", check_table(config))


def _commit(key: str, value: str, parsed: TableResult) -> GoogLeNetConfig | None:
    """Make a parsed table the current network and return its config; show at the control ``key`` why it cannot be."""
    if parsed.config is None:
        state.reject_input(key, value, parsed.problems)
        return None
    state.commit(parsed.config)
    state.discard_pending_edits()
    return parsed.config
