"""The training loop: deterministic, resumable, with the events of all trainers."""

import json
import math
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from pathlib import Path

import pytest
import torch

from explorer import GoogLeNetConfig, UnbuildableError
from explorer.data.datasets import load
from explorer.data.weight_files import read_metadata
from explorer.live import trainer as trainer_module
from explorer.live import training
from explorer.live.batches import resize_images
from explorer.live.training import Training, train
from explorer.live.weights import WeightsError, load_weights, restore_model
from explorer.training.events import AnyEvent, Diverged, Evaluated, Finished, Started, Stepped
from explorer.training.plan import Budget, DatasetChoice, NamedNetwork, Plan, Settings, learning_rate_at, step_macs
from tests.live.tiny_training import NEWER, PLAIN, TINY, images

pytestmark = pytest.mark.slow

STEPS = Budget(kind="steps", amount=8.0)


@pytest.fixture(autouse=True)
def small_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use the small images for every plan, evaluate however long it takes, and use one thread."""
    monkeypatch.setattr(training, "load", lambda data, folder: images())
    monkeypatch.setattr(training, "EVALUATION_FRACTION", 1_000.0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def plan(*configs: GoogLeNetConfig, budget: Budget = STEPS, seeds: tuple[int, ...] = (0,), **settings: object) -> Plan:
    """Return a plan for some networks, called a, b and on."""
    networks = tuple(NamedNetwork(name="abcd"[index], config=config) for index, config in enumerate(configs or (TINY,)))
    return Plan(networks=networks, settings=Settings(**{"batch_size": 16} | settings), budget=budget, seeds=seeds)


def without_times(events: list[AnyEvent]) -> list[AnyEvent]:
    """Return the events with all times set to 0."""
    return [event.replace(seconds=0.0) for event in events]


def run(requested: Plan) -> list[AnyEvent]:
    """Return all events of a plan."""
    return list(train(requested, Path()))


def test_the_events_of_a_run() -> None:
    """It starts, takes the steps, evaluates ten times, the last time on all test images, and finishes."""
    events = run(plan(budget=Budget(kind="steps", amount=20.0)))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    steps = [event for event in events if isinstance(event, Stepped)]
    assert list(range(1, 21)) == [event.step for event in steps]
    assert [event.step * 16 for event in steps] == [event.images for event in steps]
    assert {"3a"} == steps[0].aux_losses.keys()
    assert {"stem", "3a", "4a", "aux_3a", "classifier"} == steps[0].gradients.keys()
    assert [1, 10, 20] == [event.step for event in steps if event.gradients]
    evaluations = [event for event in events if isinstance(event, Evaluated)]
    assert [False] * 9 + [True] == [event.final for event in evaluations]
    assert sum(map(sum, evaluations[-1].confusion)) == 30
    assert events[-1].accuracy == evaluations[-1].accuracy
    assert [event.progress for event in steps] == [pytest.approx(step / 20) for step in range(1, 21)]


def test_the_last_evaluation_has_each_image() -> None:
    """Which test images were classified correctly, and, after an epoch only, training images; interim ones do not."""
    *interim, last = (event for event in run(plan(TINY)) if isinstance(event, Evaluated))
    assert last.results
    assert last.accuracy == pytest.approx(sum(last.results.correct) / last.results.images)
    assert last.training_sample
    assert all(event.results is event.training_sample is None for event in interim)
    *_, short, _ = run(plan(TINY, budget=Budget(kind="steps", amount=2)))
    assert isinstance(short, Evaluated)
    assert short.results
    assert short.training_sample is None


@pytest.mark.parametrize(("steps", "interim"), [(20.0, 0), (100.0, 4), (200.0, 9)])
def test_evaluation_takes_no_more_than_its_fraction(
    monkeypatch: pytest.MonkeyPatch, steps: float, interim: int
) -> None:
    """A short run is evaluated at its end, a longer one more often, with at most a quarter of training's passes."""
    monkeypatch.setattr(training, "EVALUATION_FRACTION", 0.25)
    events = run(plan(budget=Budget(kind="steps", amount=steps)))
    evaluations = [event for event in events if isinstance(event, Evaluated)]
    assert [False] * interim + [True] == [event.final for event in evaluations]
    assert interim * (30 + 4 * 48) <= 0.25 * 3 * 16 * steps


