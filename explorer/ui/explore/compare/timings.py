"""Time the compared networks in turn in the worker process: the median with its spread, never one number."""

from statistics import median, quantiles

import pandas as pd
import streamlit as st

from explorer.jobs.requests import VariantTiming, VariantTimingRequest
from explorer.ui import state
from explorer.ui.components.chart import show_figure
from explorer.ui.components.measurement import measurement
from explorer.ui.components.theme import theme
from explorer.ui.components.variants import title
from explorer.views import formatting as fmt
from explorer.views import variant_figures
from explorer.views.comparison_tables import time_text, titles


def show_timings(names: tuple[str, ...]) -> None:
    """Offer to time the compared networks, and show the last measurement."""
    configs = tuple(state.version_named(name).config for name in names)
    st.selectbox(
        "Device",
        list(state.DEVICES),
        key=state.DEVICE_KEY,
        format_func=state.DEVICES.__getitem__,
        width=150,
        persist_state="session",
    )

    def request(seed: int) -> VariantTimingRequest:
        return VariantTimingRequest(configs=configs, device=state.device(), seed=seed)

    measurement(
        "variants",
        request,
        _show,
        "Measure time",
        "All selected networks run in turn, one image each, newly built with random weights.",
    )


def _show(timing: VariantTiming) -> None:
    state.record_latencies(dict(zip(timing.configs, timing.ms, strict=True)))
    known = {state.version_named(name).config: title(name) for name in state.compared_names()}
    names = titles([known.get(config, "earlier network") for config in timing.configs])
    by_name = dict(zip(names, timing.ms, strict=True))
    show_figure(variant_figures.timing_boxes(by_name, theme()), "variants_laps")
    st.dataframe(pd.DataFrame(_rows(by_name)), hide_index=True, width="content", placeholder=fmt.NO_VALUE)
    note = f" {timing.note}" if timing.note else ""
    st.caption(
        f"{len(timing.ms[0])} laps on {timing.device}; every second lap runs the networks in reverse order, so that "
        f"other load on the machine affects all of them equally. Reading this chart: a dot per lap; the box holds the "
        f"middle half, its line is the median.{note}"
    )


def _rows(times: dict[str, tuple[float, ...]]) -> list[dict[str, str]]:
    """Return a row per network with its time relative to A, lap by lap, because load that slows a lap slows both."""
    base = next(iter(times.values()))
    rows = []
    for name, values in times.items():
        ratios = [value / base_value for value, base_value in zip(values, base, strict=True)]
        low, _, high = quantiles(ratios, n=4)
        relative = "" if values is base else f"× {median(ratios):.2f} (middle half {low:.2f} to {high:.2f})"
        rows.append({"network": name, "median": time_text(values), "time relative to A, lap by lap": relative})
    return rows
