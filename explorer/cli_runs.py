"""The commands that train and use weights: ``train``, ``race``, ``evaluate`` and ``predict``.

Runs go into the store of the data directory, so a page of a server with the same directory shows them, and they wait in
the same queue. With ``--json`` each line of the output is a JSON object.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from pydantic import ValidationError

from explorer.data.datasets import dataset_info, load, to_npz
from explorer.data.images import decode, png
from explorer.data.weight_files import WeightsInfo, read_weights_info
from explorer.errors import UserError
from explorer.export.training_source import to_training_source
from explorer.history import Version
from explorer.paths import ASSETS
from explorer.runs.follow import Update, follow
from explorer.runs.manager import Manager
from explorer.runs.records import ACTIVE, Refusal, Run
from explorer.runs.store import Store
from explorer.settings import data_folder
from explorer.training.draft import RunDraft, convert_budget, prepare_plan
from explorer.training.intervals import count_correct, wilson
from explorer.training.plan import (
    DATASETS,
    Budget,
    DataName,
    DatasetChoice,
    NamedNetwork,
    Plan,
    Settings,
    trainer_steps,
)
from explorer.views import results
from explorer.views import training as words

SESSION = "command line"
_NAMES: dict[str, DataName] = {name: name for name in DATASETS}

Data = Annotated[str, typer.Option("--data", help=f"Dataset: {', '.join(DATASETS)}, or the hash of an imported one.")]
Seconds = Annotated[float | None, typer.Option(help="Budget of each network in seconds of training.")]
Steps = Annotated[float | None, typer.Option(help="Budget of each network in steps.")]
Epochs = Annotated[float | None, typer.Option(help="Budget of each network in epochs.")]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A setting, such as label_smoothing=0. May be repeated."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
WeightsArgument = Annotated[
    str,
    typer.Argument(metavar="WEIGHTS", help="Safetensors file, id of a run, mini_fashion_mnist or mini_scales."),
]


def make_plan(
    networks: Sequence[NamedNetwork],
    data: str,
    amounts: dict[str, float | None],
    seeds: Sequence[int],
    changes: Sequence[str],
) -> Plan:
    """Return the plan that a page would make of these choices. Raises UserError with the reason why it cannot run."""
    choice = dataset_choice(data)
    budgets = [Budget.model_validate({"kind": kind, "amount": amount}) for kind, amount in amounts.items() if amount]
    if len(budgets) > 1:
        raise CommandError("Give one budget: --seconds, --steps or --epochs.")
    dataset = dataset_info(choice, data_folder())
    draft = RunDraft(data=choice, budget=budgets[0] if budgets else None, seeds=tuple(seeds))
    plan = prepare_plan(draft, networks, dataset).plan
    prepared = prepare_plan(draft.replace(settings=with_changes(plan.settings, changes)), networks, dataset)
    if prepared.problems:
        raise CommandError(" ".join(problem.message for problem in prepared.problems))
    return prepared.plan


class ExportedTraining(NamedTuple):
    """Training as PyTorch source, and the dataset that it reads."""

    source: str
    data: DatasetChoice

    def images(self) -> bytes:
        """Return the dataset as the contents of an .npz file."""
        return to_npz(self.data, data_folder())


def training_source(
    version: Version, data: str, amounts: dict[str, float | None], seed: int, changes: Sequence[str]
) -> ExportedTraining:
    """Return the training of a network as source. Raises UserError with the reason why it cannot run."""
    plan = make_plan([NamedNetwork(name="network", config=version.config)], data, amounts, [seed], changes)
    dataset = dataset_info(plan.data, data_folder())
    if plan.budget.kind == "seconds":
        plan = plan.replace(budget=convert_budget(plan, dataset, "steps"))
    steps = trainer_steps(plan, 0, dataset)
    assert steps is not None
    return ExportedTraining(
        to_training_source(version._replace(config=plan.networks[0].config), plan, steps), plan.data
    )


class CommandError(UserError, ValueError):
    """The command cannot do what it should; the message says why."""


def dataset_choice(data: str) -> DatasetChoice:
    """Return the dataset of an argument: one that comes with the app, or the hash of an imported one."""
    return DatasetChoice(name=_NAMES[data]) if data in _NAMES else DatasetChoice(name="own", upload=data)


def with_changes(settings: Settings, changes: Sequence[str]) -> Settings:
    """Return the settings with changes, each ``field=value``. Raises CommandError."""
    for change in changes:
        field, _, text = change.partition("=")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        try:
            settings = settings.replace(**{field: value})
        except ValidationError as error:
            fields = ", ".join(Settings.model_fields)
            raise CommandError(f"--set {change}: {error.errors()[0]['msg']}. The settings are {fields}.") from error
    return settings


def run_plan(plan: Plan, name: str, *, as_json: bool) -> None:
    """Put a run in the queue, show its progress, and then its results. Ctrl-C stops it as the page's button does."""
    folder = data_folder()
    with closing(Store(folder)) as store, closing(Manager(store)) as manager:
        answer = manager.submit(plan, dataset_info(plan.data, folder), SESSION, name)
        if isinstance(answer, Refusal):
            raise CommandError(answer.reason)
        try:
            for update in follow(store, answer):
                _print_update(update, as_json=as_json)
        except KeyboardInterrupt:
            manager.cancel(answer, SESSION)
            for update in follow(store, answer):
                _print_update(update, as_json=as_json)
        run = store.run(answer)
        if run is not None:
            for line in _results(store, run):
                _print_json(line) if as_json else typer.echo(_result_text(line))
    if run is None or run.state != "finished":
        raise CommandError("" if run is None else f"{run.name}: {words.STATES[run.state][0]}. {run.outcome}")


