"""Layer timing: the measured time of each layer beside its MACs, for one image and for a batch."""

from collections.abc import Sequence
from functools import partial
from statistics import median

import pandas as pd
import streamlit as st

from explorer.analysis import summarize
from explorer.jobs.requests import LayerTiming, LayerTimingRequest
from explorer.ui import state
from explorer.ui.components import layer_times
from explorer.ui.components.chart import show_svg
from explorer.ui.lab.look_inside import requests, session
from explorer.views import formatting as fmt
from explorer.views import look_inside
from explorer.views.labels import BRANCH_NAMES

BATCH_SIZES = (8, 32, 64)
_BATCH_SIZE = "look_inside_batch_size"


def show_layer_timing() -> None:
    """Show the time of each block for one image and for a batch beside its MACs, then the time of each layer."""
    config, device = session.inspected_network().config, state.device()
    batch_size = _choose_batch_size()
    single = requests.await_result(
        LayerTimingRequest(config=config, device=device, batch=1),
        "look_inside_timing_1",
        "Timing each layer, one image",
    )
    if single is None:
        return
    batch = requests.await_result(
        LayerTimingRequest(config=config, device=device, batch=batch_size),
        "look_inside_timing_batch",
        f"Timing each layer, a batch of {batch_size}",
    )
    if batch is None:
        return
    layer_times.record_timing(single)
    _show_bars(single, batch)
    _show_table(single, batch)


def _choose_batch_size() -> int:
    if st.session_state.get(_BATCH_SIZE) not in BATCH_SIZES:
        st.session_state[_BATCH_SIZE] = BATCH_SIZES[0]
    size = st.segmented_control("Batch size", BATCH_SIZES, required=True, key=_BATCH_SIZE, persist_state="session")
    return size or BATCH_SIZES[0]


def _show_bars(single: LayerTiming, batch: LayerTiming) -> None:
    summary = summarize(session.inspected_network().config)
    blocks = [block for block in summary.by_module if not block.startswith("aux_")]

    def block_seconds(timing: LayerTiming) -> dict[str, float]:
        seconds = timing.seconds
        return {
            block: sum(seconds.get(row.path, 0.0) for row in summary.rows if row.module == block) for block in blocks
        }

    times = {"time, one image": block_seconds(single), f"time, batch of {batch.batch}": block_seconds(batch)}
    macs = {block: summary.by_module[block].macs for block in blocks}
    network = session.inspected_network().short_title
    show_svg(partial(look_inside.time_bars, blocks, macs, times, network), "look_inside_timing")
    per_image = fmt.milliseconds(median(batch.whole_ms) / batch.batch)
    st.caption(
        "Reading this chart: the fraction of each block in the MACs and in the measured time of the whole network. "
        f"One image: {_median_with_quartiles(single.whole_ms)}. A batch of {batch.batch} images: "
        f"{_median_with_quartiles(batch.whole_ms)}, {per_image} per image. Medians of {len(single.whole_ms)} rounds on "
        f"{fmt.markdown(single.device)}; the first and the third quartile are in brackets. Layers with few MACs take "
        "time too: they move data, and each layer is launched separately. The pages Network and Module can now colour "
        "this network by time."
    )
    st.page_link("pages/learn/reduction.py", label="When fewer MACs take less time", icon=":material/school:")


def _show_table(single: LayerTiming, batch: LayerTiming) -> None:
    summary = summarize(session.inspected_network().config)
    ms_single, ms_batch = (dict(zip(timing.paths, timing.layers_ms, strict=True)) for timing in (single, batch))
    rows = [
        {
            "layer": row.path,
            "branch": BRANCH_NAMES.get(row.branch or "", ""),
            "M MACs": row.macs / 1e6,
            "ms, one image": median(ms_single[row.path]),
            "quartiles": "{:.3f} – {:.3f}".format(*_quartiles(ms_single[row.path])),
            f"ms per image, batch of {batch.batch}": median(ms_batch[row.path]) / batch.batch,
            "ns per k MACs": median(ms_single[row.path]) * 1e9 / row.macs if row.macs else None,
        }
        for row in summary.rows
        if row.path in ms_single
    ]
    formats = {name: st.column_config.NumberColumn(format="%.3f") for name in rows[0] if name.startswith("ms")}
    formats |= {name: st.column_config.NumberColumn(format="%.2f") for name in ("M MACs", "ns per k MACs")}
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config=formats,
        height=320,
        alt="The time of each layer",
        placeholder=fmt.NO_VALUE,
    )


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]


def _median_with_quartiles(values: Sequence[float]) -> str:
    low, high = _quartiles(values)
    return f"{fmt.milliseconds(median(values))} [{low:.3g} – {high:.3g}]"
