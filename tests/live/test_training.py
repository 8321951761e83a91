"""Training: a loop whose course follows from the plan alone, that goes on exactly, and judges fairly."""

import math
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from time import sleep

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from explorer import GoogLeNetConfig, InceptionModule, UnbuildableError
from explorer.config import AuxiliaryHeads, Stem
from explorer.data.datasets import ImageSet, load
from explorer.data.metadata import WeightsMetadata, read_metadata
from explorer.live import training
from explorer.live.batches import Batches, resize_images
from explorer.live.training import Trainer, Training, train
from explorer.live.weights import WeightsError, load_weights, restore_model
from explorer.training.events import AnyEvent, Diverged, Evaluated, Finished, Started, Stepped
from explorer.training.plan import (
    DATASETS,
    Budget,
    DatasetChoice,
    NamedNetwork,
    Plan,
    Settings,
    learning_rate_at,
    step_macs,
)

CPU = torch.device("cpu")
TINY = GoogLeNetConfig(
    input_shape=(1, 12, 12),
    stem=Stem(kind="small", conv1=4, conv2_reduce=4, conv2=8),
    modules=(
        InceptionModule(name="3a", ch1x1=4, ch3x3_reduce=4, ch3x3=4, ch5x5_reduce=2, ch5x5=2, pool_proj=2),
        InceptionModule(name="4a", ch1x1=4, ch3x3_reduce=4, ch3x3=4, ch5x5_reduce=2, ch5x5=2, pool_proj=2),
    ),
    normalisation="batch_norm",
    conv_bias=False,
    aux=AuxiliaryHeads(taps=("3a",), conv=4, hidden=8),
    classes=3,
)
PLAIN = TINY.replace(normalisation="none", conv_bias=True)
STEPS = Budget(kind="steps", amount=8.0)


def images(train: int = 48, test: int = 30) -> ImageSet:
    """Return images of three classes that can be told by where they are bright."""
    generator = np.random.default_rng(0)
    known = DATASETS["fashion_mnist"].replace(shape=(1, 12, 12), classes=("a", "b", "c"), train=train, test=test)
    parts = []
    for count in (train, test):
        labels = np.arange(count) % 3
        pixels = generator.integers(0, 120, (count, 1, 12, 12))
        for number, label in enumerate(labels):
            pixels[number, :, 4 * label : 4 * label + 4] += 100
        parts += [pixels.astype(np.uint8), labels]
    return ImageSet(known, *parts)


@pytest.fixture(autouse=True)
def small_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every plan be about the small images, judge them however long it takes, and PyTorch use one core."""
    monkeypatch.setattr(training, "load", lambda data, folder: images())
    monkeypatch.setattr(training, "EVALUATION_SHARE", 1_000.0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def plan(*configs: GoogLeNetConfig, budget: Budget = STEPS, seeds: tuple[int, ...] = (0,), **settings: object) -> Plan:
    """Return a plan for some networks, called a, b and on."""
    entrants = tuple(
        NamedNetwork(name="abcd"[number], config=config) for number, config in enumerate(configs or (TINY,))
    )
    return Plan(entrants=entrants, settings=Settings(**{"batch_size": 16} | settings), budget=budget, seeds=seeds)


def timeless(events: list[AnyEvent]) -> list[AnyEvent]:
    """Return the events without what the clock said."""
    return [event.replace(seconds=0.0) for event in events]


def run(asked: Plan) -> list[AnyEvent]:
    """Return all events of a plan."""
    return list(train(asked, Path()))


def test_a_run_tells_its_course() -> None:
    """It starts, tells every step, judges the test images ten times, the last time all of them, and finishes."""
    events = run(plan(budget=Budget(kind="steps", amount=20.0)))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    steps = [event for event in events if isinstance(event, Stepped)]
    assert list(range(1, 21)) == [event.step for event in steps]
    assert [event.step * 16 for event in steps] == [event.images for event in steps]
    assert {"3a"} == steps[0].aux_losses.keys()
    assert {"stem", "3a", "4a", "aux_3a", "classifier"} == steps[0].gradients.keys()
    assert [1, 10, 20] == [event.step for event in steps if event.gradients]
    judged = [event for event in events if isinstance(event, Evaluated)]
    assert [False] * 9 + [True] == [event.final for event in judged]
    assert sum(map(sum, judged[-1].confusion)) == 30
    assert events[-1].accuracy == judged[-1].accuracy
    assert [event.share for event in steps] == [pytest.approx(step / 20) for step in range(1, 21)]


@pytest.mark.parametrize(("steps", "on_the_way"), [(20.0, 0), (100.0, 4), (200.0, 9)])
def test_judging_takes_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch, steps: float, on_the_way: int) -> None:
    """A short run is judged at its end; a longer one more often; as many images as a quarter of training's passes."""
    monkeypatch.setattr(training, "EVALUATION_SHARE", 0.25)
    events = run(plan(budget=Budget(kind="steps", amount=steps)))
    judged = [event for event in events if isinstance(event, Evaluated)]
    assert [False] * on_the_way + [True] == [event.final for event in judged]
    assert on_the_way * (30 + 4 * 48) <= 0.25 * 3 * 16 * steps


