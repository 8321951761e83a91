"""The choice of a module, for views that show one."""

import streamlit as st

from explorer.ui import state
from explorer.ui.lab.look_inside import session
from explorer.views import diagrams


def choose_module(key: str) -> str:
    """Let the user choose a module; it is the one that the diagrams of all pages select."""
    names = [module.name for module in session.inspected_network().config.modules]
    selected = session.block_name()
    st.session_state[key] = selected if selected in names else names[0]

    def select() -> None:
        if st.session_state[key] in names:
            state.select_node(diagrams.block_id(st.session_state[key]))

    st.pills("Module", names, key=key, required=True, on_change=select, label_visibility="collapsed")
    return st.session_state[key] or names[0]
