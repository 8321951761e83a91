"""Time per layer and branch beside MACs, for one picture and for a batch."""

import pandas as pd
import streamlit as st

from explorer.jobs.requests import LayerTiming, LayerTimingRequest
from explorer.ui import cache
from explorer.ui.components import layer_times
from explorer.ui.components.chart import picture
from explorer.ui.lab.look_inside import requests, selection
from explorer.views import formatting as fmt
from explorer.views import look_inside
from explorer.views.layer_table import BRANCH_NAMES

BATCHES = (8, 32, 64)
_BATCH = "look_batch_size"


def show_layer_timing() -> None:
    """Show how long each block takes, alone and in a batch, beside its MACs; then layer by layer."""
    config = selection.in_use().config
    st.session_state[_BATCH] = held if (held := st.session_state.get(_BATCH)) in BATCHES else BATCHES[0]
    batch = st.segmented_control(
        "Beside one picture, a batch of", BATCHES, required=True, key=_BATCH, persist_state="session"
    )
    timings: list[LayerTiming] = []
    for size in (1, batch):
        request = LayerTimingRequest(config=config, device=selection.device(), batch=size)
        found = requests.await_result(request, f"look_clock_{min(size, 2)}", f"Each layer is timed, {size} at once")
        if found is None:
            return
        timings.append(found)
    layer_times.remember(timings[0])
    _bars(timings)
    _table(timings)


def _bars(timings: list[LayerTiming]) -> None:
    summary = cache.summary(selection.in_use().config)
    blocks = [block for block in summary.by_module if not block.startswith("aux_")]
    times = {
        "time, one picture" if one.batch == 1 else f"time, batch of {one.batch}": {
            block: sum(one.seconds.get(row.path, 0.0) for row in summary.rows if row.module == block)
            for block in blocks
        }
        for one in timings
    }
    picture(
        look_inside.time_bars(blocks, {block: summary.by_module[block].macs for block in blocks}, times),
        "look_clock",
    )
    told = "; ".join(
        f"{'One picture' if one.batch == 1 else f'{one.batch} pictures'}: {_spread(one.whole_ms)}, "
        f"{fmt.milliseconds(_median(one.whole_ms) / one.batch)} each"
        for one in timings
    )
    st.caption(
        f"How to read this: what each block is of the whole, in MACs and in measured time. {told}. Medians of "
        f"{len(timings[0].whole_ms)} rounds on {fmt.markdown(timings[0].device)}, in brackets the quarter and "
        "three-quarter marks. Layers with few MACs take time too: they move numbers, and each has a launch. The "
        "Network and Module pages can now colour this network by its time."
    )
    st.page_link("pages/learn/reduction.py", label="When fewer MACs are less time", icon=":material/school:")


def _table(timings: list[LayerTiming]) -> None:
    summary = cache.summary(selection.in_use().config)
    one, many = timings[0], timings[1]
    alone, together = (dict(zip(each.paths, each.layers_ms, strict=True)) for each in (one, many))
    rows = [
        {
            "layer": row.path,
            "branch": BRANCH_NAMES.get(row.branch or "", ""),
            "M MACs": row.macs / 1e6,
            "ms, one picture": _median(alone[row.path]),
            "spread": _quarters(alone[row.path]),
            f"ms each, batch of {many.batch}": _median(together[row.path]) / many.batch,
            "ns per k MACs": _median(alone[row.path]) * 1e9 / row.macs if row.macs else None,
        }
        for row in summary.rows
        if row.path in alone
    ]
    formats = {name: st.column_config.NumberColumn(format="%.3f") for name in rows[0] if name.startswith("ms")}
    formats |= {name: st.column_config.NumberColumn(format="%.2f") for name in ("M MACs", "ns per k MACs")}
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=formats, height=320, alt="The time of each layer")


def _median(values: tuple[float, ...]) -> float:
    from statistics import median

    return median(values)


def _quarters(values: tuple[float, ...]) -> str:
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
    return f"{low:.3f} – {high:.3f}"


def _spread(values: tuple[float, ...]) -> str:
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
    return f"{fmt.milliseconds(_median(values))} [{low:.3g} – {high:.3g}]"
