"""Time the compared networks, in turn, in the checking process: the median with its spread, never one number."""

from statistics import median, quantiles

import pandas as pd
import streamlit as st

from explorer.jobs.requests import VariantTiming, VariantTimingRequest
from explorer.ui import state
from explorer.ui.components.measurement import measurement
from explorer.ui.components.variants import theme, title
from explorer.ui.explore.network.badge import DEVICES
from explorer.views import variant_figures
from explorer.views.comparison_tables import time_text, titles


def show_timings(names: tuple[str, ...]) -> None:
    """Offer to time the networks that are compared, and show what was measured last."""
    configs = tuple(state.version_named(name).config for name in names)
    device = st.selectbox(
        "Device", list(DEVICES), key="device", format_func=DEVICES.get, width=150, persist_state="session"
    )

    def request(seed: int) -> VariantTimingRequest:

        return VariantTimingRequest(configs=configs, device=device, seed=seed)

    measurement(
        "variants",
        request,
        _show,
        "Time them",
        "All chosen networks run in turn, one image each, built anew with random weights.",
    )


def _show(timing: VariantTiming) -> None:

    measured = dict(zip(timing.configs, timing.ms, strict=True))
    state.remember_measured(measured)
    known = {state.version_named(name).config: title(name) for name in state.compared()}
    names = titles([known.get(config, "earlier network") for config in timing.configs])
    by_name = dict(zip(names, timing.ms, strict=True))
    st.plotly_chart(variant_figures.laps(by_name, theme()), key="variants_laps")
    st.dataframe(pd.DataFrame(_rows(by_name)), hide_index=True, width="content")
    note = f" {timing.note}" if timing.note else ""
    st.caption(
        f"{len(timing.ms[0])} laps on {timing.device}; every second lap runs the networks in reverse order, so that "
        f"whatever else the machine does falls on all alike. How to read this: a dot per lap, the box holds the middle "
        f"half, its line the median.{note}"
    )


def _rows(times: dict[str, tuple[float, ...]]) -> list[dict[str, str]]:
    """One row per network; how much faster it is, lap by lap, so that what slowed a lap slowed both."""
    base = next(iter(times.values()))
    rows = []
    for name, values in times.items():
        ratios = [value / there for value, there in zip(values, base, strict=True)]
        low, _, high = quantiles(ratios, n=4)
        against = "" if values is base else f"× {median(ratios):.2f} (middle half {low:.2f} to {high:.2f})"
        rows.append({"network": name, "median": time_text(values), "time against A, lap by lap": against})
    return rows
