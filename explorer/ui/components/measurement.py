"""A measurement in the worker process: a button, its progress, a way to stop it, and a result that stays.

Nothing is measured in the server. The last result stays on the page, with what was measured, until the next one is
complete.
"""

from collections.abc import Callable
from random import SystemRandom
from typing import Any

import streamlit as st

from explorer.jobs.job import Failure, JobRequest, R
from explorer.jobs.queue import Pending
from explorer.ui import cache, messages, state
from explorer.ui.components.number import number_setting
from explorer.ui.streamlit_workarounds import fragment, rerun_after

MAX_SEED = 999_999


@fragment
def measurement(
    name: str, make_request: Callable[[int], JobRequest[R]], show: Callable[[R], None], label: str, help: str
) -> None:
    """Offer to measure what ``make_request`` returns for a seed, and let ``show`` draw the result.

    ``label`` is that of the button; ``help``, next to it, tells what is measured.
    """
    request_key, result_key = f"{name}_request", f"{name}_result"
    request: JobRequest[R] | None = st.session_state.get(request_key)
    answer: R | Failure | Pending | None = None
    if request:
        answer = cache.check_jobs().submit(request, state.session_id())
    pending = answer if isinstance(answer, Pending) else None
    if request and not pending:
        st.session_state[result_key] = (request, answer)
        st.session_state[request_key] = None
    new_request = make_request(_seed(name))
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{name}_bar"):
        st.button(
            label,
            icon=":material/speed:",
            key=f"{name}_start",
            disabled=pending is not None,
            on_click=_start,
            args=(request_key, new_request),
        )
        if pending:
            st.button(
                "Stop", icon=":material/stop_circle:", key=f"{name}_stop", on_click=_stop, args=(request_key, request)
            )
        number_setting("Seed", f"{name}_seed", _seed(name), 0, MAX_SEED, width=120)
        st.caption(help, width="stretch")
    if pending:
        _show_progress(pending)
        rerun_after(pending.retry_s, f"{name}_again")
    if result_key in st.session_state:
        measured, result = st.session_state[result_key]
        _show_result(measured, result, new_request, show)


def _seed(name: str) -> int:
    seed: int = st.session_state.setdefault(f"{name}_seed_value", SystemRandom().randrange(1_000))
    return seed


def _start(request_key: str, request: JobRequest[Any]) -> None:
    cache.check_jobs().forget(request)  # a click on the button asks for a new measurement
    st.session_state[request_key] = request


def _stop(request_key: str, request: JobRequest[Any]) -> None:
    cache.check_jobs().cancel(request, state.session_id())
    st.session_state[request_key] = None


def _show_progress(pending: Pending) -> None:
    progress = pending.progress
    if progress is None and pending.ahead:
        st.progress(0.0, f"Waiting: {pending.ahead} other requests come first")
    elif progress is None:
        st.progress(0.0, "Waiting: PyTorch is starting, or another check is running")
    else:
        fraction = progress.done / max(progress.total, 1)
        st.progress(min(fraction, 1.0), f"{progress.message} · {progress.done} of {progress.total}")


def _show_result(
    measured: JobRequest[R], result: R | Failure, new_request: JobRequest[R], show: Callable[[R], None]
) -> None:
    if isinstance(result, Failure):
        messages.show_refusal(f"Nothing was measured. {result.reason}")
        return
    if measured.replace(seed=0) != new_request.replace(seed=0):
        st.caption(":material/history: Measured before your last change. Measure again for what is shown now.")
    show(result)
