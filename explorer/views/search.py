"""Studies in words: their state, what they will take, how a trial ended, and what the study may claim."""

from collections.abc import Iterator

from explorer.config import HEADINGS
from explorer.jobs.replays import SamplerComparison
from explorer.search.outcome import Claim, Learnt, Outcome
from explorer.search.records import Kind, PruneReason, State, StudyRecord, TrialRecord
from explorer.search.samplers import PRUNERS, SAMPLERS
from explorer.search.spec import Quantity, StudySpec
from explorer.search.validation import StudyEstimate
from explorer.training.intervals import Interval
from explorer.views.training import duration

QUANTITIES: dict[Quantity, str] = {"parameters": "parameters", "macs": "MACs", "activations": "activation elements"}
STATES: dict[State, str] = {
    "running": "Running",
    "paused": "Paused",
    "stopped": "Stopped",
    "finished": "Finished",
    "failed": "Failed",
}
SOURCES = {"search": "Searched table", "random": "Best of random tables", "paper": "The network's own table, scaled"}
KINDS: dict[Kind, str] = {
    "search": "Searched",
    "random": "Random",
    "finalists": "Finalist, new seed",
    "test": "On the test images",
}
PREDICTORS = {
    "synflow": "SynFlow",
    "gradient_norm": "Gradient norm before the first step",
    "parameters": "Parameters",
    "early_accuracy": "Accuracy after 5 % of the steps",
}


def points_text(value: float, digits: int = 1) -> str:
    """Return a difference of accuracies in percentage points, with its sign."""
    return f"{100 * value:+.{digits}f}".replace("-", "−")


def _reach(interval: Interval) -> str:
    return f"{50 * (interval.high - interval.low):.1f}"


def p_text(p: float | None) -> str:
    """Return a p-value with its relation."""
    if p is None:
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def claim_text(spec: StudySpec, outcome: Outcome, claim: Claim) -> str:
    """Return what the study may claim against a control, in a sentence."""
    found = claim.difference
    control = {
        "paper": "the network's own table at the same cost",
        "random": "the best of random tables with the same compute",
    }.get(claim.control, "its control")
    seeds = f"{found.seeds} seeds each" if found.seeds != 1 else "1 seed each"
    images = f"{found.images:,} test images that the search never used"
    if outcome.looks > 1:
        images = f"{found.images:,} test images, which were evaluated {outcome.looks} times as the study was extended"
    if found.interval is None:
        return f"Too few seeds for a claim against {control}: {points_text(found.difference)} points so far."
    numbers = (
        f"{points_text(found.difference)} ± {_reach(found.interval)} points on {images}, {seeds}, {p_text(claim.p)}"
    )
    if not found.is_significant:
        return f"No difference from {control} was found: {numbers}."
    verdict = "Better" if found.difference > 0 else "Worse"
    return f"{verdict} than {control}: {numbers}."


def estimate_text(spec: StudySpec, estimate: StudyEstimate, workers: int) -> str:
    """Return what a study will take, before it starts."""
    ceilings = len(spec.ceilings)
    arms = "each of the search and the random control" + (f" at each of {ceilings} ceilings" if ceilings > 1 else "")
    pruned = ", more where trials are pruned" if spec.pruner != "none" else ""
    return (
        f"About {estimate.trials:,} trials of full length for {arms}{pruned}, then {estimate.final_trainings:,} "
        f"trainings from new seeds. About {duration(estimate.seconds / workers)} with {workers} "
        f"{'worker' if workers == 1 else 'workers'}, {estimate.memory_bytes / 1e6:,.0f} MB of memory each."
    )


def prune_text(reason: PruneReason) -> str:
    """Return why a trial was pruned."""
    if reason.diverged:
        return f"Its loss was not finite at step {reason.step:,}."
    return (
        f"Pruned at step {reason.step:,}: with {100 * reason.accuracy:.1f} % it was not in the better half of the "
        f"{reason.of:,} trials there ({reason.better:,} were better)."
    )


def trial_text(trial: TrialRecord) -> str:
    """Return how a trial is doing or how it ended."""
    match trial.state:
        case "running":
            latest = (
                f", {100 * trial.reports[-1].accuracy:.1f} % at step {trial.reports[-1].step:,}"
                if trial.reports
                else ""
            )
            return f"Running{latest}"
        case "waiting":
            return "Waiting to be repeated: its worker ended"
        case "failed":
            return f"Failed: {trial.error}"
        case "pruned":
            return prune_text(trial.pruned) if trial.pruned else "Pruned"
    return f"{100 * (trial.accuracy or 0.0):.1f} %"


def state_text(record: StudyRecord) -> str:
    """Return the state of a study, with its message."""
    return " ".join(filter(None, (f"{STATES[record.state]}.", record.message)))


def setup_text(spec: StudySpec) -> str:
    """Return how a study searches, in sentences."""
    return (
        f"{SAMPLERS[spec.sampler].title} proposes tables; pruning: {PRUNERS[spec.pruner].title.lower()}. A trial "
        f"trains for {spec.steps:,} steps of {spec.settings.batch_size} images and is evaluated on "
        f"{spec.data.validation_images:,} training images that are held out. A random search with the same compute and "
        "the network's own table, scaled to the same cost, are the controls."
    )


def accuracy_text(mean: float, interval: Interval | None) -> str:
    """Return a mean accuracy with its 95 % interval."""
    if interval is None:
        return f"{100 * mean:.1f} %"
    return f"{100 * mean:.1f} % (95 % interval {100 * interval.low:.1f} to {100 * interval.high:.1f})"


def correlation_text(value: float, interval: Interval) -> str:
    """Return a rank correlation with its 95 % interval."""
    text = f"{value:+.2f} (95 % interval {interval.low:+.2f} to {interval.high:+.2f})"
    return text.replace("-", "−")


def learnt_text(learnt: Learnt) -> str:
    """Return what the table of the best trials shows."""
    return (
        f"The mean table of the best {learnt.trials} searched trials. In brackets: its ratio to the network's own "
        "table at the same cost."
    )


def learnt_rows(learnt: Learnt) -> Iterator[tuple[str, ...]]:
    """Yield a row per module: its name, and for each cell the mean and its ratio to the network's own."""
    for module in learnt.paper.modules:
        yield (
            module.name,
            *(_learnt_cell(learnt.mean[module.name][field], getattr(module, field)) for field in HEADINGS),
        )


def _learnt_cell(mean: float | None, own: int | None) -> str:
    if mean is None:
        return "blank"
    return f"{mean:.0f} (× {mean / own:.2f})" if own else f"{mean:.0f}"


def replay_text(comparison: SamplerComparison) -> str:
    """Return what a sampler reached in the replays, and its difference from random search."""
    title = SAMPLERS[comparison.sampler].title
    reached = f"{title}: {100 * comparison.curve[-1]:.2f} % on average over {comparison.replays} replays"
    if comparison.sampler == "random":
        return f"{reached}."
    low, high = points_text(comparison.interval.low, 2), points_text(comparison.interval.high, 2)
    difference = points_text(comparison.difference, 2)
    verdict = "no difference found" if comparison.interval.contains(0.0) else "a difference"
    return f"{reached}, {difference} points from random search (95 % interval {low} to {high}): {verdict}."
