"""A study: its state, progress and claims, the growing front, its trials and what it found.

The fragment polls while the study runs; when its state changes, the whole page reruns once.
"""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from explorer.data.arrays import DataError
from explorer.search.export import study_json, trials_csv
from explorer.search.outcome import outcome
from explorer.search.progress import study_progress
from explorer.search.records import State, StudyRecord, TrialRecord
from explorer.search.storage import StudyError
from explorer.training.intervals import wilson
from explorer.training.names import file_stem
from explorer.ui import messages, runs, studies
from explorer.ui.components.chart import show_figure
from explorer.ui.components.number import number_setting
from explorer.ui.components.theme import theme
from explorer.ui.lab.search.findings import show_findings, show_table
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import rerun_after
from explorer.views import formatting as fmt
from explorer.views import search as words
from explorer.views import search_charts
from explorer.views.search_report import report_html
from explorer.views.training import duration

_POLL_S = 2.0
_COLOURS: dict[State, str] = {
    "running": "blue",
    "paused": "orange",
    "stopped": "gray",
    "finished": "green",
    "failed": "red",
}
_ORDER = {"running": 0, "waiting": 1, "complete": 2, "pruned": 3, "failed": 4}


@st.fragment
def show_study(study_id: str) -> None:
    """Show a study, and poll while it runs."""
    try:
        record = studies.store().record(study_id)
    except StudyError as error:
        messages.show_refusal(str(error))
        st.button("All studies", icon=":material/arrow_back:", on_click=studies.select, args=(None,), key="study_back")
        return
    _show_header(record)
    _show_progress(record)
    ceiling = _choose_ceiling(record)
    _show_claims(record, ceiling)
    _show_front(record, ceiling)
    _show_trials([one for one in record.trials if one.arm.ceiling == ceiling])
    show_findings(record, ceiling, "study")
    drawn = SessionValue[State](f"study_drawn_{study_id}", record.state)
    was_active = drawn.get() == "running"
    drawn.set(record.state)
    if record.is_active:
        rerun_after(_POLL_S, "study_again")
    elif was_active:
        st.rerun()


def _show_header(record: StudyRecord) -> None:
    st.button(
        "All studies",
        icon=":material/arrow_back:",
        type="tertiary",
        key="study_back",
        on_click=studies.select,
        args=(None,),
    )
    with st.container(horizontal=True, vertical_alignment="center", key="study_header"):
        st.markdown(f"## {fmt.markdown(record.spec.name)}", width="content")
        st.badge(words.STATES[record.state], color=_COLOURS[record.state])  # type: ignore[arg-type]  # a literal
        st.space("stretch")
        _show_actions(record)
    st.caption(fmt.markdown(words.setup_text(record.spec)))


def _show_actions(record: StudyRecord) -> None:
    if record.is_active:
        _button("Pause", "pause", record, "paused", "Its trials end and are repeated when it is resumed.")
        _button("Stop", "stop", record, "stopped", "It can be resumed or extended later.")
    elif record.state != "finished":
        _button("Resume", "play_arrow", record, "running", "It continues where it was.")
    with st.popover("Extend", icon=":material/add:"):
        amount = number_setting(f"More {record.spec.budget.kind}", "study_more", 10, 1, 100_000)
        st.caption("The trainings at the end are repeated from new seeds.")
        st.button("Extend the study", key="study_extend", on_click=studies.extend, args=(record.id, float(amount)))
    with st.popover("Export", icon=":material/download:"):
        stem = file_stem(record.spec.name)
        for label, suffix, mime, make in (
            ("Report (HTML)", "html", "text/html", report_html),
            ("Trials (CSV)", "csv", "text/csv", trials_csv),
            ("Everything (JSON)", "json", "application/json", study_json),
        ):
            content = partial(make, record)
            st.download_button(label, content, f"{stem}.{suffix}", mime, key=f"study_{suffix}", on_click="ignore")
    with st.popover("Delete", icon=":material/delete:"):
        st.caption("This permanently deletes the study and its trials.")
        st.button("Delete permanently", key="study_delete", on_click=studies.delete, args=(record.id,))


