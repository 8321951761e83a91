"""A picture of a lesson, with a sentence on how to read it, and a chart: a picture with its data to take away."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import streamlit as st

from explorer.settings import ASSETS

Rows = Sequence[dict[str, Any]]

_ASSETS = ASSETS / "picture"
_HTML = (
    '<figure class="picture"><div></div><figcaption hidden><span></span> <button type="button" hidden>Data (CSV)'
    "</button></figcaption></figure>"
)
_view = st.components.v2.component(
    "lesson_picture",
    html=_HTML,
    css=(_ASSETS / "picture.css").read_text("utf-8"),
    js=(_ASSETS / "picture.js").read_text("utf-8"),
)


def picture(svg: str, key: str, how: str = "") -> None:
    """Show an SVG of our own making (:mod:`explorer.views.svg`), in the page's colours; ``how`` to read it is plain.

    All of it is one element: each that Streamlit has on a page adds to the time of every answer there.
    """
    _view(key=f"picture_{key}", data={"svg": svg, "how": _reading(how)})


def chart(svg: str, how: str, name: str, rows: Rows) -> None:
    """Show a picture whose data can be taken away as CSV. ``name`` is of this chart alone, and its file's."""
    _view(key=f"picture_{name}", data={"svg": svg, "how": _reading(how), "file": f"{name}.csv", "csv": to_csv(rows)})


def _reading(how: str) -> str:
    return f"How to read this: {how}" if how else ""


def to_csv(rows: Rows) -> str:
    """Return rows as CSV under a heading; all have the same keys."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