def test_it_learns() -> None:
    """The loss falls, and far more test images than by chance are classified correctly."""
    events = run(plan(budget=Budget(kind="steps", amount=60.0)))
    losses = [event.loss for event in events if isinstance(event, Stepped)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert events[-1].accuracy > 0.8


@pytest.mark.parametrize("final", [False, True])
def test_an_evaluation_that_is_not_finite_ends_the_trainer(monkeypatch: pytest.MonkeyPatch, final: bool) -> None:
    """It is not a result that can be stored or shown; the other trainer continues."""
    requested = plan(TINY, TINY, budget=Budget(kind="steps", amount=20.0))
    training_run = train(requested, Path())
    evaluate = training_run.trainers[0].evaluate
    monkeypatch.setattr(
        training_run.trainers[0],
        "evaluate",
        lambda sample=None: evaluate(sample)._replace(loss=math.nan) if (sample is None) == final else evaluate(sample),
    )
    events = list(training_run)
    (diverged,) = [event for event in events if isinstance(event, Diverged)]
    assert (0, 20 if final else 2) == (diverged.trainer, diverged.step)
    assert diverged == [event for event in events if event.trainer == 0][-1]
    assert [1] == [event.trainer for event in events if isinstance(event, Finished)]


def test_trainers_that_take_turns_on_a_gpu_wait_for_each_step() -> None:
    """A GPU still works when a step returns: a race waits for each step, a single trainer does not."""
    assert (10, 1) == (training._report_interval("cuda", 1), training._report_interval("cuda", 2))
    assert {1} == {training._report_interval("cpu", trainers) for trainers in (1, 2)}


class Clock:
    """A clock that goes on by a fixed time whenever it is read, and by what the test adds."""

    def __init__(self, tick_s: float) -> None:
        self.tick_s, self.now = tick_s, 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        self.now += self.tick_s
        return self.now

    def add(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def test_waiting_for_a_gpu_is_time_of_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before an evaluation and before a checkpoint."""
    clock = Clock(0)
    monkeypatch.setattr(trainer_module, "perf_counter", clock)
    monkeypatch.setattr(training, "_report_interval", lambda device, trainers: 10)
    monkeypatch.setattr(training, "EVALUATIONS", 2)
    monkeypatch.setattr(trainer_module, "synchronize", lambda device: clock.add(0.5))
    training_run = train(plan(), tmp_path)  # none of the 8 steps has an event
    times = {event.step: event.seconds for event in training_run if isinstance(event, Evaluated)}
    assert times == {4: 0.5, 8: 1.0}
    trainer = training_run.trainers[0]
    assert trainer.seconds == 1.0, "it has already waited"
    trainer.step(1.0)
    training_run.save(tmp_path)
    assert trainer.seconds == 1.5


def test_an_old_plan_trains_as_before() -> None:
    """The newer settings of a plan stored without them have the values of before, and each one is covered above."""
    document = json.loads(plan(TINY).model_dump_json())
    for name in NEWER.keys() - {"precision"}:
        del document["settings"][name]
    old = Plan.model_validate_json(json.dumps(document))
    assert old.settings == Settings(batch_size=16)
    changed = {name for name, value in Settings() if value != getattr(Settings(**NEWER), name)}
    assert NEWER.keys() == changed


def test_networks_may_have_their_own_settings() -> None:
    """Each trainer has those of its network; without its own, those of the plan."""
    requested = plan(TINY, TINY, label_smoothing=0.2)
    first, second = requested.networks
    race = train(requested.replace(networks=(first, second.replace(settings=Settings(batch_size=8)))), Path())
    assert [0.2, 0.0] == [trainer.settings.label_smoothing for trainer in race.trainers]
    assert [16, 8] == [event.images for event in list(race) if isinstance(event, Stepped) and event.step == 1]


@pytest.mark.parametrize(("optimiser", "augment"), [("sgd", True), ("adam", False)])
def test_the_same_seed_gives_the_same_curve(optimiser: str, augment: bool) -> None:
    """Exactly; another seed gives another curve."""
    requested = plan(optimiser=optimiser, augment=augment)
    first = without_times(run(requested))
    assert first == without_times(run(requested))
    assert first != without_times(run(requested.replace(seeds=(1,))))


@pytest.mark.parametrize("newer", [{}, NEWER])
@pytest.mark.parametrize(("optimiser", "stopped_at"), [("sgd", 0), ("sgd", 5), ("adam", 1), ("adam", 8)])
def test_it_resumes_from_a_checkpoint_to_the_same_weights(
    tmp_path: Path, optimiser: str, stopped_at: int, newer: Mapping[str, object]
) -> None:
    """Weights and events equal those of an uninterrupted run exactly, for every trainer and setting."""
    requested = plan(TINY, PLAIN, optimiser=optimiser, **newer)
    whole = train(requested, tmp_path)
    expected = without_times(list(whole))
    stopped = train(requested, tmp_path)
    for event in stopped:
        if (event.trainer, event.step) == (1, stopped_at) and (isinstance(event, Stepped) or stopped_at == 0):
            break
    stopped.save(tmp_path)
    resumed = train(requested, tmp_path, tmp_path)
    events = without_times(list(resumed))
    for resumed_trainer, trainer in zip(resumed.trainers, whole.trainers, strict=True):
        assert 8 == resumed_trainer.steps
        for name, tensor in trainer.model.state_dict().items():
            assert torch.equal(tensor, resumed_trainer.model.state_dict()[name]), name
    assert [e for e in expected if e.step > stopped_at + 1] == [e for e in events if e.step > stopped_at + 1]


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    """So is a damaged one, and one that does not exist."""
    train(plan(TINY), tmp_path).save(tmp_path)
    with pytest.raises(WeightsError):
        train(plan(PLAIN), tmp_path, tmp_path)
    (tmp_path / "lane0.rest.safetensors").write_bytes(b"x")
    with pytest.raises(WeightsError):
        train(plan(TINY), tmp_path, tmp_path)
    with pytest.raises(WeightsError):
        train(plan(TINY), tmp_path, tmp_path / "nowhere")


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    """A checkpoint has the other trainers, with their steps; the missing trainer starts from the beginning."""
    requested = plan(TINY, PLAIN)
    race = train(requested, tmp_path)
    for event in race:
        if (event.trainer, event.step) == (1, 3):
            break
    with torch.no_grad():
        next(race.trainers[1].model.parameters()).fill_(math.nan)
    assert {0: 3} == race.save(tmp_path)
    assert [3, 0] == [event.step for event in islice(train(requested, tmp_path, tmp_path), 2)]


def test_a_diverged_trainer_is_not_saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not even with finite weights, so that the previous checkpoint is not replaced by one that diverges again."""
    race = train(plan(TINY, PLAIN), tmp_path)
    step = race.trainers[1].step
    monkeypatch.setattr(race.trainers[1], "step", lambda progress: step(progress)._replace(loss=torch.tensor(math.inf)))
    for event in race:
        if isinstance(event, Diverged):
            break
    assert race.trainers[1].has_finite_weights
    assert [0] == list(race.save(tmp_path))


def test_weights_have_metadata(tmp_path: Path) -> None:
    """Enough to use them without the run: they classify the test images as in the run."""
    done = train(plan(), tmp_path)
    *_, finished = done
    done.save(tmp_path)
    path = tmp_path / "lane0.weights.safetensors"
    metadata, model, test = read_metadata(path), restore_model(load_weights(path)).eval(), images()
    assert ("a", 8, finished.accuracy, images().info) == (
        metadata.name,
        metadata.steps,
        metadata.accuracy,
        metadata.facts,
    )
    pixels = (torch.tensor(test.test).float() / 255 - torch.tensor(metadata.mean)[:, None, None]) / torch.tensor(
        metadata.std
    )
    with torch.inference_mode():
        predicted = model(pixels).argmax(1)
    assert finished.accuracy == pytest.approx((predicted == torch.tensor(test.test_labels)).float().mean().item())
    (tmp_path / "x").write_bytes(b"")
    assert read_metadata(tmp_path / "x") is None


def test_equal_networks_have_equal_curves() -> None:
    """In a race of a network with itself all numbers are equal, for every seed."""
    events = without_times(run(plan(TINY, TINY, seeds=(0, 3))))
    curves = [[event.replace(trainer=0) for event in events if event.trainer == trainer] for trainer in range(4)]
    assert curves[0] == curves[2]
    assert curves[1] == curves[3]
    assert curves[0] != curves[1]


def test_trainers_with_equal_steps_step_in_turn() -> None:
    """No trainer is ever more than a step ahead of another."""
    steps = [0, 0, 0]
    for event in run(plan(TINY, PLAIN, TINY)):
        steps[event.trainer] = event.step
        assert max(steps) - min(steps) <= 1


def test_a_race_equals_separate_runs() -> None:
    """A trainer does not depend on the others."""
    together = without_times(run(plan(TINY, PLAIN)))
    for trainer, config in enumerate((TINY, PLAIN)):
        alone = without_times(run(plan(config)))
        assert alone == [event.replace(trainer=0) for event in together if event.trainer == trainer]


def test_equal_macs_give_the_cheaper_network_more_steps() -> None:
    """Each uses its budget except for less than one step, and both end together."""
    wide = TINY.replace(stem=TINY.stem.replace(conv2=32))
    budget = 40 * step_macs(wide, Settings(batch_size=16), images().info)
    finished = [
        event
        for event in run(plan(TINY, wide, budget=Budget(kind="macs", amount=float(budget))))
        if isinstance(event, Finished)
    ]
    ratio = step_macs(wide, Settings(), images().info) / step_macs(TINY, Settings(), images().info)
    assert {1: 40, 0: int(40 * ratio)} == {event.trainer: event.step for event in finished}


def test_a_timed_budget_ends_in_time_with_its_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with the first step that exceeds it, and the learning rate follows the fraction of the time."""
    monkeypatch.setattr(trainer_module, "perf_counter", Clock(0.03))
    events = run(plan(budget=Budget(amount=0.5)))
    steps = [event for event in events if isinstance(event, Stepped)]
    assert steps[-2].seconds < 0.5 <= steps[-1].seconds
    for before, after in pairwise(steps):
        assert after.learning_rate == pytest.approx(
            learning_rate_at(Settings(), events[0].learning_rate, before.progress, 0)
        )


def test_a_loss_that_is_not_finite_ends_one_trainer() -> None:
    """The message has the step and the learning rate; the other trainer finishes."""
    race, events = train(plan(TINY, PLAIN), Path()), []
    for event in race:
        events.append(event)
        if isinstance(event, Evaluated) and (event.trainer, event.step) == (1, 4):
            race.trainers[1].model.classifier.fc.weight.data.fill_(torch.inf)
    (diverged,) = [event for event in events if isinstance(event, Diverged)]
    assert (1, 5) == (diverged.trainer, diverged.step)
    assert "At step 5 the loss was not finite" in diverged.message
    assert [0] == [event.trainer for event in events if isinstance(event, Finished)]


def test_a_plan_with_problems_is_refused() -> None:
    """Its problems are raised before a network is built."""
    with pytest.raises(UnbuildableError, match="Batch size"):
        Training(plan(batch_size=1), Path())


def test_notes_for_the_reader() -> None:
    """About BatchNorm's statistics, and about a precision that is not used here."""
    (started, *_) = run(plan(PLAIN, precision="bf16"))
    assert ("bfloat16 is used on CUDA only: this runs in float32.",) == started.notes
    (started, *_) = run(plan())
    assert "running statistics are recomputed over 48 training images" in started.notes[0]  # there are no more


def test_images_are_enlarged_for_a_network_that_takes_larger_ones() -> None:
    """And shrunk for one that takes smaller; those of the right size are not touched."""
    batch = torch.rand(2, 1, 12, 12)
    assert resize_images(batch, (12, 12)) is batch
    assert (2, 1, 24, 6) == resize_images(batch, (24, 6)).shape
    run(plan(TINY.replace(input_shape=(1, 24, 24)), budget=Budget(kind="steps", amount=1.0)))


@pytest.mark.gpu
def test_on_cuda_the_same_seed_gives_the_same_curve() -> None:
    """In both precisions."""
    for precision in ("fp32", "bf16"):
        requested = plan(device="cuda", precision=precision, budget=Budget(kind="steps", amount=30.0))
        assert without_times(run(requested)) == without_times(run(requested))


def test_the_images_are_those_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are loaded from the data directory."""
    loaded = []
    monkeypatch.setattr(training, "load", lambda data, folder: loaded.append((data, folder)) or images())
    train(plan().replace(data=DatasetChoice(name="own", upload="ab")), tmp_path)
    assert [(DatasetChoice(name="own", upload="ab"), tmp_path)] == loaded
    assert load is not training.load
