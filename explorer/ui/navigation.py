"""The pages, in one place: section → (file, title, icon, what the page is for)."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from explorer.settings import ASSETS

_JS = (ASSETS / "close_notice.js").read_text("utf-8")
_close_notice = st.components.v2.component("close_notice", html="<span></span>", js=_JS)


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
        PageEntry(
            "explore/module.py",
            "Module",
            ":material/schema:",
            "One Inception module, branch by branch, beside its naive version.",
        ),
        PageEntry(
            "explore/compare.py",
            "Compare",
            ":material/compare_arrows:",
            "Two to four networks side by side, the shelf of those you kept, and ways to take them away.",
        ),
    ),
    "Learn": (
        PageEntry(
            "learn/reduction.py",
            "1×1 reduction",
            ":material/compress:",
            "Why a 1×1 convolution in front makes the 5×5 sixteen times cheaper, and when it does not.",
        ),
        PageEntry(
            "learn/auxiliary.py",
            "Auxiliary classifiers",
            ":material/alt_route:",
            "What the two heads are, what they cost, and whom their gradients reach.",
        ),
        PageEntry(
            "learn/which_googlenet.py",
            "Which GoogLeNet?",
            ":material/rule:",
            "Why everyone's numbers differ: nine networks, Table 1 audited, four ways of counting.",
        ),
        PageEntry(
            "learn/receptive_field.py",
            "Receptive field",
            ":material/center_focus_strong:",
            "How far each module sees, at how many scales, and what other input sizes do.",
        ),
    ),
    "Lab": (
        PageEntry(
            "lab/train.py",
            "Train",
            ":material/model_training:",
            "Train a network on real images and watch it learn; race several; look back at all runs.",
        ),
        PageEntry(
            "lab/infer.py",
            "Look inside",
            ":material/frame_inspect:",
            "Give the network a picture and see what it answers, what each branch shows, and where it looked.",
        ),
    ),
}


def navigation() -> st.Page:
    """Return the page that the address asks for, with the sections as menus at the top.

    On a fresh server Streamlit first looks for pages in the folder ``pages`` in its old way, finds none there, and
    tells a visitor with a deep link that his page does not exist, before this runs and finds it. The first page
    has the root as its address, and its name is not known either. Such a notice is taken back.
    """
    unknown_to_streamlit = PagesManager.uses_pages_directory
    asked = urlsplit(st.context.url or "").path.rsplit("/", 1)[-1]
    sections = {
        section: [
            st.Page(f"pages/{entry.file}", title=entry.title, icon=entry.icon, help=entry.help) for entry in entries
        ]
        for section, entries in PAGES.items()
    }
    page = st.navigation(sections, position="top")
    first = Path(next(iter(PAGES.values()))[0].file).stem
    if asked == first or (unknown_to_streamlit and page.url_path):
        _close_notice(key="close_notice", height=1)
    return page
