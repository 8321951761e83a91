"""The plan of a training run: the networks, the images, the settings and the budget. Frozen, JSON, free of torch.

A run trains one network from one seed; a race trains up to four networks, each from every seed. Each pair of a network
and a seed has its own *trainer*, and each trainer has the whole budget to itself. As with a config, types are checked
when a plan is created; :mod:`explorer.training.validation` then checks whether it can run, before anything is loaded.
"""

from collections.abc import Iterator, Mapping
from math import ceil, cos, pi, prod, sqrt
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field

from explorer.analysis import problems, summarize
from explorer.config import MAX_SIDE, Frozen, GoogLeNetConfig
from explorer.errors import UnbuildableError
from explorer.memory import activation_memory
from explorer.training.names import MAX_NAME, clean_name

MAX_NETWORKS = 4
MAX_SEEDS = 5
MAX_SEED = 2**31 - 1
MAX_BATCH = 1_024
SMALL_IMAGE = 56  # pixels; below, the paper's stem leaves less than 7×7 to stage 3 and less than 2×2 to stage 5
BASE_BYTES = 350_000_000  # Python and PyTorch without images or networks
MACS_PER_SECOND = 25_000_000_000  # of a small network on two ordinary cores; used until a run has measured it
TRAINING_PASSES = 3  # forward; backward to the inputs; backward to the weights: each as many MACs
INTERIM_TEST_IMAGES = 500  # test images of an evaluation before the last; the last one uses all
INITIAL_RATE_FRACTION = 0.04  # of the learning rate, where the one-cycle schedule starts

DataName = Literal["fashion_mnist", "fashion_mnist_full", "scales", "own"]


def _check_name(name: str) -> str:
    if not name or name != clean_name(name):
        raise ValueError(f"a name is one line of 1 to {MAX_NAME} characters that can be shown")
    return name


Name = Annotated[str, AfterValidator(_check_name)]


class DatasetChoice(Frozen):
    """The choice of a dataset. ``upload`` is the content hash of an imported one (only for ``own``).

    ``seed`` draws the images of ``scales``, and the test split of an imported dataset that has none.
    ``validation_images``: if not 0, so many of the training images, drawn at random and always the same ones, take
    the place of the test images, which stay unread. A choice between networks is made on these.
    """

    name: DataName = "fashion_mnist"
    upload: str = ""
    seed: int = 0
    validation_images: int = 0


class DatasetInfo(Frozen):
    """What is known of a dataset without reading its images.

    ``shape`` is C × H × W of one image; ``train`` and ``test`` are numbers of images.
    """

    title: str
    source: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    train: int
    test: int

    @property
    def bytes(self) -> int:
        """The size of all images in memory: one byte per pixel and channel."""
        return (self.train + self.test) * prod(self.shape)


_CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
_XIAO = "Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747 (Zalando Research, MIT licence)"

# The datasets that need no import.
DATASETS: Mapping[DataName, DatasetInfo] = MappingProxyType(
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
            # Trained weights have this text in their metadata, so it does not change.
            source="Drawn by this program from a seed: shapes whose size says nothing of their class.",
            shape=(3, 32, 32),
            classes=("disc", "ring", "square", "frame", "triangle", "cross", "star", "bars"),
            train=8_000,
            test=2_000,
        ),
    }
)


class Settings(Frozen):
    """How to train. :func:`effective_learning_rate` chooses the ``learning_rate`` if it is None.

    ``momentum`` is SGD's, in Nesterov's form. ``one_cycle`` rises to the learning rate in the first quarter of the
    budget and falls to 0 at its end (Smith & Topin 2017, arXiv:1708.07120); ``paper`` reduces it by 4 % every 8
    epochs (arXiv:1409.4842, section 6). ``augment`` mirrors each image at random and shifts it by up to 2 pixels,
    which costs accuracy in a run of a few epochs. The weight of the auxiliary losses is in the network's config.
    ``bf16`` computes in bfloat16 where the device is CUDA, ``auto`` also on a CPU that has instructions for it.

    The fields from ``initialisation`` on are newer than some stored plans: their defaults are what was done before.
    :mod:`explorer.training.recipe` has the values for a new run.

    - ``initialisation``: of the weights. ``he``: normal, for ReLU (He et al. 2015, arXiv:1502.01852), biases 0;
      ``caffe``: as the paper's released network, Xavier's uniform form with biases of 0.2 before a ReLU.
    - ``warm_up``: the fraction of the budget in which the learning rate of ``one_cycle`` rises.
    - ``clip_norm``: gradients with a larger L2 norm are scaled down to it (Pascanu et al. 2013, arXiv:1211.5063).
    - ``label_smoothing``: the probability that is spread over all classes (Szegedy et al. 2015, arXiv:1512.00567).
    - ``mirror``: mirror each image at random.
    - ``small_images``: the fraction of the budget, at its start, that is trained on images of
      :func:`small_side` (Howard 2018, fast.ai's DAWNBench entry). Auxiliary heads are not trained on them.
    - ``averaging``: the fraction of the budget, at its end, over whose steps the weights are averaged
      (Izmailov et al. 2018, arXiv:1803.05407).
    - ``precise_batch_norm``: recompute BatchNorm's statistics before an evaluation (Wu & Johnson 2021,
      arXiv:2105.07576); otherwise the running statistics of training are used.
    """

    batch_size: int = 64
    optimiser: Literal["sgd", "adam"] = "sgd"
    learning_rate: float | None = None
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["one_cycle", "paper", "constant"] = "one_cycle"
    augment: bool = False
    device: str = "auto"
    precision: Literal["fp32", "bf16", "auto"] = "fp32"
    initialisation: Literal["he", "caffe"] = "he"
    warm_up: float = 0.25
    clip_norm: float | None = None
    label_smoothing: float = 0.0
    mirror: bool = False
    small_images: float = 0.0
    averaging: float = 0.0
    precise_batch_norm: bool = True


