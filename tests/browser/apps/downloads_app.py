"""A page that offers two files: one is made each time, the other not at the first try. A line counts the runs."""

from itertools import count

import streamlit as st

from explorer.ui.components.downloads import CannotMakeError, File, download_buttons

tries = st.session_state.setdefault("tries", count())
runs = st.session_state.setdefault("runs", count(1))


def fickle() -> bytes:
    """Make a file, but not at the first try."""
    if next(tries) == 0:
        raise CannotMakeError("There is no *paper*.")
    return b"graph"


files = (
    File("Table", "csv", "text/csv", "Each time.", lambda: b"table"),
    File("Graph", "onnx", "application/octet-stream", "At the second try.", fickle),
    File("Weights", "safetensors", "application/octet-stream", "Never.", fickle, "They are too large."),
)
download_buttons(files, "mini, 种子 0", "mini")  # the name of a run, in any script
st.write(f"run {next(runs)}")
