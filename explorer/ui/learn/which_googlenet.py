"""The live parts of the lesson on why everyone's numbers differ."""

import streamlit as st

from explorer.lessons import audit as core
from explorer.presets import CATALOGUE, PRESETS
from explorer.ui import cache, state
from explorer.ui.learn import quiz
from explorer.views import googlenets as tables

_WHICH = "googlenet"


def predict() -> None:
    """Ask for torchvision's parameters before they are shown."""
    quiz.predict("which_googlenet")


def presets() -> None:
    """Show the presets side by side; one click puts one on the bench."""
    version = state.current()
    st.session_state[_WHICH] = version.base if version.config == version.base_config else None
    st.pills(
        "Put on the bench",
        list(CATALOGUE),
        key=_WHICH,
        format_func=lambda name: CATALOGUE[name].title,
        on_change=_switch,
        help="Undo leads back to yours.",
    )
    st.markdown(tables.what_changed(version.base))
    if version.config != version.base_config:
        st.caption("The network of this session is that preset with edits of yours; its own numbers stand at the top.")
    with st.container(key="presets_table"):
        st.markdown(
            tables.presets_table({name: cache.summary(config) for name, config in PRESETS.items()}, version.base)
        )
    st.caption(
        "Parameters at inference are without auxiliary heads, while training with them. MACs are multiply-accumulates "
        "of one image without heads (FLOPs = 2 × MACs). Half and mini have other widths; mini takes 28×28 grey images."
    )


def _switch() -> None:
    name = st.session_state[_WHICH]
    if name in CATALOGUE:
        state.start_from(name)


def audit() -> None:
    """Show every printed figure of Table 1 against the computed one."""
    rows = core.audit(cache.summary(PRESETS["paper"]), cache.summary(PRESETS["inception5h"]))
    st.markdown(f"**{tables.agreement(rows)}**")
    only = st.toggle("only those that differ", key="audit_only")
    shown = [row for row in rows if not only or not (row.params.agrees and row.ops.agrees)]
    with st.container(key="audit_table"):
        st.markdown(tables.audit_table(shown))
    st.caption(
        "How to read this: params in K = 1,024 weights without biases, agreeing within 1 K; ops in millions of MACs, "
        "agreeing to the nearest million. “Computed” follows from the widths printed in the same row."
    )


def counts() -> None:
    """Reconcile the ways of counting for the network of this session."""
    summary = cache.summary(state.current().config)
    with st.container(key="counts_table"):
        st.markdown(tables.counts_table(core.counts(summary)))
    st.caption("For the network of this session and one image, without auxiliary heads unless they are named.")
