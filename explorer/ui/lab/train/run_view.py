"""A run as it goes on: state, progress, curves that grow in place, and at the end what came of it.

The fragment looks again while the run waits or trains; when that changes the whole page runs once more.
"""

import pandas as pd
import streamlit as st

from explorer.config import GoogLeNetConfig
from explorer.data.arrays import DataError
from explorer.runs.records import WAITING, Point, Run
from explorer.settings import ASSETS, data_folder
from explorer.training.events import Evaluated, Finished, Started
from explorer.training.plan import DatasetInfo
from explorer.training.races import standings
from explorer.ui import cache, messages, runs
from explorer.ui.components.polling import rerun_after
from explorer.ui.components.variants import theme
from explorer.ui.explore.network.charts import show_chart
from explorer.ui.lab.train import actions, images
from explorer.views import curves
from explorer.views import formatting as fmt
from explorer.views import training as words

_ASSETS = ASSETS / "curves"
_css, _js = ((_ASSETS / f"curves.{kind}").read_text("utf-8") for kind in ("css", "js"))
_view = st.components.v2.component("training_curves", html='<div class="curves"></div>', css=_css, js=_js)

_AXIS, _LANE = "train_axis", "train_lane"
_POINTS = 150  # of a curve; more are averaged, and the noise of single batches with them
_LOOK_S = 1.0
_LAST = 5  # points at the end of a training curve that its verdict averages


@st.fragment
def show_run(run_id: str) -> None:
    """Show a run; look again in a moment while it is not over."""
    run = runs.store().run(run_id)
    if run is None:  # it was deleted
        st.rerun()
    try:
        facts = runs.facts_of(run.plan.data)
    except DataError:
        facts = None
    _head(run, facts)
    runs.show_trouble(run.id)
    _standing(run)
    _results(run, facts)
    seen = f"train_seen_{run_id}"
    before, st.session_state[seen] = st.session_state.get(seen, run.state), run.state
    if run.state in WAITING:
        rerun_after(_LOOK_S, "train_again")
    elif before in WAITING:
        st.rerun()


def _head(run: Run, facts: DatasetInfo | None) -> None:
    called, colour, icon = words.STATES[run.state]
    with st.container(horizontal=True, vertical_alignment="center", key="run_head"):
        st.markdown(f"### {fmt.markdown(run.name)}", width="content")
        st.badge(called, icon=f":material/{icon}:", color=colour)
        st.space("stretch")
        actions.show_actions(run)
    about = words.planned(run.plan, facts) if facts else "Its images are no longer there."
    st.caption(f"{fmt.markdown(about)}  \n{fmt.markdown(words.settings(run.plan.settings, run.plan))}{_where(run)}")


def _where(run: Run) -> str:
    """On which device it runs, and what its lanes told at their start."""
    started = runs.store().latest(run.id, "started")
    if not isinstance(started, Started):
        return ""
    return fmt.markdown(f" · {started.device}") + "".join(f"  \n{fmt.markdown(note)}" for note in started.notes)


def _standing(run: Run) -> None:
    """Say how far it is, or what happened to it."""
    place = runs.store().queue_place(run.id)
    if run.state == "running":
        st.progress(run.progress, words.progress(run) if run.step else "PyTorch starts and the images are read")
    elif place is not None:
        st.progress(run.progress, f"Waiting in the queue. {words.waiting(place)}")
    elif run.state == "failed":
        st.error(fmt.markdown(run.account), icon=":material/error:")
    elif run.state != "finished":
        st.progress(run.progress, fmt.markdown(run.account) or "It can go on.")
    elif run.message:
        st.warning(fmt.markdown(run.message), icon=":material/warning:")
    if trouble := runs.manager().trouble:
        st.warning(fmt.markdown(trouble), icon=":material/warning:")


def _results(run: Run, facts: DatasetInfo | None) -> None:
    race = len(run.plan.trainers) > 1
    if race:
        _race_verdict(run)
    elif facts:
        _verdict(run, facts)
    if run.trainers:
        axis = choose_axis("race" if race else "one", macs=race)
        panels = _race_panels(run, axis) if race else _panels(run, axis)
        show_curves(panels, axis, run.id, lead=race)
        st.caption(_READING_RACE if race else _READING)
    elif facts:  # something to see while it waits
        images.show_preview(run.plan.data, facts)
    if race:
        _race_table(run)
    if run.state not in WAITING and facts:
        _mistakes(run, facts)


_READING = (
    "How to read this: training points are means over batches, with dropout at work; test points are over test "
    "images, without it. The size of a gradient is its L2 norm over a block's weights. Drag along a chart "
    "to zoom, double-click to go back; click a name to hide its line."
)
_READING_RACE = (
    "How to read this: a colour per network; with several seeds the thick line is their mean, each thin one a seed. "
    "Drag along a chart to zoom, double-click to go back; click a name to hide its line."
)


def choose_axis(place: str, *, macs: bool = True) -> curves.Axis:
    """Let the reader choose what the curves go along."""
    axes = [axis for axis in curves.AXES if macs or axis != "macs"]
    axis = st.segmented_control(
        "Along",
        axes,
        default="step",
        required=True,
        format_func=curves.AXES.get,
        key=f"{_AXIS}_{place}",
        label_visibility="collapsed",
        persist_state="session",
    )
    return axis if axis in axes else "step"


