"""Requests of *Look inside* to the worker process, and their results, progress and failures on the page."""

import time
from collections.abc import Callable

import streamlit as st

from explorer.jobs.job import Failure, JobRequest, R
from explorer.jobs.queue import JobQueue, Pending
from explorer.ui import cache, messages
from explorer.ui.state import session_id
from explorer.ui.streamlit_workarounds import rerun_after
from explorer.views import formatting as fmt

IMPORT_KINDS = ("weights", "download")  # kinds of requests that import weights; each has a queue of its own
WAIT_S, STEP_S = 0.2, 0.02  # how long a script waits for a result, and how often it looks meanwhile
_STOPPED_POLL_S = 1.0  # how often a part looks whether the request that it follows was continued


def await_result(request: JobRequest[R], key: str, task: str, on_dismiss: Callable[[], None] | None = None) -> R | None:
    """Return the result of a request. Until it is there, show the progress or the failure, and return None.

    Call it in a fragment: it reruns the fragment until the result is there. A short wait at the start answers quick
    requests without flicker. ``task`` says in a few words what takes so long. A new request with the same ``key``
    replaces the older one. With ``on_dismiss``, a failure has a button that calls it.
    """
    stopped_key = f"{key}_stopped"
    if st.session_state.get(stopped_key) == request:
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_wait"):
            st.caption("Stopped.", width="content")
            st.button(
                "Continue",
                icon=":material/play_arrow:",
                key=f"{key}_continue",
                on_click=st.session_state.pop,
                args=(stopped_key, None),
            )
        return None
    result = _poll(request, key)
    if isinstance(result, Pending):
        _show_progress(result, key, task, lambda: _stop(request, key))
        rerun_after(result.retry_s, f"{key}_later")
        return None
    if isinstance(result, Failure):
        messages.show_refusal(result.reason)
        with st.container(horizontal=True, key=f"{key}_failed"):
            st.button(
                "Try again", icon=":material/refresh:", key=f"{key}_retry", on_click=forget_result, args=(request,)
            )
            if on_dismiss:
                st.button("Dismiss", icon=":material/close:", key=f"{key}_dismiss", on_click=on_dismiss)
        return None
    return result


def follow_result(request: JobRequest[R], key: str, follower: str) -> R | None:
    """Return the result of a request that another part of the page awaits with this ``key``; None until it is there.

    Call it in a fragment: it reruns the fragment until the result is there. The other part shows progress and failure.
    ``follower`` names the fragment, of which several may follow one request.
    """
    result: R | Failure | Pending = Pending(0, _STOPPED_POLL_S)
    if st.session_state.get(f"{key}_stopped") != request:
        result = _queue(request).submit(request, _queue_session(key))
    if isinstance(result, Pending):
        rerun_after(result.retry_s, f"{key}_{follower}")
        return None
    return None if isinstance(result, Failure) else result


def _poll(request: JobRequest[R], key: str) -> R | Failure | Pending:
    until = time.monotonic() + WAIT_S
    queue, session = _queue(request), _queue_session(key)
    while isinstance(result := queue.submit(request, session), Pending) and time.monotonic() < until:
        time.sleep(STEP_S)
    return result


def _queue_session(key: str) -> str:
    """Return the name under which the queue replaces requests: one per session and part of the page."""
    return f"{session_id()}-{key}"


def _show_progress(pending: Pending, key: str, task: str, stop: Callable[[], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_wait"):
        if pending.progress is None:
            st.progress(0.0, f"{task} · {pending.ahead} ahead in the queue" if pending.ahead else task)
        else:
            done, total = pending.progress.done, max(pending.progress.total, 1)
            text = fmt.markdown(f"{task} · {pending.progress.message} · {done:,} of {total:,}")
            st.progress(min(done / total, 1.0), text)
        st.button("Stop", icon=":material/stop_circle:", key=f"{key}_stop", on_click=stop)


def _stop(request: JobRequest[R], key: str) -> None:
    _queue(request).cancel(request, _queue_session(key))
    st.session_state[f"{key}_stopped"] = request


def forget_result(request: JobRequest[R]) -> None:
    """Drop the stored result of a request, so that the next submission computes it again."""
    _queue(request).forget(request)


def _queue(request: JobRequest[R]) -> JobQueue:
    return cache.import_jobs(request.kind) if request.kind in IMPORT_KINDS else cache.inspection_jobs()
