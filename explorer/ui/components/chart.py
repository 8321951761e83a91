"""The SVGs of a lesson: a drawing with a sentence on how to read it, and a chart, whose data can be saved as CSV."""

import streamlit as st

from explorer.paths import ASSETS
from explorer.views.tables import Rows, to_csv

_ASSETS = ASSETS / "chart"
_HTML = (
    '<figure class="chart"><div></div><figcaption hidden><span></span> <button type="button" hidden>Data (CSV)'
    "</button></figcaption></figure>"
)
_view = st.components.v2.component(
    "lesson_chart",
    html=_HTML,
    css=(_ASSETS / "chart.css").read_text("utf-8"),
    js=(_ASSETS / "chart.js").read_text("utf-8"),
)


def show_svg(svg: str, key: str, reading: str = "") -> None:
    """Show an SVG made by the app (:mod:`explorer.views.svg`) in the page's colours; ``reading`` is plain text.

    All of it is one element, because each element of a page slows down every answer there.
    """
    _view(key=f"lesson_chart_{key}", data={"svg": svg, "reading": _labelled(reading)})


def show_chart(svg: str, reading: str, name: str, rows: Rows) -> None:
    """Show an SVG whose data can be saved as CSV. ``name``, unique to the chart, also names the file."""
    data = {"svg": svg, "reading": _labelled(reading), "file": f"{name}.csv", "csv": to_csv(rows)}
    _view(key=f"lesson_chart_{name}", data=data)


def _labelled(reading: str) -> str:
    return f"Reading this chart: {reading}" if reading else ""
