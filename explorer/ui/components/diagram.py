"""The diagram view: a picture of :mod:`explorer.views.diagrams` that can be moved, zoomed, asked and saved."""

from collections.abc import Callable

import streamlit as st

from explorer.settings import ASSETS
from explorer.views import palette
from explorer.views.canvas import Drawing
from explorer.views.layout import LayoutUnavailable, svg

_ASSETS = ASSETS / "diagram"
_html, _css, _js = ((_ASSETS / f"diagram.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
_view = st.components.v2.component("inception_diagram", html=_html, css=_css, js=_js)

_NARROW = "diagram_narrow"

# The palette's colours in the SVG that follow the page's theme instead.
_TOKENS = {role: getattr(palette.LIGHT, role) for role in ("ink", "muted", "card", "neutral", "line")}


def diagram(
    drawing: Drawing,
    *,
    key: str,
    chosen: str | None = None,
    on_choose: Callable[[str], None] | None = None,
    on_open: Callable[[str], None] | None = None,
    height: int = 520,
    tallest: int = 0,
    adapts: bool = False,
) -> None:
    """Show a drawing, ``height`` pixels high or as high as it needs up to ``tallest``; its box ``chosen`` is marked.

    ``on_choose`` is called with the id of a box that was clicked or entered, before the script runs again, ``on_open``
    with that of one double-clicked or entered with Shift. Zoom and position stay when the drawing changes and keeps
    its name. With ``adapts`` the view tells :func:`is_narrow` when its width comes or ceases to be small.
    """
    try:
        picture = svg(drawing.dot)
    except LayoutUnavailable as missing:
        st.graphviz_chart(drawing.dot, width="stretch")
        st.caption(f"{missing} This simpler picture cannot be zoomed, clicked or saved.")
        return

    def forward(name: str, to: Callable[[str], None] | None) -> None:
        identity = st.session_state[key][name]
        if to and identity in drawing.hover:  # a browser may send anything
            to(identity)

    def note_width() -> None:
        st.session_state[_NARROW] = bool(st.session_state[key].narrow)

    _view(
        key=key,
        data={
            **drawing._asdict(),
            "svg": picture,
            "chosen": chosen,
            "height": height,
            "tallest": max(height, tallest),
            "opens": on_open is not None,
            "narrow": is_narrow() if adapts else None,
            "tokens": _TOKENS,
        },
        on_choose_change=lambda: forward("choose", on_choose),
        on_open_change=lambda: forward("open", on_open),
        on_narrow_change=note_width,
    )


def is_narrow() -> bool:
    """Whether the view that adapts is too narrow for a wide picture; what it said last."""
    return st.session_state.get(_NARROW, False)