class Budget(Frozen):
    """How much each trainer may use: seconds of training, steps, epochs, or MACs of training."""

    kind: Literal["seconds", "steps", "epochs", "macs"] = "seconds"
    amount: float = 60.0


class NamedNetwork(Frozen):
    """A network to train, and its name. In a race of settings it has its own ``settings`` instead of the plan's."""

    name: Name
    config: GoogLeNetConfig
    settings: Settings | None = None


class TrainerKey(NamedTuple):
    """One network, as its index in the plan, trained from one seed."""

    network: int
    seed: int


class Plan(Frozen):
    """A whole run. Equal plans on the same device have equal curves, unless the budget is in seconds.

    Stored plans call the first field ``entrants``; both names are read, and the stored one is written.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    networks: tuple[NamedNetwork, ...] = Field(alias="entrants")
    data: DatasetChoice = DatasetChoice()
    settings: Settings = Settings()
    budget: Budget = Budget()
    seeds: tuple[int, ...] = (0,)

    @property
    def trainers(self) -> tuple[TrainerKey, ...]:
        """All trainers in order: every seed of the first network, then of the next. Events have their index here."""
        return tuple(TrainerKey(index, seed) for index in range(len(self.networks)) for seed in self.seeds)

    def settings_of(self, network: int) -> Settings:
        """Return the settings with which the trainers of a network train."""
        return self.networks[network].settings or self.settings


class AdaptedNetwork(NamedTuple):
    """A network adapted to a dataset, with a sentence for each change."""

    config: GoogLeNetConfig
    changes: tuple[str, ...]


class Estimate(Frozen):
    """What a plan will take: steps and seconds of all trainers together, and the peak memory in bytes."""

    steps: int
    seconds: float
    memory_bytes: int


def effective_learning_rate(settings: Settings, config: GoogLeNetConfig) -> float:
    """Return the learning rate that training uses: the one set, or one for the optimiser and the normalisation.

    Without BatchNorm larger ones diverge. It grows with the batch: for SGD in proportion (Goyal et al. 2017,
    arXiv:1706.02677), for Adam with the square root, up to four times that of a batch of 64.
    """
    if settings.learning_rate is not None:
        return settings.learning_rate
    normalised = config.normalisation == "batch_norm"
    batch = min(4.0, settings.batch_size / 64)
    if settings.optimiser == "adam":
        return (3e-3 if normalised else 5e-4) * sqrt(batch)
    return (0.15 if normalised else 0.01) * batch


def learning_rate_at(settings: Settings, peak: float, progress: float, epochs: float) -> float:
    """Return the learning rate at a fraction ``progress`` of the budget, after so many ``epochs``."""
    match settings.schedule:
        case "one_cycle" if progress < settings.warm_up:
            return peak * (INITIAL_RATE_FRACTION + (1 - INITIAL_RATE_FRACTION) * progress / settings.warm_up)
        case "one_cycle":
            return peak * (1 + cos(pi * (progress - settings.warm_up) / (1 - settings.warm_up))) / 2
        case "paper":
            return peak * float(0.96 ** (epochs // 8))
    return peak


def small_size(config: GoogLeNetConfig) -> tuple[int, int] | None:
    """Return height and width of the small images: about half the pixels of an input. None if they do not fit."""
    channels, *sides = config.input_shape
    height, width = (2 * round(0.35 * side) for side in sides)
    smaller = _with_taps(config.replace(input_shape=(channels, height, width)), ())
    return None if problems(smaller) else (height, width)


def adapt_to_dataset(config: GoogLeNetConfig, data_shape: tuple[int, int, int], classes: int) -> AdaptedNetwork:
    """Adapt a network to images of C × H × W in so many classes, and describe the changes.

    Small images get the small stem. Auxiliary heads whose pooling does not fit are removed. Images are enlarged by a
    factor of 2, 4, … where the network would shrink them to nothing. Raises UnbuildableError for a network that has
    problems itself, and for one that no size up to the limit fits.
    """
    if found := problems(config):
        raise UnbuildableError(found)
    adapted = config.replace(classes=classes)
    if max(data_shape[1:]) < SMALL_IMAGE:
        adapted = adapted.replace(stem=adapted.stem.replace(kind="small"))
    channels, height, width = data_shape
    while True:
        candidate = adapted.replace(input_shape=(channels, height, width))
        found = problems(candidate.replace(aux=candidate.aux.replace(taps=())))
        if not found:
            break
        height, width = 2 * height, 2 * width
        if max(height, width) > MAX_SIDE:
            raise UnbuildableError(found)
    taps = tuple(tap for tap in config.aux.taps if not problems(_with_taps(candidate, (tap,))))
    adapted = _with_taps(candidate, taps)
    return AdaptedNetwork(adapted, tuple(_describe_changes(config, adapted, data_shape)))


def _with_taps(config: GoogLeNetConfig, taps: tuple[str, ...]) -> GoogLeNetConfig:
    return config.replace(aux=config.aux.replace(taps=taps))


def _describe_changes(old: GoogLeNetConfig, new: GoogLeNetConfig, data_shape: tuple[int, int, int]) -> Iterator[str]:
    """Yield a sentence for each change that :func:`adapt_to_dataset` made."""
    if old.input_shape != new.input_shape:
        before, after = ("×".join(map(str, config.input_shape)) for config in (old, new))
        reason = "the size of the images"
        if new.input_shape != data_shape:
            reason = f"images of {'×'.join(map(str, data_shape[1:]))} are enlarged, because a pooling would not fit"
        yield f"Input: {before} → {after}, {reason}."
    if old.classes != new.classes:
        yield f"Classes: {old.classes:,} → {new.classes:,}."
    if old.stem.kind != new.stem.kind:
        yield f"Stem: paper → small, because the paper's shrinks images under {SMALL_IMAGE} pixels too far."
    for tap in old.aux.taps:
        if tap not in new.aux.taps:
            yield f"Auxiliary head at {tap}: removed, because its pooling does not fit."


def steps_per_epoch(settings: Settings, dataset: DatasetInfo) -> int:
    """Return the number of whole batches of training images; the rest of an epoch is skipped."""
    return max(1, dataset.train // max(1, settings.batch_size))


def step_macs(config: GoogLeNetConfig, settings: Settings, dataset: DatasetInfo) -> int:
    """Return the MACs of one step of training: forward and backward of a batch, auxiliary heads included."""
    batch = min(settings.batch_size, dataset.train)
    return TRAINING_PASSES * batch * summarize(config).macs(aux=True)


def trainer_steps(plan: Plan, network: int, dataset: DatasetInfo) -> int | None:
    """Return the number of steps that the trainers of a network take; None for a budget in seconds."""
    kind, amount = plan.budget.kind, plan.budget.amount
    match kind:
        case "steps":
            return max(1, ceil(amount))
        case "epochs":
            return max(1, ceil(amount * steps_per_epoch(plan.settings_of(network), dataset)))
        case "macs":
            return max(1, int(amount / step_macs(plan.networks[network].config, plan.settings_of(network), dataset)))
    return None


def estimate(plan: Plan, dataset: DatasetInfo, macs_per_second: float = MACS_PER_SECOND) -> Estimate:
    """Return what a plan will take in all, in closed form. The default speed is a guess for a machine with two cores.

    Raises UnbuildableError when a network cannot be built.
    """
    steps, seconds = 0, 0.0
    for index, network in enumerate(plan.networks):
        seconds_per_step = step_macs(network.config, plan.settings_of(index), dataset) / macs_per_second
        each_steps = trainer_steps(plan, index, dataset)
        if each_steps is None:
            each_seconds, each_steps = plan.budget.amount, max(1, int(plan.budget.amount / seconds_per_step))
        else:
            each_seconds = each_steps * seconds_per_step
        steps += each_steps * len(plan.seeds)
        seconds += each_seconds * len(plan.seeds)
    return Estimate(steps=steps, seconds=seconds, memory_bytes=memory_bytes(plan, dataset))


def memory_bytes(plan: Plan, dataset: DatasetInfo) -> int:
    """Return the peak memory of a plan's process, in bytes.

    Every trainer has its weights, their gradients, the optimiser's averages (momentum: one, Adam: two) and, if it
    averages them, the averaged weights in memory all the time. Only one trainer at a time has the activations that a
    batch stores for the backward pass (:mod:`explorer.memory`) and the gradients of its outputs, which are as large.
    """
    permanent, temporary = 0, 0
    for index, network in enumerate(plan.networks):
        settings = plan.settings_of(index)
        batch = min(settings.batch_size, dataset.train)
        averages = (2 if settings.optimiser == "adam" else 1) + (settings.averaging > 0)
        summary = summarize(network.config)
        stored = activation_memory(summary)
        permanent += 4 * (2 + averages) * summary.training_totals.parameters * len(plan.seeds)
        temporary = max(temporary, batch * (sum(stored) + stored.outputs))
    return BASE_BYTES + dataset.bytes + permanent + temporary
