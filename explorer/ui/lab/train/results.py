"""What a run has shown: the verdict of a run or a race, the table of a race, and misclassified images."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from explorer.analysis import summarize
from explorer.data.arrays import DataError
from explorer.runs.records import ACTIVE, Run
from explorer.runs.results import SeedGroup, compare, results_of_run
from explorer.settings import data_folder
from explorer.training.events import Evaluated
from explorer.training.plan import DatasetInfo
from explorer.ui import messages, runs
from explorer.ui.components.chart import show_plotly_chart
from explorer.ui.lab.train import samples
from explorer.views import formatting as fmt
from explorer.views import results as words


def show_verdict(run: Run, dataset: DatasetInfo) -> None:
    """Show in sentences what a run of one network has reached."""
    evaluated = runs.store().latest_event(run.id, "evaluated")
    if not isinstance(evaluated, Evaluated):
        return
    tests = runs.store().curve(run.id, "test_accuracy")
    verdict = words.result_text(evaluated, tests, evaluated.images / dataset.train)
    st.markdown(verdict if evaluated.final else f"{verdict} *(at step {evaluated.step:,})*")


def show_race_verdict(run: Run) -> None:
    """Show which differences between the networks of a race are real."""
    if run.state not in ACTIVE:
        show_comparison(_groups(run))


def show_comparison(groups: Sequence[SeedGroup]) -> None:
    """Show which differences between groups of results are real, with their intervals, and how that was tested."""
    if len(groups) < 2:
        return
    comparison = compare(groups)
    st.markdown(words.comparison_text([group.name for group in groups], comparison))
    if note := words.comparison_note(comparison, groups[0].images):
        st.caption(note)


def _groups(run: Run) -> tuple[SeedGroup, ...]:
    """Return the results of a race by network, the highest mean first."""
    return tuple(sorted(results_of_run(runs.store(), run).values(), key=lambda group: -group.mean))


def show_race_table(run: Run) -> None:
    """Show the results of each network of a race with its cost."""
    groups, plan = _groups(run), run.plan
    if not groups:
        return
    numbers = [plan.trainers[next(iter(group.results.values())).trainer].network for group in groups]
    seconds: dict[int, list[float]] = {}
    for trainer in run.trainers:
        seconds.setdefault(plan.trainers[trainer.number].network, []).append(trainer.seconds)
    rows = words.race_rows(
        groups,
        numbers,
        [summarize(network.config) for network in plan.networks],
        {number: sum(values) / len(values) for number, values in seconds.items()},
        len(plan.seeds),
    )
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="content",
        alt="The results of each network",
        placeholder=fmt.NO_VALUE,
    )
    st.caption(
        f"{words.interval_note(groups)} Training time is for one seed. Parameters and MACs are at inference, for one "
        "image."
    )


def show_misclassified(run: Run, dataset: DatasetInfo) -> None:
    """Show the confusion matrix of a trainer and the misclassified images with the highest confidence."""
    trainer = _choose_trainer(run)
    evaluated = runs.store().latest_event(run.id, "evaluated", trainer)
    if not isinstance(evaluated, Evaluated):
        return
    title = _trainer_title(run, trainer)
    show_plotly_chart(words.confusion_chart(evaluated, dataset.classes, title), f"confusion_{run.id}_{trainer}")
    if not evaluated.mistakes:
        return
    st.markdown(f"**{fmt.markdown(title)}: misclassified with the highest confidence**")
    try:
        st.html(samples.misclassified_html(run.plan.data, str(data_folder()), evaluated.mistakes))
    except DataError as error:
        messages.show_refusal(str(error))


def _choose_trainer(run: Run) -> int:
    """Let the user choose one of the trainers of a race; return its number."""
    if len(run.trainers) < 2:
        return 0
    titles = {trainer.number: _trainer_title(run, trainer.number) for trainer in run.trainers}
    return st.selectbox(
        "Confusion matrix of",
        list(titles),
        format_func=lambda number: titles[number],
        key=f"train_trainer_{run.id}",
        width=280,
    )


def _trainer_title(run: Run, trainer: int) -> str:
    """Return the name of a trainer's network, with the seed if there are several."""
    key = run.plan.trainers[trainer]
    name = run.plan.networks[key.network].name
    return f"{name}, seed {key.seed}" if len(run.plan.seeds) > 1 else name
