"""What a plan must satisfy before anything is loaded. Each problem names its part and says what would be right."""

from collections.abc import Iterator
from math import isfinite

from explorer.analysis import problems
from explorer.config import MAX_CLASSES, Problem
from explorer.settings import setting
from explorer.training.plan import (
    MAX_BATCH,
    MAX_NETWORKS,
    MAX_SEED,
    MAX_SEEDS,
    Budget,
    DatasetChoice,
    DatasetInfo,
    NamedNetwork,
    Plan,
    Settings,
    memory_bytes,
)

DEVICES = ("auto", "cpu", "cuda", "mps")

_MOST = {"seconds": 3_600.0, "steps": 1_000_000.0, "epochs": 1_000.0, "macs": 1e18}
_UNITS = {"seconds": "seconds", "steps": "steps", "epochs": "epochs", "macs": "MACs"}


def memory_limit() -> int:
    """Return the bytes that a plan may need on this machine."""
    return setting("EXPLORER_TRAIN_MB") * 1_000_000


def plan_problems(plan: Plan, facts: DatasetInfo) -> tuple[Problem, ...]:
    """Return every reason why a plan cannot be run, each with what would be right; none when it can."""
    crowded = tuple(_count_problems(plan))
    if crowded:
        return crowded
    found = (
        *_data_problems(plan.data, facts),
        *_settings_problems(plan.settings),
        *_budget_problems(plan.budget),
        *_seed_problems(plan.seeds),
        *(problem for entrant in plan.entrants for problem in _entrant_problems(entrant, facts)),
    )
    return found or tuple(_memory_problems(plan, facts))


def _count_problems(plan: Plan) -> Iterator[Problem]:
    if not 1 <= len(plan.entrants) <= MAX_NETWORKS:
        yield Problem(
            "plan", "entrants", f"There are {len(plan.entrants):,} networks. Train one, or race 2 to {MAX_NETWORKS}."
        )
    if not 1 <= len(plan.seeds) <= MAX_SEEDS:
        yield Problem("plan", "seeds", f"There are {len(plan.seeds):,} seeds. Give 1 to {MAX_SEEDS}.")
    names = [entrant.name for entrant in plan.entrants]
    if len(set(names)) < len(names):
        yield Problem("plan", "entrants", "Two networks in the race have the same name. Give each its own.")


def _data_problems(data: DatasetChoice, facts: DatasetInfo) -> Iterator[Problem]:
    if data.name == "own" and not data.upload:
        yield Problem(
            "data", "upload", "No images are chosen. Import a set first, or take one that comes with the app."
        )
    if not 0 <= data.seed <= MAX_SEED:
        yield Problem("data", "seed", f"Seed of the images: write a whole number from 0 to {MAX_SEED:,}.")
    if not 2 <= len(facts.classes) <= MAX_CLASSES:
        yield Problem("data", "classes", f"The images have {len(facts.classes):,} classes. At least 2 are needed.")
    if facts.train < 2 or facts.test < 1:
        yield Problem("data", "train", "There are too few images: at least 2 to train on and 1 to test on are needed.")


def _settings_problems(settings: Settings) -> Iterator[Problem]:
    if not 2 <= settings.batch_size <= MAX_BATCH:
        yield Problem(
            "settings",
            "batch_size",
            f"Batch size: {settings.batch_size:,} is out of range. Write a whole number from 2 to {MAX_BATCH:,}.",
        )
    rate = settings.learning_rate
    if rate is not None and not 0 < rate <= 10:
        yield Problem(
            "settings",
            "learning_rate",
            f"Learning rate: {rate} is out of range. Write a number above 0, up to 10, or leave it blank.",
        )
    for field, label, most in (("momentum", "Momentum", 0.999), ("weight_decay", "Weight decay", 1.0)):
        value = getattr(settings, field)
        if not 0 <= value <= most:
            yield Problem("settings", field, f"{label}: {value} is out of range. Write a number from 0 to {most:g}.")
    if settings.device not in DEVICES:
        yield Problem("settings", "device", f"That is no known device. Choose one of {', '.join(DEVICES)}.")


def _budget_problems(budget: Budget) -> Iterator[Problem]:
    most = _MOST[budget.kind]
    if not (isfinite(budget.amount) and 0 < budget.amount <= most):
        yield Problem(
            "budget",
            "amount",
            f"Budget: {budget.amount:,g} is out of range. Write a number above 0, up to {most:,.0f} "
            f"{_UNITS[budget.kind]}.",
        )


def _seed_problems(seeds: tuple[int, ...]) -> Iterator[Problem]:
    if not all(0 <= seed <= MAX_SEED for seed in seeds):
        yield Problem("plan", "seeds", f"Seeds: write whole numbers from 0 to {MAX_SEED:,}.")
    if len(set(seeds)) < len(seeds):
        yield Problem("plan", "seeds", "Seeds: two are the same, which would be the same run twice.")


def _entrant_problems(entrant: NamedNetwork, facts: DatasetInfo) -> Iterator[Problem]:
    if found := problems(entrant.config):
        yield from (Problem(entrant.name, problem.field, problem.message) for problem in found[:3])
        return
    if entrant.config.input_shape[0] != facts.shape[0]:
        yield Problem(
            entrant.name,
            "input_shape",
            f"{entrant.name} takes images of {entrant.config.input_shape[0]} channels; these have {facts.shape[0]}. "
            "Fit the network to the images.",
        )
    if entrant.config.classes != len(facts.classes):
        yield Problem(
            entrant.name,
            "classes",
            f"{entrant.name} tells {entrant.config.classes:,} classes apart; the images have {len(facts.classes):,}. "
            "Fit the network to the images.",
        )


def _memory_problems(plan: Plan, facts: DatasetInfo) -> Iterator[Problem]:
    needed, limit = memory_bytes(plan, facts), memory_limit()
    if needed > limit:
        yield Problem(
            "plan",
            "memory",
            f"Training would need about {needed / 1e6:,.0f} MB; the limit here is {limit / 1e6:,.0f} MB "
            "(EXPLORER_TRAIN_MB). Take a smaller batch, fewer seeds, or a narrower network.",
        )
