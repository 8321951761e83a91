"""The command ``import``: images as a dataset, or a file of weights, into the data directory that the pages read.

There is no limit of an upload here, only those of the formats: the same worker processes read the files as for a page.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from explorer.cli_errors import explain_errors
from explorer.config import GoogLeNetConfig
from explorer.data.archives import ENCODINGS
from explorer.data.content_store import FOLDER
from explorer.data.images import BIT_DEPTHS
from explorer.data.import_report import SIDES, ImportOptions, ImportReport, Upload, printable
from explorer.data.imported_names import COMMAND_LINE
from explorer.data.weight_files import stored_token
from explorer.data.weights import Shape
from explorer.errors import UserError
from explorer.jobs import weights as weight_jobs
from explorer.jobs.image_imports import analyse_in_worker, import_in_worker
from explorer.presets import PRESETS
from explorer.runs.links import PARAMETER
from explorer.settings import data_folder
from explorer.views import formatting as fmt
from explorer.views import import_report as texts

WEIGHTS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")


class ValidationUse(StrEnum):
    """What becomes of validation images."""

    train = "train"
    test = "test"
    left_out = "left_out"


def import_files(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="An archive or arrays of images, or a file of weights.")
    ],
    title: Annotated[str, typer.Option(help="Title; by default the name of the file.")] = "",
    side: Annotated[int, typer.Option(help=f"Reduce image files to {', '.join(map(str, SIDES))} pixels.")] = 32,
    classes_from: Annotated[
        str, typer.Option(help="Where the classes are, such as 'folder 2' or 'column label'.")
    ] = "",
    validation: Annotated[
        ValidationUse | None, typer.Option(help="Use of validation images; without test images they are those.")
    ] = None,
    encoding: Annotated[str, typer.Option(help=f"Encoding of names in a zip: {', '.join(ENCODINGS)}.")] = "",
    bits: Annotated[
        int, typer.Option(help=f"Depth of files with over 8 bits: {', '.join(map(str, BIT_DEPTHS))}; 0 finds it.")
    ] = 0,
    weights: Annotated[
        bool, typer.Option("--weights", help=f"A file of weights; known without this from {', '.join(WEIGHTS)}.")
    ] = False,
    network: Annotated[str, typer.Option(help="Preset of weights that come without a network.")] = "torchvision",
    only_report: Annotated[
        bool, typer.Option("--report", help="Show how images are understood; keep nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Import images for training, or weights, of any size that the formats allow; the pages then have them too."""
    if network not in PRESETS:
        raise typer.BadParameter(f"Presets: {', '.join(PRESETS)}.", param_hint="--network")
    with explain_errors():
        if weights or any(path.suffix.lower() in WEIGHTS for path in files):
            import_weights(files, PRESETS[network], title, as_json=as_json)
            return
        options = ImportOptions(
            title=title,
            side=side,
            classes_from=classes_from,
            validation=validation.value if validation else "",
            encoding=encoding,
            bits=bits,
        )
        import_images(files, options, only_report=only_report, as_json=as_json)


def import_images(paths: Sequence[Path], options: ImportOptions, *, only_report: bool, as_json: bool) -> None:
    """Print how images are understood and import them as a dataset, as the page Train does.

    Raises UserError or OSError with the reason why nothing was imported.
    """
    folder = data_folder()
    with ExitStack() as stack:
        uploads = [Upload(path.name, stack.enter_context(path.open("rb"))) for path in paths]
        report = analyse_in_worker(uploads, folder, options)
        if not as_json:
            typer.echo(_report_text(report))
        if report.problem:
            raise ImportCommandError(report.problem)
        upload = ""
        if not only_report:
            upload = import_in_worker(uploads, folder, options, COMMAND_LINE).dataset.upload
    if as_json:
        _print_json({"kind": "images", "data": upload, "report": report.model_dump(exclude={"classes"}, mode="json")})
    elif upload:
        typer.echo(f"Imported. The page Train lists it; the other commands take it as --data {upload}")


def import_weights(paths: Sequence[Path], config: GoogLeNetConfig, title: str, *, as_json: bool) -> None:
    """Import a file of weights, as Look inside does; ``config`` is the network of tensors that come without one.

    Raises UserError or OSError with the reason why nothing was imported.
    """
    if len(paths) > 1:
        raise ImportCommandError("Import weights one file at a time.")
    (path,) = paths
    folder = data_folder() / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    found = weight_jobs.import_weights(str(path), config, str(folder), printable(title or path.name))
    if found.network is None:
        first = found.mismatches[0]
        raise ImportCommandError(
            f"{path.name}: {found.about} The first is {first.path}, {first.tensor}: {_shape(first.expected)} in the "
            f"network, {_shape(first.found)} in the file. Name the preset of the weights with --network."
        )
    token = stored_token(found.network.weights)
    if as_json:
        _print_json({"kind": "weights", "weights": found.network.weights, "token": token})
    else:
        typer.echo(f"{found.about}\nOpen them in the browser at /look_inside?{urlencode({PARAMETER: token})}")


def _shape(dimensions: Shape | None) -> str:
    return "missing" if dimensions is None else fmt.shape(dimensions) or "one number"


class ImportCommandError(UserError, ValueError):
    """The files cannot be imported together; the message says why."""


def _report_text(report: ImportReport) -> str:
    """Return what a page shows of a report, as text."""
    lines = [f"{report.title}: {texts.summary(report)}", *texts.findings(report), texts.tree_text(report)]
    classes = (f"{found.name}: {sum(found.counts):,}" for found in report.classes)
    return "\n".join(filter(None, (*lines, f"Classes: {', '.join(classes)}")))


def _print_json(line: dict[str, Any]) -> None:
    typer.echo(json.dumps(line))
