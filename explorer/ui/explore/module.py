"""The parts of the module page: which module, its six numbers, itself beside the naive one, and its budget."""

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from explorer.analysis import NetworkSummary
from explorer.config import HEADINGS, GoogLeNetConfig, UnbuildableError
from explorer.diff import with_module
from explorer.jobs.requests import LayerTiming
from explorer.lessons.reduction import without_reductions
from explorer.ui import cache, state
from explorer.ui.components import layer_times, network_diagram, network_settings
from explorer.ui.components.variants import theme
from explorer.ui.explore.network import charts
from explorer.views import branch_budget, diagrams
from explorer.views import formatting as fmt
from explorer.views.measures import TIME, duration

_WHICH, _OF, _WIDTH = "module_choice", "module_of", "budget_width"
_HERE, _PRESET = "this network", "preset"
_TITLES = {
    "here": "as it is**",
    "naive": "naive** :small[Figure 2a: no 1×1 reductions, the pool passes every channel]",
}


def choose_module() -> tuple[GoogLeNetConfig, str, bool]:
    """Let the reader choose a module of the present network or of its preset.

    Returns the config, the module's name, and whether it is the present network, which can be edited.
    """
    version = state.current()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = st.segmented_control(
            "Of", [_HERE, _PRESET], default=_HERE, required=True, key=_OF, persist_state="session"
        )
        config = version.base_config if whose == _PRESET else version.config
        names = [module.name for module in config.modules]
        chosen = network_diagram.chosen_module(cache.summary(config))
        st.session_state[_WHICH] = chosen if chosen in names else names[0]
        st.pills("Module", names, key=_WHICH, required=True, on_change=_choose)
    return config, st.session_state[_WHICH] or names[0], whose != _PRESET


def _choose() -> None:
    if st.session_state[_WHICH]:
        state.choose(diagrams.block_id(st.session_state[_WHICH]))


def edit_module(config: GoogLeNetConfig, name: str, *, editable: bool) -> None:
    """Show the module's six numbers; editing one is the same edit as in the table of the network page."""
    if not editable:
        st.caption("These are the preset's numbers. Choose “this network” to edit them.")
        return
    module = config.module(name)
    columns = st.columns(len(HEADINGS))
    for column, (field, heading) in zip(columns, HEADINGS.items(), strict=True):
        with column:
            network_settings.whole_number(
                heading,
                f"cell_{name}_{field}",
                getattr(module, field),
                lambda c, v, field=field: with_module(c, c.module(name).replace(**{field: v})),
            )


def show_beside_naive(config: GoogLeNetConfig, name: str) -> None:
    """Show the module as it is and as Figure 2a would have it, for the same input, with what that changes."""
    try:
        naive = cache.summary(without_reductions(config, (name,)))
    except UnbuildableError as error:
        st.info(f"The naive module cannot be shown: {error}")
        naive = None
    shown = {"here": cache.summary(config)}
    if naive:
        shown["naive"] = naive
        _differences(*shown.values(), name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.space("stretch")
        network_diagram.colour_control(*(summary.config for summary in shown.values()))
    least = _dearest(shown.values(), name)
    with st.container(key="beside"):
        for column, (which, summary) in zip(st.columns(len(shown), gap="medium"), shown.items(), strict=True):
            with column:
                st.markdown(f"**{name} {_TITLES[which]}")
                network_diagram.show_drawing(summary, name, key=f"module_{which}", least=least)
                network_diagram.time_note(summary.config)


def _dearest(shown: Iterable[NetworkSummary], name: str) -> float:
    """Return where the scale that all pictures share ends; 0 when they are not all coloured by the same."""
    colourings = [(summary, *network_diagram.colouring(summary.config)) for summary in shown]
    if len({colour for _, colour, _ in colourings}) > 1:
        return 0
    return max(
        diagrams.dearest(summary, name, colour, timing.seconds if timing else None)
        for summary, colour, timing in colourings
    )


def _differences(here: NetworkSummary, naive: NetworkSummary, name: str) -> None:
    now, then = here.by_module[name], naive.by_module[name]
    facts = [
        ("parameters", now.parameters, then.parameters, fmt.exact),
        ("MACs", now.macs, then.macs, fmt.exact),
        ("activations", now.activations, then.activations, fmt.exact),
        ("output channels", here.concat(name).out_shape[0], naive.concat(name).out_shape[0], fmt.exact),
    ]
    timings = [layer_times.times(summary.config) for summary in (here, naive)]
    if all(timings):
        facts.append(("measured time", *(_seconds(timing, name) for timing in timings), duration))
    with st.container(horizontal=True):
        for label, value, other, text in facts:
            st.metric(
                label,
                text(value),
                f"naive: {text(other)} ({other / value:.2f} times)" if value else None,
                delta_color="off",
                delta_arrow="off",
                width=230,
            )


def _seconds(timing: LayerTiming, name: str) -> float:
    block = diagrams.block_id(name)
    return sum(seconds for path, seconds in timing.seconds.items() if path.startswith(f"{block}."))


def budget(config: GoogLeNetConfig, name: str) -> None:
    """Show what each branch takes and gives, as a flow and as a table, beside the chosen layer's formulas."""
    summary, timing = cache.summary(config), layer_times.times(config)
    times = timing.seconds if timing else None
    with st.container(key="budget"):
        left, right = st.columns([1.4, 1], gap="medium")
        with left:
            st.markdown("**Branch budget**")
            width = _width_control(timed=times is not None)
            charts.show_chart(branch_budget.flow(summary, name, width, theme(), times), "budget")
        with right:
            network_diagram.show_formulas(summary, name)
    rows = branch_budget.budget_rows(branch_budget.shares(summary, name, times))
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=_formats(), alt=f"The branches of {name}")


def _width_control(*, timed: bool) -> str:
    """Let the reader choose what makes the arrows wide; the measured time only where there is one."""
    offered = [width for width in branch_budget.WIDTHS if timed or width != TIME]
    if st.session_state.get(_WIDTH) not in offered:
        st.session_state[_WIDTH] = "macs"
    return st.segmented_control(
        "Width",
        offered,
        required=True,
        format_func=branch_budget.WIDTHS.get,
        key=_WIDTH,
        label_visibility="collapsed",
        persist_state="session",
    )


def _formats() -> dict[str, object]:
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
