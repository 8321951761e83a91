"""Look again in a moment: a fragment that waits for something calls this while it waits, and only then.

Cheaper than ``run_every``: no timer stays behind, and no rerun of the whole page is needed to be rid of it.
"""

from itertools import count

import streamlit as st

from explorer.settings import ASSETS

_JS = (ASSETS / "later.js").read_text("utf-8")
_later = st.components.v2.component("later", html="<span></span>", js=_JS)
_runs = count()


def rerun_after(seconds: float, key: str) -> None:
    """Rerun the surrounding fragment after ``seconds``. To be called in a fragment, once per ``key``."""
    with st.container(key=f"later_{key}", height="content"):
        _later(key=key, data={"ms": round(1_000 * seconds), "run": next(_runs)}, on_due_change=lambda: None, height=1)
