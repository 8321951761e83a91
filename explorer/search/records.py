"""What is known of a study at a moment: frozen, free of Optuna and SQL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.search.space import Value
from explorer.search.spec import StudySpec
from explorer.search.trials import Report
from explorer.training.events import ImageResults

State = Literal["running", "paused", "stopped", "finished", "failed"]
TrialState = Literal["running", "waiting", "complete", "pruned", "failed"]
Kind = Literal["search", "random", "finalists", "test"]
Source = Literal["search", "random", "paper"]


class Arm(NamedTuple):
    """A part of a study: its ceiling, as an index, and what its trials are for."""

    ceiling: int
    kind: Kind


class PruneReason(NamedTuple):
    """Why a trial was pruned: at this step so many of the trials that reached it were better.

    ``diverged``: its loss was not finite.
    """

    step: int
    accuracy: float
    better: int
    of: int
    diverged: bool = False


@dataclass(frozen=True)
class TrialRecord:
    """A trial of a study. ``macs`` and ``seconds`` of training are what it has used.

    ``accuracy`` is on the validation images, in the arm ``test`` on the test images. ``source`` says where the table of
    a final training comes from.
    """

    arm: Arm
    number: int
    state: TrialState
    config: GoogLeNetConfig | None
    point: Mapping[str, Value]
    seed: int
    accuracy: float | None
    reports: tuple[Report, ...]
    macs: int
    seconds: float
    seconds_in_all: float
    worker: str = ""
    source: Source = "search"
    pruned: PruneReason | None = None
    error: str = ""
    synflow: float | None = None
    gradient_norm: float | None = None
    results: ImageResults | None = None

    @cached_property
    def costs(self) -> dict[str, int]:
        """Parameters, MACs and activations of its table at inference."""
        return summarize(self.config).inference_totals._asdict() if self.config else {}


@dataclass(frozen=True)
class StudyRecord:
    """A study at the moment it was read. ``created`` is in seconds since 1970. ``workers`` were asked for here.

    ``round`` counts how often it was extended after its trainings at the end had begun: each time from new seeds.
    """

    id: str
    spec: StudySpec
    state: State
    message: str
    created: float
    workers: int
    round: int
    trials: tuple[TrialRecord, ...]

    def arm(self, ceiling: int, kind: Kind) -> tuple[TrialRecord, ...]:
        """Return the trials of an arm, in order."""
        return tuple(trial for trial in self.trials if trial.arm == Arm(ceiling, kind))

    def best(self, ceiling: int, kind: Literal["search", "random"]) -> TrialRecord | None:
        """Return the trial with the best accuracy on the validation images; None before the first is complete."""
        return next(iter(ranked(self.arm(ceiling, kind))), None)

    @property
    def is_active(self) -> bool:
        """Whether workers should work on it."""
        return self.state == "running"


def ranked(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the complete trials, the best first; of equally good ones the earliest."""
    complete = [trial for trial in trials if trial.state == "complete" and trial.accuracy is not None]
    return sorted(complete, key=lambda trial: (-(trial.accuracy or 0.0), trial.number))
