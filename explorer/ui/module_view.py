"""The parts of the module page: which module, its six numbers, itself beside the naive one, and its budget."""

import pandas as pd
import streamlit as st

from explorer.analysis import NetworkSummary
from explorer.changes import with_module
from explorer.config import HEADINGS, GoogLeNetConfig, UnbuildableError
from explorer.lessons.reduction import without_reductions
from explorer.ui import cache, picture, settings, state
from explorer.views import branch_budget, diagrams
from explorer.views import formatting as fmt

_WHICH, _OF = "module_choice", "module_of"


def choose_module() -> tuple[GoogLeNetConfig, str, bool]:
    """Let the reader choose a module of the present network or of its preset.

    Returns the config, the module's name, and whether it is the present network, which can be edited.
    """
    version = state.present()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whose = st.segmented_control(
            "Of",
            ["this network", version.base],
            default="this network",
            required=True,
            key=_OF,
            persist_state="session",
        )
        config = version.base_config if whose == version.base else version.config
        names = [module.name for module in config.modules]
        chosen = picture.chosen_module(cache.summary(config))
        st.session_state[_WHICH] = chosen if chosen in names else names[0]
        st.pills("Module", names, key=_WHICH, required=True, on_change=_choose)
        picture.colour_control()
    return config, st.session_state[_WHICH] or names[0], whose != version.base


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
            settings.whole_number(
                heading,
                f"cell_{name}_{field}",
                getattr(module, field),
                lambda c, v, field=field: with_module(c, c.module(name).replace(**{field: v})),
            )


def beside_naive(config: GoogLeNetConfig, name: str) -> None:
    """Show the module as it is and as Figure 2a would have it, for the same input, with what that changes."""
    here = cache.summary(config)
    try:
        naive = cache.summary(without_reductions(config, (name,)))
    except UnbuildableError as error:
        picture.show_drawing(here, name, key="module_here")
        st.info(f"The naive module cannot be shown: {error}")
        return
    _differences(here, naive, name)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**{name} as it is**")
        picture.show_drawing(here, name, key="module_here")
    with right:
        st.markdown(f"**{name} naive** :small[Figure 2a: no 1×1 reductions, the pool passes every channel]")
        picture.show_drawing(naive, name, key="module_naive")


def _differences(here: NetworkSummary, naive: NetworkSummary, name: str) -> None:
    now, then = here.by_module[name], naive.by_module[name]
    facts = (
        ("parameters", now.parameters, then.parameters),
        ("MACs", now.macs, then.macs),
        ("activations", now.activations, then.activations),
        ("output channels", here.concat(name).out_shape[0], naive.concat(name).out_shape[0]),
    )
    with st.container(horizontal=True):
        for label, value, other in facts:
            st.metric(
                label,
                fmt.exact(value),
                f"naive: {fmt.exact(other)} ({other / value:.2f} times)" if value else None,
                delta_color="off",
                delta_arrow="off",
                width=280,
            )


def budget(config: GoogLeNetConfig, name: str) -> None:
    """Show what each branch takes and gives, as a flow and as a table."""
    summary = cache.summary(config)
    st.markdown("**Branch budget**")
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        cost = st.segmented_control(
            "Cost",
            list(branch_budget.COSTS),
            default="macs",
            required=True,
            format_func=branch_budget.COSTS.get,
            key="budget_cost",
            label_visibility="collapsed",
            persist_state="session",
        )
        st.plotly_chart(branch_budget.flow(summary, name, cost), key="budget_flow")
        st.caption(
            "How to read this: left, the share of the cost each branch takes; right, the share of the output channels "
            "it gives. Equal widths on both sides would be an even bargain."
        )
    with right:
        rows = branch_budget.budget_rows(branch_budget.shares(summary, name))
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=_formats(), alt=f"The branches of {name}")
        picture.show_formulas(summary)


def _formats() -> dict[str, object]:
    number = st.column_config.NumberColumn
    return {
        "channels": number(format="localized"),
        "parameters": number(format="localized"),
        "MACs": number(format="localized"),
        "receptive field": number(format="%d px"),
        **{f"% of {what}": st.column_config.TextColumn(alignment="right") for what in ("output", "parameters", "MACs")},
    }
