"""Training in words and tables: what is said is what was measured, and no more."""

import pytest

from explorer import PRESETS, summarize
from explorer.live.training import SAMPLE
from explorer.runs.records import STATES, Point, Run, TrainerProgress
from explorer.training.events import Evaluated
from explorer.training.plan import DATASETS, Budget, NamedNetwork, Plan, Settings
from explorer.training.races import standings
from explorer.views import training as words

FASHION = DATASETS["fashion_mnist"]
PLAN = Plan(
    entrants=tuple(NamedNetwork(name=name, config=PRESETS[name]) for name in ("mini", "half")),
    budget=Budget(kind="steps", amount=100.0),
    seeds=(0, 1),
)


def evaluated(accuracy: float, images: int = 2_000) -> Evaluated:
    """Return an evaluation with two classes."""
    right = round(accuracy * images / 2)
    rows = ((right, images // 2 - right), (images // 2 - right, right))
    at = {"lane": 0, "step": 10, "seconds": 1.0, "images": 640, "share": 1.0}
    return Evaluated(**at, loss=1.0, accuracy=accuracy, confusion=rows, final=True)


def course(*values: float) -> list[Point]:
    """Return test accuracies, an evaluation every ten steps."""
    return [Point(10 * n, n, 640 * n, value) for n, value in enumerate(values, 1)]


def test_the_sample_on_the_way_is_that_of_training() -> None:
    """The spread of an evaluation on the way is reckoned with as many images as it takes."""
    assert words.ON_THE_WAY == SAMPLE


def test_better_than_chance() -> None:
    """By how many points, and how exactly that is known: √(0.9 · 0.1 / 2,000) = 0.7 points."""
    said = words.verdict(evaluated(0.9), 10, [], None)
    assert said == (
        "**90.0 %** of 2,000 test images are told right (± 0.7 by the choice of images): "
        "better than chance by 80.0 points."
    )


def test_no_better_than_chance() -> None:
    """What guessing could give is not called learning, unless there are images enough to tell."""
    assert "No better than chance: 51.0 % of 2,000 test images" in words.verdict(evaluated(0.51), 2, [], None)
    assert "better than chance by 1.0 points" in words.verdict(evaluated(0.51, 200_000), 2, [], None)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.2, 0.3, 0.5, 0.6, 0.7), "Still improving: 40.0 points more than at step 20"),
        ((0.2, 0.69, 0.7, 0.7, 0.7), "No clear change since step 20."),
        ((0.2, 0.9, 0.8, 0.7, 0.7), "It was better at step 20: 90.0 %."),
        ((0.2, 0.7), ""),
    ],
)
def test_the_trend(values: tuple[float, ...], said: str) -> None:
    """Only what is more than the choice of images explains is called a change."""
    whole = words.verdict(evaluated(values[-1]), 10, course(*values), None)
    assert said in whole
    assert ("step" in whole) == bool(said)


def test_what_is_learned_by_heart() -> None:
    """Training far ahead of the test is said; a little is not."""
    assert "learned by heart" in words.verdict(evaluated(0.8), 10, [], 0.99)
    assert "learned by heart" not in words.verdict(evaluated(0.8), 10, [], 0.82)


def test_the_confusion_matrix() -> None:
    """Rows are what is, columns what was said; the title names the commonest mistake."""
    at = {"lane": 0, "step": 1, "seconds": 1.0, "images": 1, "share": 1.0}
    found = Evaluated(**at, loss=1, accuracy=0.5, confusion=((5, 1, 0), (0, 4, 2), (3, 0, 3)))
    chart = words.confusion(found, ("cat", "dog", "emu"))
    (heat,) = chart.figure.data
    assert [tuple(row) for row in heat.z] == list(found.confusion)
    assert (heat.x, heat.y) == (("cat", "dog", "emu"),) * 2
    assert chart.figure.layout.title.text == "emu is most often taken for cat: 3 of 6"
    assert {"is": "dog", "said": "emu", "images": 2} in chart.data
    assert sum(row["images"] for row in chart.data) == 18


def test_no_mistake_at_all() -> None:
    """A perfect matrix has no commonest mistake."""
    assert words.confusion(evaluated(1.0), ("cat", "dog")).figure.layout.title.text == "No mistake at all"


