"""Check a study before it starts, and say what it will take. Each problem names its part and says what to do."""

from collections.abc import Iterator
from math import isfinite
from typing import NamedTuple

from explorer.analysis import problems
from explorer.comparison import QUANTITIES
from explorer.errors import Problem
from explorer.search.ceilings import ceiling_of, cost_of, minimum_cost, own_table
from explorer.search.samplers import PRUNERS, SAMPLERS
from explorer.search.space import dimensions
from explorer.search.spec import FINAL_SEEDS, SEED_SPAN, StudySpec
from explorer.training.plan import MACS_PER_SECOND, MAX_SEED, DatasetInfo, memory_bytes
from explorer.training.validation import plan_problems

MAX_CEILINGS = 4
MAX_FINALISTS = 10
MAX_TRIALS = 10_000


class StudyEstimate(NamedTuple):
    """What a study will take: trials of full length per arm, trainings at the end, seconds with one worker, bytes each.

    With a pruner there will be more trials than that, because most are shorter.
    """

    trials: int
    final_trainings: int
    seconds: float
    memory_bytes: int


def final_macs(spec: StudySpec, dataset: DatasetInfo) -> int:
    """Return the MACs of all trainings at the end."""
    return sum(
        _final_trainings_per_ceiling(spec) * spec.training_macs(own_table(spec, index), dataset)
        for index in range(len(spec.ceilings))
    )


def _final_trainings_per_ceiling(spec: StudySpec) -> int:
    finalists = 2 * spec.finalists if spec.finalists > 1 else 0  # of the search and of the random one
    return FINAL_SEEDS * (finalists + 3)


def estimate(spec: StudySpec, dataset: DatasetInfo, macs_per_second: float = MACS_PER_SECOND) -> StudyEstimate:
    """Return what a study without problems will take, with one worker of that speed."""
    tables = [own_table(spec, index) for index in range(len(spec.ceilings))]
    full = [spec.training_macs(table, dataset) for table in tables]
    finals = final_macs(spec, dataset)
    budget = spec.budget
    if budget.kind == "trials":
        trials, total = int(budget.amount), 2 * budget.amount * sum(full) + finals
    else:
        total = budget.amount * (macs_per_second if budget.kind == "seconds" else 1)
        trials = max(0, int((total - finals) / (2 * sum(full))))
    return StudyEstimate(
        trials=trials,
        final_trainings=_final_trainings_per_ceiling(spec) * len(tables),
        seconds=total / macs_per_second,
        memory_bytes=max(memory_bytes(spec.plan(table, spec.seed), dataset) for table in tables),
    )


def spec_problems(spec: StudySpec, dataset: DatasetInfo, test_dataset: DatasetInfo) -> tuple[Problem, ...]:
    """Return every reason why a study cannot start; empty when it can.

    ``dataset`` has the validation images as its test images, ``test_dataset`` the real ones.
    """
    if found := problems(spec.network.config):
        return found[:3]
    first = tuple(_field_problems(spec))
    if first:
        return first
    found = (*_space_problems(spec), *plan_problems(spec.plan(spec.network.config, spec.seed), dataset))
    return found or tuple(_size_problems(spec, dataset, test_dataset))


def _field_problems(spec: StudySpec) -> Iterator[Problem]:
    if spec.quantity not in QUANTITIES:
        yield Problem("study", "quantity", "Hold the cost in parameters, MACs or activations.")
    if not 1 <= len(spec.ceilings) <= MAX_CEILINGS or len(set(spec.ceilings)) < len(spec.ceilings):
        yield Problem("study", "ceilings", f"Give 1 to {MAX_CEILINGS} different ceilings.")
    if not all(isfinite(fraction) and 0.01 <= fraction <= 1 for fraction in spec.ceilings):
        yield Problem("study", "ceilings", "Each ceiling is a fraction of the network's cost, from 0.01 to 1.00.")
    if spec.sampler not in SAMPLERS:
        yield Problem("study", "sampler", f"There is no sampler “{spec.sampler[:20]}”. Choose {', '.join(SAMPLERS)}.")
    if spec.pruner not in PRUNERS:
        yield Problem("study", "pruner", f"There is no pruner “{spec.pruner[:20]}”. Choose {', '.join(PRUNERS)}.")
    if not 1 <= spec.finalists <= MAX_FINALISTS:
        yield Problem("study", "finalists", f"Finalists: give a whole number from 1 to {MAX_FINALISTS}.")
    if not 0 <= spec.seed <= MAX_SEED - SEED_SPAN:
        yield Problem("study", "seed", f"Seed: give a whole number from 0 to {MAX_SEED - SEED_SPAN:,}.")
    if spec.steps < 4:
        yield Problem("study", "steps", "A trial needs at least 4 steps.")
    if spec.data.validation_images < 1:
        yield Problem("data", "validation_images", "Give at least 1 validation image: the choice is made on them.")
    amount = spec.budget.amount
    if not isfinite(amount) or amount < 1:
        yield Problem("study", "budget", "Give a budget of at least 1.")
    elif spec.budget.kind == "trials" and amount > MAX_TRIALS:
        yield Problem("study", "budget", f"Give a budget of at most {MAX_TRIALS:,} trials.")


def _space_problems(spec: StudySpec) -> Iterator[Problem]:
    base = spec.network.config
    known = {module.name for module in base.modules}
    if unknown := [name for name in spec.space.modules if name not in known]:
        yield Problem("space", "modules", f"The table has no row “{unknown[0][:10]}”. Choose some of its rows.")
        return
    if not dimensions(spec.space, base):
        yield Problem("space", "columns", "Nothing may change. Choose at least one column and one module.")
        return
    lowest = minimum_cost(spec.space, base, spec.quantity)
    for index, fraction in enumerate(spec.ceilings):
        if lowest > ceiling_of(spec, index):
            least = lowest / cost_of(base, spec.quantity)
            yield Problem(
                "study",
                "ceilings",
                f"The parts that stay fixed cost up to {least:.2f} times the network's {spec.quantity}, more than the "
                f"ceiling of {fraction:.2f}. Raise it, or let more columns and modules change.",
            )


def _size_problems(spec: StudySpec, dataset: DatasetInfo, test_dataset: DatasetInfo) -> Iterator[Problem]:
    if spec.budget.kind != "trials" and estimate(spec, dataset).trials < 1:
        yield Problem(
            "study",
            "budget",
            "The budget would not pay for a trial beside the trainings at the end. Give more, fewer steps per trial, "
            "or fewer finalists.",
        )
    yield from plan_problems(spec.plan(spec.network.config, spec.seed, on_test_images=True), test_dataset)
