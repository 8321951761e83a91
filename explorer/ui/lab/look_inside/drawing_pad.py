"""The drawing pad: light on black, with the mouse, a finger or the keyboard."""

import base64
import binascii

import streamlit as st

from explorer.settings import ASSETS

_ASSETS = ASSETS / "looking"
_html, _css, _js = ((_ASSETS / f"pad.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
_view = st.components.v2.component("looking_pad", html=_html, css=_css, js=_js)
MAX_LETTERS = 400_000  # of a pad's picture as text


def drawing_pad(key: str) -> bytes:
    """Show the pad and return what is drawn on it, a picture file, or nothing.

    What a browser sends may be anything: who takes it in must decode it as a picture that someone brought.
    """
    sent = _view(key=key, on_picture_change=lambda: None).picture
    if not isinstance(sent, str) or len(sent) > MAX_LETTERS:
        return b""
    try:
        return base64.b64decode(sent, validate=True)
    except binascii.Error:
        return b""
