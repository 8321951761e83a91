"""Measurements as a page: ``docs/benchmarks.md`` has a section per group, each with the machine that measured it."""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from benchmarks.report import Measurement

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_INTRODUCTION = """# Benchmarks

Written by `python -m benchmarks --write [group …]`, which replaces the sections of the groups it runs. A value is a
ratio to a baseline in the same run (×), or a size. The bound is the claim; a value beyond it has the mark **fails**.

{gpu}
"""
_NO_GPU = "No GPU has been tried: all values are of the CPU."


def write_page(sections: Mapping[str, Sequence[Measurement]], titles: Mapping[str, str], path: Path = PAGE) -> None:
    """Replace the sections of these groups in the page, and keep the others. ``titles`` has a sentence per group.

    The order of the sections is that of ``titles``.
    """
    existing = _read_sections(path)
    written = existing | {name: _section(name, titles[name], values) for name, values in sections.items()}
    gpu = f"GPU: {torch.cuda.get_device_name()}." if torch.cuda.is_available() else _NO_GPU
    parts = [_INTRODUCTION.format(gpu=gpu), *(written[name] for name in titles if name in written)]
    path.write_text("\n".join(part.strip() + "\n" for part in parts), encoding="utf-8")


def _read_sections(path: Path) -> dict[str, str]:
    """Return the text of each section of a page by its name."""
    text = path.read_text("utf-8") if path.exists() else ""
    parts = re.split(r"^## (\w+)\n", text, flags=re.MULTILINE)[1:]
    return {name: f"## {name}\n{body}" for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _section(name: str, title: str, measurements: Sequence[Measurement]) -> str:
    rows = ("| measured | value | bound | |", "|---|---:|---|---|", *map(_row, measurements))
    return f"## {name}\n\n{title}\n\nMeasured on {machine()}.\n\n" + "\n".join(rows) + "\n"


def _row(measurement: Measurement) -> str:
    claim = measurement.claim.replace("|", "\\|")
    mark = "" if not measurement.bound else "holds" if measurement.holds else "**fails**"
    value = f"{measurement.value:,.0f}" if measurement.value >= 100 else f"{measurement.value:.3g}"
    return f"| {claim} | {value} {measurement.unit} | {measurement.bound} | {mark} |"


def machine() -> str:
    """Return the processor's model, its number of cores, the threads of PyTorch, and its version."""
    version, threads = torch.__version__.partition("+")[0], torch.get_num_threads()
    return f"{processor()}, {os.cpu_count()} cores, PyTorch {version} with {threads} thread{'s' * (threads > 1)}"


def processor() -> str:
    """Return the model of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()
