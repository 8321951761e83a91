"""What the run store hands out: frozen records, free of SQL."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from explorer.training.plan import Plan

State = Literal["queued", "running", "paused", "finished", "cancelled", "failed", "interrupted"]
STATES: tuple[State, ...] = get_args(State)
RESUMABLE: tuple[State, ...] = ("paused", "cancelled", "failed", "interrupted")
DISK_FULL = 28  # the exit code of a worker that could not even note that the disk is full (ENOSPC)
FULL_DISK = "The disk is full. Make room, then resume it."
WAITING: tuple[State, ...] = ("queued", "running")


class RefusedError(NamedTuple):
    """What was asked is not done. ``reason`` is a sentence for the reader."""

    reason: str


class Point(NamedTuple):
    """One point of a curve. ``seconds`` of training and ``images`` seen, both counted for the lane alone."""

    step: int
    seconds: float
    images: int
    value: float


class TrainerProgress(NamedTuple):
    """How far a lane is. ``kept_step`` is its step in the checkpoint, where it would go on; 0 without one.

    ``share`` is the part of its budget that is used, 0 to 1. ``ended`` says how the lane ended, empty before.
    """

    number: int
    step: int
    seconds: float
    images: int
    progress: float
    checkpoint_step: int
    ended: Literal["", "diverged", "finished"]


@dataclass(frozen=True)
class Run:
    """A run as it stands. Times are seconds since 1970, None for what has not happened yet.

    ``session`` names the session that started it. ``message`` says what happened to a run that did not simply finish,
    in sentences for the reader. ``lanes`` are those of the plan that have begun, in order.
    """

    id: str
    name: str
    session: str
    plan_json: str
    state: State
    message: str
    created: float
    started: float | None
    finished: float | None
    trainers: tuple[TrainerProgress, ...] = ()

    @cached_property
    def plan(self) -> Plan:
        """What it was asked to do."""
        return Plan.model_validate_json(self.plan_json)

    @property
    def step(self) -> int:
        """The step of the lane that has taken the most."""
        return max((lane.step for lane in self.trainers), default=0)

    @property
    def checkpoint_step(self) -> int:
        """The same in the checkpoint: 0 means that it would begin anew."""
        return max((lane.checkpoint_step for lane in self.trainers), default=0)

    @property
    def progress(self) -> float:
        """The part of the whole budget that is used, 0 to 1."""
        return sum(lane.progress for lane in self.trainers) / len(self.plan.trainers)

    @property
    def account(self) -> str:
        """What happened to a run that did not simply finish, how far it was, and from where it can go on."""
        if not self.resumable:
            return self.message
        if not self.step:
            return f"{self.message} It had not begun to train.".strip()
        rest = f"go on from step {self.checkpoint_step:,}" if self.checkpoint_step else "begin anew"
        return f"{self.message} It had come to step {self.step:,} and can {rest}.".strip()

    @property
    def resumable(self) -> bool:
        """Whether it can go on: it has ended or was paused before its budget was used."""
        return self.state in RESUMABLE
