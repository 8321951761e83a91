"""The pages, in one place: section → (file, title, icon, what the page is for)."""

from typing import NamedTuple

import streamlit as st


class PageEntry(NamedTuple):
    """One page: its file below ``pages/``, its title, its icon and a sentence on what it shows."""

    file: str
    title: str
    icon: str
    help: str


PAGES: dict[str, tuple[PageEntry, ...]] = {
    "Explore": (
        PageEntry(
            "explore/network.py",
            "Network",
            ":material/table_chart:",
            "Edit the paper's table and see what every layer of the network becomes.",
        ),
    ),
}


def navigation() -> "st.Page":
    """Return the page that the address asks for, with the sections as menus at the top."""
    sections = {
        section: [
            st.Page(f"pages/{entry.file}", title=entry.title, icon=entry.icon, help=entry.help) for entry in entries
        ]
        for section, entries in PAGES.items()
    }
    return st.navigation(sections, position="top")
