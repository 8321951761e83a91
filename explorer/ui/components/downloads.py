"""Files that are made at the click on their button; why one could not be made is shown below the buttons.

No run of the script follows such a click (:func:`explorer.ui.streamlit_workarounds.rerun_on_download_failure`), so the
reason is stored where the session finds it once the browser reports a failure.
"""

import traceback
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import streamlit as st

from explorer.errors import UserError
from explorer.ui import messages
from explorer.ui.streamlit_workarounds import fragment, rerun_on_download_failure
from explorer.views import formatting as fmt


class CannotMakeError(UserError):
    """A file cannot be made."""


class File(NamedTuple):
    """One file to export: the label of its button, its ending and type, and how it is made.

    ``refusal`` is the reason why it cannot be made, if that is known before; the button is then disabled.
    """

    label: str
    ending: str
    mime: str
    help: str
    make: Callable[[], str | bytes]
    refusal: str = ""


def download_buttons(files: tuple[File, ...], stem: str, source: object) -> None:
    """Show a button per file, and below them what failed; the names of the files begin with ``stem``.

    ``source`` is what the files are made from: when it changes, earlier failures are forgotten.
    """
    key = f"downloads_{stem}"
    reasons = _reasons(key, source)
    with st.container(key=key):
        with st.container(horizontal=True, gap="small"):
            for file in files:
                st.download_button(
                    file.label,
                    partial(_make, file, reasons),
                    f"{stem}.{file.ending}",
                    file.mime,
                    icon=":material/download:",
                    help=file.refusal or file.help,
                    disabled=bool(file.refusal),
                    on_click="ignore",
                    key=f"export_{stem}_{file.label}",
                )
        for file in files:
            if file.refusal:
                st.caption(f":material/block: {fmt.markdown(f'{file.label}: {file.refusal}')}")
        _show_failures(reasons, key)


def _reasons(key: str, source: object) -> dict[str, str]:
    """Return why files could not be made, by label: one value that the session and all threads share."""
    reasons: dict[str, str]
    last_source, reasons = st.session_state.get(key, (None, {}))
    if last_source != source:
        reasons = {}
    st.session_state[key] = source, reasons
    return reasons


def _make(file: File, reasons: dict[str, str]) -> str | bytes:
    """Make a file. Any exception goes on to Streamlit, which reports to the browser that there is no file."""
    reasons.pop(file.label, None)
    try:
        return file.make()
    except UserError as error:
        reasons[file.label] = str(error)
        raise
    except Exception:
        traceback.print_exc()
        reasons[file.label] = "The file could not be made. The server's log has the details."
        raise


@fragment
def _show_failures(reasons: dict[str, str], key: str) -> None:
    """Show why files could not be made; runs again when the browser reports a failure."""
    reasons_key = f"{key}_reasons"
    with st.container(key=reasons_key):
        for label, reason in sorted(reasons.items()):
            messages.show_refusal(f"{label}: {reason}")
    rerun_on_download_failure(key, reasons_key)
