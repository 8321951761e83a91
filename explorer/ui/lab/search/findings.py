"""What a study found beside its claim: what mattered, what it learnt, and how well cheap predictors do."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from explorer.config import HEADINGS, GoogLeNetConfig
from explorer.search.outcome import best_tenth, importances, predictor_correlations
from explorer.search.records import StudyRecord, TrialRecord
from explorer.ui import state
from explorer.ui.components.chart import show_plotly_chart
from explorer.ui.components.theme import theme
from explorer.views import formatting as fmt
from explorer.views import search as words
from explorer.views import search_charts

VIEWS = ("What mattered", "What it learnt", "Cheap predictors")


def show_findings(record: StudyRecord, ceiling: int, key: str) -> None:
    """Show one of the findings, which the user chooses."""
    view = st.segmented_control(
        "Findings", VIEWS, default=VIEWS[0], key=f"{key}_findings", label_visibility="collapsed"
    )
    if view == "What mattered":
        if weights := importances(record, ceiling):
            show_plotly_chart(search_charts.importance_bars(weights, theme()), f"{key}_importances")
        else:
            st.info("Too few complete trials to tell. It needs ten.", icon=":material/hourglass_empty:")
    elif view == "What it learnt":
        if learnt := best_tenth(record, ceiling):
            st.caption(words.learnt_text(learnt))
            rows = [dict(zip(("module", *HEADINGS.values()), row, strict=True)) for row in words.learnt_rows(learnt)]
            st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder=fmt.NO_VALUE, alt="Mean table of the best")
        else:
            st.info("Too few complete trials to tell.", icon=":material/hourglass_empty:")
    elif view == "Cheap predictors":
        _show_predictors([*record.arm(ceiling, "search"), *record.arm(ceiling, "random")])


def _show_predictors(trials: Sequence[TrialRecord]) -> None:
    found = predictor_correlations(trials)
    if not found:
        st.info("Too few complete trials to tell. It needs eight.", icon=":material/hourglass_empty:")
        return
    rows = [
        {
            "predictor": words.PREDICTORS[one.predictor],
            "rank correlation with the accuracy": words.correlation_text(one.value, one.interval),
            "trials": one.trials,
        }
        for one in found
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder=fmt.NO_VALUE, alt="Rank correlations of predictors")
    st.caption(
        "Known before training, or after 5 % of it: how well each of them ranks the tables. +1 is the same order, "
        "0 none. SynFlow: Tanaka et al. 2020; intervals: Bonett & Wright 2000."
    )


def show_table(config: GoogLeNetConfig, key: str) -> None:
    """Show a table with a button that makes it the current network."""
    rows = [
        {"module": module.name, **{title: getattr(module, field) for field, title in HEADINGS.items()}}
        for module in config.modules
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder=fmt.NO_VALUE, alt="The table of the chosen trial")
    st.button(
        "Load this table",
        icon=":material/table_chart:",
        key=f"{key}_load",
        on_click=state.commit,
        args=(config,),
        help="It becomes the current network. Undo brings back the one before.",
    )
