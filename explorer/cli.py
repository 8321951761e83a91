"""The command line: summarize, compare, export, train and race networks; import files; evaluate and predict.

Text goes to standard output unless ``-o FILE`` is given, so that it can be piped. Exit code 0: success; 1: a network
could not be read, built or written; 2: a wrong command or option. Only the export of weights and ONNX, and the
use of weights, load PyTorch; a run has a process of its own.
"""

import re
import sys
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from explorer import cli_imports, cli_runs, cli_search
from explorer.cli_errors import explain_errors, fail
from explorer.cli_networks import NamedVersion, read_network
from explorer.comparison import Comparison
from explorer.export.size import Binary, export_limit_reason
from explorer.export.source import to_source
from explorer.export.torchvision import torchvision_refusal
from explorer.presets import PRESETS
from explorer.share import to_json, to_token
from explorer.shelf import MAX_COMPARED
from explorer.training.plan import MAX_NETWORKS, MAX_SEEDS, NamedNetwork
from explorer.views import comparison_tables, diagrams, handout, layer_table, layout, tables

app = typer.Typer(
    help=f"GoogLeNet in numbers. NETWORK is a preset ({', '.join(PRESETS)}), a JSON file from the app, a link or its "
    "token, or - for JSON on standard input.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_search.app, name="search")
app.command("import")(cli_imports.import_files)


class TableFormat(StrEnum):
    """The formats of a table."""

    text = "text"
    csv = "csv"
    latex = "latex"
    markdown = "markdown"


class ComparisonFormat(StrEnum):
    """The formats of a comparison."""

    text = "text"
    csv = "csv"
    latex = "latex"
    markdown = "markdown"
    html = "html"


class ExportFormat(StrEnum):
    """The formats that a network can be exported to."""

    pytorch = "pytorch"
    onnx = "onnx"
    safetensors = "safetensors"
    pth = "pth"
    json = "json"
    link = "link"
    csv = "csv"
    latex = "latex"
    markdown = "markdown"
    html = "html"
    svg = "svg"


Network = Annotated[str, typer.Argument(metavar="NETWORK", help="Preset, JSON file, link, or - for standard input.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output.")
]
Layers = Annotated[bool, typer.Option("--layers", help="Print every layer instead of the totals.")]
TableShape = Annotated[TableFormat, typer.Option("--format", help="Output format.")]


@app.command()
def summary(
    network: Network, layers: Layers = False, shape: TableShape = TableFormat.text, output: Output = None
) -> None:
    """Print the totals of a network, or all its layers."""
    named = read_network(network)
    rows = (
        layer_table.layer_rows(named.summary.rows)
        if layers
        else comparison_tables.total_rows(Comparison((named.summary,)), [named.name])
    )
    _write(_table(rows, shape), output)


@app.command()
def compare(
    networks: Annotated[list[str], typer.Argument(metavar="NETWORK...", help=f"Two to {MAX_COMPARED} networks.")],
    base: Annotated[
        int, typer.Option(min=1, max=MAX_COMPARED, help="Number of the network to compare the others with.")
    ] = 1,
    layers: Annotated[
        bool, typer.Option("--layers", help="Print the layers that differ instead of the totals.")
    ] = False,
    shape: Annotated[ComparisonFormat, typer.Option("--format", help="Output format.")] = ComparisonFormat.text,
    output: Output = None,
) -> None:
    """Compare networks: totals with differences, or the layers that differ."""
    if not 2 <= len(networks) <= MAX_COMPARED:
        raise typer.BadParameter(f"Give 2 to {MAX_COMPARED} networks.")
    if base > len(networks):
        raise typer.BadParameter(f"There are only {len(networks)} networks.", param_hint="--base")
    versions = [read_network(network) for network in networks]
    names = [named.name for named in versions]
    comparison = Comparison(tuple(named.summary for named in versions), base - 1)
    if shape is ComparisonFormat.html:
        _write(handout.comparison_handout(comparison, names), output)
        return
    rows = (
        comparison_tables.layer_rows(
            comparison.differing_layers, comparison_tables.LETTERS[: len(names)], comparison.base
        )
        if layers
        else [*comparison_tables.total_rows(comparison, names)]
    )
    _write(_table(rows, TableFormat(shape.value)), output)


@app.command()
def export(
    network: Network,
    kind: Annotated[ExportFormat, typer.Option("--format", "-f", help="Output format.")],
    output: Output = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Safetensors file with the weights for onnx, safetensors, pth; random weights without it."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random weights.")] = 0,
    name: Annotated[str, typer.Option(help="Name of the network in the file.")] = "",
) -> None:
    """Export a network as code, graph, weights, document, table, handout or diagram; pth is torchvision's layout."""
    named = read_network(network)
    if kind in _BINARY:
        if output is None and sys.stdout.isatty():
            raise typer.BadParameter(f"{kind.value} is binary: give -o FILE or pipe it.", param_hint="--output")
        _write(_binary(named, _BINARY[kind], weights, seed), output)
    else:
        _write(_text(named._replace(name=name or named.name), kind, name), output)