def test_it_learns() -> None:
    """The loss falls, and test images are told right far more often than by chance."""
    events = run(plan(budget=Budget(kind="steps", amount=60.0)))
    losses = [event.loss for event in events if isinstance(event, Stepped)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert events[-1].accuracy > 0.8


def test_a_sample_of_test_images_is_of_all_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of a set that is stored class by class; always the same ones, and mistakes are told by their place in it."""
    whole = images(test=60)
    by_class = whole.test_labels.argsort(kind="stable")
    stored = ImageSet(whole.info, whole.train, whole.train_labels, whole.test[by_class], whole.test_labels[by_class])
    lane = Trainer(TINY, Batches(stored, CPU), Settings(), seed=0)
    found = lane.evaluate(20)
    assert 20 == sum(map(sum, found.confusion))
    assert min(map(sum, found.confusion)) >= 3
    assert found == lane.evaluate(20)
    assert all(stored.test_labels[mistake.index] == mistake.truth for mistake in found.mistakes)


@pytest.mark.parametrize("final", [False, True])
def test_an_evaluation_without_a_number_ends_the_lane(monkeypatch: pytest.MonkeyPatch, final: bool) -> None:
    """It is no result that could be kept or shown; the other lane goes on."""
    asked = plan(TINY, TINY, budget=Budget(kind="steps", amount=20.0))
    course = train(asked, Path())
    judge = course.lanes[0].evaluate
    monkeypatch.setattr(
        course.lanes[0],
        "evaluate",
        lambda sample=None: judge(sample)._replace(loss=math.nan) if (sample is None) == final else judge(sample),
    )
    events = list(course)
    (diverged,) = [event for event in events if isinstance(event, Diverged)]
    assert (0, 20 if final else 2) == (diverged.lane, diverged.step)
    assert diverged == [event for event in events if event.lane == 0][-1]
    assert [1] == [event.lane for event in events if isinstance(event, Finished)]


def test_lanes_that_take_turns_on_a_gpu_pay_for_themselves() -> None:
    """A GPU works on after a step was asked for: each step of a race is waited for, those of one lane are not."""
    assert (10, 1) == (training._told_every("cuda", 1), training._told_every("cuda", 2))
    assert {1} == {training._told_every("cpu", lanes) for lanes in (1, 2)}


def test_steps_that_a_gpu_still_works_on_are_paid_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before an evaluation and before a checkpoint: what is waited for then is time of training."""
    monkeypatch.setattr(training, "_told_every", lambda device, lanes: 10)
    monkeypatch.setattr(training, "EVALUATIONS", 2)
    monkeypatch.setattr(training, "wait", lambda device: sleep(0.5))
    course = train(plan(), tmp_path)  # of 8 steps none is told
    times = {event.step: event.seconds for event in course if isinstance(event, Evaluated)}
    assert times[4] >= 0.5
    assert times[8] >= times[4] + 0.5
    lane = course.lanes[0]
    assert lane.seconds == times[8], "nothing is left to wait for"
    lane.step(1.0)
    course.save(tmp_path)
    assert lane.seconds >= times[8] + 0.5


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_momentum_is_in_nesterovs_form(momentum: float, decay: float) -> None:
    """The first step goes 1 + μ times along gradient and decay, and leaves the gradient, which is told, as it was."""
    settings = Settings(batch_size=16, momentum=momentum, learning_rate=0.01, schedule="constant", weight_decay=decay)
    lane = Trainer(TINY, Batches(images(), CPU), settings, seed=0)
    before = [weight.detach().clone() for weight in lane.model.parameters()]
    lane.step(0.0)
    for weight, was in zip(lane.model.parameters(), before, strict=True):
        gone = 0.01 * (1 + momentum) * (weight.grad + decay * was)
        torch.testing.assert_close(weight.detach(), was - gone, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("optimiser", "augment"), [("sgd", True), ("adam", False)])
def test_the_same_seed_gives_the_same_curve(optimiser: str, augment: bool) -> None:
    """Number by number; another seed gives another."""
    asked = plan(optimiser=optimiser, augment=augment)
    first = timeless(run(asked))
    assert first == timeless(run(asked))
    assert first != timeless(run(asked.replace(seeds=(1,))))


@pytest.mark.parametrize(("optimiser", "stopped_at"), [("sgd", 0), ("sgd", 5), ("adam", 1), ("adam", 8)])
def test_it_goes_on_from_a_checkpoint_to_the_same_weights(tmp_path: Path, optimiser: str, stopped_at: int) -> None:
    """Bit for bit those of a run that was never interrupted, in every lane, and so are the events after it."""
    asked = plan(TINY, PLAIN, optimiser=optimiser)
    whole = train(asked, tmp_path)
    expected = timeless(list(whole))
    stopped = train(asked, tmp_path)
    for event in stopped:
        if (event.lane, event.step) == (1, stopped_at) and (isinstance(event, Stepped) or stopped_at == 0):
            break
    stopped.save(tmp_path)
    resumed = train(asked, tmp_path, tmp_path)
    events = timeless(list(resumed))
    for ours, theirs in zip(resumed.lanes, whole.lanes, strict=True):
        assert 8 == ours.count
        for name, tensor in theirs.model.state_dict().items():
            assert torch.equal(tensor, ours.model.state_dict()[name]), name
    assert [e for e in expected if e.step > stopped_at + 1] == [e for e in events if e.step > stopped_at + 1]


def averages(state: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return all of BatchNorm's running averages."""
    return torch.cat([tensor for name, tensor in sorted(state.items()) if "running" in name])


def test_weights_are_of_use_before_the_run_is_done(tmp_path: Path) -> None:
    """Their averages do not lag behind, as they do after a few steps; after an evaluation they are those it took."""
    lane = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16), seed=0)
    for _ in range(3):
        lane.step(0.5)
    lagging = averages(lane.model.state_dict()).clone()
    said = WeightsMetadata(name="a", facts=images().info, mean=(0.0,), std=(1.0,), seed=0, steps=3, seconds=0.0)
    lane.save(tmp_path, 0, said)
    saved = averages(load_weights(tmp_path / "lane0.weights.safetensors").state)
    lane.evaluate()
    anew = averages(lane.model.state_dict())
    assert (saved - anew).abs().sum() < 0.25 * (lagging - anew).abs().sum()
    lane.save(tmp_path, 0, said)
    assert torch.equal(anew, averages(load_weights(tmp_path / "lane0.weights.safetensors").state))


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    """Also a damaged one, and none at all; each in a sentence."""
    train(plan(TINY), tmp_path).save(tmp_path)
    with pytest.raises(WeightsError):
        train(plan(PLAIN), tmp_path, tmp_path)
    (tmp_path / "lane0.rest.safetensors").write_bytes(b"x")
    with pytest.raises(WeightsError):
        train(plan(TINY), tmp_path, tmp_path)
    with pytest.raises(WeightsError):
        train(plan(TINY), tmp_path, tmp_path / "nowhere")


