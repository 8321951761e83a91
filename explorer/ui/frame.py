"""The frame around every page: the slim bar that says which network this is, and a warning after a bad link."""

import time

import streamlit as st
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value

from explorer.analysis import NetworkSummary
from explorer.diff import Change, changes
from explorer.history import Version
from explorer.presets import CATALOGUE
from explorer.ui import cache, sharing, shelf, state
from explorer.views import formatting as fmt
from explorer.views.labels import edit_place, edit_text
from explorer.views.network_table import version_title

_DRAWING = 0.1  # seconds in which a slow browser draws a line of numbers, or begins a component and draws a picture


def begin() -> None:
    """Draw on the page itself, whatever ran before. To be called before anything is drawn.

    A whole run that was asked for just as a fragment ended runs in that fragment's thread. Streamlit 1.67 leaves the
    fragment's place in the page there (``ScriptRunner._run_script_thread``): the page was drawn into itself, and the
    next fragment to run left the browser with nothing but a white page.
    """
    context_dg_stack.set(get_default_dg_stack_value())


def bar() -> None:
    """Show which network the session works on, its two totals, undo and redo, and the way out."""
    version = state.current()
    edits = changes(version.base_config, version.config)
    summary = cache.summary(version.config)
    history = state.history()
    with st.container(horizontal=True, vertical_alignment="center", key="bar", gap="small"):
        menu = st.popover(version_title(CATALOGUE[version.base].title, edits), icon=":material/account_tree:")
        st.markdown(_totals(summary), width="content")
        let_browser_draw()
        st.space("stretch")
        st.button("Undo", icon=":material/undo:", on_click=state.undo, disabled=not history.past, key="undo")
        st.button("Redo", icon=":material/redo:", on_click=state.redo, disabled=not history.future, key="redo")
        shelf.keep_button()
        sharing.share_menu()
    with menu:
        _network_menu(version, edits)
    if state.notice():
        st.warning(fmt.markdown(state.notice()), icon=":material/warning:")


def let_browser_draw() -> None:
    """Let the browser draw what an edit or a control was for, before it hears of the rest; to be called in between.

    The script holds Python's lock while it draws: without a pause the first numbers leave together with the last.
    And what reaches the browser while it draws is drawn in the same go, and all of it later.
    """
    time.sleep(_DRAWING)


def _totals(summary: NetworkSummary) -> str:
    return f"**{fmt.exact(summary.parameters(aux=False))}** parameters · **{fmt.short(summary.macs())}** MACs"


def _network_menu(version: Version, edits: tuple[Change, ...]) -> None:
    preset = CATALOGUE[version.base]
    st.session_state["preset"] = version.base
    st.selectbox(
        "Start from",
        list(CATALOGUE),
        key="preset",
        format_func=lambda name: CATALOGUE[name].title,
        on_change=lambda: state.start_from(st.session_state["preset"]),
        help="Loads a named network. Undo leads back to yours.",
    )
    st.markdown(preset.story)
    st.caption(f"Source: {preset.source}")
    if not edits:
        st.caption("No edits: this is the preset itself. Edit a cell of the table to begin.")
        return
    st.markdown("\n".join(f"- {_edit_line(change)}" for change in edits[:12]))
    if len(edits) > 12:
        st.caption(f"… and {len(edits) - 12} more.")
    st.button(f"Back to {preset.title}", on_click=state.start_from, args=(version.base,), icon=":material/restart_alt:")


def _edit_line(change: Change) -> str:
    place = edit_place(change)
    return (f"**{place}** " if place else "") + edit_text(change).replace("#", r"\#")
