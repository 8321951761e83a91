"""What a member sees while the teacher collects networks."""

import streamlit as st

from explorer.runs.results import best_results
from explorer.runs.schema import StoreError
from explorer.share import to_token
from explorer.ui import runs, state
from explorer.ui.classroom import session
from explorer.views import formatting as fmt


def offer_hand_in() -> None:
    """Offer to hand in the current network."""
    with st.container(border=True, key="class_hand_in"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**Your teacher collects networks.** Yours is now {fmt.markdown(state.current_title())}.",
                width="stretch",
            )
            st.button("Hand in my network", type="primary", icon=":material/outbox:", on_click=_hand_in, key="hand_in")
        st.caption("Only the last one counts. A measured accuracy goes with it if the network was trained here.")


def _hand_in() -> None:
    accuracy, dataset = _measured_accuracy()
    token = to_token(state.current())
    session.act_as_member(lambda store, member: store.guidance.hand_in(member.number, token, accuracy, dataset))
    if not session.problem():
        st.toast("Handed in.", icon=":material/check:")


def _measured_accuracy() -> tuple[float | None, str]:
    """Return the best accuracy of a run with the table of the current network, and its dataset; None without a run."""
    try:
        found = best_results(runs.store())
    except StoreError:
        return None, ""
    modules = state.current().config.modules
    measured = [
        (best.accuracy, data.name)
        for data, results in found.items()
        for config, best in results.items()
        if config.modules == modules
    ]
    return max(measured, default=(None, ""))