def test_weights_that_are_no_numbers_are_not_saved(tmp_path: Path) -> None:
    """A checkpoint holds the good lanes, with their steps; a lane that it lacks begins anew."""
    asked = plan(TINY, PLAIN)
    race = train(asked, tmp_path)
    for event in race:
        if (event.lane, event.step) == (1, 3):
            break
    with torch.no_grad():
        next(race.lanes[1].model.parameters()).fill_(math.nan)
    assert {0: 3} == race.save(tmp_path)
    assert [3, 0] == [event.step for event in islice(train(asked, tmp_path, tmp_path), 2)]


def test_weights_say_how_they_came_about(tmp_path: Path) -> None:
    """Enough to use them without the run: they judge the test images as the run did."""
    done = train(plan(), tmp_path)
    *_, finished = done
    done.save(tmp_path)
    path = tmp_path / "lane0.weights.safetensors"
    told, model, test = read_metadata(path), restore_model(load_weights(path)).eval(), images()
    assert ("a", 8, finished.accuracy, images().info) == (told.name, told.steps, told.accuracy, told.facts)
    pixels = (torch.tensor(test.test).float() / 255 - torch.tensor(told.mean)[:, None, None]) / torch.tensor(told.std)
    with torch.inference_mode():
        said = model(pixels).argmax(1)
    assert finished.accuracy == pytest.approx((said == torch.tensor(test.test_labels)).float().mean().item())
    (tmp_path / "x").write_bytes(b"")
    assert read_metadata(tmp_path / "x") is None


