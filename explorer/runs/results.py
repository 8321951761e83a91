"""The results of finished trainings: grouped where only the seed differs, and compared on the same test images."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, stdev
from typing import Literal, NamedTuple

import numpy as np

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.runs.records import Run
from explorer.runs.significance import (
    Correct,
    McNemar,
    PairedDifference,
    accuracy_interval,
    mcnemar,
    paired_differences,
)
from explorer.runs.store import Store
from explorer.training.events import Evaluated
from explorer.training.intervals import Interval, count_correct, wilson
from explorer.training.plan import TRAINING_PASSES, Budget, DatasetChoice, Settings

_MIN_SECONDS, _MIN_STEPS = 2.0, 20  # of a run whose speed counts: the first steps are slow


class BestResult(NamedTuple):
    """The best of several trainings: ``correct`` of ``images`` test images. ``trainings`` is their number."""

    correct: int
    images: int
    trainings: int

    @property
    def accuracy(self) -> float:
        """The fraction of the test images that it classified correctly."""
        return self.correct / self.images


Results = Mapping[DatasetChoice, Mapping[GoogLeNetConfig, BestResult]]


class FinalResult(NamedTuple):
    """What one trainer reached at the end of its budget: ``correct`` of ``images`` test images, by its evaluation."""

    run_id: str
    trainer: int
    evaluated: Evaluated

    @property
    def counts(self) -> tuple[int, int]:
        """The number of test images that it classified correctly, and of all."""
        return count_correct(self.evaluated.confusion)

    @property
    def accuracy(self) -> float:
        """The fraction of the test images that it classified correctly."""
        correct, images = self.counts
        return correct / images

    @property
    def correct(self) -> Correct | None:
        """Whether it classified each image correctly; None in a run of an older version, which did not store it."""
        results = self.evaluated.results
        return np.array(results.correct, bool) if results else None


class Training(NamedTuple):
    """What is trained, except the seed. ``test_set`` is the hash of the test images, or in an older run their number.

    Two trainings with the same fields differ only by their seed.
    """

    network: GoogLeNetConfig
    data: DatasetChoice
    settings: Settings
    budget: Budget
    test_set: str


class SeedGroup(NamedTuple):
    """The results of a training, by seed; of several with the same seed the latest. ``name`` is the network's."""

    name: str
    training: Training
    results: Mapping[int, FinalResult]

    @property
    def accuracies(self) -> tuple[float, ...]:
        """The test accuracy of each seed."""
        return tuple(result.accuracy for result in self.results.values())

    @property
    def mean(self) -> float:
        """The mean test accuracy over the seeds."""
        return mean(self.accuracies)

    @property
    def spread(self) -> float | None:
        """The sample standard deviation over the seeds; None with one seed."""
        return stdev(self.accuracies) if len(self.results) > 1 else None

    @property
    def images(self) -> int:
        """The number of test images."""
        return next(iter(self.results.values())).counts[1]

    @property
    def correct(self) -> Mapping[int, Correct] | None:
        """The results image by image, by seed; None if a run did not store them."""
        found = {seed: result.correct for seed, result in self.results.items()}
        return (
            {seed: correct for seed, correct in found.items() if correct is not None}
            if all(correct is not None for correct in found.values())
            else None
        )

    @property
    def seed_interval(self) -> Interval | None:
        """The 95 % interval of the mean over seeds and test images; None with too few seeds, or without each image."""
        return accuracy_interval(correct) if (correct := self.correct) else None

    @property
    def interval(self) -> Interval:
        """The widest 95 % interval that the results allow: over seeds and images, or else over images only (Wilson)."""
        return self.seed_interval or wilson(round(self.mean * self.images), self.images)


def results_of_run(store: Store, run: Run) -> dict[int, SeedGroup]:
    """Return the final results of a run by the index of the network in its plan."""
    return _group(run, store.final_evaluations(run.id))


