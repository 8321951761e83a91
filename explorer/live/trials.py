"""Train the tables of a study one after another in one process, with the loop of every other run.

The images of a study stay in memory between its trials, so a trial costs little beside its training.
"""

import math
from pathlib import Path
from statistics import mean
from time import perf_counter

from explorer.data.datasets import load
from explorer.live.batches import Batches
from explorer.live.devices import resolve_device
from explorer.live.predictors import synflow
from explorer.live.training import Training
from explorer.search.trials import OnReport, Report, TrialResult
from explorer.training.events import Diverged, Evaluated, Stepped
from explorer.training.plan import DatasetChoice, Plan

_TENTHS = 10
_MAX_DATASETS = 2  # a study's images with validation images, and with test images


class _Trial(Training):
    """A training that is evaluated after given steps, and not after each tenth of its budget."""

    evaluated_steps: tuple[int, ...] = ()

    def _is_evaluation_due(self, index: int, progress_before: float) -> bool:
        return self.trainers[index].steps in self.evaluated_steps


class TableTrainer:
    """Trains plans of one network and one seed. ``folder`` is the data directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._batches: dict[DatasetChoice, Batches] = {}

    def __call__(self, plan: Plan, evaluated_steps: tuple[int, ...], on_report: OnReport) -> TrialResult:
        """Train a plan. ``on_report`` may stop it, or raise. Raises as :func:`explorer.live.training.train` does."""
        started = perf_counter()
        training = _Trial(plan, self._folder, batches=self._load(plan))
        training.evaluated_steps = evaluated_steps
        score = synflow(plan.networks[0].config, plan.seeds[0])
        reports: list[Report] = []
        losses: dict[int, list[float]] = {}
        gradient_norm, diverged = math.nan, ""
        final: Evaluated | None = None
        for event in training:
            match event:
                case Stepped(step=step):
                    losses.setdefault(min(_TENTHS - 1, int(_TENTHS * event.progress - 1e-9)), []).append(event.loss)
                    if step == 1:
                        gradient_norm = math.hypot(*event.gradients.values())
                    if not on_report(None):
                        break
                case Evaluated(final=False):
                    reports.append(Report(event.step, event.accuracy))
                    if not on_report(reports[-1]):
                        break
                case Evaluated():
                    final = event
                case Diverged():
                    diverged = event.message
        trainer = training.trainers[0]
        return TrialResult(
            accuracy=final.accuracy if final else None,
            reports=tuple(reports),
            losses=tuple(mean(losses[tenth]) for tenth in sorted(losses)),
            steps=trainer.steps,
            seconds=trainer.seconds,
            seconds_in_all=perf_counter() - started,
            synflow=score,
            gradient_norm=gradient_norm,
            results=final.results if final else None,
            diverged=diverged,
        )

    def _load(self, plan: Plan) -> Batches:
        if plan.data not in self._batches:
            while len(self._batches) >= _MAX_DATASETS:
                self._batches.pop(next(iter(self._batches)))
            device = resolve_device(plan.settings.device)
            self._batches[plan.data] = Batches(load(plan.data, self._folder), device.torch)
        return self._batches[plan.data]
