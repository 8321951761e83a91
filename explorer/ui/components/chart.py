"""Charts with a sentence on how to read them and their data: SVGs of the lessons, and Plotly figures."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from explorer.paths import ASSETS
from explorer.ui import state
from explorer.ui.components.theme import theme
from explorer.views import formatting as fmt
from explorer.views import svg as svg_charts
from explorer.views.figures import Chart, for_page
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


Drawing = str | Callable[[float], str]  # an SVG, or a function that draws it in a width


def show_svg(svg: Drawing, key: str, reading: str = "") -> None:
    """Show an SVG made by the app (:mod:`explorer.views.svg`) in the page's colours; ``reading`` is plain text.

    Of a function there are two drawings, and a phone shows the narrow one. All of it is one element, because each
    element of a page slows down every answer there.
    """
    _view(key=f"lesson_chart_{key}", data={**_drawings(svg), "reading": _labelled(reading)})


def show_chart(svg: Drawing, reading: str, name: str, rows: Rows) -> None:
    """Show an SVG as ``show_svg`` does; its data can be saved as CSV. ``name``, unique to the chart, names the file."""
    data = {**_drawings(svg), "reading": _labelled(reading), "file": f"{name}.csv", "csv": to_csv(rows)}
    _view(key=f"lesson_chart_{name}", data=data)


def _drawings(svg: Drawing) -> dict[str, str | None]:
    if isinstance(svg, str):
        return {"svg": svg, "narrow": None}
    return {"svg": svg(svg_charts.WIDE), "narrow": svg(svg_charts.NARROW)}


def _labelled(reading: str) -> str:
    return f"Reading this chart: {reading}" if reading else ""


def show_figure(figure: go.Figure, key: str, *, selects: bool = False) -> list[dict[str, Any]]:
    """Show a Plotly figure below its title; return the points that the reader has selected, if ``selects``."""
    headed = for_page(figure, theme(), enlarged=state.presents())
    if headed.title:
        subtitle = f"  \n:small[{fmt.markdown(headed.subtitle)}]" if headed.subtitle else ""
        st.markdown(f"**{fmt.markdown(headed.title)}**{subtitle}")
    if not selects:
        st.plotly_chart(headed.figure, key=key)
        return []
    event = st.plotly_chart(headed.figure, key=key, on_select="rerun", selection_mode="points")
    return [dict(point) for point in event["selection"]["points"]]


def show_plotly_chart(chart: Chart, key: str) -> None:
    """Show a chart, and below it how to read it, its data, and a button to save it as a page."""
    show_figure(chart.figure, f"chart_{key}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Reading this chart: {chart.reading}", width="stretch")
        with st.popover("Data", icon=":material/table_view:"):
            st.dataframe(pd.DataFrame(chart.data), hide_index=True, height=320, placeholder=fmt.NO_VALUE)
        st.download_button(
            "HTML",
            lambda: chart.figure.to_html(include_plotlyjs=True),
            f"{key}.html",
            "text/html",
            icon=":material/download:",
            on_click="ignore",
            help="A page that needs no internet. The camera icon on the chart saves a PNG.",
        )
