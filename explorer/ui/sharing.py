"""The menu Share of the bar: links to the network and to the whole state, and files to save and open."""

from urllib.parse import urlencode

import streamlit as st

from explorer.errors import Problem
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
from explorer.ui.state import SessionValue
from explorer.views import formatting as fmt

_FILE = "share_file"
_PRESENT = "present_toggle"
_UPLOAD_COUNT = SessionValue("share_upload_count", 0)


def share_menu() -> None:
    """Offer to share; the contents of the menu are made only while it is open."""
    menu = st.popover("Share", icon=":material/share:", on_change="rerun", key="share")
    if menu.open:
        with menu:
            _present_control()
            _show_links()
            _download_buttons()
            _file_uploader()


def _present_control() -> None:
    st.session_state[_PRESENT] = state.presents()
    st.toggle(
        "Present: larger text and charts",
        key=_PRESENT,
        on_change=lambda: state.set_presents(bool(st.session_state[_PRESENT])),
        help="For a projector. It stays on every page until you turn it off.",
    )


def _show_links() -> None:
    """Show links to the network and to everything. What only this reader sees, such as Present, is in neither."""
    personal = (state.PRESENT_PARAMETER,)
    tokens = {name: token for name, token in state.url_tokens().items() if token and name not in personal}
    st.markdown("**A link to this network**")
    st.code(_link({name: token for name, token in tokens.items() if name == state.NETWORK_PARAMETER}), language=None)
    if state.shelf().variants or state.COMPARED_PARAMETER in tokens:
        st.markdown("**A link to everything: network, shelf, comparison and page**")
        st.code(_link(tokens), language=None)
    if not state.is_shelf_in_url():
        st.caption("The shelf is too long for a link: it exists in this session only. Save it as a file.")


def _link(tokens: dict[str, str]) -> str:
    address = (st.context.url or "").split("?")[0]
    return f"{address}?{urlencode(tokens)}" if tokens else address


def _download_buttons() -> None:
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


def _file_uploader() -> None:
    key = f"{_FILE}_{_UPLOAD_COUNT.get()}"  # a new key empties the control
    st.file_uploader(
        "Open a network or a shelf", "json", key=key, on_change=_open_upload, args=(key,), max_upload_size=1
    )
    messages.show_problems(state.rejection(_FILE))


def _open_upload(key: str) -> None:
    """Open the uploaded file or record why that failed, and empty the control for another one."""
    file = st.session_state[key]
    if file is None:
        return
    _UPLOAD_COUNT.set(_UPLOAD_COUNT.get() + 1)
    try:
        message = open_document(file.read(MAX_SHELF_DOCUMENT + 1))
    except ShareError as error:
        state.reject_input(_FILE, file.name, (Problem("share", _FILE, str(error)),))
        return
    state.clear_rejected_input(_FILE)
    st.toast(message, icon=":material/check:")


def open_document(document: bytes) -> str:
    """Make the network of a document the current one, or add its variants to the shelf; return a message.

    Raises ShareError for anything else, and then changes nothing.
    """
    if is_shelf(document):
        variants = shelf_from_json(document)
        state.set_shelf(state.shelf().replace_all(variants))
        return f"{fmt.exact(len(variants))} variants are on the shelf. Undo on the shelf restores the old ones."
    config = from_json(document)
    base = next((name for name, preset in PRESETS.items() if preset == config), state.current().base)
    state.set_current(Version(base, config))
    return "The network of the file is now the current one. Undo restores the old one."
