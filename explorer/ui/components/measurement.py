"""A measurement made in the checking process: a button, progress, a way to stop, and a result that stays.

Nothing is measured in the server. What was measured last stays on the page, with what it was measured for, until the
next measurement is done.
"""

from collections.abc import Callable
from random import SystemRandom
from typing import Any

import streamlit as st

from explorer.jobs.queue import Pending
from explorer.jobs.requests import Failure, Request, Result
from explorer.ui import cache
from explorer.ui.components.polling import rerun_after
from explorer.ui.explore.network.badge import session_id

MAX_SEED = 999_999


@st.fragment
def measurement(name: str, make: Callable[[int], Request], show: Callable[[Any], None], label: str, about: str) -> None:
    """Offer to measure what ``make`` asks for with a seed; ``show`` draws the result. ``about`` says what is done."""
    asked, done = f"{name}_asked", f"{name}_done"
    request = st.session_state.get(asked)
    answer = cache.check_jobs().submit(request, session_id()) if request else None
    waiting = isinstance(answer, Pending)
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
    if waiting:
        _progress(answer)
        rerun_after(answer.retry_s, f"{name}_again")
    if done in st.session_state:
        _result(*st.session_state[done], make(seed), show)


def _seed(name: str) -> int:
    return st.session_state.setdefault(f"{name}_seed", SystemRandom().randrange(1_000))


def _start(asked: str, request: Request) -> None:
    cache.check_jobs().forget(request)  # whoever presses the button wants a new measurement
    st.session_state[asked] = request


def _stop(asked: str, request: Request) -> None:
    cache.check_jobs().cancel(request, session_id())
    st.session_state[asked] = None


def _progress(pending: Pending) -> None:
    if pending.progress is None:
        place = f"{pending.ahead} before it" if pending.ahead else "PyTorch starts, or another check ends first"
        st.progress(0.0, f"Waiting: {place}")
        return
    share = pending.progress.done / max(pending.progress.total, 1)
    st.progress(min(share, 1.0), f"{pending.progress.doing} · {pending.progress.done} of {pending.progress.total}")


def _result(request: Request, result: Result, now: Request, show: Callable[[Any], None]) -> None:

    if isinstance(result, Failure):
        st.error(f"Nothing was measured. {result.reason}", icon=":material/block:")
        return
    if request.replace(seed=0) != now.replace(seed=0):
        st.caption(":material/history: Measured before you changed something: measure again for what is shown now.")
    show(result)
