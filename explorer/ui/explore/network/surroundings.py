"""What stands around the table: stem, auxiliary heads and classifier, with the ripple of an edit."""

from html import escape

import streamlit as st

from explorer.ui import cache, state
from explorer.views import formatting as fmt
from explorer.views import network_table as nt


def show_surroundings() -> None:
    """Show the parts of the network that are no rows of the table, and mark those that an edit changed.

    One element, not one per part: each element of a page costs the browser time at every edit.
    """
    version = state.current()
    parts = nt.surroundings(cache.summary(version.config), cache.summary(version.base_config))
    with st.container(key="surroundings"):
        st.html(f"<div class='around-the-table'>{''.join(map(_part, parts))}</div>")


def _part(part: dict[str, object]) -> str:
    counts = f"{fmt.exact(part[nt.PARAMETERS])} parameters · {fmt.short(part[nt.MACS])} MACs"
    lines = (f"<b>{escape(str(part['part']))}</b> {part[nt.MARK]}", counts, escape(str(part[nt.NOTE])))
    return f"<p>{'<br>'.join(filter(None, lines))}</p>"
