"""The Share menu of the bar: links to the network and to everything, and files in and out."""

from urllib.parse import urlencode

import streamlit as st

from explorer.config import Problem
from explorer.history import Version
from explorer.presets import PRESETS
from explorer.share import (
    MAX_SHELF_DOCUMENT,
    ShareError,
    from_json,
    is_shelf,
    shelf_from_json,
    shelf_to_json,
    to_json,
)
from explorer.ui import messages, state
from explorer.views import formatting as fmt

_FILE = "share_file"
_EDITION = "share_edition"


def share_menu() -> None:
    """Offer to share; what is in the menu is made only while it is open."""
    menu = st.popover("Share", icon=":material/share:", on_change="rerun", key="share")
    if menu.open:
        with menu:
            _links()
            _files_out()
            _file_in()


def _links() -> None:
    tokens = {name: token for name, token in state.tokens().items() if token}
    st.markdown("**A link to this network**")
    st.code(_link({name: token for name, token in tokens.items() if name == state.PARAMETER}), language=None)
    if state.shelf().variants or state.COMPARED_PARAMETER in tokens:
        st.markdown("**A link to everything: network, shelf, comparison and page**")
        st.code(_link(tokens), language=None)
    if not state.shelf_in_link():
        st.caption("The shelf is too long for a link: it lives in this session alone. Take it along as a file.")


def _link(tokens: dict[str, str]) -> str:
    address = (st.context.url or "").split("?")[0]
    return f"{address}?{urlencode(tokens)}" if tokens else address


def _files_out() -> None:
    version, variants = state.current(), state.shelf().variants
    with st.container(horizontal=True):
        st.download_button(
            "Network",
            lambda: to_json(version.config),
            "network.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            f"Shelf ({len(variants)})",
            lambda: shelf_to_json(variants),
            "shelf.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
            disabled=not variants,
        )


def _file_in() -> None:
    edition = st.session_state.setdefault(_EDITION, 0)
    key = f"{_FILE}_{edition}"
    st.file_uploader("Open a network or a shelf", "json", key=key, on_change=_opened, args=(key,), max_upload_size=1)
    messages.show_problems((state.refused(_FILE) or (None, ()))[1])


def _opened(key: str) -> None:
    """Take in the file, or say why not; either way the place is free for another one."""
    file = st.session_state[key]
    if file is None:
        return
    st.session_state[_EDITION] += 1
    try:
        told = take_in(file.read(MAX_SHELF_DOCUMENT + 1))
    except ShareError as error:
        state.refuse(_FILE, file.name, (Problem("share", _FILE, str(error)),))
        return
    state.accept()
    st.toast(told, icon=":material/check:")


def take_in(document: bytes) -> str:
    """Put the network of a document on the bench, or its variants on the shelf; return what was done.

    Raises ShareError for anything else; then nothing has changed.
    """
    if is_shelf(document):
        variants = shelf_from_json(document)
        state.set_shelf(state.shelf().replaced_by(variants))
        return f"{fmt.exact(len(variants))} variants are on the shelf. Undo on the shelf leads back."
    config = from_json(document)
    base = next((name for name, preset in PRESETS.items() if preset == config), state.current().base)
    state.make_current(Version(base, config))
    return "The network of the file is on the bench. Undo leads back."