def show_curves(panels: tuple[curves.Panel, ...], axis: curves.Axis, name: str, *, lead: bool = False) -> None:
    """Show panels of curves; those of the same ``name`` are updated in place and keep their zoom.

    ``lead``: the first one has the whole width.
    """
    data = {
        "name": f"{name} {axis}",
        "axis": curves.AXES[axis],
        "height": 260,
        "lead": lead,
        "empty": "no points yet",
        "panels": [{**panel._asdict(), "lines": [line._asdict() for line in panel.lines]} for panel in panels],
    }
    _view(key="training_curves", data=data)


def lane_curves(run_id: str, lane: int, kinds: tuple[str, ...] | None = None) -> dict[str, list[Point]]:
    """Return the curves of a lane, or those of some kinds, by name."""
    store = runs.store()
    wanted = store.kinds(run_id, lane) if kinds is None else kinds
    return {kind: store.curve(run_id, kind, lane, most=_POINTS) for kind in wanted}


def _panels(run: Run, axis: curves.Axis) -> tuple[curves.Panel, ...]:
    return curves.of_run(lane_curves(run.id, 0), axis, _macs(run.plan.entrants[0].config), theme())


def _race_panels(run: Run, axis: curves.Axis) -> tuple[curves.Panel, ...]:
    groups = curves.groups_of(run.plan, shared_curves(run), macs_of_networks(run), theme())
    return curves.of_groups(groups, axis)


def shared_curves(run: Run) -> list[dict[str, list[Point]]]:
    """Return of each lane of a run the curves in which networks are compared."""
    return [lane_curves(run.id, lane, curves.SHARED) for lane in range(len(run.plan.trainers))]


def macs_of_networks(run: Run) -> list[int]:
    """Return the MACs of one image through each network of a run, heads included."""
    return [_macs(entrant.config) for entrant in run.plan.entrants]


def _macs(config: GoogLeNetConfig) -> int:
    return cache.summary(config).macs(aux=True)


def _verdict(run: Run, facts: DatasetInfo) -> None:
    evaluated = runs.store().latest(run.id, "evaluated")
    if not isinstance(evaluated, Evaluated):
        return
    train = runs.store().curve(run.id, "train_accuracy", most=_POINTS)[-_LAST:]
    learned = sum(point.value for point in train) / len(train) if train else None
    tests = runs.store().curve(run.id, "test_accuracy")
    said = words.verdict(evaluated, len(facts.classes), tests, learned)
    when = "" if evaluated.final else f" *(at step {evaluated.step:,})*"
    st.markdown(said + when)


def _finished(run: Run) -> dict[int, float]:
    """Return the accuracies of the lanes that have used their budget."""
    told = {lane.number: runs.store().latest(run.id, "finished", lane.number) for lane in run.trainers}
    return {number: event.accuracy for number, event in told.items() if isinstance(event, Finished)}


def _race_verdict(run: Run) -> None:
    if run.state in WAITING:
        return
    said = words.race_verdict(standings(run.plan, _finished(run)))
    if said:
        st.markdown(said)


def _race_table(run: Run) -> None:
    rows = standings(run.plan, _finished(run))
    if not rows:
        return
    summaries = [cache.summary(entrant.config) for entrant in run.plan.entrants]
    seconds = [
        [lane.seconds for lane in run.trainers if run.plan.trainers[lane.number].entrant == number]
        for number in range(len(summaries))
    ]
    means = {number: sum(values) / len(values) for number, values in enumerate(seconds) if values}
    table = words.race_rows(run.plan, summaries, rows, means)
    st.dataframe(pd.DataFrame(table), hide_index=True, width="content", alt="How each network did")
    st.caption(
        "± is the standard deviation over the seeds. Training time is that of one seed. Parameters and MACs are those "
        "at inference, for one image."
    )


def _mistakes(run: Run, facts: DatasetInfo) -> None:
    """Show confusion matrix and surest mistakes of a lane that is over."""
    lane = _lane(run)
    evaluated = runs.store().latest(run.id, "evaluated", lane)
    if not isinstance(evaluated, Evaluated):
        return
    show_chart(words.confusion(evaluated, facts.classes), f"confusion_{run.id}_{lane}")
    if not evaluated.mistakes:
        return
    st.markdown("**Wrong, and most sure of it**")
    try:
        st.html(images.mistakes(run.plan.data, str(data_folder()), evaluated.mistakes))
    except DataError as error:
        messages.show_refusal(str(error))


def _lane(run: Run) -> int:
    """Let the reader choose one of the lanes of a race; return its number."""
    if len(run.trainers) < 2:
        return 0
    keys = run.plan.trainers
    called = {
        lane.number: f"{run.plan.entrants[keys[lane.number].entrant].name}, seed {keys[lane.number].seed}"
        for lane in run.trainers
    }
    return st.selectbox("Mistakes of", list(called), format_func=called.get, key=f"{_LANE}_{run.id}", width=280)
