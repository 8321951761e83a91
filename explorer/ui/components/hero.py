"""The moving picture at the top of a lesson, with its controls: play, pause, and a slider through its time."""

import streamlit as st

from explorer.paths import ASSETS
from explorer.views.heroes.timeline import Hero

_html, _css, _js = ((ASSETS / "hero" / f"hero.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
_view = st.components.v2.component("lesson_hero", html=_html, css=_css, js=_js)


def show_hero(hero: Hero, key: str) -> None:
    """Show a moving picture; it starts again when the network that it shows has changed."""
    _view(key=f"hero_{key}", data=hero._asdict())
