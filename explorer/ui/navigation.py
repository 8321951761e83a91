"""The pages, in one place: section → (file, title, icon, what the page is for)."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import streamlit as st

from explorer.ui import state
from explorer.ui.classroom import session
from explorer.ui.streamlit_workarounds import close_page_not_found, is_page_unknown


class PageEntry(NamedTuple):
    """One page: its file below ``pages/``, its title, its icon, and a sentence on what it shows."""

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
            "Compare two to four networks, manage your shelf of saved ones, and export them.",
        ),
    ),
    "Learn": (
        PageEntry(
            "learn/reduction.py",
            "1×1 reduction",
            ":material/compress:",
            "What a 1×1 convolution in front of a 5×5 saves, and when it saves nothing.",
        ),
        PageEntry(
            "learn/auxiliary.py",
            "Auxiliary classifiers",
            ":material/alt_route:",
            "What the two heads are, what they cost, and which layers their gradients reach.",
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
            "lab/search.py",
            "Search",
            ":material/travel_explore:",
            "Which table is best at a given cost? Search for it, with controls, or replay searches without training.",
        ),
        PageEntry(
            "lab/look_inside.py",
            "Look inside",
            ":material/frame_inspect:",
            "Give the network an image and see its prediction, the feature maps of each branch, and the attribution.",
        ),
    ),
}

CLASS_PAGES = (  # of a class server alone
    PageEntry(
        "classroom/join.py",
        "Join",
        ":material/login:",
        "Join the class of your teacher with its code. Votes and news of the class then appear on every page.",
    ),
    PageEntry(
        "classroom/teach.py",
        "Teach",
        ":material/co_present:",
        "The class's code, votes, follow me, hand-ins, where everyone is, and the server.",
    ),
)


def sections() -> dict[str, tuple[PageEntry, ...]]:
    """Return the pages of this server by their section: those of a class on a class server too."""
    return {**PAGES, "Class": CLASS_PAGES} if session.is_class_server() else PAGES


_MAX_ADDRESS = 40  # letters of an unknown address that are repeated
APP_NAME = "Inception Explorer"
_HERE = "font-weight: 600; box-shadow: inset 0 -2px currentcolor; border-radius: 0;"  # of the menu with the open page
OLD_ADDRESSES = {"infer": "lab/look_inside.py"}  # pages that had another name, so that links to it still open them


def select_page() -> st.Page:
    """Return the page that the address names, and show the sections as menus at the top.

    An old address, with all its parameters, leads to the page that it named; an unknown one to the first page.
    """
    is_unknown, requested = is_page_unknown(), _requested()
    pages = {section: [_page(entry) for entry in entries] for section, entries in sections().items()}
    old_pages = [st.Page(_nothing, title=old, url_path=old, visibility="hidden") for old in OLD_ADDRESSES]
    page = st.navigation({**pages, "Old addresses": old_pages}, position="top")
    first = Path(next(iter(PAGES.values()))[0].file).stem
    new_file = OLD_ADDRESSES.get(page.url_path)
    is_wrong = requested == first or requested not in _addresses() or (is_unknown and bool(page.url_path))
    close_page_not_found(is_wrong, is_redirect=new_file is not None)
    if new_file:
        st.switch_page(f"pages/{new_file}", query_params=st.query_params.to_dict())
    return page


def _page(entry: PageEntry) -> st.Page:
    """Return a page of the menu; the teacher's is in the menu of a teacher alone, and checks by itself who opens it."""
    is_hidden = entry.file == "classroom/teach.py" and not session.is_teacher()
    return st.Page(
        f"pages/{entry.file}",
        title=entry.title,
        icon=entry.icon,
        help=entry.help,
        visibility="hidden" if is_hidden else "visible",
    )


def file_of(page: st.Page) -> str:
    """Return the file of a page below ``pages/``; empty for an old address."""
    files = (entry.file for entries in sections().values() for entry in entries if entry.title == page.title)
    return next(files, "")


def warn_of_unknown_page(page: st.Page) -> None:
    """Warn above the page if the address names one that does not exist."""
    requested = _requested()
    if requested not in _addresses():
        state.warn(f"There is no page “{requested[:_MAX_ADDRESS]}”. This is the page {page.title}.")


def _requested() -> str:
    """Return the last part of the address that the browser asked for."""
    return urlsplit(st.context.url or "").path.rsplit("/", 1)[-1]


def _addresses() -> set[str]:
    """Return the last part of each address that leads to a page."""
    root = str(st.get_option("server.baseUrlPath") or "").strip("/").rsplit("/", 1)[-1]
    return {"", root, *OLD_ADDRESSES} | {Path(entry.file).stem for entries in sections().values() for entry in entries}


def show_location(page: st.Page, network: str) -> None:
    """Name the page and the network in the browser's tab, and the page in the menu of its section."""
    st.set_page_config(page_title=f"{page.title} · {network} · {APP_NAME}")
    for number, entries in enumerate(sections().values(), start=1):
        if page.title in [entry.title for entry in entries]:
            menu = f"[data-testid=stTopNav] .rc-overflow-item:nth-child({number}) [data-testid=stTopNavSection]"
            st.html(f"<style>{menu} {{ {_HERE} }} {menu} p::after {{ content: ' · {page.title}'; }}</style>")


def _nothing() -> None:
    """Draw nothing: the page of an old address only leads on."""
