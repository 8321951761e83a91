"""The badge: closed form = live network = torchinfo, checked in a worker process after the numbers are shown.

While a check is pending the badge asks for its result from time to time. It builds nothing itself, so it never delays
an edit.
"""

import pandas as pd
import streamlit as st

from explorer.jobs.queue import Pending
from explorer.jobs.requests import CheckReport
from explorer.ui import cache, state
from explorer.ui.streamlit_workarounds import fragment, rerun_after
from explorer.views import formatting as fmt


@fragment
def show_badge() -> None:
    """Show the check of the current network against its live version, or that it is pending."""
    result = cache.check_jobs().check(state.current().config, state.device(), state.session_id())
    with st.container(horizontal=True, vertical_alignment="center", key="badge"):
        if isinstance(result, Pending):
            _show_pending(result)
        else:
            _show_report(result)
        st.space("stretch")
        st.selectbox(
            "Device",
            list(state.DEVICES),
            key=state.DEVICE_KEY,
            format_func=state.DEVICES.__getitem__,
            label_visibility="collapsed",
            width=130,
            persist_state="session",
        )
    if isinstance(result, CheckReport) and result.disagreements:
        _show_disagreements(result)


def _show_pending(pending: Pending) -> None:
    st.badge("checking", icon=":material/hourglass_top:", color="gray")
    text = "The live network is built and run in the background."
    if pending.ahead:
        text = f"The live network is built and run in the background. {pending.ahead} before it."
    st.markdown(f":small[{text}]", width="content")
    rerun_after(pending.retry_s, "badge_again")


def _show_report(report: CheckReport) -> None:
    if state.is_network_outdated():
        st.badge("last valid network", icon=":material/history:", color="gray")
    elif report.failed:
        st.badge("not checked", icon=":material/help:", color="orange")
    elif report.ok and report.ran:
        if state.is_network_outdated():
            st.badge(
                "last valid network: closed form = live network = torchinfo", icon=":material/history:", color="gray"
            )
        else:
            st.badge("closed form = live network = torchinfo", icon=":material/check:", color="green")
    elif report.ok:
        st.badge("shapes and parameters checked; not run", icon=":material/rule:", color="blue")
    elif report.differing == 1:
        st.badge("1 number disagrees", icon=":material/error:", color="red")
    else:
        st.badge(f"{report.differing} numbers disagree", icon=":material/error:", color="red")
    facts = ["the formulas, PyTorch and torchinfo count the same"] if report.ok and report.ran else []
    facts += [f"{report.rows} rows"] if report.rows else []
    if report.ran:
        facts += [f"built in {report.build_ms:,.0f} ms", f"forward {report.forward_ms:,.0f} ms", report.device]
    if report.output_shape:
        facts.append(f"output {fmt.shape(report.output_shape)}")
    text = "  \n".join(fmt.markdown(line) for line in (" · ".join(facts), report.note) if line)
    st.markdown(f":small[{text}]", width="content")


def _show_disagreements(report: CheckReport) -> None:
    st.error("The closed form and the live network disagree here. This is an error of the app: please report it.")
    st.dataframe(
        pd.DataFrame(
            [{**d._asdict(), "closed_form": str(d.closed_form), "live": str(d.live)} for d in report.disagreements]
        ),
        hide_index=True,
        placeholder=fmt.NO_VALUE,
    )
