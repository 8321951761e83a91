"""Runs in a store that look trained, without training: their plans, their events, and their states."""

from collections.abc import Iterator, Sequence
from math import exp
from pathlib import Path

from explorer import PRESETS
from explorer.runs.recorder import Recorder
from explorer.runs.records import Run, State
from explorer.runs.store import Store
from explorer.training.checkpoints import weights_filename
from explorer.training.draft import RunDraft, prepare_plan
from explorer.training.events import (
    AnyEvent,
    Diverged,
    Evaluated,
    Finished,
    ImageResults,
    Misclassification,
    Position,
    Started,
    Stepped,
    TrainingSample,
)
from explorer.training.plan import DATASETS, Budget, DataName, DatasetChoice, NamedNetwork, Plan

CLASSES = 10
TEST_IMAGES = 200  # of a class
BLOCKS = ("stem", "3a", "4a", "5a", "classifier", "aux_4a")


def make_plan(*names: str, seeds: Sequence[int] = (0,), steps: int = 100, data: DataName = "fashion_mnist") -> Plan:
    """Return the plan of a run or a race of presets."""
    draft = RunDraft(data=DatasetChoice(name=data), budget=Budget(kind="steps", amount=steps), seeds=tuple(seeds))
    networks = [NamedNetwork(name=name, config=PRESETS[name]) for name in names]
    return prepare_plan(draft, networks, DATASETS[data]).plan


def store_run(
    store: Store,
    plan: Plan,
    state: State = "finished",
    *,
    accuracies: Sequence[float] = (0.85,),
    steps: int | None = None,
    session: str = "",
    message: str = "",
) -> Run:
    """Add a run to a store, after ``steps`` and in a state. Each trainer has an accuracy; the last one is repeated."""
    run_id = store.add(plan, "_vs_".join(network.name for network in plan.networks), session, 10**9, 100)
    assert run_id
    if state == "queued":
        return get_run(store, run_id)
    recorder = _start(store, run_id)
    total = int(plan.budget.amount)
    done = steps if steps is not None else total if state == "finished" else total // 2
    for trainer in range(len(plan.trainers)):
        accuracy = accuracies[min(trainer, len(accuracies) - 1)]
        for event in training_events(trainer, accuracy, done, total, is_finished=state == "finished"):
            recorder.add(event)
    recorder.flush()
    if done:
        recorder.checkpoint(lambda folder: _write_checkpoint(folder, len(plan.trainers), done))
    if state != "running":
        recorder.end(state, message)
    return get_run(store, run_id)


def store_diverged_run(store: Store, plan: Plan) -> Run:
    """Add a run to a store that failed because its loss was NaN."""
    message = "At step 5 the loss was not finite: the weights grew without bound. Choose a smaller learning rate."
    run_id = store.add(plan, "diverging", "", 10**9, 100)
    assert run_id
    recorder = _start(store, run_id)
    for event in training_events(0, 0.2, 5, 100, is_finished=False):
        recorder.add(event)
    recorder.add(Diverged(trainer=0, step=5, seconds=0.5, images=320, progress=0.05, message=message))
    recorder.end("failed", message)
    return get_run(store, run_id)


def get_run(store: Store, run_id: str) -> Run:
    """Return a run that is in the store."""
    run = store.run(run_id)
    assert run
    return run


def _start(store: Store, run_id: str) -> Recorder:
    started = store.start_next()
    assert started
    return Recorder(store, run_id, started[1])


def _write_checkpoint(folder: Path, trainers: int, step: int) -> dict[int, int]:
    for trainer in range(trainers):
        (folder / weights_filename(trainer)).write_bytes(b"weights")
    return dict.fromkeys(range(trainers), step)


def training_events(trainer: int, accuracy: float, done: int, total: int, *, is_finished: bool) -> Iterator[AnyEvent]:
    """Yield the events of a trainer whose accuracy rises smoothly to ``accuracy``, up to the step ``done``."""

    def position(step: int) -> Position:
        return {
            "trainer": trainer,
            "step": step,
            "seconds": step / 10,
            "images": 64 * step,
            "progress": step / total,
        }

    yield Started(**position(0), device="CPU", learning_rate=0.15, parameters=458_294)
    for step in range(1, done + 1):
        rise = 1 - exp(-6 * step / total)
        yield Stepped(
            **position(step),
            loss=2.3 - 2 * rise,
            aux_losses={"4a": 2.3 - 1.5 * rise},
            accuracy=0.1 + (accuracy - 0.1) * rise,
            learning_rate=0.1,
            gradients={block: (1 + n) * (1.1 - rise) for n, block in enumerate(BLOCKS)} if step % 10 == 0 else {},
        )
        if step % max(1, total // 10) == 0 and step < total:
            yield evaluation(position(step), 0.1 + (accuracy - 0.1) * rise, is_final=False)
    if is_finished:
        yield evaluation(position(total), accuracy, is_final=True)
        yield Finished(**position(total), accuracy=accuracy)


def evaluation(position: Position, accuracy: float, *, is_final: bool) -> Evaluated:
    """Return an evaluation in which each misclassified image is predicted as the next class.

    The same images are always the difficult ones. Training images are classified as well as test images.
    """
    wrong = round(TEST_IMAGES * (1 - accuracy))
    correct = [number % TEST_IMAGES >= wrong for number in range(CLASSES * TEST_IMAGES)]
    confusion = [[0] * CLASSES for _ in range(CLASSES)]
    for label in range(CLASSES):
        confusion[label][label] = TEST_IMAGES - wrong
        confusion[label][(label + 1) % CLASSES] = wrong
    mistakes = tuple(
        Misclassification(image=n, label=n % 10, predicted=(n + 1) % 10, probability=0.99 - n / 100) for n in range(12)
    )
    return Evaluated(
        **position,
        loss=2.3 * (1 - accuracy),
        accuracy=accuracy,
        confusion=tuple(map(tuple, confusion)),
        mistakes=mistakes,
        final=is_final,
        results=ImageResults.pack("0123456789abcdef", correct) if is_final else None,
        training_sample=TrainingSample(len(correct), sum(correct)) if is_final else None,
    )
