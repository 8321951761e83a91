"""The live badge: closed form = live network = torchinfo, checked in a process of its own after the numbers.

While a check is pending the badge looks for its result now and then. It never builds anything itself, so it never
delays an edit.
"""

from uuid import uuid4

import pandas as pd
import streamlit as st

from explorer.jobs.queue import Pending
from explorer.jobs.requests import CheckReport
from explorer.ui import cache, state
from explorer.ui.components.polling import rerun_after
from explorer.views import formatting as fmt

DEVICES = {"auto": "best device", "cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}


def session_id() -> str:
    """Return a name for this session, so that its newer request replaces its older one in the queue."""
    return st.session_state.setdefault("reader", uuid4().hex)


@st.fragment
def show_badge() -> None:
    """Show what the live network says of the present config, or that it is being built."""
    device = st.session_state.get("device", "auto")
    result = cache.check_jobs().check(state.current().config, device, session_id())
    waiting = isinstance(result, Pending)
    with st.container(horizontal=True, vertical_alignment="center", key="badge"):
        if waiting:
            _waiting(result)
        else:
            _verdict(result)
        st.space("stretch")
        st.selectbox(
            "Device",
            list(DEVICES),
            key="device",
            format_func=DEVICES.get,
            label_visibility="collapsed",
            width=130,
            persist_state="session",
        )
    if not waiting and result.disagreements:
        _show_disagreements(result)


def _waiting(pending: Pending) -> None:
    place = f" {pending.ahead} before it." if pending.ahead else ""
    st.badge("checking", icon=":material/hourglass_top:", color="gray")
    st.markdown(f":small[The live network is built and run in the background.{place}]", width="content")
    rerun_after(pending.retry_s, "badge_again")


def _verdict(report: CheckReport) -> None:
    if report.failed:
        st.badge("not checked", icon=":material/help:", color="orange")
    elif report.ok and report.ran:
        st.badge("closed form = live network = torchinfo", icon=":material/check:", color="green")
    elif report.ok:
        st.badge("shapes and parameters checked; not run", icon=":material/rule:", color="blue")
    else:
        told = "number disagrees" if report.differing == 1 else "numbers disagree"
        st.badge(f"{report.differing} {told}", icon=":material/error:", color="red")
    facts = [f"{report.rows} rows"] if report.rows else []
    if report.ran:
        facts += [f"built in {report.build_ms:,.0f} ms", f"forward {report.forward_ms:,.0f} ms", report.device]
    if report.output_shape:
        facts.append(f"output {fmt.shape(report.output_shape)}")
    text = "  \n".join(fmt.markdown(line) for line in (" · ".join(facts), report.note) if line)
    st.markdown(f":small[{text}]", width="content")


def _show_disagreements(report: CheckReport) -> None:
    st.error("The closed form and the live network do not agree here. This is a fault of the app: please report it.")
    st.dataframe(
        pd.DataFrame(
            [{**d._asdict(), "closed_form": str(d.closed_form), "live": str(d.live)} for d in report.disagreements]
        ),
        hide_index=True,
    )
