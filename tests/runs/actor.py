"""A worker for tests: the real one but for what trains, which needs no PyTorch and behaves as the network's name says.

``python -m tests.runs.actor FOLDER RUN ATTEMPT``. A lane's state is a number that each step turns into the next; its
loss is that number. So whether a resumed run went on from where it was shows in its curve.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from explorer.runs import worker
from explorer.runs.store import Job
from explorer.training.checkpoints import weights_name
from explorer.training.events import AnyEvent, Diverged, Evaluated, Finished, Started, Stepped
from explorer.training.plan import Plan

COMMAND = (sys.executable, "-m", "tests.runs.actor")
CHECKPOINT_S = 0.05
STEP_S = 0.002
BATCH = 64


def after(number: int) -> int:
    """Return the state after another step (a linear congruential generator: it repeats itself late)."""
    return (number * 1_103_515_245 + 12_345) % 2**31


def losses(steps: int, seed: int = 0) -> list[float]:
    """Return the curve of a lane that was never interrupted."""
    found, number = [], seed
    for _ in range(steps):
        number = after(number)
        found.append(float(number))
    return found


class Rehearsal:
    """Looks like training. The budget is in steps; all lanes step in turn."""

    def __init__(self, plan: Plan, checkpoint: Path | None, step_s: float = STEP_S) -> None:
        self.plan, self.role, self.step_s = plan, plan.entrants[0].name, step_s
        self.numbers = [lane.seed for lane in plan.trainers]
        self.step = 0
        if checkpoint:
            self.step, self.numbers = json.loads((checkpoint / "state.json").read_text())
        if self.role == "no_memory":
            raise MemoryError
        if self.role == "exits":
            os._exit(3)
        if self.role == "grows":
            worker.cap_memory(200_000_000)
            self.ballast = bytearray(400_000_000)
        if self.role == "hangs":
            time.sleep(1_000)

    def save(self, folder: Path) -> dict[int, int]:
        """Write the state, and weights for each lane but those that have diverged."""
        if self.role == "full_disk" and self.step > 5:
            Path("/dev/full").write_text("no room")
        good = [lane for lane in range(len(self.numbers)) if self.role != "diverges_in_part" or lane or self.step < 5]
        for lane in good:
            (folder / weights_name(lane)).write_text(str(self.numbers[lane]))
        (folder / "state.json").write_text(json.dumps([self.step, self.numbers]))
        return dict.fromkeys(good, self.step)

    def __iter__(self) -> Iterator[AnyEvent]:
        for lane in range(len(self.numbers)):
            yield Started(**self._place(lane), device="a stage", learning_rate=0.1, parameters=7)
        while self.step < self.plan.budget.amount:
            time.sleep(self.step_s)
            self.step += 1
            self.numbers = [after(number) for number in self.numbers]
            if self.role == "gets_stuck" and self.step == 200:
                time.sleep(1_000)
            for lane, number in enumerate(self.numbers):
                yield Stepped(
                    **self._place(lane),
                    loss=float(number),
                    accuracy=0.5,
                    learning_rate=0.1,
                    aux_losses={},
                    gradients={},
                )
            if self.role in ("diverges", "diverges_in_part") and self.step == 5:
                yield Diverged(**self._place(0), message="The loss of the first lane is no longer a number.")
                if self.role == "diverges":
                    return
        for lane in range(len(self.numbers)):
            if self.role != "diverges_in_part" or lane:
                judged = Evaluated(**self._place(lane), loss=1, accuracy=0.5, confusion=((1, 0), (0, 1)), final=True)
                yield judged
                yield Finished(**self._place(lane), accuracy=0.5)

    def _place(self, lane: int) -> dict[str, object]:
        share = self.step / self.plan.budget.amount
        return {
            "lane": lane,
            "step": self.step,
            "seconds": self.step * 0.01,
            "images": self.step * BATCH,
            "share": share,
        }


def rehearsed(folder: Path, job: Job) -> Rehearsal:
    """Make what the worker works on."""
    return Rehearsal(job.plan, job.checkpoint)


if __name__ == "__main__":
    worker.NICE = 0  # tests shall not wait for a busy machine to become idle
    worker.main(rehearsed, CHECKPOINT_S)
