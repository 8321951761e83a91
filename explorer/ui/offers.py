"""Files that are made at the click on their button; why one could not be made is said below the buttons.

Streamlit makes such a file in a thread without a session and tells a failure in words of its own, so what becomes of it
is noted in a value that the session and the thread share.
"""

import traceback
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

import streamlit as st

from explorer.ui import messages
from explorer.ui.later import look_again
from explorer.views import formatting as fmt

_BEGINS_S = 3.0  # how long after the click a file may begin to be made
_LOOK_S = 0.5


class CannotMakeError(Exception):
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


class _Fate:
    """What becomes of one file: when it was last asked for, whether it is being made, and why it could not be."""

    def __init__(self) -> None:
        self.asked = -_BEGINS_S
        self.making = False
        self.reason = ""

    @property
    def awaited(self) -> bool:
        """Whether there is something to wait for."""
        return self.making or monotonic() - self.asked < _BEGINS_S

    def ask(self) -> None:
        """Note the click."""
        self.asked = monotonic()

    def made(self, make: Callable[[], str | bytes]) -> str | bytes:
        """Make the file. What is raised goes on to Streamlit, which tells the browser that no file comes."""
        self.making, self.reason = True, ""
        try:
            return make()
        except CannotMakeError as error:
            self.reason = str(error)
            raise
        except Exception:
            traceback.print_exc()
            self.reason = "It could not be made; the server's log has the details."
            raise
        finally:
            self.asked, self.making = -_BEGINS_S, False


@st.fragment
def offer(files: tuple[File, ...], stem: str, of: object) -> None:
    """Show a button per file, and below them what went wrong; the files' names begin with ``stem``.

    ``of`` is what the files are made of: where it changes, what went wrong before is forgotten.
    """
    fates = _fates(f"offers_{stem}", of)
    with st.container(horizontal=True, gap="small"):
        for file in files:
            fate = fates.setdefault(file.label, _Fate())
            st.download_button(
                file.label,
                lambda fate=fate, make=file.make: fate.made(make),
                f"{stem}.{file.ending}",
                file.mime,
                icon=":material/download:",
                help=file.refused or file.help,
                disabled=bool(file.refused),
                on_click=fate.ask,
                key=f"take_{stem}_{file.label}",
            )
    for file in files:
        if file.refused:
            st.caption(f":material/block: {fmt.markdown(f'{file.label}: {file.refused}')}")
    _tell(fates, stem)


def _fates(key: str, of: object) -> dict[str, _Fate]:
    made_of, fates = st.session_state.get(key, (None, {}))
    if made_of != of:
        fates = {}
    st.session_state[key] = of, fates
    return fates


@st.fragment
def _tell(fates: dict[str, _Fate], stem: str) -> None:
    """Say which files could not be made. While one is awaited, look again."""
    for label, fate in fates.items():
        if fate.reason:
            messages.refuse(f"{label}: {fate.reason}")
    if any(fate.awaited for fate in fates.values()):
        look_again(_LOOK_S, f"offers_{stem}_later")
