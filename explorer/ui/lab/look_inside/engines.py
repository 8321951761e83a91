"""Engines: all that are installed, compared in time, memory and accuracy."""

import pandas as pd
import streamlit as st

from explorer.jobs.engines import AUTO, EngineTimingRequest, resolve_engine
from explorer.settings import data_folder
from explorer.ui import state
from explorer.ui.components.chart import show_svg
from explorer.ui.lab.look_inside import requests, session
from explorer.views import engines as view
from explorer.views import formatting as fmt
from explorer.views.labels import with_network

BATCH_SIZES = (1, 8, 32)
_BATCH_SIZE = "look_inside_engine_batch_size"


def show_engines() -> None:
    """Show the time, the memory and the accuracy of every engine, measured in turn."""
    if st.session_state.get(_BATCH_SIZE) not in BATCH_SIZES:
        st.session_state[_BATCH_SIZE] = BATCH_SIZES[0]
    batch = st.segmented_control("Batch size", BATCH_SIZES, required=True, key=_BATCH_SIZE, persist_state="session")
    found = requests.await_result(
        EngineTimingRequest(
            network=session.inspected_network().network,
            preprocessing=session.preprocessing(),
            batch=batch or BATCH_SIZES[0],
            device=state.device(),
            folder=str(data_folder()),
        ),
        "look_inside_engines",
        "Measuring each engine",
    )
    if found is None:
        return
    st.markdown(f"**{fmt.markdown(with_network(view.title(found), session.inspected_network().short_title))}**")
    show_svg(view.bars(found), "look_inside_engines")
    st.caption(
        f"Reading this chart: the median of {len(found.engines[0].ms)} rounds in which all engines ran in turn on "
        f"{fmt.markdown(found.device)}, with auxiliary heads, and its 95 % interval (order statistics). Engines in "
        "float32 compute PyTorch's outputs to rounding; bfloat16 and int8, in paler bars, round more. Fastest is only "
        "what is faster than each other engine in float32, round by round (sign test, Bonferroni)."
    )
    if text := view.choice_text(found, resolve_engine(AUTO, on_cpu=found.device.startswith("CPU"))):
        st.markdown(text)
    st.dataframe(
        pd.DataFrame(view.rows(found)),
        hide_index=True,
        placeholder=fmt.NO_VALUE,
        column_config={
            "ms, median": st.column_config.NumberColumn(format="%.3g"),
            "times as fast as the default": st.column_config.NumberColumn(
                format="%.2f", help="The median over the rounds of PyTorch's default time divided by this one."
            ),
            "images per second": st.column_config.NumberColumn(format="localized"),
            "seconds to build": st.column_config.NumberColumn(
                format="%.2f", help="Until the first output. torch.compile compiles C++ code meanwhile."
            ),
            "memory, MB": st.column_config.NumberColumn(
                format="%.0f", help="By how much the process grew while the engine was built."
            ),
            "largest deviation of a logit": st.column_config.TextColumn(
                help="From PyTorch's default, as a fraction of the largest logit."
            ),
        },
        alt="Each engine with its time, memory and accuracy",
    )
    notes = [*view.accuracy_sentences(found), *(view.obstacle_text(one) for one in found.engines if one.obstacle)]
    st.markdown("\n".join(f"- {note}" for note in dict.fromkeys(notes)))