def test_equal_entrants_have_equal_curves() -> None:
    """In a race of two with the same network every number is the same, for every seed."""
    events = timeless(run(plan(TINY, TINY, seeds=(0, 3))))
    curves = [[event.replace(lane=0) for event in events if event.lane == lane] for lane in range(4)]
    assert curves[0] == curves[2]
    assert curves[1] == curves[3]
    assert curves[0] != curves[1]


def test_lanes_with_equal_steps_go_in_lockstep() -> None:
    """No lane is ever more than a step ahead of another."""
    taken = [0, 0, 0]
    for event in run(plan(TINY, PLAIN, TINY)):
        taken[event.lane] = event.step
        assert max(taken) - min(taken) <= 1


def test_a_race_equals_the_runs_apart() -> None:
    """What a lane does is not touched by the others."""
    together = timeless(run(plan(TINY, PLAIN)))
    for lane, config in enumerate((TINY, PLAIN)):
        alone = timeless(run(plan(config)))
        assert alone == [event.replace(lane=0) for event in together if event.lane == lane]


def test_equal_macs_give_the_cheaper_network_more_steps() -> None:
    """Each spends what it is given, less than one step short of it; and both end together."""
    wide = TINY.replace(stem=TINY.stem.replace(conv2=32))
    given = 40 * step_macs(wide, Settings(batch_size=16), images().info)
    finished = [
        event
        for event in run(plan(TINY, wide, budget=Budget(kind="macs", amount=float(given))))
        if isinstance(event, Finished)
    ]
    ratio = step_macs(wide, Settings(), images().info) / step_macs(TINY, Settings(), images().info)
    assert {1: 40, 0: int(40 * ratio)} == {event.lane: event.step for event in finished}


def test_a_timed_budget_ends_in_time_with_its_schedule() -> None:
    """It ends with the first step that fills it, and the learning rate follows the share of the time."""
    events = run(plan(budget=Budget(amount=0.5)))
    steps = [event for event in events if isinstance(event, Stepped)]
    assert steps[-2].seconds < 0.5 <= steps[-1].seconds
    for before, after in pairwise(steps):
        assert after.learning_rate == pytest.approx(
            learning_rate_at(Settings(), events[0].learning_rate, before.share, 0)
        )


def test_a_loss_that_is_no_number_ends_the_lane_and_no_other() -> None:
    """It is told with the step and the learning rate; the other lane finishes."""
    race, events = train(plan(TINY, PLAIN), Path()), []
    for event in race:
        events.append(event)
        if isinstance(event, Evaluated) and (event.lane, event.step) == (1, 4):
            race.lanes[1].model.classifier.fc.weight.data.fill_(torch.inf)
    (diverged,) = [event for event in events if isinstance(event, Diverged)]
    assert (1, 5) == (diverged.lane, diverged.step)
    assert "At step 5 the loss was no longer a number" in diverged.message
    assert [0] == [event.lane for event in events if isinstance(event, Finished)]


