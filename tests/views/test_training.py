"""Training in sentences and tables, which claim no more than was measured."""

import pytest

from explorer import PRESETS, summarize
from explorer.runs.records import STATES, Point, Run, TrainerProgress
from explorer.training.events import Evaluated
from explorer.training.plan import DATASETS, Budget, NamedNetwork, Plan, Settings
from explorer.training.races import standings
from explorer.views import training as words

FASHION = DATASETS["fashion_mnist"]
PLAN = Plan(
    networks=tuple(NamedNetwork(name=name, config=PRESETS[name]) for name in ("mini", "half")),
    budget=Budget(kind="steps", amount=100.0),
    seeds=(0, 1),
)


def evaluated(accuracy: float, images: int = 2_000) -> Evaluated:
    """Return an evaluation with two classes."""
    correct = round(accuracy * images / 2)
    rows = ((correct, images // 2 - correct), (images // 2 - correct, correct))
    at = {"trainer": 0, "step": 10, "seconds": 1.0, "images": 640, "progress": 1.0}
    return Evaluated(**at, loss=1.0, accuracy=accuracy, confusion=rows, final=True)


def accuracy_curve(*values: float) -> list[Point]:
    """Return test accuracies, one evaluation every ten steps."""
    return [Point(10 * n, n, 640 * n, value) for n, value in enumerate(values, 1)]


def test_better_than_chance() -> None:
    """By how many percentage points, and with which standard error: √(0.9 · 0.1 / 2,000) = 0.7 %."""
    text = words.result_text(evaluated(0.9), 10, [], None)
    assert text == (
        "**90.0 %** of 2,000 test images classified correctly (± 0.7 for the choice of images): "
        "better than chance by 80.0 percentage points."
    )


def test_no_better_than_chance() -> None:
    """A result within the error of guessing is not called better, unless there are enough images."""
    assert "No better than chance: 51.0 % of 2,000 test images" in words.result_text(evaluated(0.51), 2, [], None)
    assert "better than chance by 1.0 percentage points" in words.result_text(evaluated(0.51, 200_000), 2, [], None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.2, 0.3, 0.5, 0.6, 0.7), "Still improving: 40.0 percentage points more than at step 20"),
        ((0.2, 0.69, 0.7, 0.7, 0.7), "No clear change since step 20."),
        ((0.2, 0.9, 0.8, 0.7, 0.7), "It was better at step 20: 90.0 %."),
        ((0.2, 0.7), ""),
    ],
)
def test_the_trend(values: tuple[float, ...], expected: str) -> None:
    """Only a difference that exceeds the error from the choice of images is called a change."""
    text = words.result_text(evaluated(values[-1]), 10, accuracy_curve(*values), None)
    assert expected in text
    assert ("step" in text) == bool(expected)


def test_overfitting() -> None:
    """A large difference between training and test accuracy is mentioned, a small one is not."""
    assert "overfits" in words.result_text(evaluated(0.8), 10, [], 0.99)
    assert "overfits" not in words.result_text(evaluated(0.8), 10, [], 0.82)


def test_the_confusion_matrix() -> None:
    """Rows are labels, columns predicted classes; the title names the most frequent misclassification."""
    at = {"trainer": 0, "step": 1, "seconds": 1.0, "images": 1, "progress": 1.0}
    event = Evaluated(**at, loss=1, accuracy=0.5, confusion=((5, 1, 0), (0, 4, 2), (3, 0, 3)))
    chart = words.confusion_chart(event, ("cat", "dog", "emu"))
    (heat,) = chart.figure.data
    assert [tuple(row) for row in heat.z] == list(event.confusion)
    assert (heat.x, heat.y) == (("cat", "dog", "emu"),) * 2
    assert chart.figure.layout.title.text == "Most frequent: emu classified as cat, 3 of 6"
    assert {"label": "dog", "predicted": "emu", "images": 2} in chart.data
    assert sum(row["images"] for row in chart.data) == 18


def test_no_misclassification() -> None:
    """A perfect matrix has no most frequent one."""
    assert words.confusion_chart(evaluated(1.0), ("cat", "dog")).figure.layout.title.text == "No misclassification"


def test_many_classes_have_no_numbers_in_the_cells() -> None:
    """They could not be read; the colours remain."""
    at = {"trainer": 0, "step": 1, "seconds": 1.0, "images": 1, "progress": 1.0}
    many = tuple(tuple(int(row == column) for column in range(40)) for row in range(40))
    chart = words.confusion_chart(Evaluated(**at, loss=1, accuracy=1, confusion=many), [f"c{n}" for n in range(40)])
    assert chart.figure.data[0].texttemplate is None


