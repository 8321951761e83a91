"""A run in sentences: what it trains and how, and its progress. :mod:`explorer.views.results` has its results."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from explorer.config import HEADINGS
from explorer.diff import Change, find_changes
from explorer.history import Version
from explorer.runs.records import Run, State
from explorer.runs.significance import MIN_SEEDS
from explorer.training.names import clean_name
from explorer.training.plan import INTERIM_TEST_IMAGES, Budget, DatasetInfo, Plan, Settings, effective_learning_rate
from explorer.views import formatting as fmt

BadgeColour = Literal["gray", "blue", "orange", "green", "red"]
STATES: Mapping[State, tuple[str, BadgeColour, str]] = {  # the name of a state, its colour, its icon
    "queued": ("waiting", "gray", "hourglass_top"),
    "running": ("training", "blue", "play_arrow"),
    "paused": ("paused", "orange", "pause"),
    "finished": ("finished", "green", "check"),
    "cancelled": ("stopped", "gray", "stop"),
    "failed": ("failed", "red", "error"),
    "interrupted": ("interrupted", "orange", "power_off"),
}


def duration(seconds: float) -> str:
    """Return a time in words: ``8 s``, ``1 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def count(number: int, noun: str) -> str:
    """Return a number of things: ``1 step``, ``2,000 steps``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def budget_text(budget: Budget) -> str:
    """Return a budget with its unit: ``60 seconds``, ``1.50 G MACs``."""
    if budget.kind == "macs":
        return f"{fmt.short(budget.amount)} MACs"
    unit = budget.kind[:-1] if budget.amount == 1 else budget.kind
    return f"{budget.amount:,g} {unit}"


def settings_text(settings: Settings, plan: Plan) -> str:
    """Return how a run trains, in one line."""
    rates = dict.fromkeys(f"{effective_learning_rate(settings, network.config):.2g}" for network in plan.networks)
    method = f"SGD, Nesterov momentum {settings.momentum:g}" if settings.optimiser == "sgd" else "Adam"
    parts = [
        f"batches of {settings.batch_size:,}",
        method,
        f"learning rate {' / '.join(rates)}",
        {"one_cycle": "one-cycle", "paper": "−4 % every 8 epochs", "constant": "constant"}[settings.schedule],
        f"weight decay {settings.weight_decay:g}",
        "augmented" if settings.augment else "mirrored" if settings.mirror else "not augmented",
        *_recipe_texts(settings),
    ]
    return " · ".join(parts)


def _recipe_texts(settings: Settings) -> Iterator[str]:
    """Yield what the newer settings do, where it differs from what was done before there were any."""
    if settings.label_smoothing:
        yield f"label smoothing {settings.label_smoothing:g}"
    if settings.warm_up != 0.25 and settings.schedule == "one_cycle":
        yield f"warm-up {100 * settings.warm_up:g} %"
    if settings.clip_norm:
        yield f"gradients clipped to {settings.clip_norm:g}"
    if settings.small_images:
        yield f"small images in the first {100 * settings.small_images:g} %"
    if settings.averaging:
        yield f"weights averaged over the last {100 * settings.averaging:g} %"
    if settings.initialisation == "caffe":
        yield "Caffe's initialization"
    if not settings.precise_batch_norm:
        yield "BatchNorm statistics not recomputed"
    if settings.precision != "fp32":
        yield {"bf16": "bfloat16", "auto": "bfloat16 where the device computes in it"}[settings.precision]


def network_name(version: Version) -> str:
    """Return a name that says what differs from the preset: ``mini without heads``, ``mini, 4a #3×3 60``.

    Several differences are counted, without those of the input and the classes, which follow from the images.
    """
    base = version.base
    found = find_changes(version.base_config, version.config)
    changes = [change for change in found if change.field not in ("input_shape", "classes")]
    fields = {change.field for change in changes}
    if not changes:
        return base
    if "normalisation" in fields <= {"normalisation", "conv_bias"}:  # the biases follow from it
        return f"{base} {_NORMALISATIONS[version.config.normalisation]}"
    return f"{base}, {count(len(changes), 'edit')}" if len(changes) > 1 else _name_of_edit(base, changes[0])


def _name_of_edit(base: str, change: Change) -> str:
    if change.field == "taps":
        taps = ", ".join(change.after)
        return f"{base} with heads at {taps}" if taps else f"{base} without heads"
    if change.field == "modules":
        return f"{base}, {change.where} {change.label.removeprefix('module ')}"
    where = f"{change.where} " if change.field in HEADINGS else ""
    return clean_name(f"{base}, {where}{change.label} {_value_text(change.after)}")


_NORMALISATIONS = {"none": "without normalisation", "lrn": "with LRN", "batch_norm": "with BatchNorm"}


def _value_text(value: object) -> str:
    match value:
        case None:
            return "blank"
        case bool():
            return "on" if value else "off"
    return str(value)


def plan_text(plan: Plan, dataset: DatasetInfo) -> str:
    """Return what a run trains, in one line: networks, images, budget, seeds."""
    names = " vs ".join(network.name for network in plan.networks)
    each = " each" if len(plan.trainers) > 1 else ""
    seeds = f"seed{'s' * (len(plan.seeds) > 1)} {', '.join(map(str, plan.seeds))}"
    return f"{names} on {dataset.title} · {budget_text(plan.budget)}{each} · {seeds}"


def training_caution(plan: Plan) -> str:
    """Return which of these networks are known to be hard to train, and why; empty if none is."""
    without = [network for network in plan.networks if network.config.normalisation != "batch_norm"]
    if not without:
        return ""
    names = " and ".join(network.name for network in without)
    rates = dict.fromkeys(f"{effective_learning_rate(plan.settings, network.config):.2g}" for network in without)
    return (
        f"{names} {'has no BatchNorm and is' if len(without) == 1 else 'have no BatchNorm and are'} hard to train: in "
        f"a short run the accuracy can stay near guessing, and at learning rates above {' / '.join(rates)} the loss "
        "can diverge."
    )


def seconds_left(run: Run) -> float | None:
    """Return how much longer it will train at the speed so far; None before the speed is known."""
    spent = sum(trainer.seconds for trainer in run.trainers)
    if run.progress <= 0 or spent < 0.5:
        return None
    return spent * (1 - run.progress) / run.progress


def progress_text(run: Run) -> str:
    """Return the progress of a run: ``41 % · about 35 s left · 812 images/s · step 640``."""
    seconds, images = sum(trainer.seconds for trainer in run.trainers), sum(trainer.images for trainer in run.trainers)
    left = seconds_left(run)
    parts = [f"{100 * run.progress:.0f} %"]
    if left is not None:
        parts += [f"about {duration(left)} left", f"{images / seconds:,.0f} images/s"]
    return " · ".join([*parts, f"step {run.step:,}"])


def test_points_text(dataset: DatasetInfo | None, *, has_bars: bool) -> str:
    """Return how many test images the points of a test curve are of, and what their bars are, if it has any."""
    if not has_bars:
        return _test_points(dataset)
    bars = "Bars are 95 % intervals of one training's test accuracy over the choice of test images (Wilson)."
    return f"{_test_points(dataset)} {bars}"


def _test_points(dataset: DatasetInfo | None) -> str:
    if dataset is None:
        return f"Test points before the last are of at most {INTERIM_TEST_IMAGES} test images, without dropout."
    if dataset.test <= INTERIM_TEST_IMAGES:
        return f"Test points are of all {dataset.test:,} test images, without dropout."
    return (
        f"Test points are of a sample of {INTERIM_TEST_IMAGES} test images, the last one of all {dataset.test:,}, "
        "without dropout."
    )


def means_text(seeds: Sequence[int]) -> str:
    """Return what the lines and bands of several seeds are, for runs of so many ``seeds`` each; empty if all have one.

    The widths are computed by :func:`explorer.runs.significance.mean_interval`.
    """
    several = [count for count in seeds if count > 1]
    if not several:
        return ""
    line = "With several seeds the thick line is their mean and each thin line is one seed."
    if max(several) < MIN_SEEDS:
        return (
            f"{line} The band is the 95 % interval of the mean test accuracy over the choice of test images (Wilson); "
            f"for seeds, and for the loss, it takes {MIN_SEEDS} seeds."
        )
    band = (
        f"{line} The band is the 95 % interval of that mean: of the test accuracy over the choice of seeds and of test "
        "images, of the loss over the choice of seeds (Student's t)."
    )
    if min(several) < MIN_SEEDS:
        return f"{band} With fewer than {MIN_SEEDS} seeds it covers only the test images, and the loss has none."
    return band


def queue_text(position: int) -> str:
    """Return the position of a run in the queue, as a sentence; ``position`` runs are before it."""
    if position == 0:
        return "It will start in a moment."
    return "One run is before it." if position == 1 else f"{position} runs are before it."
