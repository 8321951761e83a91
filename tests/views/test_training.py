"""A run in sentences: its plan, its settings, its progress, its place in the queue."""

import pytest

from explorer import PRESETS
from explorer.history import Version
from explorer.runs.records import STATES, Run, TrainerProgress
from explorer.training.plan import DATASETS, Budget, NamedNetwork, Plan, Settings
from explorer.views import training as words

MINI = PRESETS["mini"]
MINI = PRESETS["mini"]
FASHION = DATASETS["fashion_mnist"]
PLAN = Plan(
    networks=tuple(NamedNetwork(name=name, config=PRESETS[name]) for name in ("mini", "half")),
    budget=Budget(kind="steps", amount=100.0),
    seeds=(0, 1),
)


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


def test_networks_that_are_hard_to_train() -> None:
    """A network without BatchNorm, by its name, with its learning rate; with BatchNorm there is no caution."""
    assert words.training_caution(PLAN.replace(networks=PLAN.networks[:1])) == ""
    text = words.training_caution(PLAN)
    assert text == (
        "half has no BatchNorm and is hard to train: in a short run the accuracy can stay near guessing, and at "
        "learning rates above 0.01 the loss can diverge."  # it may, and no more is known before it has run
    )
    assert "0.3" in words.training_caution(PLAN.replace(settings=Settings(learning_rate=0.3)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "mini"),
        ({"aux": MINI.aux.replace(taps=())}, "mini without heads"),
        ({"aux": MINI.aux.replace(taps=("4a",))}, "mini with heads at 4a"),
        ({"normalisation": "none", "conv_bias": True}, "mini without normalisation"),
        ({"dropout": 0.1}, "mini, dropout 0.1"),
        ({"input_shape": (1, 32, 32), "classes": 3}, "mini"),
        ({"modules": MINI.modules[:-1]}, "mini, 5b removed"),
        ({"modules": (MINI.modules[0].replace(ch3x3_reduce=None), *MINI.modules[1:])}, "mini, 3a #3×3 reduce blank"),
        ({"dropout": 0.1, "pooling": "padded"}, "mini, 2 edits"),
    ],
)
def test_a_name_says_what_differs(changes: dict[str, object], expected: str) -> None:
    """One edit is named, several are counted; the name is valid in a plan."""
    name = words.network_name(Version("mini", MINI.replace(**changes)))
    assert name == expected
    NamedNetwork(name=name, config=MINI)


@pytest.mark.parametrize(
    ("test", "expected"), [(2_000, "a sample of 500 test images, the last one of all 2,000"), (400, "of all 400 test")]
)
def test_the_points_of_a_test_curve_say_of_how_many_images_they_are(test: int, expected: str) -> None:
    """Interim ones are of a sample, the last one of all."""
    assert expected in words.test_points_text(FASHION.replace(test=test), has_bars=False)
    assert "at most 500" in words.test_points_text(None, has_bars=False)
    assert "Bars are 95 % intervals" in words.test_points_text(None, has_bars=True)


def test_one_step_is_not_steps() -> None:
    """A number and its noun agree."""
    assert (words.count(1, "step"), words.count(2_000, "step")) == ("1 step", "2,000 steps")


def test_what_the_bands_of_several_seeds_are() -> None:
    """Nothing for one seed; with two, test images only; with three, seeds too; and what holds for both kinds."""
    assert words.means_text([1, 1]) == ""
    two, three, both = words.means_text([2]), words.means_text([1, 3]), words.means_text([2, 3])
    assert "over the choice of test images (Wilson); for seeds, and for the loss, it takes 3 seeds." in two
    assert "of seeds and of test images, of the loss over the choice of seeds (Student's t)." in three
    assert both == f"{three} With fewer than 3 seeds it covers only the test images, and the loss has none."
