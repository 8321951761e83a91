"""The time of each layer: measured in the worker process after one click, and recorded per network."""

import streamlit as st

from explorer.config import GoogLeNetConfig
from explorer.jobs.job import Failure
from explorer.jobs.queue import Pending
from explorer.jobs.requests import LayerTiming, LayerTimingRequest
from explorer.ui import cache, state
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import fragment, rerun_after
from explorer.views.comparison_tables import time_text

_REQUESTS = SessionValue[tuple[LayerTimingRequest, ...]]("times_requests", ())
_TIMINGS = SessionValue[dict[GoogLeNetConfig, LayerTiming]]("times", {})
_FAILURE = SessionValue[tuple[GoogLeNetConfig | None, str]]("times_failure", (None, ""))
_HAS_NEW_RESULT = SessionValue("times_new_result", False)
_MAX_TIMINGS = 32


def timing_of(config: GoogLeNetConfig) -> LayerTiming | None:
    """Return what this session last measured of a network; None if it measured nothing."""
    return _TIMINGS.get().get(config)


def has_any_timing() -> bool:
    """Whether this session has measured any network."""
    return bool(_TIMINGS.get())


def record_timing(timing: LayerTiming) -> None:
    """Record a measurement of a network, one image at a time; of many networks only the last are known."""
    known = {**_TIMINGS.get(), timing.config: timing}
    _TIMINGS.set(dict(list(known.items())[-_MAX_TIMINGS:]))


def pop_new_result() -> bool:
    """Return whether a measurement has arrived since the last call."""
    is_new = _HAS_NEW_RESULT.get()
    _HAS_NEW_RESULT.clear()
    return is_new


@fragment
def measure_control(*configs: GoogLeNetConfig) -> None:
    """Offer to measure a network and perhaps its naive version, each alone, one after the other.

    Meanwhile it shows the progress and a button to stop. At the end the page runs again, and :func:`pop_new_result` is
    true once if anything was measured.
    """
    pending = _collect()
    with st.container(horizontal=True, vertical_alignment="center", width="content", key="times"):
        if pending:
            st.markdown(f":small[{_progress_text(pending)}]", width="content")
            st.button("Stop", icon=":material/stop_circle:", key="times_stop", on_click=_stop)
            rerun_after(pending.retry_s, "times_again")
        else:
            st.button(
                "Measure again" if all(map(timing_of, configs)) else "Measure time",
                icon=":material/speed:",
                key="times_start",
                on_click=_start,
                args=(configs,),
                help="Runs the live network in the background and times each of its layers, one image at a time.",
            )
    failed, reason = _FAILURE.get()
    if failed == configs[0]:
        st.error(f"This network could not be measured. {reason}", icon=":material/block:")
    elif failed in configs:
        st.error(f"The naive network could not be measured. {reason}", icon=":material/block:")


def timing_text(config: GoogLeNetConfig) -> str:
    """Return a sentence on what was measured of a network, or that nothing was."""
    timing = timing_of(config)
    if timing is None:
        return ":material/history: This network has not been measured yet."
    return (
        f"Measured time: median of {len(timing.whole_ms)} rounds on {timing.device}. "
        f"The whole network without heads: {time_text(timing.whole_ms)}. {timing.note}"
    )


def _progress_text(pending: Pending) -> str:
    if pending.progress:
        return f"timing each layer · {pending.progress.done} of {pending.progress.total}"
    return f"waiting · {pending.ahead} before it" if pending.ahead else "waiting"


def _collect() -> Pending | None:
    """Record the results that have arrived; return what is still pending, None when nothing is."""
    while requests := _REQUESTS.get():
        answer = cache.check_jobs().submit(requests[0], state.session_id())
        if isinstance(answer, Pending):
            return answer
        if isinstance(answer, Failure):
            _FAILURE.set((requests[0].config, answer.reason))
        else:
            record_timing(answer)
            _HAS_NEW_RESULT.set(True)
        _REQUESTS.set(requests[1:])
        if not requests[1:]:
            st.rerun()
    return None


def _start(configs: tuple[GoogLeNetConfig, ...]) -> None:
    requests = tuple(LayerTimingRequest(config=config, device=state.device()) for config in dict.fromkeys(configs))
    for request in requests:
        if timing_of(request.config):  # a second click asks for a new measurement; the first may share a classmate's
            cache.check_jobs().forget(request)
    _REQUESTS.set(requests)
    _FAILURE.clear()


def _stop() -> None:
    for request in _REQUESTS.get():
        cache.check_jobs().cancel(request, state.session_id())
    _REQUESTS.set(())
