"""The records that the run store returns: frozen, free of SQL."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, get_args

from explorer.training.plan import Plan

State = Literal["queued", "running", "paused", "finished", "cancelled", "failed", "interrupted"]
RequestedState = Literal["paused", "cancelled"]  # what a user may request of a queued or running run
STATES: tuple[State, ...] = get_args(State)
RESUMABLE: tuple[State, ...] = ("paused", "cancelled", "failed", "interrupted")
ACTIVE: tuple[State, ...] = ("queued", "running")
DISK_FULL_EXIT_CODE = 28  # ENOSPC: of a worker that cannot even record that the disk is full
DISK_FULL_MESSAGE = "The disk is full. Make room, then resume it."


class Refusal(NamedTuple):
    """The manager did not do what a page requested. ``reason`` is a sentence for the reader."""

    reason: str


class Point(NamedTuple):
    """One point of a curve. ``seconds`` of training and ``images`` seen are those of one trainer.

    ``value`` is the mean of so many ``values``.
    """

    step: int
    seconds: float
    images: int
    value: float
    values: int = 1


class TrainerProgress(NamedTuple):
    """The progress of a trainer, whose index in the plan is ``number``.

    ``progress`` is the fraction of its budget that it has used, 0 to 1. ``checkpoint_step`` is the step from which it
    would resume; 0 without a checkpoint. ``ended`` says how it ended; empty before.
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
    """A run at the moment it was read. Times are seconds since 1970, None for what has not happened yet.

    ``session`` identifies the session that started it. ``message`` says what happened to a run that did not simply
    finish, in sentences for the reader. ``trainers`` are those of the plan that have started, in order.
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
        """The plan that it trains."""
        return Plan.model_validate_json(self.plan_json)

    @property
    def step(self) -> int:
        """The step of the trainer that has taken the most."""
        return max((trainer.step for trainer in self.trainers), default=0)

    @property
    def checkpoint_step(self) -> int:
        """The largest step in the checkpoint: 0 means that it would start again from the beginning."""
        return max((trainer.checkpoint_step for trainer in self.trainers), default=0)

    @property
    def progress(self) -> float:
        """The fraction of the whole budget that is used, 0 to 1."""
        return sum(trainer.progress for trainer in self.trainers) / len(self.plan.trainers)

    @property
    def outcome(self) -> str:
        """What happened to a run that did not simply finish, its last step, and from where it can resume."""
        if not self.is_resumable:
            return self.message
        if not self.step:
            return f"{self.message} It had not started to train.".strip()
        resume = f"resume from step {self.checkpoint_step:,}" if self.checkpoint_step else "start again from step 0"
        return f"{self.message} It reached step {self.step:,} and can {resume}.".strip()

    @property
    def is_resumable(self) -> bool:
        """Whether it can resume: it ended or was paused before its budget was used."""
        return self.state in RESUMABLE
