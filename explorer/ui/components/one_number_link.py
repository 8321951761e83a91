"""Links to *Look inside* that open it at one number: how a layer's largest value is computed."""

import streamlit as st

CURRENT = "current"  # in place of weights in a link: those of the current network, random if there are no others
LABEL = "See one number"
ICON = ":material/calculate:"


def link_to_one_number(path: str, weights: str = CURRENT) -> None:
    """Show a link to the largest value of a layer, in the network with these weights (a token of the page)."""
    st.page_link(
        "pages/lab/look_inside.py",
        label=LABEL,
        icon=ICON,
        query_params={"unit": path, "weights": weights},
        help="How one output value of this layer is computed, with its real numbers, in Look inside.",
    )