@app.command()
def train(
    network: Network,
    data: cli_runs.Data = "fashion_mnist_full",
    seconds: cli_runs.Seconds = None,
    steps: cli_runs.Steps = None,
    epochs: cli_runs.Epochs = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order of images, augmentation and dropout.")] = 0,
    changes: cli_runs.Changes = None,
    name: Annotated[str, typer.Option(help="Name of the run.")] = "",
    as_json: cli_runs.Json = False,
) -> None:
    """Train a network as the page Train does, in the same store, and print its test accuracy."""
    _race([network], data, {"seconds": seconds, "steps": steps, "epochs": epochs}, [seed], changes, name, as_json)


@app.command()
def race(
    networks: Annotated[list[str], typer.Argument(metavar="NETWORK...", help=f"Two to {MAX_NETWORKS} networks.")],
    data: cli_runs.Data = "fashion_mnist_full",
    seconds: cli_runs.Seconds = None,
    steps: cli_runs.Steps = None,
    epochs: cli_runs.Epochs = None,
    seeds: Annotated[int, typer.Option(min=1, max=MAX_SEEDS, help="Number of seeds, from 0.")] = 3,
    changes: cli_runs.Changes = None,
    name: Annotated[str, typer.Option(help="Name of the run.")] = "",
    as_json: cli_runs.Json = False,
) -> None:
    """Train networks side by side from several seeds, in the same store as the page, and print their accuracies."""
    if not 2 <= len(networks) <= MAX_NETWORKS:
        raise typer.BadParameter(f"Give 2 to {MAX_NETWORKS} networks.")
    amounts = {"seconds": seconds, "steps": steps, "epochs": epochs}
    _race(networks, data, amounts, list(range(seeds)), changes, name, as_json)


def _race(
    networks: list[str],
    data: str,
    amounts: dict[str, float | None],
    seeds: list[int],
    changes: list[str] | None,
    name: str,
    as_json: bool,
) -> None:
    found: dict[str, NamedNetwork] = {}
    for named in map(read_network, networks):
        unique = _network_name(named.name, found)
        found[unique] = NamedNetwork(name=unique, config=named.version.config)
    with explain_errors():
        plan = cli_runs.make_plan(tuple(found.values()), data, amounts, seeds, changes or [])
        cli_runs.run_plan(plan, name, as_json=as_json)


@app.command()
def evaluate(
    weights: cli_runs.WeightsArgument,
    data: Annotated[str, typer.Option("--data", help="Dataset; by default the one it was trained on.")] = "",
    as_json: cli_runs.Json = False,
) -> None:
    """Classify the test images of a dataset and print the accuracy with its 95 % interval."""
    with explain_errors():
        cli_runs.evaluate_weights(weights, data, as_json=as_json)


@app.command()
def predict(
    weights: cli_runs.WeightsArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Image files.")],
    top: Annotated[int, typer.Option(min=1, help="Number of classes to print.")] = 3,
    as_json: cli_runs.Json = False,
) -> None:
    """Print the most probable classes of images."""
    with explain_errors():
        cli_runs.predict_images(weights, images, top, as_json=as_json)


@app.command()
def training_source(
    network: Network,
    data: cli_runs.Data = "fashion_mnist_full",
    seconds: cli_runs.Seconds = None,
    steps: cli_runs.Steps = None,
    epochs: cli_runs.Epochs = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order of images, augmentation and dropout.")] = 0,
    changes: cli_runs.Changes = None,
    images: Annotated[Path | None, typer.Option(help="Write the images there too, as the .npz that it reads.")] = None,
    output: Output = None,
) -> None:
    """Write a PyTorch file that trains a network as the command train does, without this app.

    It repeats a run of so many steps exactly. A budget in seconds becomes about as many steps.
    """
    amounts = {"seconds": seconds, "steps": steps, "epochs": epochs}
    with explain_errors():
        exported = cli_runs.training_source(read_network(network).version, data, amounts, seed, changes or [])
        if images is not None:
            _write(exported.images(), images)
        _write(exported.source, output)


