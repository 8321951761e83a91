"""Components whose code a browser gets once, so that an edit sends their data alone.

Streamlit sends a component's script with each change of its data. What stays the same, the script and the constants,
goes into an element of its own instead, which the browser keeps: Streamlit then sends its hash.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.paths import ASSETS

_code, _provide, _use = (
    (ASSETS / "shared_code" / f"{name}.js").read_text("utf-8") for name in ("code", "provide", "use")
)


class SharedComponent:
    """A component called ``name``; its script ``js`` has a function ``show(component, constants)``.

    ``show`` is called at first and after each change of data or theme, like the default export of other components.
    """

    def __init__(self, name: str, *, html: str, css: str, js: str, constants: Mapping[str, Any] | None = None) -> None:
        self.name, self.constants = name, dict(constants or {})
        self._definition = st.components.v2.component(f"{name}_code", html="<span></span>", js=js + _code + _provide)
        self._view = st.components.v2.component(name, html=html, css=css, js=_code + _use)

    def define(self) -> None:
        """Send the code. Call this once in each run of the page, whether or not the component is on it."""
        self._definition(key=f"{self.name}_code_only", data={"name": self.name, "constants": self.constants}, height=1)

    def show(self, key: str, data: Mapping[str, Any], **handlers: Any) -> None:
        """Show the component with data, which must be JSON; ``handlers`` are functions, as Streamlit takes them."""
        self._view(key=key, data={"code": self.name, **data}, **handlers)
