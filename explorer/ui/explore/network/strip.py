"""The strip at the top of the page: the whole network, its edits marked, each box linked to its row of the table."""

import streamlit as st

from explorer.analysis import summarize
from explorer.paths import ASSETS
from explorer.ui import state
from explorer.ui.components.network_diagram import selected_block
from explorer.ui.components.shared_code import SharedComponent
from explorer.ui.components.tooltip import TOOLTIP_CSS, TOOLTIP_JS
from explorer.ui.explore.network import editor
from explorer.views.network_strip import network_strip

_html, _css, _js = ((ASSETS / "network" / f"network.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
COMPONENT = SharedComponent("network_strip", html=_html, css=TOOLTIP_CSS + _css, js=TOOLTIP_JS + _js)
_KEY = "strip"


def show_strip() -> None:
    """Show the current network as a strip. A click or Enter on a box selects it, and hovering marks its row."""
    version = state.current()
    summary = summarize(version.config)
    strip = network_strip(summary, summarize(version.base_config), editor.problems())

    def select() -> None:
        if (node := st.session_state[_KEY].select) in strip.hints:  # a browser may send anything
            state.select_node(node)

    COMPONENT.show(
        _KEY,
        {
            "html": strip.html,
            "hints": strip.hints,
            "rows": strip.rows,
            "selected": selected_block(summary),
            "table": f".st-key-{editor.KEY}",
        },
        on_select_change=select,
    )
