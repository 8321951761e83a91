"""A small study and a training of made-up results, for tests of studies."""

from collections.abc import Callable
from hashlib import sha256

from explorer import PRESETS
from explorer.search.spec import SearchBudget, StudySpec
from explorer.search.trials import OnReport, Report, TrialResult
from explorer.training.events import ImageResults
from explorer.training.plan import DatasetChoice, NamedNetwork, Plan, Settings

_FULL = PRESETS["mini"]
# Two modules, so that fitting a table to its ceiling takes little time.
MINI = _FULL.replace(modules=(_FULL.module("3a"), _FULL.module("4a")), aux=_FULL.aux.replace(taps=()))
SPEC = StudySpec(
    name="small study",
    network=NamedNetwork(name="mini", config=MINI),
    data=DatasetChoice(validation_images=200),
    settings=Settings(batch_size=32, device="cpu"),
    steps=100,
    budget=SearchBudget(amount=6.0),
    finalists=2,
)
IMAGES = 500


def quality(plan: Plan) -> float:
    """Return a made-up accuracy: better with more 3×3 filters, with noise that follows from the table and the seed."""
    config = plan.networks[0].config
    width = sum(module.ch3x3 for module in config.modules) / sum(module.ch5x5 + 1 for module in config.modules)
    noise = int(sha256(f"{config.model_dump_json()} {plan.seeds}".encode()).hexdigest()[:6], 16) / 16**6
    return min(0.95, 0.6 + 0.02 * width + 0.02 * noise)


def make_train(before_step: Callable[[Plan], None] = lambda plan: None, *, prunes: bool = True):
    """Return a training without PyTorch. ``before_step`` may raise or end the process."""

    def train(plan: Plan, evaluated_steps: tuple[int, ...], on_report: OnReport) -> TrialResult:
        before_step(plan)
        accuracy, reports = quality(plan), []
        for step in evaluated_steps:
            on_report(None)
            reports.append(Report(step, accuracy * (0.5 + step / 200)))
            if not on_report(reports[-1]) and prunes:
                return TrialResult(None, tuple(reports), (2.0,), step, step / 100, step / 99, 50.0, 20.0)
        correct = [number < accuracy * IMAGES for number in range(IMAGES)]
        results = ImageResults.pack("made up", correct)
        return TrialResult(accuracy, tuple(reports), (2.0, 1.0), 100, 1.0, 1.01, 50.0, 20.0, results)

    return train
