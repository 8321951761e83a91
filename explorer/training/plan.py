"""What a training run shall do: the networks, the images, the settings and the budget. Frozen, JSON, free of torch.

A run is a race with one entrant and one seed; a race has up to four entrants, each trained from every seed. An entrant
with a seed is a *lane*, and each lane has the whole budget to itself. As with a config, types are checked when a plan
is made, and whether it can be run is judged afterwards by :mod:`explorer.training.validation`, before anything is loaded.
"""

from collections.abc import Iterator, Mapping
from math import ceil, cos, pi, prod, sqrt
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from explorer.analysis import problems, summarize
from explorer.config import MAX_SIDE, Frozen, GoogLeNetConfig, UnbuildableError
from explorer.memory import activation_memory

MAX_NETWORKS = 4
MAX_SEEDS = 5
MAX_SEED = 2**31 - 1
MAX_BATCH = 1_024
SMALL_IMAGE = 56  # pixels; below, the paper's stem leaves less than 7×7 to stage 3 and less than 2×2 to stage 5
BASE_BYTES = 350_000_000  # Python and PyTorch with nothing in them
MACS_PER_SECOND = 25_000_000_000  # what two ordinary cores do of a small network, before the first steps tell
TRAINING_PASSES = 3  # forward; backward to the inputs; backward to the weights: each as many MACs
WARM_UP = 0.25  # of the budget, in which one-cycle rises
START = 0.04  # of the learning rate, where it begins
SLOW_STEP_MACS = 20_000_000_000  # about a second on two cores; where a step takes more, smaller batches are proposed
LEAST_BATCH = 16
LEAST_STEPS = 60  # that a proposed budget is for
MAX_PROPOSED = 600.0  # seconds

DataName = Literal["fashion_mnist", "fashion_mnist_full", "scales", "own"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]


class DatasetChoice(Frozen):
    """Which images. ``upload`` is the content hash of an imported set (only ``own``).

    ``seed`` draws the images of ``scales``, and the test images of an imported set that names none.
    """

    name: DataName = "fashion_mnist"
    upload: str = ""
    seed: int = 0


class DatasetInfo(Frozen):
    """What is known of a set of images without reading them. ``shape`` is C × H × W of one image."""

    title: str
    source: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    train: int
    test: int

    @property
    def bytes(self) -> int:
        """The size of all images in memory, a byte per pixel and channel."""
        return (self.train + self.test) * prod(self.shape)


_CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
_XIAO = "Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747 (Zalando Research, MIT licence)"

# The sets that need no import; those of an imported one are in explorer.data.datasets.facts.
DATASETS: Mapping[str, DatasetInfo] = MappingProxyType(
    {
        "fashion_mnist": DatasetInfo(
            title="Fashion-MNIST, a balanced sixth",
            source=_XIAO,
            shape=(1, 28, 28),
            classes=_CLOTHES,
            train=10_000,
            test=2_000,
        ),
        "fashion_mnist_full": DatasetInfo(
            title="Fashion-MNIST, all of it",
            source=_XIAO,
            shape=(1, 28, 28),
            classes=_CLOTHES,
            train=60_000,
            test=10_000,
        ),
        "scales": DatasetInfo(
            title="Scales (synthetic)",
            source="Drawn by this program from a seed: shapes whose size says nothing of their class.",
            shape=(3, 32, 32),
            classes=("disc", "ring", "square", "frame", "triangle", "cross", "star", "bars"),
            train=8_000,
            test=2_000,
        ),
    }
)


class Settings(Frozen):
    """How to train. A ``learning_rate`` of None is chosen by :func:`chosen_rate`.

    ``momentum`` is SGD's, in Nesterov's form. ``one_cycle`` rises to the learning rate in the first quarter of the
    budget and falls to nothing at its end (Smith & Topin 2017, arXiv:1708.07120); ``paper`` takes 4 % off every 8
    epochs (arXiv:1409.4842, section 6). ``augment``: each image is mirrored at random and shifted by up to 2 pixels,
    which costs accuracy in a run of a few epochs. The weight of the auxiliary losses stands in the network's config.
    ``bf16`` computes in bfloat16 where the device is CUDA.
    """

    batch_size: int = 64
    optimiser: Literal["sgd", "adam"] = "sgd"
    learning_rate: float | None = None
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["one_cycle", "paper", "constant"] = "one_cycle"
    augment: bool = False
    device: str = "auto"
    precision: Literal["fp32", "bf16"] = "fp32"


