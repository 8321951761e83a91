"""The commands below ``search``: studies that look for better tables, and the benchmark file."""

import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from time import sleep
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from explorer.cli_errors import explain_errors
from explorer.cli_networks import read_network
from explorer.cli_runs import CommandError, dataset_choice, with_changes
from explorer.data.datasets import dataset_info
from explorer.search.benchmark_file import BUNDLED, MAX_TABLES, extend_file, read_benchmark
from explorer.search.draft import DEFAULT_STEPS, make_spec
from explorer.search.export import study_json, trials_csv
from explorer.search.manager import StudyManager
from explorer.search.outcome import outcome
from explorer.search.progress import study_progress
from explorer.search.ray_workers import work_on_ray
from explorer.search.records import StudyRecord, TrialRecord
from explorer.search.replay import Pool, compare_samplers
from explorer.search.samplers import PRUNERS, SAMPLERS
from explorer.search.space import SearchSpace
from explorer.search.spec import SearchBudget
from explorer.search.store import StudyStore
from explorer.search.validation import estimate, spec_problems
from explorer.settings import data_folder
from explorer.training.plan import MACS_PER_SECOND
from explorer.views import search as words
from explorer.views.search_report import report_html
from explorer.views.training import duration

app = typer.Typer(help="Search for the best table at a cost.", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[Path, typer.Argument(metavar="FILE", help="Benchmark file; by default the bundled one.")]


@app.command()
def benchmark(
    file: File = BUNDLED,
    tables: Annotated[int, typer.Option(min=1, max=MAX_TABLES, help="Tables that the file shall have.")] = 300,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="Trainings of each.")] = 3,
) -> None:
    """Train random tables at one cost on one core, and add them to a benchmark file. Ends and resumes at any time."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch is loaded
    import torch

    from explorer.live.trials import TableTrainer

    torch.set_num_threads(1)
    with explain_errors():
        for progress in extend_file(file, tables, seeds, TableTrainer(data_folder())):
            typer.echo(
                f"table {progress.table}, seed {progress.seed}: {100 * progress.accuracy:.1f} % "
                f"({progress.done:,} of {progress.total:,})"
            )


@app.command("replay")
def replay_samplers(
    file: File = BUNDLED,
    trials: Annotated[int, typer.Option(min=2, help="Budget of each replay: trials of full length.")] = 30,
    replays: Annotated[int, typer.Option(min=2, max=1_000, help="Replays of each sampler, from seeds 0, 1, ….")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Compare the samplers on a benchmark file, without training."""
    with explain_errors():
        pool = Pool(read_benchmark(file))
        for one in compare_samplers(pool, tuple(SAMPLERS), trials, replays):
            _say({"kind": "replay", **one._asdict()}, words.replay_text(one), as_json=as_json)


class StudyFormat(StrEnum):
    """The formats of a study."""

    csv = "csv"
    json = "json"
    html = "html"


