"""The frame around every page: the bar with the current network, and a warning after a bad link."""

import streamlit as st

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.diff import Change, find_changes
from explorer.history import Version
from explorer.presets import CATALOGUE
from explorer.ui import export, sharing, state
from explorer.ui.components import keep
from explorer.ui.learn import quiz
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import let_browser_draw
from explorer.views import formatting as fmt
from explorer.views.labels import edit_place, edit_text
from explorer.views.network_table import change_text, version_title

_HIDDEN = "parameters and MACs: after your answer"
_ANNOUNCED = SessionValue[tuple[GoogLeNetConfig, str] | None]("announced", None)


def show_bar(address: str) -> None:
    """Show the current network's name and two totals, undo and redo, and the buttons to keep, share and export it.

    ``address`` is that of the page. A lesson that still asks for one of the totals has the name alone.
    """
    version = state.current()
    edits = find_changes(version.base_config, version.config)
    summary = summarize(version.config)
    history = state.history()
    with st.container(horizontal=True, vertical_alignment="center", key="bar", gap="small"):
        menu = st.popover(version_title(CATALOGUE[version.base].title, edits), icon=":material/account_tree:")
        is_answer = quiz.is_answer_awaited(address, summary.parameters(aux=False), summary.macs())
        text = _HIDDEN if is_answer else _totals(summary) + _announcement(version.config)
        st.markdown(text, unsafe_allow_html=True, width="content")
        let_browser_draw()
        st.space("stretch")
        if history.past or history.future:  # else there is nothing to undo, and the first screen has one thing less
            st.button("Undo", icon=":material/undo:", on_click=state.undo, disabled=not history.past, key="undo")
            st.button("Redo", icon=":material/redo:", on_click=state.redo, disabled=not history.future, key="redo")
        keep.keep_button()
        sharing.share_menu()
        export.export_menu()
    with menu:
        _network_menu(version, edits)
    if warning := state.page_warning():
        st.warning(fmt.markdown(warning), icon=":material/warning:")


def _totals(summary: NetworkSummary) -> str:
    totals = f"**{fmt.exact(summary.parameters(aux=False))}** parameters · **{fmt.short(summary.macs())}** MACs"
    if state.is_network_outdated():
        totals += " <span class='outdated'>last valid network</span>"
    return totals


def _announcement(config: GoogLeNetConfig) -> str:
    """Return what the last change of the network did, for screen readers: they read it aloud when it changes."""
    before, text = _ANNOUNCED.get() or (config, "")
    if config != before:
        text = change_text(summarize(before), summarize(config))
    _ANNOUNCED.set((config, text))
    return f"<span role='status' class='visually-hidden'>{text}</span>"


def _network_menu(version: Version, edits: tuple[Change, ...]) -> None:
    preset = CATALOGUE[version.base]
    st.session_state["preset"] = version.base
    st.selectbox(
        "Start from",
        list(CATALOGUE),
        key="preset",
        format_func=lambda name: CATALOGUE[name].title,
        on_change=lambda: state.load_preset(st.session_state["preset"]),
        help="Loads a named network. Undo restores yours.",
    )
    st.markdown(preset.story)
    st.caption(f"Source: {preset.source}")
    if not edits:
        st.caption("No edits yet: this is the preset itself. Edit a cell of the table to start.")
        return
    st.markdown("\n".join(f"- {_edit_line(change)}" for change in edits[:12]))
    if len(edits) > 12:
        st.caption(f"… and {len(edits) - 12} more.")
    st.button(
        f"Back to {preset.title}", on_click=state.load_preset, args=(version.base,), icon=":material/restart_alt:"
    )


def _edit_line(change: Change) -> str:
    place = edit_place(change)
    return (f"**{place}** " if place else "") + edit_text(change).replace("#", r"\#")
