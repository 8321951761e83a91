"""Custom controls of *Look inside*: SVGs with selectable or linked parts, movable maps, an animation, a drawing pad."""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Sequence

import streamlit as st

from explorer.paths import ASSETS
from explorer.ui.components.width import narrow_limits, report_width

_ASSETS = ASSETS / "look_inside"
_POSITION = re.compile(r"(\d{1,4}):(\d{1,4})")
MAX_BASE64 = 400_000  # characters of a drawing


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text("utf-8")


_selectable = st.components.v2.component(
    "look_inside_selectable",
    html='<div class="selectable"></div>',
    css=_asset("selectable.css"),
    js=_asset("selectable.js"),
)
_linked_cells = st.components.v2.component(
    "look_inside_linked_cells",
    html=_asset("linked_cells.html"),
    css=_asset("linked_cells.css"),
    js=_asset("linked_cells.js"),
)
_position_maps = st.components.v2.component(
    "look_inside_position_maps",
    html=_asset("position_maps.html"),
    css=_asset("controls.css") + _asset("position_maps.css"),
    js=_asset("position_maps.js"),
)
_flow_player = st.components.v2.component(
    "look_inside_flow",
    html=_asset("flow.html"),
    css=_asset("controls.css") + _asset("flow.css"),
    js=_asset("flow.js"),
)
_drawing_pad = st.components.v2.component(
    "look_inside_drawing_pad",
    html=_asset("drawing_pad.html"),
    css=_asset("drawing_pad.css"),
    js=_asset("drawing_pad.js"),
)


def selectable_svg(
    svg: str,
    *,
    key: str,
    selected: Collection[str],
    on_select: Callable[[str], None],
    narrow_below: tuple[int, ...] = (),
    reveal: str = "",
) -> None:
    """Show an SVG made by the app whose parts with ``data-choice`` can be selected with the mouse or the keyboard.

    The parts in ``selected`` are marked. ``on_select`` gets the id of a part before the script or the fragment reruns.
    The view reports to :mod:`explorer.ui.components.width` when it becomes narrower than one of the limits
    ``narrow_below`` (pixels), or wider again.
    ``reveal`` is the key of a container that shows the selected part: a selection scrolls to it.
    """
    ids = set(re.findall(r'data-choice="([^"]*)"', svg))

    def forward() -> None:
        part = st.session_state[key].select
        if part in ids:  # a browser may send anything
            on_select(part)

    _selectable(
        key=key,
        data={
            "svg": svg,
            "selected": list(selected),
            "narrow": narrow_limits(narrow_below),
            "limits": list(narrow_below),
            "reveal": f"st-key-{reveal}" if reveal else None,
        },
        on_select_change=forward,
        on_narrow_change=lambda: report_width(key, narrow_below),
    )


def linked_cells(html: str, *, key: str) -> None:
    """Show grids made by the app; the cell under the pointer is marked in all of them, with its product in words."""
    _linked_cells(key=key, data={"html": html})


def position_maps(svg: str, *, key: str, status: str, on_move: Callable[[int, int], None]) -> None:
    """Show maps made by the app; ``on_move`` gets the row and the column that the user selects in the output map.

    The window can slide over the input map while the output map fills; where it is stopped, that position is selected.
    A screen reader reads ``status`` whenever it changes. The position may be outside of the map: a browser may send
    anything.
    """

    def forward() -> None:
        if match := _POSITION.fullmatch(str(st.session_state[key].position)):
            on_move(int(match[1]), int(match[2]))

    _position_maps(key=key, data={"svg": svg, "status": status}, on_position_change=forward)


def flow_player(svg: str, *, key: str, steps: Sequence[str], step_s: float) -> None:
    """Play an animated SVG made by the app, with a slider, and buttons and keys for its steps of ``step_s`` seconds."""
    _flow_player(key=key, data={"svg": svg, "steps": list(steps), "step": step_s})


def drawing_pad(key: str) -> bytes:
    """Show a drawing pad, white on black, and return the drawing as a PNG file; empty if there is none.

    A browser may send anything, so decode the result as an uploaded file.
    """
    png = _drawing_pad(key=key, on_png_change=lambda: None).png
    if not isinstance(png, str) or len(png) > MAX_BASE64:
        return b""
    try:
        return base64.b64decode(png, validate=True)
    except binascii.Error:
        return b""