Study = Annotated[str, typer.Argument(metavar="STUDY", help="Id of a study, as `list` prints it.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Workers on this machine, each on one core.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
POLL_INTERVAL_S = 1.0


@contextmanager
def _store() -> Iterator[StudyStore]:
    with explain_errors(), closing(StudyStore(data_folder())) as store:
        yield store


@app.command()
def start(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="Preset, JSON file, link, or - for input.")],
    data: Annotated[
        str, typer.Option("--data", help="Dataset, or the hash of an imported one.")
    ] = "fashion_mnist_full",
    quantity: Annotated[str, typer.Option(help="Cost that is held: parameters, macs or activations.")] = "macs",
    ceiling: Annotated[
        list[float] | None, typer.Option(help="Fraction of the network's cost. May be repeated.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Column that may change, such as ch3x3; all without.")
    ] = None,
    module: Annotated[list[str] | None, typer.Option(help="Module that may change, such as 4a; all without.")] = None,
    by_module: Annotated[bool, typer.Option("--by-module", help="A factor per module instead of per stage.")] = False,
    blanks: Annotated[bool, typer.Option("--blanks", help="Let reducing columns be blank.")] = False,
    kernel: Annotated[bool, typer.Option("--kernel", help="Let the 5×5 kernel change.")] = False,
    taps: Annotated[bool, typer.Option("--taps", help="Let auxiliary heads be left out.")] = False,
    trials: Annotated[float | None, typer.Option(help="Budget: trials of full length in each arm.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Budget in seconds of one worker's work in all.")] = None,
    macs: Annotated[float | None, typer.Option(help="Budget in MACs of training in all.")] = None,
    steps: Annotated[int, typer.Option(help="Steps of a trial.")] = DEFAULT_STEPS,
    validation: Annotated[int, typer.Option(help="Training images to choose on; 0 for a fifth, at most 5,000.")] = 0,
    sampler: Annotated[str, typer.Option(help=f"Sampler: {', '.join(SAMPLERS)}.")] = "tpe",
    pruner: Annotated[str, typer.Option(help=f"Pruner: {', '.join(PRUNERS)}.")] = "halving",
    finalists: Annotated[int, typer.Option(help="Tables of each arm that are trained again from five new seeds.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of proposals and trainings.")] = 0,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A setting of training. May be repeated.")
    ] = None,
    workers: Workers = 1,
    name: Annotated[str, typer.Option(help="Name of the study.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what the study would take.")] = False,
    as_json: Json = False,
) -> None:
    """Start a study and follow it. Ctrl-C pauses it; `resume` continues."""
    named = read_network(network)
    amounts = {"trials": trials, "seconds": seconds, "macs": macs}
    with _store() as store:
        folder = data_folder()
        choice = dataset_choice(data)
        try:
            budgets = [
                SearchBudget.model_validate({"kind": kind, "amount": one}) for kind, one in amounts.items() if one
            ]
            space = SearchSpace.model_validate(
                {
                    "columns": tuple(column or SearchSpace().columns),
                    "modules": tuple(module or ()),
                    "factors": "module" if by_module else "stage",
                    "blank_reductions": blanks,
                    "kernel": kernel,
                    "taps": taps,
                }
            )
            spec = make_spec(
                named.version.config,
                choice.replace(validation_images=validation),
                dataset_info(choice, folder),
                name=name,
                network_name=named.name,
                quantity=quantity,  # type: ignore[arg-type]  # checked by the model
                ceilings=tuple(ceiling or (1.0,)),
                space=space,
                steps=steps,
                budget=budgets[0] if budgets else None,
                sampler=sampler,
                pruner=pruner,
                seed=seed,
                finalists=finalists,
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise CommandError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
        if len(budgets) > 1:
            raise CommandError("Give one budget: --trials, --seconds or --macs.")
        spec = spec.replace(settings=with_changes(spec.settings, changes or []))
        found = spec_problems(spec, dataset_info(spec.data, folder), dataset_info(spec.test_data, folder))
        if found:
            raise CommandError(" ".join(problem.message for problem in found))
        expected = estimate(spec, dataset_info(spec.data, folder), MACS_PER_SECOND / 2)
        _say({"kind": "estimate", **expected._asdict()}, words.estimate_text(spec, expected, workers), as_json=as_json)
        if not dry_run:
            _follow(store, store.create(spec, workers), as_json=as_json)


def _follow(store: StudyStore, study_id: str, *, as_json: bool) -> None:
    """Work on a study, if no server of this data directory does, and print what happens until it ends or pauses."""
    dataset = dataset_info(store.head(study_id).spec.data, store.folder)
    _say({"kind": "study", "study": study_id}, f"Study {study_id}", as_json=as_json)
    printed: set[tuple[str, int, int, str]] = set()
    with closing(StudyManager(store)) as manager:
        try:
            while True:
                record = store.record(study_id)
                for trial in record.trials:
                    key = (trial.arm.kind, trial.arm.ceiling, trial.number, trial.state)
                    if trial.state not in ("running", "waiting") and key not in printed:
                        printed.add(key)
                        left = study_progress(record, dataset).seconds_left
                        _print_trial(record, trial, left, as_json=as_json)
                if not record.is_active:
                    break
                sleep(POLL_INTERVAL_S)
        except KeyboardInterrupt:
            store.set_state(study_id, "paused")
            manager.wake()
            _say({"kind": "paused"}, f"Paused. Continue with: search resume {study_id}", as_json=as_json)
            raise typer.Exit(1) from None
    _print_end(record, as_json=as_json)
    if record.state != "finished":
        raise CommandError(words.state_text(record))


def _print_trial(record: StudyRecord, trial: TrialRecord, seconds_left: float | None, *, as_json: bool) -> None:
    line = {
        "kind": "trial",
        "arm": trial.arm.kind,
        "ceiling": record.spec.ceilings[trial.arm.ceiling],
        "number": trial.number,
        "state": trial.state,
        "accuracy": trial.accuracy,
        "cost": trial.costs.get(record.spec.quantity),
        "source": trial.source,
        "seed": trial.seed,
    }
    left = f" · {duration(seconds_left)} left" if seconds_left else ""
    text = f"{trial.arm.kind} {trial.number} at {line['ceiling']:.2f}: {words.trial_text(trial)}{left}"
    _say(line, text, as_json=as_json)


def _print_end(record: StudyRecord, *, as_json: bool) -> None:
    for ceiling in range(len(record.spec.ceilings)):
        found = outcome(record, ceiling)
        for claim in found.claims:
            text = words.claim_text(record.spec, found, claim)
            line = {"kind": "claim", "ceiling": record.spec.ceilings[ceiling], "against": claim.control, "text": text}
            line |= {"difference": claim.difference.difference, "interval": claim.difference.interval, "p": claim.p}
            _say(line, f"At {record.spec.ceilings[ceiling]:.2f} of the {record.spec.quantity}: {text}", as_json=as_json)


def _say(line: dict[str, Any], text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(line) if as_json else text)


@app.command("list")
def list_studies(as_json: Json = False) -> None:
    """List all studies, the latest first."""
    with _store() as store:
        for head in store.heads():
            line = {"study": head.id, "name": head.spec.name, "state": head.state, "created": head.created}
            _say(line, f"{head.id}  {words.STATES[head.state]:8}  {head.spec.name}", as_json=as_json)
        for study_id in store.unreadable():
            typer.echo(f"{study_id}  written by another version of the app", err=True)


@app.command()
def show(study: Study, as_json: Json = False) -> None:
    """Print the trials of a study, and what it may claim."""
    with _store() as store:
        record = store.record(study)
        for trial in record.trials:
            _print_trial(record, trial, None, as_json=as_json)
        _print_end(record, as_json=as_json)
        _say({"kind": "state", "state": record.state}, words.state_text(record), as_json=as_json)


@app.command()
def pause(study: Study) -> None:
    """Pause a study: its workers end, and their trials are repeated when it is resumed."""
    with _store() as store:
        store.set_state(store.head(study).id, "paused")


@app.command()
def stop(study: Study) -> None:
    """Stop a study. It can be resumed or extended later."""
    with _store() as store:
        store.set_state(store.head(study).id, "stopped")


@app.command()
def resume(study: Study, workers: Workers = 1, as_json: Json = False) -> None:
    """Continue a study and follow it."""
    with _store() as store:
        if store.head(study).state == "finished":
            raise CommandError("The study has used its budget. Use `extend`.")
        store.set_workers(study, workers)
        store.set_state(study, "running")
        _follow(store, study, as_json=as_json)


@app.command()
def extend(
    study: Study,
    amount: Annotated[float, typer.Option(min=1, help="What is added to its budget, in the budget's unit.")],
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Add to the budget of a study, continue, and follow it. Its trainings at the end are repeated from new seeds."""
    with _store() as store:
        store.set_workers(study, workers)
        store.extend(study, amount)
        _follow(store, study, as_json=as_json)


@app.command()
def delete(study: Study) -> None:
    """Delete a study and its trials."""
    with _store() as store:
        store.delete(store.head(study).id)


@app.command("export")
def export_study(
    study: Study,
    kind: Annotated[StudyFormat, typer.Option("--format", "-f", help="Output format.")] = StudyFormat.json,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
) -> None:
    """Export a study: its trials as CSV, everything as JSON, or a report as one HTML file."""
    with _store() as store:
        record = store.record(study)
        writers = {StudyFormat.csv: trials_csv, StudyFormat.json: study_json, StudyFormat.html: report_html}
        text = writers[kind](record)
        if output is None:
            sys.stdout.write(text)
        else:
            output.write_text(text, "utf-8")


@app.command()
def work(
    study: Study,
    ray: Annotated[str, typer.Option(metavar="ADDRESS", help="Run the workers on this Ray cluster instead.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="Workers on the Ray cluster, each with one core.")] = 1,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs of each worker on the Ray cluster.")] = 0.0,
) -> None:
    """Work on a study of a shared database as one more worker, or as several on Ray, until it ends or pauses."""
    with explain_errors():
        if ray:
            work_on_ray(ray, data_folder(), study, workers, gpus)
            return
        from explorer.search.worker import work as work_on

        work_on(data_folder(), study, f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}")