def _group(run: Run, evaluations: Mapping[tuple[str, int], Evaluated]) -> dict[int, SeedGroup]:
    found: dict[int, SeedGroup] = {}
    for number, key in enumerate(run.plan.trainers):
        if evaluated := evaluations.get((run.id, number)):
            network = run.plan.networks[key.network]
            training = Training(
                network.config, run.plan.data, run.plan.settings_of(key.network), run.plan.budget, _test_set(evaluated)
            )
            group = found.setdefault(key.network, SeedGroup(network.name, training, {}))
            result = FinalResult(run.id, number, evaluated)
            found[key.network] = group._replace(results={**group.results, key.seed: result})
    return found


def group_by_seed(store: Store, runs: Iterable[Run]) -> tuple[SeedGroup, ...]:
    """Return the final results of some runs, the latest first, grouped where they differ only by their seed."""
    groups: dict[Training, SeedGroup] = {}
    evaluations = store.final_evaluations()
    for run in runs:
        for group in _group(run, evaluations).values():
            known = groups.get(group.training, group)
            results = dict(sorted({**group.results, **known.results}.items()))
            groups[group.training] = known._replace(results=results)
    return tuple(groups.values())


def _test_set(evaluated: Evaluated) -> str:
    return evaluated.results.test_set if evaluated.results else f"{count_correct(evaluated.confusion)[1]} images"


Obstacle = Literal["", "not_stored", "other_images"]


class Comparison(NamedTuple):
    """The differences between groups of results, by their numbers; ``pairs`` counts all pairs that the test covers.

    ``obstacle`` says why there is no test: a run of an older version did not store its results image by image, or the
    test images differ. ``trainings`` are the differences between two trained networks, of pairs that have too few
    seeds for a claim about the networks.
    """

    pairs: tuple[PairedDifference, ...] = ()
    trainings: Mapping[tuple[int, int], McNemar] = {}
    obstacle: Obstacle = ""


def compare(groups: Sequence[SeedGroup]) -> Comparison:
    """Compare all pairs of groups by a paired test over seeds and test images."""
    results = [group.correct for group in groups]
    if len({group.training.test_set for group in groups}) > 1:
        return Comparison(obstacle="other_images")
    known = [correct for correct in results if correct is not None]
    if len(known) < len(groups):
        return Comparison(obstacle="not_stored")
    pairs = paired_differences(known)
    count = len(known) * (len(known) - 1) // 2
    claimed = {(pair.first, pair.second) for pair in pairs if pair.interval}
    trainings = {
        (first, second): mcnemar(*_one_training_each(known[first], known[second]), count)
        for first in range(len(known))
        for second in range(first + 1, len(known))
        if (first, second) not in claimed
    }
    return Comparison(pairs, trainings)


def _one_training_each(first: Mapping[int, Correct], second: Mapping[int, Correct]) -> tuple[Correct, Correct]:
    """Return the results of one training of each network, of the same seed if there is one."""
    common = sorted(first.keys() & second.keys())
    return first[common[0] if common else min(first)], second[common[0] if common else min(second)]


def best_results(store: Store) -> Results:
    """Return the best result by dataset and by the network as it was trained, over all finished runs."""
    results: dict[DatasetChoice, dict[GoogLeNetConfig, BestResult]] = {}
    evaluations = store.final_evaluations()
    for run in store.runs(("finished",)):
        by_network = results.setdefault(run.plan.data, {})
        for network in _group(run, evaluations).values():
            config = network.training.network
            found = [BestResult(*result.counts, 1) for result in network.results.values()]
            found += [by_network[config]] if config in by_network else []
            best = max(found, key=lambda result: result.accuracy)
            by_network[config] = best._replace(trainings=sum(result.trainings for result in found))
    return results


def macs_per_second(runs: Iterable[Run], device: str) -> float | None:
    """Return the MACs of training per second of the first of these runs that used the device for long enough."""
    for run in runs:
        seconds = sum(trainer.seconds for trainer in run.trainers)
        if seconds < _MIN_SECONDS or run.step < _MIN_STEPS or run.plan.settings.device != device:
            continue
        summaries = [summarize(network.config) for network in run.plan.networks]
        keys = run.plan.trainers
        macs = sum(summaries[keys[trainer.number].network].macs(aux=True) * trainer.images for trainer in run.trainers)
        return TRAINING_PASSES * macs / seconds
    return None
