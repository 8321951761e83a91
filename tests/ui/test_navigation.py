"""The pages: one name for each, and old addresses that lead to it."""

import importlib
import re
from itertools import pairwise

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explorer.history import Version
from explorer.presets import PRESETS
from explorer.share import to_token
from explorer.ui.navigation import OLD_ADDRESSES, PAGES, PageEntry
from tests.ui.app import ROOT, TIMEOUT_S, open_app, title

ENTRIES = [entry for entries in PAGES.values() for entry in entries]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.file)
def test_a_page_has_one_name(entry: PageEntry) -> None:
    """The file, which is also the address, the module or package of its parts, and the title agree."""
    section, name = entry.file.removesuffix(".py").split("/")
    assert set(name.split("_")) <= set(re.findall(r"\w+", entry.title.lower()))
    assert importlib.import_module(f"explorer.ui.{section}.{name}")
    assert entry in PAGES[section.capitalize()]


def open_old_address(address: str, **query: str) -> AppTest:
    """Open a new session at an address that a page had before."""
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=TIMEOUT_S)
    for name, value in query.items():
        at.query_params[name] = value
    at._page_hash = calc_hash(address)  # as the browser sends it; AppTest itself knows only files
    at.run()
    assert not at.exception
    return at


@pytest.mark.parametrize(("address", "file"), OLD_ADDRESSES.items())
def test_an_old_address_leads_to_its_page(address: str, file: str) -> None:
    """With the parameters of the link: the network in the bar, and the weights of the page."""
    net = to_token(Version("half", PRESETS["half"]))
    at = open_old_address(address, net=net, weights="mini_scales")
    assert at.session_state["page"] == file.rsplit("/", maxsplit=1)[-1].removesuffix(".py")
    assert title(at) == "half width"
    assert at.query_params["net"] == net
    assert at.query_params["weights"] == "mini_scales"


def test_an_old_address_is_in_no_menu() -> None:
    """The menus hold the pages alone."""
    assert set(OLD_ADDRESSES).isdisjoint(entry.title for entry in ENTRIES)
    assert open_app().session_state["page"] == ""


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.file)
def test_a_link_to_a_page_opens_it_with_its_network(entry: PageEntry) -> None:
    """A new session has that page alone. Its name in the menu is the one main heading; no level of headings is skipped.

    Each other heading is at most one level below the one before it.
    """
    at = open_app(page=f"pages/{entry.file}", net="1.half")
    assert title(at) == "half width"
    headings = re.findall(r"^(#+) (.+)$", "\n".join(element.value for element in at.markdown), re.MULTILINE)
    levels = [len(signs) for signs, _ in headings]
    assert [entry.title] == [text for signs, text in headings if signs == "#"]
    assert all(after <= before + 1 for before, after in pairwise([0, *levels]))
