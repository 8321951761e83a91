"""What stands around the table: stem, auxiliary heads and classifier, with the ripple of an edit."""

import streamlit as st

from explorer.ui import cache, state
from explorer.views import formatting as fmt
from explorer.views import network_table as nt


def show_surroundings() -> None:
    """Show the parts of the network that are no rows of the table, and mark those that an edit changed."""
    version = state.present()
    parts = nt.surroundings(cache.summary(version.config), cache.summary(version.base_config))
    with st.container(horizontal=True, key="surroundings", gap="medium"):
        for part in parts:
            note = f"  \n:small[{part[nt.NOTE]}]".replace("#", r"\#") if part[nt.NOTE] else ""
            st.markdown(
                f"**{part['part']}** {part[nt.MARK]}  \n:small[{fmt.exact(part[nt.PARAMETERS])} parameters · "
                f"{fmt.short(part[nt.MACS])} MACs]{note}",
                width="content",
            )
