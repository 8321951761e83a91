"""A worker for tests: the real one with a fake training, which needs no PyTorch and behaves as the network's name says.

``python -m tests.runs.fake_worker FOLDER RUN ATTEMPT``. A trainer's state is a number, and each step computes the
next one; the loss is that number. So the curve shows whether a resumed run continued from its checkpoint.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from explorer.runs import worker
from explorer.runs.store import Job
from explorer.training.checkpoints import weights_filename
from explorer.training.events import AnyEvent, Diverged, Evaluated, Finished, Position, Started, Stepped
from explorer.training.plan import Plan

COMMAND = (sys.executable, "-m", "tests.runs.fake_worker")
CHECKPOINT_INTERVAL_S = 0.05
STEP_S = 0.002
BATCH = 64


def next_state(state: int) -> int:
    """Return the state after another step (a linear congruential generator with a long period)."""
    return (state * 1_103_515_245 + 12_345) % 2**31


def losses(steps: int, seed: int = 0) -> list[float]:
    """Return the curve of a trainer that was never interrupted."""
    curve, state = [], seed
    for _ in range(steps):
        state = next_state(state)
        curve.append(float(state))
    return curve


class FakeTraining:
    """Yields the events of training. The budget is in steps; all trainers step in turn."""

    def __init__(self, plan: Plan, checkpoint: Path | None, step_s: float = STEP_S) -> None:
        self.plan, self.behaviour, self.step_s = plan, plan.networks[0].name, step_s
        self.states = [key.seed for key in plan.trainers]
        self.step = 0
        if checkpoint:
            self.step, self.states = json.loads((checkpoint / "state.json").read_text())
        if self.behaviour == "no_memory":
            raise MemoryError
        if self.behaviour == "exits":
            os._exit(3)
        if self.behaviour == "grows":
            worker.limit_memory(200_000_000)
            self.ballast = bytearray(400_000_000)
        if self.behaviour == "hangs":
            time.sleep(1_000)

    def save(self, folder: Path) -> dict[int, int]:
        """Write the state, and weights for each trainer that has not diverged."""
        if self.behaviour == "full_disk" and self.step > 5:
            Path("/dev/full").write_text("no room")
        first_diverged = self.behaviour == "diverges_in_part" and self.step >= 5
        finite = range(1 if first_diverged else 0, len(self.states))
        for trainer in finite:
            (folder / weights_filename(trainer)).write_text(str(self.states[trainer]))
        if self.behaviour == "hangs_saving":
            time.sleep(1_000)
        (folder / "state.json").write_text(json.dumps([self.step, self.states]))
        return dict.fromkeys(finite, self.step)

    def __iter__(self) -> Iterator[AnyEvent]:
        for trainer in range(len(self.states)):
            yield Started(**self._position(trainer), device="no device", learning_rate=0.1, parameters=7)
        while self.step < self.plan.budget.amount:
            time.sleep(self.step_s)
            self.step += 1
            self.states = [next_state(state) for state in self.states]
            if self.behaviour == "gets_stuck" and self.step == 200:
                time.sleep(1_000)
            for trainer, state in enumerate(self.states):
                yield Stepped(
                    **self._position(trainer),
                    loss=float(state),
                    accuracy=0.5,
                    learning_rate=0.1,
                    aux_losses={},
                    gradients={},
                )
            if self.behaviour in ("diverges", "diverges_in_part") and self.step == 5:
                yield Diverged(**self._position(0), message="The loss of the first network is not finite.")
                if self.behaviour == "diverges":
                    return
        for trainer in range(len(self.states)):
            if self.behaviour != "diverges_in_part" or trainer:
                position = self._position(trainer)
                yield Evaluated(**position, loss=1, accuracy=0.5, confusion=((1, 0), (0, 1)), final=True)
                yield Finished(**position, accuracy=0.5)

    def _position(self, trainer: int) -> Position:
        return {
            "trainer": trainer,
            "step": self.step,
            "seconds": self.step * 0.01,
            "images": self.step * BATCH,
            "progress": self.step / self.plan.budget.amount,
        }


def make_fake_training(folder: Path, job: Job) -> FakeTraining:
    """Return what the worker iterates over."""
    return FakeTraining(job.plan, job.checkpoint)


if __name__ == "__main__":
    worker.main(make_fake_training, CHECKPOINT_INTERVAL_S)