class Budget(Frozen):
    """How much each lane may spend: seconds of training, steps, epochs, or MACs of training."""

    kind: Literal["seconds", "steps", "epochs", "macs"] = "seconds"
    amount: float = 60.0


class NamedNetwork(Frozen):
    """A network that is trained, by the name it goes by."""

    name: Name
    config: GoogLeNetConfig


class TrainerKey(NamedTuple):
    """An entrant, by its place in the plan, trained from one seed."""

    entrant: int
    seed: int


class Plan(Frozen):
    """A whole run. Equal plans on the same device have equal curves, unless the budget is in seconds."""

    entrants: tuple[NamedNetwork, ...]
    data: DatasetChoice = DatasetChoice()
    settings: Settings = Settings()
    budget: Budget = Budget()
    seeds: tuple[int, ...] = (0,)

    @property
    def trainers(self) -> tuple[TrainerKey, ...]:
        """Every lane in order: all seeds of the first entrant, then of the next. Events name a lane by its place."""
        return tuple(TrainerKey(number, seed) for number in range(len(self.entrants)) for seed in self.seeds)


class AdaptedNetwork(NamedTuple):
    """A network made to fit a set of images, with a sentence for each thing that was changed."""

    config: GoogLeNetConfig
    changes: tuple[str, ...]


class Estimate(Frozen):
    """What a plan will take, before the first step corrects it: in all lanes, and the largest memory at any time."""

    steps: int
    seconds: float
    memory_bytes: int


def effective_learning_rate(settings: Settings, config: GoogLeNetConfig) -> float:
    """Return the learning rate that is used: the one set, or what suits the optimiser and the normalisation.

    Without BatchNorm larger ones diverge. It grows with the batch: for SGD in proportion (Goyal et al. 2017,
    arXiv:1706.02677), for Adam as the root, up to four times that of a batch of 64.
    """
    if settings.learning_rate is not None:
        return settings.learning_rate
    normalised = config.normalisation == "batch_norm"
    batch = min(4.0, settings.batch_size / 64)
    if settings.optimiser == "adam":
        return (3e-3 if normalised else 5e-4) * sqrt(batch)
    return (0.15 if normalised else 0.01) * batch


