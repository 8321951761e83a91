"""The diagram view: a diagram of :mod:`explorer.views.diagrams` that can be moved, zoomed, queried and saved."""

from collections.abc import Callable

import streamlit as st

from explorer.paths import ASSETS
from explorer.ui.components.shared_code import SharedComponent
from explorer.ui.components.tooltip import TOOLTIP_CSS, TOOLTIP_JS
from explorer.ui.components.width import narrow_limits, report_width
from explorer.views import fonts, palette
from explorer.views.canvas import Drawing
from explorer.views.layout import LayoutUnavailableError

_ASSETS = ASSETS / "diagram"
_html, _css, _js = ((_ASSETS / f"diagram.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
COMPONENT = SharedComponent(
    "inception_diagram",
    html=_html,
    css=TOOLTIP_CSS + _css,
    js=TOOLTIP_JS + _js,
    constants={"font": fonts.face_css()},
)

# The palette's colours in the SVG that follow the page's theme instead.
_TOKENS = {role: getattr(palette.LIGHT, role) for role in ("ink", "muted", "card", "neutral", "line")}


def diagram(
    drawing: Drawing,
    *,
    key: str,
    selected: str | None = None,
    on_select: Callable[[str], None] | None = None,
    on_expand: Callable[[str], None] | None = None,
    height: int = 520,
    max_height: int = 0,
    narrow_below: tuple[int, ...] = (),
) -> None:
    """Show a drawing with its box ``selected`` marked, ``height`` pixels high or more if it needs, to ``max_height``.

    Before the script runs again, ``on_select`` is called with the id of a box that was clicked or entered, and
    ``on_expand`` with that of one double-clicked or entered with Shift. Zoom and position stay while the drawing keeps
    its name. The view reports to :mod:`explorer.ui.components.width` when it becomes narrower than one of the limits
    ``narrow_below`` (pixels), or wider again.
    """
    try:
        svg = drawing.svg
    except LayoutUnavailableError as error:
        st.graphviz_chart(drawing.dot, width="stretch")
        st.caption(f"{error} This simpler diagram cannot be zoomed, clicked or saved.")
        return

    def forward(name: str, handler: Callable[[str], None] | None) -> None:
        identity = st.session_state[key][name]
        if handler and identity in drawing.hover:  # a browser may send anything
            handler(identity)

    COMPONENT.show(
        key,
        {
            "name": drawing.name,
            "svg": svg,
            "dot": drawing.dot,
            "alt": drawing.alt,
            "hover": drawing.hover,
            "selected": selected,
            "height": height,
            "maxHeight": max(height, max_height),
            "expandable": on_expand is not None,
            "narrow": narrow_limits(narrow_below),
            "limits": list(narrow_below),
            "tokens": _TOKENS,
        },
        on_select_change=lambda: forward("select", on_select),
        on_expand_change=lambda: forward("expand", on_expand),
        on_narrow_change=lambda: report_width(key, narrow_below),
    )