def _print_update(update: Update, *, as_json: bool) -> None:
    run = update.run
    if as_json:
        line: dict[str, Any] = {"kind": "progress", "run": run.id, "state": run.state, "progress": run.progress}
        _print_json(line | {"trainers": [trainer._asdict() for trainer in run.trainers]})
        for trainer, kind, point in update.measured:
            _print_json({"kind": kind, "run": run.id, "trainer": trainer, **point._asdict()})
    elif sys.stderr.isatty():
        text = words.progress_text(run) if run.trainers else words.STATES[run.state][0]
        typer.echo(f"\r\x1b[K{run.name}: {text}", nl=run.state not in ACTIVE, err=True)
    else:
        for trainer, kind, point in update.measured:
            if kind == "test_accuracy":
                name = run.plan.networks[run.plan.trainers[trainer].network].name
                typer.echo(f"{name}: step {point.step:,}, test accuracy {results.percent(point.value)}", err=True)


def _results(store: Store, run: Run) -> Iterator[dict[str, Any]]:
    """Yield the result of each trainer that has used its budget."""
    for (_, number), evaluated in sorted(store.final_evaluations(run.id).items()):
        network, seed = run.plan.trainers[number]
        correct, images = count_correct(evaluated.confusion)
        path = store.weights_path(run.id, number)
        yield {
            "kind": "result",
            "run": run.id,
            "network": run.plan.networks[network].name,
            "seed": seed,
            "step": evaluated.step,
            "seconds": evaluated.seconds,
            **_accuracy(correct, images),
            "weights": str(path) if path else None,
        }


def _accuracy(correct: int, images: int) -> dict[str, Any]:
    return {"correct": correct, "images": images, "accuracy": correct / images, "interval": wilson(correct, images)}


def _result_text(line: dict[str, Any]) -> str:
    return (
        f"{line['network']}, seed {line['seed']}: {_accuracy_text(line['correct'], line['images'])}, after "
        f"{line['step']:,} steps in {words.duration(line['seconds'])}. Weights: {line['weights']}"
    )


def _accuracy_text(correct: int, images: int) -> str:
    interval = results.interval_text(wilson(correct, images))
    return f"{results.percent(correct / images)} of {images:,} test images (95 % interval {interval})"


def _print_json(line: dict[str, Any]) -> None:
    typer.echo(json.dumps(line))


def evaluate_weights(weights: str, data: str, *, as_json: bool) -> None:
    """Evaluate weights on the test images of a dataset: by default of the one that they were trained on."""
    info = _find_weights(weights)
    folder = data_folder()
    name = data or _trained_on(info)
    choice = dataset_choice(name)
    images = load(choice, folder)
    from explorer.live.evaluation import count_correct_images

    correct = count_correct_images(info, images)
    if as_json:
        _print_json({"kind": "evaluation", "weights": weights, "data": name, **_accuracy(correct, len(images.test))})
    else:
        typer.echo(f"{images.info.title}: {_accuracy_text(correct, len(images.test))}")


def _trained_on(info: WeightsInfo) -> str:
    title = info.training.facts.title if info.training else ""
    for name, dataset in DATASETS.items():
        if dataset.title == title:
            return name
    raise CommandError("The file does not say on which of the app's datasets it was trained. Give --data.")


def predict_images(weights: str, paths: Sequence[Path], top: int, *, as_json: bool) -> None:
    """Print the most probable classes of image files."""
    info = _find_weights(weights)
    from explorer.live.inference import predict

    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, path in enumerate(paths):
            files.append(str(Path(folder) / f"{number}.png"))
            Path(files[-1]).write_bytes(png(decode(path.read_bytes()).pixels))
        predictions = predict(info.network, files, info.preprocessing, top=top).predictions
    for path, prediction in zip(paths, predictions, strict=True):
        scores = prediction.main
        names = [info.class_names[number] if info.class_names else f"class {number}" for number in scores.classes]
        if as_json:
            probabilities = dict(zip(names, scores.probabilities, strict=True))
            _print_json({"kind": "prediction", "image": str(path), "probabilities": probabilities})
        else:
            pairs = zip(names, scores.probabilities, strict=True)
            typer.echo(f"{path}: {', '.join(f'{name} {results.percent(value)}' for name, value in pairs)}")


def _find_weights(weights: str) -> WeightsInfo:
    """Return the weights of an argument: the name of a file that comes with the app, a run's id, or a path."""
    bundled = ASSETS / "weights" / f"{weights}.safetensors"
    if weights in {path.stem for path in bundled.parent.glob("*.safetensors")}:
        return read_weights_info(bundled)
    with closing(Store(data_folder())) as store:
        path = store.weights_path(weights) if store.run(weights) else None
    return read_weights_info(path, is_local=True) if path else read_weights_info(weights)
