"""How long each layer takes: asked for by one click, measured in the checking process, remembered per network."""

import streamlit as st

from explorer.config import GoogLeNetConfig
from explorer.jobs.queue import Pending
from explorer.jobs.requests import Failure, LayerTiming, LayerTimingRequest
from explorer.ui import cache
from explorer.ui.components.polling import rerun_after
from explorer.ui.explore.network.badge import session_id
from explorer.views.comparison_tables import time_text

_ASKED, _KNOWN, _FAILED, _FRESH = "times_asked", "times_known", "times_failed", "times_fresh"
_MAX_KNOWN = 32


def times(config: GoogLeNetConfig) -> LayerTiming | None:
    """Return what this session last measured of a network; None if it did not."""
    return st.session_state.get(_KNOWN, {}).get(config)


def any_known() -> bool:
    """Whether this session has measured any network."""
    return bool(st.session_state.get(_KNOWN))


def remember(timing: LayerTiming) -> None:
    """Remember what was measured of a network, one image at a time; of many networks the last."""
    known = {**st.session_state.get(_KNOWN, {}), timing.config: timing}
    st.session_state[_KNOWN] = dict(list(known.items())[-_MAX_KNOWN:])


def take_fresh() -> bool:
    """Whether a measurement has come in since this was last asked."""
    return st.session_state.pop(_FRESH, False)


@st.fragment
def measure_control(*configs: GoogLeNetConfig) -> None:
    """Offer to measure a network and perhaps its naive twin, each alone, one after the other.

    While that lasts there are its progress and a way out. At the end the page runs again, with :func:`take_fresh` true
    once if anything was measured.
    """
    pending = _collect()
    with st.container(horizontal=True, vertical_alignment="center", width="content", key="times"):
        if pending:
            st.markdown(f":small[{_how_far(pending)}]", width="content")
            st.button("Stop", icon=":material/stop_circle:", key="times_stop", on_click=_stop)
            rerun_after(pending.retry_s, "times_again")
        else:
            st.button(
                "Measure again" if all(map(times, configs)) else "Measure time",
                icon=":material/speed:",
                key="times_start",
                on_click=_start,
                args=(configs,),
                help="Runs the live network in the background and times each of its layers, one image at a time.",
            )
    failed, reason = st.session_state.get(_FAILED, (None, ""))
    if failed in configs:
        which = "This network" if failed == configs[0] else "The naive one"
        st.error(f"{which} could not be measured. {reason}", icon=":material/block:")


def said(config: GoogLeNetConfig) -> str:
    """Return in a sentence what was measured of a network, or that it was not."""
    timing = times(config)
    if timing is None:
        return ":material/history: This network has not been measured yet."
    return (
        f"Measured time: median of {len(timing.whole_ms)} rounds on {timing.device}. "
        f"The whole network without heads: {time_text(timing.whole_ms)}. {timing.note}"
    )


def _how_far(pending: Pending) -> str:
    if pending.progress:
        return f"each layer is timed · {pending.progress.done} of {pending.progress.total}"
    return f"waiting · {pending.ahead} before it" if pending.ahead else "waiting"


def _collect() -> Pending | None:
    """Take in what has come; return how far the next is, None when nothing is awaited any more."""
    while asked := st.session_state.get(_ASKED):
        answer = cache.check_jobs().submit(asked[0], session_id())
        if isinstance(answer, Pending):
            return answer
        if isinstance(answer, Failure):
            st.session_state[_FAILED] = (asked[0].config, answer.reason)
        else:
            remember(answer)
            st.session_state[_FRESH] = True
        st.session_state[_ASKED] = asked[1:]
        if not asked[1:]:
            st.rerun()
    return None


def _start(configs: tuple[GoogLeNetConfig, ...]) -> None:

    device = st.session_state.get("device", "auto")
    asked = tuple(LayerTimingRequest(config=config, device=device) for config in dict.fromkeys(configs))
    for request in asked:
        if times(request.config):  # whoever measures again wants a new measurement; a class shares the first
            cache.check_jobs().forget(request)
    st.session_state[_ASKED] = asked
    st.session_state.pop(_FAILED, None)


def _stop() -> None:
    asked: tuple[LayerTimingRequest, ...] = st.session_state.get(_ASKED, ())
    for request in asked:
        cache.check_jobs().cancel(request, session_id())
    st.session_state[_ASKED] = ()
