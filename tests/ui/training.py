"""A stage for tests of the page Train: a store with runs that look trained, and a manager that starts no process."""

from collections.abc import Iterator, Sequence
from math import exp
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.runs.manager import Manager
from explorer.runs.recorder import Recorder
from explorer.runs.records import Run, State
from explorer.runs.store import Store
from explorer.training.checkpoints import weights_name
from explorer.training.draft import RunDraft, prepare_plan
from explorer.training.events import AnyEvent, Diverged, Evaluated, Finished, Misclassification, Started, Stepped
from explorer.training.plan import DATASETS, Budget, DatasetChoice, NamedNetwork, Plan
from explorer.ui import runs
from tests.ui.conftest import open_app

PAGE = "pages/lab/train.py"
CLASSES = 10
TESTS = 200  # images of a class
BLOCKS = ("stem", "3a", "4a", "5a", "classifier", "aux_4a")


class Idle(Manager):
    """A manager that takes all orders and starts no process: what is queued stays queued."""

    def _tend(self) -> None:
        pass


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """The server's manager, over an empty store."""
    made = Idle(Store(tmp_path))
    monkeypatch.setattr(runs, "_manager", lambda folder: made)
    yield made
    made.close()
    made.store.close()


def train_page(**query: str) -> AppTest:
    """Open the page Train in a fresh session, at an address with these parameters."""
    app = open_app()
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def plan(*names: str, seeds: Sequence[int] = (0,), steps: int = 100, data: str = "fashion_mnist") -> Plan:
    """Return the plan of a run or a race of presets."""
    draft = RunDraft(data=DatasetChoice(name=data), budget=Budget(kind="steps", amount=steps), seeds=tuple(seeds))
    networks = [NamedNetwork(name=name, config=PRESETS[name]) for name in names]
    return prepare_plan(draft, networks, DATASETS[data]).plan


def put(
    store: Store,
    asked: Plan,
    state: State = "finished",
    *,
    accuracies: Sequence[float] = (0.85,),
    steps: int | None = None,
    session: str = "",
    message: str = "",
) -> Run:
    """Put a run into a store that has come to ``steps`` and is in a state; one accuracy per lane, or the last again."""
    run_id = store.add(asked, "_vs_".join(entrant.name for entrant in asked.entrants), session, 10**9, 100)
    if state == "queued":
        return store.run(run_id)
    _, attempt = store.start_next()
    recorder = Recorder(store, run_id, attempt)
    whole = int(asked.budget.amount)
    done = steps if steps is not None else whole if state == "finished" else whole // 2
    for lane in range(len(asked.trainers)):
        accuracy = accuracies[min(lane, len(accuracies) - 1)]
        for event in events(lane, accuracy, done, whole, ends=state == "finished"):
            recorder.add(event)
    recorder.flush()
    if done:
        recorder.checkpoint(lambda folder: _saved(folder, len(asked.trainers), done))
    if state != "running":
        recorder.end(state, message)
    return store.run(run_id)


def _saved(folder: Path, lanes: int, step: int) -> dict[int, int]:
    for lane in range(lanes):
        (folder / weights_name(lane)).write_bytes(b"weights")
    return dict.fromkeys(range(lanes), step)


def events(lane: int, accuracy: float, done: int, whole: int, *, ends: bool) -> Iterator[AnyEvent]:
    """Yield what a lane tells whose accuracy rises smoothly to ``accuracy``."""

    def place(step: int) -> dict[str, float]:
        return {"lane": lane, "step": step, "seconds": step / 10, "images": 64 * step, "share": step / whole}

    yield Started(**place(0), device="CPU", learning_rate=0.15, parameters=458_294)
    for step in range(1, done + 1):
        known = 1 - exp(-6 * step / whole)
        yield Stepped(
            **place(step),
            loss=2.3 - 2 * known,
            aux_losses={"4a": 2.3 - 1.5 * known},
            accuracy=0.1 + (accuracy - 0.1) * known,
            learning_rate=0.1,
            gradients={block: (1 + n) * (1.1 - known) for n, block in enumerate(BLOCKS)} if step % 10 == 0 else {},
        )
        if step % max(1, whole // 10) == 0 and step < whole:
            yield judged(place(step), 0.1 + (accuracy - 0.1) * known, final=False)
    if ends:
        yield judged(place(whole), accuracy, final=True)
        yield Finished(**place(whole), accuracy=accuracy)


def judged(place: dict[str, float], accuracy: float, *, final: bool) -> Evaluated:
    """Return an evaluation: whatever is wrong is taken for the next class."""
    wrong = round(TESTS * (1 - accuracy))
    rows = [
        tuple(TESTS - wrong if said == truth else wrong if said == (truth + 1) % CLASSES else 0 for said in range(10))
        for truth in range(CLASSES)
    ]
    mistakes = tuple(
        Misclassification(index=n, truth=n % 10, said=(n + 1) % 10, probability=0.99 - n / 100) for n in range(12)
    )
    return Evaluated(
        **place, loss=2.3 * (1 - accuracy), accuracy=accuracy, confusion=tuple(rows), mistakes=mistakes, final=final
    )


def diverged(store: Store, asked: Plan) -> Run:
    """Put a run into a store whose loss became no number."""
    told = "At step 5 the loss was no longer a number: the weights grew without bound. Take a smaller learning rate."
    run_id = store.add(asked, "diverging", "", 10**9, 100)
    _, attempt = store.start_next()
    recorder = Recorder(store, run_id, attempt)
    for event in events(0, 0.2, 5, 100, ends=False):
        recorder.add(event)
    recorder.add(Diverged(lane=0, step=5, seconds=0.5, images=320, share=0.05, message=told))
    recorder.end("failed", told)
    return store.run(run_id)
