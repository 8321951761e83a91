"""Follow a run from outside its server: its progress and its measurements, as they come, until it ends."""

from collections.abc import Iterator
from time import sleep
from typing import NamedTuple

from explorer.runs.records import ACTIVE, Point, Run
from explorer.runs.store import Store

CURVES = ("train_loss", "test_accuracy")
POLL_INTERVAL_S = 0.5


class Measurement(NamedTuple):
    """A point of a curve of one trainer, whose index in the plan is ``trainer``."""

    trainer: int
    kind: str
    point: Point


class Update(NamedTuple):
    """The run at a moment, and what was measured since the last one: of each curve the newest point."""

    run: Run
    measured: tuple[Measurement, ...]


def follow(store: Store, run_id: str, poll_interval_s: float = POLL_INTERVAL_S) -> Iterator[Update]:
    """Yield an update whenever the run has changed, the last one when it has ended or is paused."""
    seen: dict[tuple[int, str], int] = {}
    last: Run | None = None
    while (run := store.run(run_id)) is not None:
        if run != last:
            yield Update(run, tuple(_new_points(store, run, seen)))
            last = run
        if run.state not in ACTIVE:
            return
        sleep(poll_interval_s)


def _new_points(store: Store, run: Run, seen: dict[tuple[int, str], int]) -> Iterator[Measurement]:
    for trainer in run.trainers:
        for kind in CURVES:
            points = store.curve(run.id, kind, trainer.number, seen.get((trainer.number, kind), 0))
            if points:
                seen[trainer.number, kind] = points[-1].step
                yield Measurement(trainer.number, kind, points[-1])
