"""A picture of a lesson, and a chart: the picture, a sentence on how to read it, and its data to take away."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

Rows = Sequence[dict[str, Any]]

_JS = (Path(__file__).parents[3] / "assets" / "picture" / "picture.js").read_text("utf-8")
_CSS = ".picture { color: var(--st-text-color); font-family: var(--st-font); font-variant-numeric: tabular-nums; }"
_view = st.components.v2.component("lesson_picture", html='<div class="picture"></div>', css=_CSS, js=_JS)


def picture(svg: str, key: str) -> None:
    """Show an SVG of our own making (:mod:`explorer.views.svg`), in the page's colours."""
    _view(key=f"picture_{key}", data={"svg": svg})


def chart(svg: str, how: str, name: str, rows: Callable[[], Rows]) -> None:
    """Show an SVG with its caption; ``rows`` are made when the data are asked for. ``name`` is of this chart alone."""
    picture(svg, name)
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key=f"chart_{name}"):
        st.caption(f"How to read this: {how}", width="stretch")
        st.download_button(
            "Data",
            lambda: to_csv(rows()),
            f"{name}.csv",
            "text/csv",
            key=f"data_{name}",
            icon=":material/download:",
            on_click="ignore",
            type="tertiary",
        )


def to_csv(rows: Rows) -> str:
    """Return rows as CSV under a heading; all have the same keys."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
