"""Questions to the process that looks inside, each in a fragment of its own: wait, progress, a way to stop, failure.

To be called in a fragment: while there is no answer it looks again. A quick answer is waited for, so that a click is
answered without a flicker.
"""

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.jobs.queue import JobQueue, Pending
from explorer.jobs.requests import Failure, Request, Result
from explorer.ui import cache, messages
from explorer.ui.components.polling import rerun_after
from explorer.ui.explore.network.badge import session_id
from explorer.ui.lab.look_inside import selection
from explorer.views import formatting as fmt

BRINGING = ("weights", "download")  # kinds of requests that bring weights from outside
PATIENCE_S, STEP_S = 0.2, 0.02  # how long an answer is waited for, and how often it is looked for meanwhile


def await_result(request: Request, key: str, doing: str) -> Result | None:
    """Return the answer to a request. While there is none, show why, and return None.

    ``doing`` says in a few words what takes so long. Whoever asks under one ``key`` wants its last request only.
    """
    stopped = f"{key}_stopped"
    if st.session_state.get(stopped) == request:
        with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_wait"):
            st.caption("Stopped.", width="content")
            st.button("Go on", icon=":material/play_arrow:", key=f"{key}_again", on_click=_resume, args=(stopped,))
        return None
    answer = _waited_for(request, _name(key))
    if isinstance(answer, Pending):
        _progress(answer, key, doing, lambda: _stop(request, key))
        rerun_after(answer.retry_s, f"{key}_later")
        return None
    if isinstance(answer, Failure):
        messages.show_refusal(answer.reason)
        st.button("Try again", icon=":material/refresh:", key=f"{key}_retry", on_click=forget, args=(request,))
        return None
    return answer


def _waited_for(request: Request, name: str) -> Result | Pending:

    until = time.monotonic() + PATIENCE_S
    while isinstance(answer := _asked(request).submit(request, name), Pending) and time.monotonic() < until:
        time.sleep(STEP_S)
    return answer


def _name(key: str) -> str:
    """Name the one who asks: this session's part of the page."""
    return f"{session_id()}-{key}"


def _progress(pending: Pending, key: str, doing: str, stop: Callable[[], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}_wait"):
        if pending.progress is None:
            place = f" · {pending.ahead} before it" if pending.ahead else ""
            st.progress(0.0, f"{doing}{place}")
        else:
            done, total = pending.progress.done, max(pending.progress.total, 1)
            text = fmt.markdown(f"{doing} · {pending.progress.doing} · {done:,} of {total:,}")
            st.progress(min(done / total, 1.0), text)
        st.button("Stop", icon=":material/stop_circle:", key=f"{key}_stop", on_click=stop)


def _stop(request: Request, key: str) -> None:
    _asked(request).cancel(request, _name(key))
    st.session_state[f"{key}_stopped"] = request


def _resume(stopped: str) -> None:
    st.session_state.pop(stopped, None)


def forget(request: Request) -> None:
    """Let the next to ask get a new answer."""
    _asked(request).forget(request)


def _asked(request: Request) -> JobQueue:
    """Return who answers a request."""
    return cache.import_jobs(request.kind) if request.kind in BRINGING else cache.inspection_jobs()


def about(path: str, **more: Any) -> dict[str, Any]:
    """Return what a question about one picture shares with all others: network, picture, preparation, scales, device.

    ``more`` takes the place of what is usual.
    """
    usual = {
        "network": selection.in_use().network,
        "images": (path,),
        "preprocessing": selection.preparation(),
        "scales": selection.scales(),
        "device": selection.device(),
    }
    return usual | more


def alone(draw: Callable[[], None]) -> None:
    """Draw a part whose controls run it alone. Where one has changed what others show too, the whole page follows."""
    shown = _shared()

    @st.fragment
    def part() -> None:
        if _shared() != shown:
            st.rerun()
        draw()

    part()


def _shared() -> object:
    return selection.in_use().network, selection.scales()
