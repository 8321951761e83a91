"""The parts of the page Module: the module selection, its six numbers, its naive version, and its branch budget."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.errors import UnbuildableError
from explorer.jobs.requests import LayerTiming
from explorer.lessons.reduction import without_reductions
from explorer.ui import state
from explorer.ui.components import layer_times, network_diagram, network_settings
from explorer.ui.components.chart import show_plotly_chart
from explorer.ui.components.theme import theme
from explorer.views import branch_budget, diagrams
from explorer.views import formatting as fmt
from explorer.views.canvas import TIME
from explorer.views.savings import savings_text

_MODULE, _SOURCE, _WIDTH = "module_choice", "module_of", "budget_width"
_CURRENT, _PRESET = "this network", "preset"
_TITLES = {
    "here": "as it is**",
    "naive": "naive** :small[Figure 2a: no 1×1 reductions, the pool passes every channel]",
}


def select_module() -> tuple[GoogLeNetConfig, str, bool]:
    """Let the reader select a module of the current network or of its preset.

    Returns the config, the module's name, and whether that is the current network, which can be edited.
    """
    version = state.current()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.segmented_control(
            "Of", [_CURRENT, _PRESET], default=_CURRENT, required=True, key=_SOURCE, persist_state="session"
        )
        config = version.base_config if source == _PRESET else version.config
        names = [module.name for module in config.modules]
        selected = network_diagram.selected_module(summarize(config))
        st.session_state[_MODULE] = selected if selected in names else names[0]
        st.pills("Module", names, key=_MODULE, required=True, on_change=_select)
    return config, st.session_state[_MODULE] or names[0], source != _PRESET


def _select() -> None:
    if st.session_state[_MODULE]:
        state.select_node(diagrams.block_id(st.session_state[_MODULE]))


def edit_module(config: GoogLeNetConfig, name: str, *, editable: bool) -> None:
    """Show the module's six numbers; editing one is the same edit as in the table of the page Network."""
    if not editable:
        st.caption("These are the preset's numbers. Select “this network” to edit yours.")
        return
    with st.container(horizontal=True):
        network_settings.module_numbers(config, name, width=150)


def show_beside_naive(config: GoogLeNetConfig, name: str) -> None:
    """Show the module and its naive version (Figure 2a) for the same input, with the differences."""
    try:
        naive = summarize(without_reductions(config, (name,)))
    except UnbuildableError as error:
        st.info(f"The naive module cannot be shown: {error}")
        naive = None
    summaries = {"here": summarize(config)}
    if naive:
        summaries["naive"] = naive
        _show_differences(summaries["here"], naive, name)
        _show_savings(summaries["here"], naive, name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.space("stretch")
        network_diagram.colour_control(*(summary.config for summary in summaries.values()))
    scale_end = _scale_end(summaries.values(), name)
    with st.container(key="beside"):
        for column, (key, summary) in zip(st.columns(len(summaries), gap="medium"), summaries.items(), strict=True):
            with column:
                st.markdown(f"**{name} {_TITLES[key]}")
                network_diagram.show_drawing(summary, name, key=f"module_{key}", scale_end=scale_end)
                network_diagram.show_timing_text(summary.config)


def _show_savings(here: NetworkSummary, naive: NetworkSummary, name: str) -> None:
    """Say what the 1×1 convolutions of the module save, and lead to the lesson on them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(savings_text(here, naive, name), width="content")
        st.page_link("pages/learn/reduction.py", label="Lesson: 1×1 reduction", icon=":material/school:")


def _scale_end(summaries: Iterable[NetworkSummary], name: str) -> float:
    """Return the end of the colour scale that all diagrams share; 0 if their colours do not mean the same."""
    colourings = [(summary, *network_diagram.colouring(summary.config)) for summary in summaries]
    if len({colour for _, colour, _ in colourings}) > 1:
        return 0
    return max(
        diagrams.highest_cost(summary, name, colour, timing.seconds if timing else None)
        for summary, colour, timing in colourings
    )


class _Difference(NamedTuple):
    label: str
    value: float
    naive: float
    text: Callable[[float], str]


def _show_differences(here: NetworkSummary, naive: NetworkSummary, name: str) -> None:
    own, other = here.by_module[name], naive.by_module[name]

    def exact(value: float) -> str:
        return fmt.exact(round(value))

    differences = [
        _Difference("parameters", own.parameters, other.parameters, exact),
        _Difference("MACs", own.macs, other.macs, exact),
        _Difference("activations", own.activations, other.activations, exact),
        _Difference("output channels", here.concat(name).out_shape[0], naive.concat(name).out_shape[0], exact),
    ]
    timing, naive_timing = layer_times.timing_of(here.config), layer_times.timing_of(naive.config)
    if timing and naive_timing:
        seconds, naive_seconds = _seconds(timing, name), _seconds(naive_timing, name)
        differences.append(_Difference("measured time", seconds, naive_seconds, fmt.layer_time))
    with st.container(horizontal=True, key="differences"):
        for label, value, naive_value, text in differences:
            st.metric(
                label,
                text(value),
                f"naive: {text(naive_value)} ({naive_value / value:.2f} times)" if value else None,
                delta_color="off",
                delta_arrow="off",
                width=230,
            )


def _seconds(timing: LayerTiming, name: str) -> float:
    block = diagrams.block_id(name)
    return sum(seconds for path, seconds in timing.seconds.items() if path.startswith(f"{block}."))


def show_budget(config: GoogLeNetConfig, name: str) -> None:
    """Show the input, output and cost of each branch as a flow and as a table, beside the selected layer's formulas."""
    summary, timing = summarize(config), layer_times.timing_of(config)
    times = timing.seconds if timing else None
    with st.container(key="budget"):
        left, right = st.columns([1.4, 1], gap="medium")
        with left:
            st.markdown("**Branch budget**")
            width = _width_control(timed=times is not None)
            show_plotly_chart(branch_budget.sankey(summary, name, width, theme(), times), "budget")
        with right:
            network_diagram.show_formulas(summary, name)
    rows = branch_budget.budget_rows(branch_budget.branch_budgets(summary, name, times))
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config=_formats(),
        alt=f"The branches of {name}",
        placeholder=fmt.NO_VALUE,
    )


def _width_control(*, timed: bool) -> str:
    """Let the reader select what the width of the arrows means; the measured time only if there is one."""
    options = [width for width in branch_budget.WIDTHS if timed or width != TIME]
    if st.session_state.get(_WIDTH) not in options:
        st.session_state[_WIDTH] = "macs"
    width = st.segmented_control(
        "Width",
        options,
        required=True,
        format_func=branch_budget.WIDTHS.__getitem__,
        key=_WIDTH,
        label_visibility="collapsed",
        persist_state="session",
    )
    return width or "macs"


def _formats() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    return {
        "channels": number(format="localized"),
        "parameters": number(format="localized"),
        "MACs": number(format="localized"),
        "receptive field": number(format="%d px"),
        **{
            heading: st.column_config.TextColumn(alignment="right")
            for heading in ("% of output", "% of parameters", "% of MACs", "time", "% of time")
        },
    }
