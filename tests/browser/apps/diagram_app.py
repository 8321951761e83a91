"""A page with only the diagram view. The URL names what to draw; a button edits the network.

``preset``, ``draw`` (overview, or the name of a block), ``colour``, ``direction`` (``adapts``: by the width of the
view), ``expanded``, ``modules`` (number), ``width``, ``height`` and ``max_height`` (pixels). A line shows the selected
box. A double click opens a module.
"""

import streamlit as st

from explorer import PRESETS, summarize
from explorer.config import InceptionModule
from explorer.ui.components.diagram import COMPONENT, diagram
from explorer.ui.components.width import PAGE, PHONE, is_narrow
from explorer.views import diagrams

MANY = InceptionModule(name="3a", ch1x1=16, ch3x3_reduce=16, ch3x3=24, ch5x5_reduce=4, ch5x5=8, pool_proj=8)

st.set_page_config(layout="wide")
COMPONENT.define()
query = st.query_params
config = PRESETS[query.get("preset", "paper")]
if "modules" in query:
    names = [f"{3 + place // 12}{'abcdefghijkl'[place % 12]}" for place in range(int(query["modules"]))]
    config = config.replace(modules=tuple(MANY.replace(name=name) for name in names))
if st.button("Edit"):
    st.session_state.edits = st.session_state.get("edits", 0) + 1
first, *rest = config.modules
first = first.replace(ch1x1=first.ch1x1 + st.session_state.get("edits", 0))
summary = summarize(config.replace(modules=(first, *rest)))


def select(node: str) -> None:
    """Remember the selected box and count."""
    st.session_state.selected = node
    st.session_state.selections = st.session_state.get("selections", 0) + 1


def toggle_expanded(node: str) -> None:
    """Open a module or close it."""
    st.session_state.expanded = expanded ^ {diagrams.block_of(node)}


st.text(f"selected: {st.session_state.get('selected')}, {st.session_state.get('selections', 0)} times")
expanded = st.session_state.get("expanded", set(query.get_all("expanded")))
direction = query.get("direction", "wrapped")
if direction == "adapts":
    direction = "narrow" if is_narrow(PHONE) else "wrapped" if is_narrow() else "across"
what, colour = query.get("draw", "overview"), query.get("colour", "none")
times = {row.path: row.macs * 1e-11 + 1e-6 for row in summary.rows}
if what == "overview":
    drawing = diagrams.overview(
        summary,
        colour_by=colour,
        times=times,
        direction=direction,
        expanded=expanded,
    )
else:
    drawing = diagrams.block(summary, what, colour_by=colour, times=times)
width = int(query["width"]) if "width" in query else "stretch"
with st.container(width=width):
    diagram(
        drawing,
        key="diagram",
        selected=st.session_state.get("selected"),
        on_select=select,
        on_expand=toggle_expanded if what == "overview" else None,
        height=int(query.get("height", 520)),
        max_height=int(query.get("max_height", 0)),
        narrow_below=(PAGE, PHONE) if query.get("direction") == "adapts" else (),
    )