def default_settings(config: GoogLeNetConfig, facts: DatasetInfo) -> tuple[Settings, Budget]:
    """Return the settings and the budget to begin with: a minute, or longer for a network that would hardly move in it.

    Where a step of 64 images would take long the batch is smaller, so that there are enough steps to learn in.
    """
    settings = Settings()
    while settings.batch_size > LEAST_BATCH and step_macs(config, settings, facts) > SLOW_STEP_MACS:
        settings = settings.replace(batch_size=settings.batch_size // 2)
    seconds = LEAST_STEPS * step_macs(config, settings, facts) / MACS_PER_SECOND
    return settings, Budget(amount=min(MAX_PROPOSED, max(Budget().amount, float(ceil(seconds)))))


def learning_rate_at(settings: Settings, peak: float, share: float, epochs: float) -> float:
    """Return the learning rate where ``share`` of the budget is used and the images were seen ``epochs`` times."""
    match settings.schedule:
        case "one_cycle" if share < WARM_UP:
            return peak * (START + (1 - START) * share / WARM_UP)
        case "one_cycle":
            return peak * (1 + cos(pi * (share - WARM_UP) / (1 - WARM_UP))) / 2
        case "paper":
            return peak * 0.96 ** (epochs // 8)
    return peak


def adapt_to_dataset(config: GoogLeNetConfig, data_shape: tuple[int, int, int], classes: int) -> AdaptedNetwork:
    """Make a network fit images of C × H × W in so many classes, and say in words what that changed.

    Small images get the small stem. Heads that find no room are left out. Images are enlarged, to twice their size and
    on, where the network would shrink them to nothing. Raises UnbuildableError for a network that has problems itself,
    and for one that no size up to the limit fits.
    """
    if found := problems(config):
        raise UnbuildableError(found)
    fitted = config.replace(classes=classes)
    if max(data_shape[1:]) < SMALL_IMAGE:
        fitted = fitted.replace(stem=fitted.stem.replace(kind="small"))
    channels, height, width = data_shape
    while True:
        candidate = fitted.replace(input_shape=(channels, height, width))
        found = problems(candidate.replace(aux=candidate.aux.replace(taps=())))
        if not found:
            break
        height, width = 2 * height, 2 * width
        if max(height, width) > MAX_SIDE:
            raise UnbuildableError(found)
    taps = tuple(tap for tap in config.aux.taps if not problems(_with_taps(candidate, (tap,))))
    fitted = _with_taps(candidate, taps)
    return AdaptedNetwork(fitted, tuple(_said(config, fitted, data_shape)))


def _with_taps(config: GoogLeNetConfig, taps: tuple[str, ...]) -> GoogLeNetConfig:
    return config.replace(aux=config.aux.replace(taps=taps))


def _said(old: GoogLeNetConfig, new: GoogLeNetConfig, data_shape: tuple[int, int, int]) -> Iterator[str]:
    """Say each change that fitting made."""
    if old.input_shape != new.input_shape:
        before, after = ("×".join(map(str, config.input_shape)) for config in (old, new))
        why = "as the images are"
        if new.input_shape != data_shape:
            why = f"images of {'×'.join(map(str, data_shape[1:]))} are enlarged, or a pooling would find no room"
        yield f"Input: {before} → {after}, {why}."
    if old.classes != new.classes:
        yield f"Classes: {old.classes:,} → {new.classes:,}."
    if old.stem.kind != new.stem.kind:
        yield f"Stem: paper → small, as images under {SMALL_IMAGE} pixels would shrink too far in the paper's."
    for tap in old.aux.taps:
        if tap not in new.aux.taps:
            yield f"Auxiliary head on {tap}: left out, as its pooling finds no room."


def steps_per_epoch(settings: Settings, facts: DatasetInfo) -> int:
    """Return how many whole batches the training images give; the rest of an epoch is left out."""
    return max(1, facts.train // max(1, settings.batch_size))


def step_macs(config: GoogLeNetConfig, settings: Settings, facts: DatasetInfo) -> int:
    """Return the MACs of one step of training: forward and backward of a batch, heads included."""
    batch = min(settings.batch_size, facts.train)
    return TRAINING_PASSES * batch * summarize(config).macs(aux=True)


def trainer_steps(plan: Plan, entrant: int, facts: DatasetInfo) -> int | None:
    """Return how many steps the lanes of an entrant take; None when the clock decides."""
    kind, amount = plan.budget.kind, plan.budget.amount
    match kind:
        case "steps":
            return max(1, ceil(amount))
        case "epochs":
            return max(1, ceil(amount * steps_per_epoch(plan.settings, facts)))
        case "macs":
            return max(1, int(amount / step_macs(plan.entrants[entrant].config, plan.settings, facts)))
    return None


def estimate(plan: Plan, facts: DatasetInfo, macs_per_second: float = MACS_PER_SECOND) -> Estimate:
    """Return what a plan will take in all, in closed form. The speed is a guess until a run has told it.

    Raises UnbuildableError when an entrant cannot be built.
    """
    steps, seconds = 0, 0.0
    for number, entrant in enumerate(plan.entrants):
        step_seconds = step_macs(entrant.config, plan.settings, facts) / macs_per_second
        counted = trainer_steps(plan, number, facts)
        if counted is None:
            taken, counted = plan.budget.amount, max(1, int(plan.budget.amount / step_seconds))
        else:
            taken = counted * step_seconds
        steps += counted * len(plan.seeds)
        seconds += taken * len(plan.seeds)
    return Estimate(steps=steps, seconds=seconds, memory_bytes=memory_bytes(plan, facts))


def memory_bytes(plan: Plan, facts: DatasetInfo) -> int:
    """Return the most memory that a plan's process holds, in bytes.

    Every lane keeps its weights, their gradients and the optimiser's averages (momentum: one, Adam: two). Lanes take
    turns with what a batch leaves for the backward pass (:mod:`explorer.memory`); as much again as its outputs is
    for their gradients.
    """
    batch = min(plan.settings.batch_size, facts.train)
    averages = 2 if plan.settings.optimiser == "adam" else 1
    held, at_work = 0, 0
    for entrant in plan.entrants:
        summary = summarize(entrant.config)
        left = activation_memory(summary)
        held += 4 * (2 + averages) * summary.whole.parameters * len(plan.seeds)
        at_work = max(at_work, batch * (sum(left) + left.outputs))
    return BASE_BYTES + facts.bytes + held + at_work