def make_run(*trainers: TrainerProgress, state: str = "running") -> Run:
    """Return a run of two networks and two seeds."""
    return Run("r0", "race", "", PLAN.model_dump_json(), state, "", 0.0, 0.0, None, trainers)


def make_trainer(number: int, step: int, seconds: float) -> TrainerProgress:
    """Return a trainer of a hundred steps."""
    return TrainerProgress(number, step, seconds, 64 * step, step / 100, 0, "")


def test_progress() -> None:
    """Fraction, time left at the speed so far, images per second, the largest step."""
    running = make_run(make_trainer(0, 50, 10.0), make_trainer(1, 50, 10.0))
    assert words.seconds_left(running) == pytest.approx(60.0)
    assert words.progress_text(running) == "25 % · about 1 min left · 320 images/s · step 50"
    assert words.progress_text(make_run(make_trainer(0, 0, 0.0))) == "0 % · step 0"


@pytest.mark.parametrize(("position", "expected"), [(0, "in a moment"), (1, "One run is"), (7, "7 runs are before it")])
def test_the_position_in_the_queue(position: int, expected: str) -> None:
    """As a sentence."""
    assert expected in words.queue_text(position)


def test_every_state_has_a_name() -> None:
    """It also has a colour and an icon."""
    assert set(words.STATES) == set(STATES)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min"), (80, "1 min 20 s"), (7_500, "2 h 5 min")]
)
def test_durations(seconds: float, expected: str) -> None:
    """In the two largest units."""
    assert words.duration(seconds) == expected


def test_a_plan_in_a_line() -> None:
    """Networks, images, budget and seeds; the settings with the learning rates in use."""
    assert words.plan_text(PLAN, FASHION) == f"mini vs half on {FASHION.title} · 100 steps each · seeds 0, 1"
    text = words.settings_text(Settings(optimiser="adam", learning_rate=0.003, precision="bf16"), PLAN)
    assert "Adam · learning rate 0.003 ·" in text
    assert text.endswith("bfloat16")
    assert words.budget_text(Budget(kind="macs", amount=1.5e12)) == "1.500 T MACs"
    assert words.budget_text(Budget(kind="epochs", amount=1.0)) == "1 epoch"


def test_the_table_of_a_race() -> None:
    """The best first, with letters as in the chart, and the cost of each."""
    summaries = [summarize(network.config) for network in PLAN.networks]
    rows = standings(PLAN, {0: 0.8, 1: 0.82, 2: 0.9, 3: 0.9})
    first, second = words.race_rows(PLAN, summaries, rows, {0: 10.0, 1: 70.0})
    assert (first[""], first["network"], first["test accuracy"], first["spread"]) == ("B", "half", "90.0 %", "± 0.0")
    assert (second[""], second["spread"], second["seeds"], second["training time"]) == ("A", "± 1.4", 2, "10 s")
    assert second["parameters"] == "378,658"


def test_the_text_of_a_race() -> None:
    """Differences within the spread are not called differences; with one seed the spread is unknown."""
    apart = words.race_text(standings(PLAN, {0: 0.8, 1: 0.82, 2: 0.9, 3: 0.91}))
    assert apart == "half and mini: 9.5 percentage points apart, more than the spread of the seeds."
    close = words.race_text(standings(PLAN, {0: 0.8, 1: 0.9, 2: 0.85, 3: 0.87}))
    assert "**within the spread**" in close
    single = words.race_text(standings(PLAN.replace(seeds=(0,)), {0: 0.8, 1: 0.9}))
    assert "**half** is ahead of mini by 10.0 percentage points" in single
    assert "may be luck" in single
    assert words.race_text(standings(PLAN, {0: 0.8, 1: 0.9})) == ""


def test_networks_that_are_hard_to_train() -> None:
    """A network without BatchNorm, by its name, with its learning rate; with BatchNorm there is no caution."""
    assert words.training_caution(PLAN.replace(networks=PLAN.networks[:1])) == ""
    text = words.training_caution(PLAN)
    assert text.startswith("half has no BatchNorm and is hard to train: at learning rates above 0.01 ")
    assert "0.3" in words.training_caution(PLAN.replace(settings=Settings(learning_rate=0.3)))