def test_many_classes_have_no_numbers_in_the_cells() -> None:
    """They could not be read; the colours stay."""
    at = {"lane": 0, "step": 1, "seconds": 1.0, "images": 1, "share": 1.0}
    many = tuple(tuple(int(row == column) for column in range(40)) for row in range(40))
    chart = words.confusion(Evaluated(**at, loss=1, accuracy=1, confusion=many), [f"c{n}" for n in range(40)])
    assert chart.figure.data[0].texttemplate is None


def run(*lanes: TrainerProgress, state: str = "running") -> Run:
    """Return a run of two networks and two seeds."""
    return Run("r0", "race", "", PLAN.model_dump_json(), state, "", 0.0, 0.0, None, lanes)


def lane(number: int, step: int, seconds: float) -> TrainerProgress:
    """Return a lane of a hundred steps."""
    return TrainerProgress(number, step, seconds, 64 * step, step / 100, 0, "")


def test_progress() -> None:
    """Share, time left at the pace so far, images per second, the furthest step."""
    going = run(lane(0, 50, 10.0), lane(1, 50, 10.0))
    assert words.seconds_left(going) == pytest.approx(60.0)
    assert words.progress(going) == "25 % · about 1 min left · 320 images/s · step 50"
    assert words.progress(run(lane(0, 0, 0.0))) == "0 % · step 0"


@pytest.mark.parametrize(("place", "said"), [(0, "in a moment"), (1, "One run is"), (7, "7 runs are before it")])
def test_the_place_in_the_queue(place: int, said: str) -> None:
    """In words."""
    assert said in words.waiting(place)


def test_every_state_has_a_name() -> None:
    """With a colour and an icon."""
    assert set(words.STATES) == set(STATES)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min"), (80, "1 min 20 s"), (7_500, "2 h 5 min")]
)
def test_durations(seconds: float, said: str) -> None:
    """As they are spoken of."""
    assert words.duration(seconds) == said


def test_a_plan_in_a_line() -> None:
    """Networks, images, budget and seeds; the settings with the rates that are used."""
    assert words.planned(PLAN, FASHION) == f"mini vs half on {FASHION.title} · 100 steps each · seeds 0, 1"
    said = words.settings(Settings(optimiser="adam", learning_rate=0.003, precision="bf16"), PLAN)
    assert "Adam · learning rate 0.003 ·" in said
    assert said.endswith("bfloat16")
    assert words.budget(Budget(kind="macs", amount=1.5e12)) == "1.500 T MACs"
    assert words.budget(Budget(kind="epochs", amount=1.0)) == "1 epoch"


def test_the_table_of_a_race() -> None:
    """The best first, with letters as in the chart, and what each costs."""
    summaries = [summarize(entrant.config) for entrant in PLAN.entrants]
    rows = standings(PLAN, {0: 0.8, 1: 0.82, 2: 0.9, 3: 0.9})
    first, second = words.race_rows(PLAN, summaries, rows, {0: 10.0, 1: 70.0})
    assert (first[""], first["network"], first["test accuracy"], first["spread"]) == ("B", "half", "90.0 %", "± 0.0")
    assert (second[""], second["spread"], second["seeds"], second["training time"]) == ("A", "± 1.4", 2, "10 s")
    assert second["parameters"] == "378,658"


def test_the_verdict_of_a_race() -> None:
    """Differences within the spread are not called differences; one seed tells nothing of the spread."""
    apart = words.race_verdict(standings(PLAN, {0: 0.8, 1: 0.82, 2: 0.9, 3: 0.91}))
    assert apart == "half and mini: 9.5 points apart, more than the seeds spread."
    close = words.race_verdict(standings(PLAN, {0: 0.8, 1: 0.9, 2: 0.85, 3: 0.87}))
    assert "**within the spread**" in close
    single = words.race_verdict(standings(PLAN.replace(seeds=(0,)), {0: 0.8, 1: 0.9}))
    assert "**half** is ahead of mini by 10.0 points" in single
    assert "may be luck" in single
    assert words.race_verdict(standings(PLAN, {0: 0.8, 1: 0.9})) == ""


def test_what_is_hard_to_train_is_said() -> None:
    """A network without BatchNorm, by its name, with the rate that it takes; with BatchNorm there is nothing to say."""
    assert words.caution(PLAN.replace(entrants=PLAN.entrants[:1])) == ""
    said = words.caution(PLAN)
    assert said.startswith("half has no BatchNorm and is hard to train: at larger learning rates than 0.01 ")
    assert "0.3" in words.caution(PLAN.replace(settings=Settings(learning_rate=0.3)))
