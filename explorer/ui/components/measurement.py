"""A measurement made in the checking process: a button, progress, a way to stop, and a result that stays.

Nothing is measured in the server. What was measured last stays on the page, with what it was measured for, until the
next measurement is done.
"""

from collections.abc import Callable
from random import SystemRandom
from typing import Any

import streamlit as st

from explorer.jobs.queue import Pending
from explorer.jobs.requests import Failure, JobRequest, R
from explorer.ui import cache
from explorer.ui.streamlit_workarounds import rerun_after
from explorer.ui.state import session_id

MAX_SEED = 999_999


@st.fragment
def measurement(
    name: str, make: Callable[[int], JobRequest[R]], show: Callable[[R], None], label: str, about: str
) -> None:
    """Offer to measure what ``make`` asks for with a seed; ``show`` draws the result. ``about`` says what is done."""
    asked, done = f"{name}_asked", f"{name}_done"
    request: JobRequest[R] | None = st.session_state.get(asked)
    answer: R | Failure | Pending | None = None
    if request:
        answer = cache.check_jobs().submit(request, session_id())
    pending = answer if isinstance(answer, Pending) else None
    waiting = pending is not None
    if request and not waiting:
        st.session_state[done] = (request, answer)
        st.session_state[asked] = request = None
    seed = _seed(name)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{name}_bar"):
        st.button(
            label,
            icon=":material/speed:",
            key=f"{name}_start",
            disabled=waiting,
            on_click=_start,
            args=(asked, make(seed)),
        )
        if waiting:
            st.button("Stop", icon=":material/stop_circle:", key=f"{name}_stop", on_click=_stop, args=(asked, request))
        st.number_input("Seed", 0, MAX_SEED, step=1, key=f"{name}_seed", width=120, persist_state="session")
        st.caption(about, width="stretch")
    if pending:
        _progress(pending)
        rerun_after(pending.retry_s, f"{name}_again")
    if done in st.session_state:
        measured, result = st.session_state[done]
        _result(measured, result, make(seed), show)


def _seed(name: str) -> int:
    return st.session_state.setdefault(f"{name}_seed", SystemRandom().randrange(1_000))


def _start(asked: str, request: JobRequest[Any]) -> None:
    cache.check_jobs().forget(request)  # whoever presses the button wants a new measurement
    st.session_state[asked] = request


def _stop(asked: str, request: JobRequest[Any]) -> None:
    cache.check_jobs().cancel(request, session_id())
    st.session_state[asked] = None


def _progress(pending: Pending) -> None:
    if pending.progress is None:
        place = f"{pending.ahead} before it" if pending.ahead else "PyTorch starts, or another check ends first"
        st.progress(0.0, f"Waiting: {place}")
        return
    share = pending.progress.done / max(pending.progress.total, 1)
    st.progress(min(share, 1.0), f"{pending.progress.message} · {pending.progress.done} of {pending.progress.total}")


def _result(request: JobRequest[R], result: R | Failure, now: JobRequest[R], show: Callable[[R], None]) -> None:
    if isinstance(result, Failure):
        st.error(f"Nothing was measured. {result.reason}", icon=":material/block:")
        return
    if request.replace(seed=0) != now.replace(seed=0):
        st.caption(":material/history: Measured before you changed something: measure again for what is shown now.")
    show(result)
