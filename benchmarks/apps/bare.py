"""The baseline of the browser benchmarks: a bare Streamlit page with the same editor and one line of text."""

import pandas as pd
import streamlit as st

from explorer import PRESETS
from explorer.config import HEADINGS
from explorer.table import MODULE, to_rows

st.set_page_config(layout="wide")
frame = pd.DataFrame(to_rows(PRESETS["paper"]))
total = st.empty()
edited = st.data_editor(
    frame,
    key="table",
    num_rows="fixed",
    hide_index=True,
    disabled=[MODULE],
    height="content",
    width="content",
    column_config={name: st.column_config.Column(width="small") for name in frame.columns},
)
total.markdown(f"total {int(edited[list(HEADINGS.values())].sum().sum()):,}")