def _button(label: str, icon: str, record: StudyRecord, new: State, help: str) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"study_{label.lower()}",
        on_click=studies.set_state,
        args=(record.id, new),
        help=help,
    )


def _show_progress(record: StudyRecord) -> None:
    try:
        dataset = runs.load_dataset_info(record.spec.data)
    except DataError:
        messages.show_refusal("The images of this study no longer exist, so it cannot continue.")
        return
    progress = study_progress(record, dataset)
    left = "" if progress.seconds_left is None else f" · about {duration(progress.seconds_left)} left"
    counts = f"{progress.running} running, {progress.complete} complete, {progress.pruned} pruned"
    failed = f", {progress.failed} failed" if progress.failed else ""
    if record.is_active:
        st.progress(progress.fraction, f"{counts}{failed}{left}")
    else:
        st.caption(f"{counts}{failed}.")
    if record.message:
        messages.show_refusal(record.message)
    if error := studies.manager().error:
        st.warning(fmt.markdown(error), icon=":material/warning:")


def _choose_ceiling(record: StudyRecord) -> int:
    if len(record.spec.ceilings) == 1:
        return 0
    chosen = st.segmented_control(
        "Ceiling",
        range(len(record.spec.ceilings)),
        default=0,
        required=True,
        format_func=lambda index: f"{record.spec.ceilings[index]:.2f} of the {words.QUANTITIES[record.spec.quantity]}",
        key="study_ceiling",
    )
    return int(chosen or 0)


def _show_claims(record: StudyRecord, ceiling: int) -> None:
    """Show what the study may claim, or before its end the best trials so far."""
    found = outcome(record, ceiling)
    if found.claims:
        for claim in found.claims:
            st.markdown(f"**{fmt.markdown(words.claim_text(record.spec, found, claim))}**")
        rows = [
            {
                "table": words.SOURCES[one.source],
                "accuracy on the test images": words.accuracy_text(one.mean, one.interval),
                "seeds": len(one.accuracies),
                words.QUANTITIES[record.spec.quantity]: f"{one.cost:,}",
            }
            for one in found.finals
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder=fmt.NO_VALUE, alt="Accuracies at the end")
        return
    images = record.spec.data.validation_images
    best = []
    for kind in ("search", "random"):
        if (trial := record.best(ceiling, kind)) and trial.accuracy is not None:
            interval = wilson(round(trial.accuracy * images), images)
            best.append(f"{words.KINDS[kind]}: {words.accuracy_text(trial.accuracy, interval)}")
    if best:
        st.markdown(
            fmt.markdown(
                f"Best so far on {images:,} validation images. {'; '.join(best)}. The best of many is partly lucky: "
                "the claim comes from new seeds and the test images, at the end."
            )
        )


def _show_front(record: StudyRecord, ceiling: int) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        chart = search_charts.accuracy_against_cost(record, theme())
        points = show_figure(chart.figure, f"study_front_{record.id}", selects=True)
        st.caption(f"Reading this chart: {chart.reading} Click a mark to see its table.")
    with right:
        by_compute = search_charts.best_by_compute(record, ceiling, theme())
        show_figure(by_compute.figure, f"study_best_{record.id}")
        st.caption(f"Reading this chart: {by_compute.reading}")
    if points and "customdata" in points[0]:
        kind, index, number = points[0]["customdata"]
        trial = next((one for one in record.arm(int(index), kind) if one.number == int(number)), None)
        if trial and trial.config:
            st.markdown(f"**{words.KINDS[trial.arm.kind]} {trial.number}**: {fmt.markdown(words.trial_text(trial))}")
            show_table(trial.config, "study")


def _show_trials(trials: Sequence[TrialRecord]) -> None:
    with st.expander(f"Trials ({len(trials):,})", on_change="rerun", key="study_trials", expanded=True) as part:
        if not part.open or not trials:
            return
        rows = [
            {"arm": words.KINDS[one.arm.kind], "trial": one.number, "seed": one.seed, "result": words.trial_text(one)}
            for one in sorted(trials, key=lambda one: (_ORDER[one.state], -one.number))
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, height=260, placeholder=fmt.NO_VALUE, alt="All trials")
