"""The commands below ``search``: studies that look for better tables, and the benchmark file."""

import os
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli_errors import explain_errors
from explorer.search.benchmark_file import BUNDLED, MAX_TABLES, extend_file
from explorer.settings import data_folder

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
