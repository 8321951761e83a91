"""What a trial reports and results in, free of torch."""

from collections.abc import Callable
from typing import NamedTuple

from explorer.training.events import ImageResults
from explorer.training.plan import Plan


class Report(NamedTuple):
    """The accuracy after some steps, as a fraction of the images evaluated."""

    step: int
    accuracy: float


class TrialResult(NamedTuple):
    """What a trial came to. ``accuracy`` is None for one that was stopped or diverged.

    ``reports``: the accuracy on some images after certain steps. ``losses``: means of the training loss over tenths of
    the steps. ``seconds`` of training and ``seconds_in_all`` with evaluation and setup. ``synflow`` and
    ``gradient_norm`` are known before the first step. ``results``: which images were classified correctly in the end.
    """

    accuracy: float | None
    reports: tuple[Report, ...]
    losses: tuple[float, ...]
    steps: int
    seconds: float
    seconds_in_all: float
    synflow: float
    gradient_norm: float
    results: ImageResults | None = None
    diverged: str = ""


# Called with each report, and with None after each step; False stops the trial.
OnReport = Callable[[Report | None], bool]
# Trains a plan of one network and one seed; evaluates it after the given steps and at its end.
Train = Callable[[Plan, tuple[int, ...], OnReport], TrialResult]
