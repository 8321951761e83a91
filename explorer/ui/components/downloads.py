"""Files that are made at the click on their button; why one could not be made is said below the buttons.

Streamlit makes such a file in a thread without a session, keeps it for a moment only, and tells a failure in words of
its own. So no run of the script follows a click, and the reason is noted where the session finds it, once the browser
says that there was a failure.
"""

import traceback
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import streamlit as st

from explorer.errors import UserError
from explorer.settings import ASSETS
from explorer.ui import messages
from explorer.views import formatting as fmt

_JS = (ASSETS / "failures.js").read_text("utf-8")
_failures = st.components.v2.component("failures", html="<span></span>", js=_JS)


class CannotMakeError(UserError):
    """A file cannot be made; the message is a sentence for the reader."""


class File(NamedTuple):
    """One way to take something away: what the button says, the file's ending and type, and how it is made.

    ``refused`` says why it cannot be made, where that is known before; the button then does nothing.
    """

    label: str
    ending: str
    mime: str
    help: str
    make: Callable[[], str | bytes]
    refused: str = ""


def download_buttons(files: tuple[File, ...], stem: str, of: object) -> None:
    """Show a button per file, and below them what went wrong; the files' names begin with ``stem``.

    ``of`` is what the files are made of: where it changes, what went wrong before is forgotten.
    """
    key = f"offers_{stem}"
    reasons = _reasons(key, of)
    with st.container(key=key):
        with st.container(horizontal=True, gap="small"):
            for file in files:
                st.download_button(
                    file.label,
                    partial(_made, file, reasons),
                    f"{stem}.{file.ending}",
                    file.mime,
                    icon=":material/download:",
                    help=file.refused or file.help,
                    disabled=bool(file.refused),
                    on_click="ignore",
                    key=f"take_{stem}_{file.label}",
                )
        for file in files:
            if file.refused:
                st.caption(f":material/block: {fmt.markdown(f'{file.label}: {file.refused}')}")
        _tell(reasons, key)


def _reasons(key: str, of: object) -> dict[str, str]:
    """Return why files could not be made, by their label: a value that the session and all threads share."""
    made_of, reasons = st.session_state.get(key, (None, {}))
    if made_of != of:
        reasons = {}
    st.session_state[key] = of, reasons
    return reasons


def _made(file: File, reasons: dict[str, str]) -> str | bytes:
    """Make a file. What is raised goes on to Streamlit, which tells the browser that none comes."""
    reasons.pop(file.label, None)
    try:
        return file.make()
    except CannotMakeError as error:
        reasons[file.label] = str(error)
        raise
    except Exception:
        traceback.print_exc()
        reasons[file.label] = "It could not be made; the server's log has the details."
        raise


@st.fragment
def _tell(reasons: dict[str, str], key: str) -> None:
    """Say why files could not be made; run again when the browser tells of a failure."""
    told = f"{key}_told"
    with st.container(key=told):
        for label, reason in sorted(reasons.items()):
            messages.show_refusal(f"{label}: {reason}")
    _failures(key=f"{key}_failures", data={"box": key, "told": told}, on_failed_change=lambda: None, height=1)
