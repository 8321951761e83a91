"""The heading of a page: its title, and beside it one sentence on what the page is for."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.navigation import sections


def show_page_heading(file: str) -> None:
    """Show the title of a page, named by its file below ``pages/``, and the sentence of the menu about it."""
    entry = next(entry for entries in sections().values() for entry in entries if entry.file == file)
    show_heading(entry.title, entry.help)


def show_heading(title: str, text: str) -> DeltaGenerator:
    """Show a title and a text in Markdown on one line; on a narrow page the text is below the title.

    Returns the container of the line, for what stands at its end.

    All headings are Markdown: Streamlit redraws st.title and st.subheader in each run, which takes 2 ms for each.
    """
    line = st.container(horizontal=True, vertical_alignment="center", key="heading")
    with line:
        st.markdown(f"# {title}", width="content")
        st.markdown(text, width="stretch")
    return line