def test_batch_norm_does_not_lag() -> None:
    """After a few large steps running averages judge badly; taken anew they judge as a batch of its own does."""
    lane = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16, learning_rate=0.05, augment=False), 0)
    for _ in range(6):
        lane.step(0.25)
    test = lane.batches.standardised(lane.batches.test)

    def distance() -> float:
        """How far the network in use is from the network in training."""
        with torch.no_grad():
            lane.model.eval()
            used = lane.model(test)
            lane.model.train()
            for layer in lane.model.modules():
                if isinstance(layer, torch.nn.Dropout):
                    layer.eval()
            return (used - lane.model(test).logits).norm().item()

    lagging = distance()
    lane.evaluate()
    assert distance() < 0.5 * lagging
    assert {0.1} == {layer.momentum for layer in lane.model.modules() if isinstance(layer, torch.nn.BatchNorm2d)}


def test_evaluation_counts_what_the_network_says() -> None:
    """Against a plain count, image by image; the surest mistakes come first."""
    lane = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16), 0)
    for _ in range(3):
        lane.step(0.25)
    found = lane.evaluate()
    with torch.no_grad():
        logits = lane.model(lane.batches.standardised(lane.batches.test))
    truth, surest, said = images().test_labels, *logits.softmax(1).max(1)
    for row in range(3):
        for column in range(3):
            assert found.confusion[row][column] == sum((truth == row) & (said.numpy() == column))
    assert found.accuracy == pytest.approx(np.mean(truth == said.numpy()))
    assert found.loss == pytest.approx(F.cross_entropy(logits, torch.tensor(truth)).item(), rel=1e-4)
    wrong = [number for number in range(30) if truth[number] != said[number]]
    assert sorted(wrong, key=lambda n: -surest[n])[:24] == [mistake.index for mistake in found.mistakes]
    for index, true, told, probability in found.mistakes:
        assert (truth[index], said[index]) == (true, told)
        assert surest[index].item() == pytest.approx(probability, rel=1e-4)


def test_gradients_are_the_norms_of_the_last_step() -> None:
    """Per block, over all its parameters together."""
    lane = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16), 0)
    lane.step(0.5)
    found = [parameter.grad for parameter in lane.model.get_submodule("inception_4a").parameters()]
    assert torch.cat([gradient.flatten() for gradient in found]).norm().item() == pytest.approx(lane.gradients()["4a"])


def test_the_auxiliary_losses_count_by_their_weight() -> None:
    """At weight 0 the heads learn nothing."""
    lane = Trainer(
        TINY.replace(aux=TINY.aux.replace(loss_weight=0.0)), Batches(images(), CPU), Settings(weight_decay=0.0), 0
    )
    before = lane.model.aux_3a.fc.weight.clone()
    lane.step(0.5)
    assert torch.equal(before, lane.model.aux_3a.fc.weight)


def test_a_plan_with_problems_is_not_begun() -> None:
    """Its problems are told, before a network is built."""
    with pytest.raises(UnbuildableError, match="Batch size"):
        Training(plan(batch_size=1), Path())


def test_notes_say_what_the_reader_should_know() -> None:
    """BatchNorm's averages, and a precision that is not used here."""
    (started, *_) = run(plan(PLAIN, precision="bf16"))
    assert ("bfloat16 is used on CUDA alone: this runs in float32.",) == started.notes
    (started, *_) = run(plan())
    assert "running averages lag" in started.notes[0]


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
        asked = plan(device="cuda", precision=precision, budget=Budget(kind="steps", amount=30.0))
        assert timeless(run(asked)) == timeless(run(asked))


def test_the_images_of_a_plan_are_those_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are loaded from the data directory given."""
    asked = []
    monkeypatch.setattr(training, "load", lambda data, folder: asked.append((data, folder)) or images())
    train(plan().replace(data=DatasetChoice(name="own", upload="ab")), tmp_path)
    assert [(DatasetChoice(name="own", upload="ab"), tmp_path)] == asked
    assert load is not training.load
