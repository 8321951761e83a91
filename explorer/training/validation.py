"""Check a plan before anything is loaded. Each problem names its part and says what to do."""

from collections.abc import Iterator
from math import isfinite

from explorer.analysis import problems
from explorer.config import MAX_CLASSES
from explorer.errors import Problem
from explorer.settings import read_setting
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

_MAX_BUDGET = {"seconds": 3_600.0, "steps": 1_000_000.0, "epochs": 1_000.0, "macs": 1e18}
# From 0 to these.
_MAXIMA = {
    "momentum": ("Momentum", 0.999),
    "weight_decay": ("Weight decay", 1.0),
    "warm_up": ("Warm-up", 0.9),
    "label_smoothing": ("Label smoothing", 0.9),
    "small_images": ("Small images first", 0.9),
    "averaging": ("Weight averaging", 1.0),
}
_UNITS = {"seconds": "seconds", "steps": "steps", "epochs": "epochs", "macs": "MACs"}


def memory_limit() -> int:
    """Return the number of bytes that a plan may need on this machine."""
    return read_setting("EXPLORER_TRAIN_MB") * 1_000_000


def plan_problems(plan: Plan, dataset: DatasetInfo, memory_limit_bytes: int | None = None) -> tuple[Problem, ...]:
    """Return every reason why a plan cannot run; empty when it can.

    The memory is checked when all else is right, against :func:`memory_limit` unless a limit is given.
    """
    if wrong_counts := tuple(_count_problems(plan)):
        return wrong_counts
    found = (
        *_data_problems(plan.data, dataset),
        *(problem for settings in _all_settings(plan) for problem in _settings_problems(settings)),
        *_budget_problems(plan.budget),
        *_seed_problems(plan.seeds),
        *(problem for network in plan.networks for problem in _network_problems(network, dataset)),
    )
    return found or tuple(
        _memory_problems(plan, dataset, memory_limit() if memory_limit_bytes is None else memory_limit_bytes)
    )


def _all_settings(plan: Plan) -> tuple[Settings, ...]:
    return tuple(dict.fromkeys((plan.settings, *(plan.settings_of(index) for index in range(len(plan.networks))))))


def _count_problems(plan: Plan) -> Iterator[Problem]:
    if not 1 <= len(plan.networks) <= MAX_NETWORKS:
        yield Problem(
            "plan", "networks", f"There are {len(plan.networks):,} networks. Train one, or race 2 to {MAX_NETWORKS}."
        )
    if not 1 <= len(plan.seeds) <= MAX_SEEDS:
        yield Problem("plan", "seeds", f"There are {len(plan.seeds):,} seeds. Give 1 to {MAX_SEEDS}.")
    names = [network.name for network in plan.networks]
    if len(set(names)) < len(names):
        yield Problem("plan", "networks", "Two networks in the race have the same name. Rename one of them.")


def _data_problems(data: DatasetChoice, dataset: DatasetInfo) -> Iterator[Problem]:
    if data.name == "own" and not data.upload:
        yield Problem(
            "data", "upload", "No dataset is chosen. Import one first, or choose one that comes with the app."
        )
    if not 0 <= data.seed <= MAX_SEED:
        yield Problem("data", "seed", f"Seed of the images: enter a whole number from 0 to {MAX_SEED:,}.")
    if data.validation_images < 0:
        yield Problem("data", "validation_images", "Validation images: enter 0 or a larger whole number.")
    if not 2 <= len(dataset.classes) <= MAX_CLASSES:
        yield Problem(
            "data",
            "classes",
            f"The images have {len(dataset.classes):,} classes. Choose images with 2 to {MAX_CLASSES:,}.",
        )
    if dataset.train < 2 or dataset.test < 1:
        yield Problem("data", "train", "There are too few images. Choose at least 2 training images and 1 test image.")


def _settings_problems(settings: Settings) -> Iterator[Problem]:
    if not 2 <= settings.batch_size <= MAX_BATCH:
        yield Problem(
            "settings",
            "batch_size",
            f"Batch size: {settings.batch_size:,} is out of range. Enter a whole number from 2 to {MAX_BATCH:,}.",
        )
    rate = settings.learning_rate
    if rate is not None and not 0 < rate <= 10:
        yield Problem(
            "settings",
            "learning_rate",
            f"Learning rate: {rate} is out of range. Enter a number above 0, up to 10, or leave it blank.",
        )
    if settings.clip_norm is not None and not 0 < settings.clip_norm <= 1e6:
        yield Problem(
            "settings",
            "clip_norm",
            f"Gradient clipping: {settings.clip_norm} is out of range. Enter a number above 0, or leave it blank.",
        )
    for field, (label, maximum) in _MAXIMA.items():
        value = getattr(settings, field)
        if not 0 <= value <= maximum:
            yield Problem("settings", field, f"{label}: {value} is out of range. Enter a number from 0 to {maximum:g}.")
    if settings.device not in DEVICES:
        yield Problem("settings", "device", f"Unknown device. Choose one of {', '.join(DEVICES)}.")


def _budget_problems(budget: Budget) -> Iterator[Problem]:
    maximum = _MAX_BUDGET[budget.kind]
    if not (isfinite(budget.amount) and 0 < budget.amount <= maximum):
        yield Problem(
            "budget",
            "amount",
            f"Budget: {budget.amount:,g} is out of range. Enter a number above 0, up to {maximum:,.0f} "
            f"{_UNITS[budget.kind]}.",
        )


def _seed_problems(seeds: tuple[int, ...]) -> Iterator[Problem]:
    if not all(0 <= seed <= MAX_SEED for seed in seeds):
        yield Problem("plan", "seeds", f"Seeds: enter whole numbers from 0 to {MAX_SEED:,}.")
    if len(set(seeds)) < len(seeds):
        yield Problem("plan", "seeds", "Seeds: two are equal, which would train the same network twice. Change one.")


def _network_problems(network: NamedNetwork, dataset: DatasetInfo) -> Iterator[Problem]:
    name, config = network.name, network.config
    if found := problems(config):
        yield from (Problem(name, problem.field, problem.message) for problem in found[:3])
        return
    if config.input_shape[0] != dataset.shape[0]:
        yield Problem(
            name,
            "input_shape",
            f"{name} takes images of {config.input_shape[0]} channels; these have {dataset.shape[0]}. "
            "Adapt the network to the images.",
        )
    if config.classes != len(dataset.classes):
        yield Problem(
            name,
            "classes",
            f"{name} has {config.classes:,} classes; the images have {len(dataset.classes):,}. "
            "Adapt the network to the images.",
        )


def _memory_problems(plan: Plan, dataset: DatasetInfo, limit: int) -> Iterator[Problem]:
    needed = memory_bytes(plan, dataset)
    if needed > limit:
        yield Problem(
            "plan",
            "memory",
            f"Training would need about {needed / 1e6:,.0f} MB; the limit here is {limit / 1e6:,.0f} MB "
            "(EXPLORER_TRAIN_MB). Choose a smaller batch, fewer seeds, or a narrower network.",
        )
