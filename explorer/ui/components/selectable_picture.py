"""A picture in which something can be chosen, with the mouse or the keyboard: samples, maps, branches."""

import re
from collections.abc import Callable, Collection

import streamlit as st

from explorer.settings import ASSETS

_ASSETS = ASSETS / "looking"
_css, _js = ((_ASSETS / f"choosing.{kind}").read_text("utf-8") for kind in ("css", "js"))
_view = st.components.v2.component("looking_choosing", html='<div class="choosing"></div>', css=_css, js=_js)


def selectable_picture(svg: str, *, key: str, chosen: Collection[str], on_choose: Callable[[str], None]) -> None:
    """Show an SVG of our own making whose parts with ``data-choice`` can be chosen; those in ``chosen`` are marked.

    ``on_choose`` is called with the id of a part before the script, or the fragment around, runs again.
    """
    offered = set(re.findall(r'data-choice="([^"]*)"', svg))

    def forward() -> None:
        identity = st.session_state[key].choose
        if identity in offered:  # a browser may send anything
            on_choose(identity)

    _view(key=key, data={"svg": svg, "chosen": list(chosen)}, on_choose_change=forward)
