"""The diagram view: a picture of :mod:`explorer.views.diagrams` that can be moved, zoomed, asked and saved."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from explorer.views import palette
from explorer.views.canvas import Drawing
from explorer.views.layout import LayoutUnavailable, svg

_ASSETS = Path(__file__).parents[2] / "assets" / "diagram"
_html, _css, _js = ((_ASSETS / f"diagram.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
_view = st.components.v2.component("inception_diagram", html=_html, css=_css, js=_js)

# The palette's colours in the SVG that follow the page's theme instead.
_TOKENS = {role: getattr(palette.LIGHT, role) for role in ("ink", "muted", "card", "neutral", "line")}


def diagram(
    drawing: Drawing,
    *,
    key: str,
    chosen: str | None = None,
    on_choose: Callable[[str], None] | None = None,
    height: int = 520,
) -> None:
    """Show a drawing, ``height`` pixels high; its box ``chosen`` is marked.

    ``on_choose`` is called with the id of a box that was clicked or entered, before the script runs again. Zoom and
    position stay when the drawing changes and keeps its name.
    """
    try:
        picture = svg(drawing.dot)
    except LayoutUnavailable as missing:
        st.graphviz_chart(drawing.dot, width="stretch")
        st.caption(f"{missing} This simpler picture cannot be zoomed, clicked or saved.")
        return

    def forward() -> None:
        identity = st.session_state[key].choose
        if on_choose and identity in drawing.hover:  # a browser may send anything
            on_choose(identity)

    _view(
        key=key,
        data={**drawing._asdict(), "svg": picture, "chosen": chosen, "height": height, "tokens": _TOKENS},
        on_choose_change=forward,
    )