@app.command()
def serve(
    is_class: Annotated[bool, typer.Option("--class", help="For a class: with a code to join by. Required.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the server.")] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on; by default all of this machine.")] = "0.0.0.0",
    link: Annotated[
        str, typer.Option(help="How students reach the server, if not by its address, such as http://host:8501.")
    ] = "",
    code: Annotated[str, typer.Option(help="Reopen the class with this code, as after a restart.")] = "",
    processes: Annotated[
        int, typer.Option(min=1, max=16, help="Processes of the app, behind HAProxy; for two hundred students, two.")
    ] = 1,
) -> None:
    """Serve the app to a class: print how to join and the teacher's link, and run until Ctrl+C."""
    if not is_class:
        raise typer.BadParameter("Give --class. Without a class, use: streamlit run streamlit_app.py")
    from explorer.serving.start import serve_class

    with explain_errors():
        serve_class(port, address, link, code, processes)


def _network_name(text: str, taken: Collection[str]) -> str:
    """Return a name for a network of a run: letters, digits and ``_``, with a number if the name is taken."""
    stem = re.sub(r"[^A-Za-z0-9_]", "_", text)[:28]
    stem = stem if stem[:1].isalpha() else f"n_{stem}"[:28]
    return next(name for name in (stem, *(f"{stem}_{n}" for n in range(2, MAX_NETWORKS + 2))) if name not in taken)


def _text(named: NamedVersion, kind: ExportFormat, name: str) -> str:
    """Return a network in a text format. ``name`` is that of the option, or empty."""
    version, network = named.version, named.summary
    writers: dict[ExportFormat, Callable[[], str]] = {
        ExportFormat.pytorch: lambda: to_source(version, name),
        ExportFormat.json: lambda: to_json(version.config) + "\n",
        ExportFormat.link: lambda: to_token(version) + "\n",
        ExportFormat.csv: lambda: tables.to_csv(layer_table.layer_rows(network.rows)),
        ExportFormat.latex: lambda: tables.to_latex(layer_table.layer_rows(network.rows), named.name),
        ExportFormat.markdown: lambda: tables.to_markdown(layer_table.layer_rows(network.rows)),
        ExportFormat.html: lambda: handout.network_handout(version, network, named.name),
        ExportFormat.svg: lambda: diagrams.overview(network).standalone_svg,
    }
    try:
        return writers[kind]()
    except layout.LayoutUnavailableError as error:
        fail(str(error))


_BINARY: Mapping[ExportFormat, Binary] = {
    ExportFormat.onnx: "onnx",
    ExportFormat.safetensors: "safetensors",
    ExportFormat.pth: "pth",
}


def _binary(named: NamedVersion, kind: Binary, weights: Path | None, seed: int) -> bytes:
    config = named.version.config
    if reason := export_limit_reason(named.summary, kind):
        fail(f"{named.name}: {reason}")
    if kind == "pth" and (reason := torchvision_refusal(config)):
        fail(f"{named.name}: {reason}")
    from explorer.live.model import build_model
    from explorer.live.weights import WeightsError, load_weights, restore_model, to_safetensors

    try:
        model = restore_model(load_weights(weights)) if weights else build_model(config, seed=seed)
    except WeightsError as error:
        fail(f"{weights}: {error}")
    if model.config != config:
        fail(f"{weights}: The weights belong to another network.")
    if kind == "safetensors":
        return to_safetensors(model)
    if kind == "pth":
        from explorer.live.torchvision_weights import to_torchvision

        return to_torchvision(model)
    from explorer.live.onnx_graph import to_onnx

    return to_onnx(model.eval())


def _table(rows: tables.Rows, shape: TableFormat) -> str:
    writers = {
        TableFormat.text: tables.to_text,
        TableFormat.csv: tables.to_csv,
        TableFormat.latex: tables.to_latex,
        TableFormat.markdown: tables.to_markdown,
    }
    return writers[shape](rows) if rows else "Nothing differs.\n"


def _write(content: str | bytes, output: Path | None) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        fail(f"{output}: cannot be written ({error.strerror}).")
