"""The live parts of the lesson on why published numbers of GoogLeNet differ."""

import streamlit as st

from explorer.analysis import summarize
from explorer.lessons import audit as core
from explorer.presets import CATALOGUE, PRESETS
from explorer.ui import state
from explorer.ui.learn import quiz
from explorer.views import googlenets as tables
from explorer.views.heroes import which_googlenet as table_differences
from explorer.views.heroes.timeline import Hero

_PRESET = "googlenet"


def hero(_: bool) -> Hero:
    """Return the tables of all presets in turn, and of the current network if it is none of them."""
    networks = {preset.title: preset.config for preset in CATALOGUE.values()}
    config = state.current().config
    if config not in networks.values():
        networks[state.current_title()] = config
    return table_differences.differences(networks)


def predict() -> None:
    """Ask for the parameters of torchvision's GoogLeNet before they are shown."""
    quiz.predict("which_googlenet")


def presets() -> None:
    """Show the presets side by side; a click makes one the current network."""
    version = state.current()
    st.session_state[_PRESET] = version.base if version.config == version.base_config else None
    st.pills(
        "Load a preset",
        list(CATALOGUE),
        key=_PRESET,
        format_func=lambda name: CATALOGUE[name].title,
        on_change=_load,
        help="Undo restores yours.",
    )
    st.markdown(tables.changes_text(version.base))
    if version.config != version.base_config:
        st.caption("The current network is this preset with your edits; its own numbers are at the top of the page.")
    with st.container(key="presets_table"):
        st.markdown(tables.presets_table({name: summarize(config) for name, config in PRESETS.items()}, version.base))
    st.caption(
        "Parameters at inference are without auxiliary heads, in training with them. MACs are multiply-accumulates of "
        "one image without heads (FLOPs = 2 × MACs). Half and mini have other widths; mini takes 28×28 grey images."
    )
    st.page_link("pages/explore/compare.py", label="Compare them layer by layer", icon=":material/compare:")


def _load() -> None:
    name = st.session_state[_PRESET]
    if name in CATALOGUE:
        state.load_preset(name)


def audit() -> None:
    """Show every printed number of Table 1 next to the computed one."""
    rows = core.audit(summarize(PRESETS["paper"]), summarize(PRESETS["inception5h"]))
    st.markdown(f"**{tables.agreement(rows)}**")
    only_different = st.toggle("Only those that differ", key="audit_only")
    visible_rows = [row for row in rows if not only_different or not (row.params.agrees and row.ops.agrees)]
    with st.container(key="audit_table"):
        st.markdown(tables.audit_table(visible_rows))
    st.caption(
        "Reading this table: params in K = 1,024 weights without biases, agreeing within 1 K; ops in millions of MACs, "
        "agreeing to the nearest million. “Computed” follows from the widths printed in the same row."
    )


def counts() -> None:
    """Reconcile the ways of counting for the current network."""
    summary = summarize(state.current().config)
    with st.container(key="counts_table"):
        st.markdown(tables.counts_table(core.counts(summary)))
    st.caption("For the current network and one image, without auxiliary heads unless the row names them.")
