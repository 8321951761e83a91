"""The benchmark file: many tables at one cost, each trained from several seeds, to compare samplers in seconds.

A text file of JSON lines. The first is the header, with the study's description, which pins network, images, settings
and steps. Then, for each table, a line with its point, cells and costs, and one line per training. A line is written
as a whole, so a file that was cut off anywhere can be continued: an unfinished last line is dropped.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from pydantic import ValidationError

from explorer.analysis import summarize
from explorer.config import HEADINGS, GoogLeNetConfig
from explorer.errors import UserError
from explorer.paths import ASSETS
from explorer.presets import PRESETS
from explorer.search.ceilings import ceiling_of, fit_table
from explorer.search.space import MAX_EXPONENT, SearchSpace, Value, dimensions, paper_point, table_at
from explorer.search.spec import StudySpec
from explorer.search.trials import Report, Train, TrialResult
from explorer.training.plan import DatasetChoice, NamedNetwork, Settings

VERSION = 1
BUNDLED = ASSETS / "search" / "mini_fashion_mnist.jsonl"
MAX_BYTES = 50_000_000
MAX_TABLES = 100_000
_DIGITS = 4  # of accuracies and losses: a four-digit accuracy is exact for 2,000 images

# Half of mini's MACs, and steps that take about ten seconds on one core. Everything is pinned here: the file must not
# change its meaning when the defaults of a new run do.
SPEC = StudySpec(
    name="mini at half of its MACs on Fashion-MNIST",
    network=NamedNetwork(name="mini", config=PRESETS["mini"]),
    quantity="macs",
    ceilings=(0.5,),
    space=SearchSpace(),
    data=DatasetChoice(name="fashion_mnist", validation_images=2_000),
    settings=Settings(
        batch_size=32,
        optimiser="sgd",
        learning_rate=0.075,
        momentum=0.9,
        weight_decay=5e-4,
        schedule="one_cycle",
        device="cpu",
        precision="fp32",
        warm_up=0.25,
    ),
    steps=100,
)


class BenchmarkError(UserError, ValueError):
    """The benchmark file cannot be used; the message says why."""


class Training(NamedTuple):
    """One training of a table."""

    seed: int
    accuracy: float
    reports: tuple[Report, ...]
    losses: tuple[float, ...]
    seconds: float
    synflow: float
    gradient_norm: float


class BenchmarkTable(NamedTuple):
    """A table of the file. ``trainings`` by seed; the table number 0 is the network's own, scaled to the ceiling."""

    number: int
    point: Mapping[str, Value]
    config: GoogLeNetConfig
    trainings: Mapping[int, Training]

    @property
    def accuracy(self) -> float:
        """The mean accuracy over its seeds."""
        return sum(one.accuracy for one in self.trainings.values()) / len(self.trainings)


class Benchmark(NamedTuple):
    """A benchmark file: the study's description and the tables with at least one training."""

    spec: StudySpec
    tables: tuple[BenchmarkTable, ...]


def point_of(spec: StudySpec, number: int) -> dict[str, Value]:
    """Return the point of a table: the network's own for 0, else drawn from the study's seed and the number."""
    if number == 0:
        return paper_point(spec.space, spec.network.config)
    generator = np.random.Generator(np.random.PCG64([spec.seed, number]))
    return {
        dimension.name: (
            str(generator.choice(dimension.choices))
            if dimension.choices
            else round(float(generator.uniform(-MAX_EXPONENT, MAX_EXPONENT)), 3)
        )
        for dimension in dimensions(spec.space, spec.network.config)
    }


class Progress(NamedTuple):
    """A training that was added to the file: its table and seed, its accuracy, and how many are done of how many."""

    table: int
    seed: int
    accuracy: float
    done: int
    total: int


def extend_file(path: Path, tables: int, seeds: int, train: Train, spec: StudySpec = SPEC) -> Iterator[Progress]:
    """Train what a file lacks of so many tables and seeds, and append each training as soon as it is done.

    A new file gets ``spec``; an existing one keeps its own. Raises BenchmarkError for a file of another kind, and where
    another process works on it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f"{path.name}.lock"), blocking=False):
            yield from _extend(path, tables, seeds, train, spec)
    except Timeout as error:
        raise BenchmarkError(f"{path}: another process is adding to this file. Wait for it, or end it.") from error


def _extend(path: Path, tables: int, seeds: int, train: Train, spec: StudySpec) -> Iterator[Progress]:
    if path.exists() and path.stat().st_size:
        _drop_unfinished_line(path)
    if not path.exists() or not path.stat().st_size:
        _append(path, {"kind": "header", "version": VERSION, "spec": spec.model_dump(mode="json")})
    known = _read(path)
    spec, done = known.spec, {(table.number, seed) for table in known.tables for seed in table.trainings}
    described = _described_tables(path)
    ceiling, total = ceiling_of(spec, 0), tables * seeds
    for number in range(tables):
        missing = [seed for seed in range(seeds) if (number, seed) not in done]
        if not missing:
            continue
        point = point_of(spec, number)
        config = fit_table(spec.space, spec.network.config, point, spec.quantity, ceiling)
        if number not in described:
            _append(path, _table_line(number, point, config))
        for seed in missing:
            result = train(spec.plan(config, seed), spec.evaluated_steps, lambda report: True)
            _append(path, _training_line(number, seed, result))
            done.add((number, seed))
            yield Progress(number, seed, result.accuracy or 0.0, len(done), max(total, len(done)))


def _table_line(number: int, point: Mapping[str, Value], config: GoogLeNetConfig) -> dict[str, Any]:
    cells = [[getattr(module, field) for field in HEADINGS] for module in config.modules]
    return {"kind": "table", "table": number, "point": point, "cells": cells} | (
        summarize(config).inference_totals._asdict()
    )


def _training_line(number: int, seed: int, result: TrialResult) -> dict[str, Any]:
    return {
        "kind": "training",
        "table": number,
        "seed": seed,
        "accuracy": round(result.accuracy or 0.0, _DIGITS),
        "reports": [[report.step, round(report.accuracy, _DIGITS)] for report in result.reports],
        "losses": [round(loss, _DIGITS) for loss in result.losses],
        "seconds": round(result.seconds, 2),
        "synflow": round(result.synflow, _DIGITS),
        "gradient_norm": round(result.gradient_norm, _DIGITS),
    }


def _append(path: Path, line: Mapping[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _drop_unfinished_line(path: Path) -> None:
    """Cut what follows the last line feed."""
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def read_benchmark(path: Path = BUNDLED) -> Benchmark:
    """Return the content of a benchmark file. Raises BenchmarkError."""
    return _read(path)


def _read(path: Path) -> Benchmark:
    lines = _lines(path)
    header = next(lines, {})
    if header.get("kind") != "header":
        raise BenchmarkError(f"{path.name} is not a benchmark file: its first line is no header.")
    if header.get("version") != VERSION:
        raise BenchmarkError(f"{path.name} was written by another version of the app. Make the file again.")
    try:
        spec = StudySpec.model_validate_json(json.dumps(header["spec"]))
        tables: dict[int, BenchmarkTable] = {}
        for line in lines:
            if line["kind"] == "table":
                tables[line["table"]] = _parse_table(spec, line)
            elif line["kind"] == "training":
                trainings = tables[line["table"]].trainings
                assert isinstance(trainings, dict)
                trainings[line["seed"]] = _parse_training(line)
    except (ValidationError, KeyError, TypeError, ValueError, AssertionError) as error:
        raise BenchmarkError(f"{path.name} is damaged: a line lacks what it should have.") from error
    return Benchmark(spec, tuple(table for table in tables.values() if table.trainings))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BenchmarkError(f"{path.name} is larger than {MAX_BYTES / 1e6:.0f} MB, so it is no benchmark file.")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path}: the benchmark file cannot be read.") from error
    complete = text[: text.rfind("\n") + 1]
    for number, line in enumerate(complete.splitlines(), 1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise BenchmarkError(f"{path.name}: line {number:,} is not JSON.") from error
        if not isinstance(value, dict):
            raise BenchmarkError(f"{path.name}: line {number:,} is not a JSON object.")
        yield value


def _described_tables(path: Path) -> set[int]:
    return {line["table"] for line in _lines(path) if line.get("kind") == "table"}


def _parse_table(spec: StudySpec, line: Mapping[str, Any]) -> BenchmarkTable:
    base = table_at(spec.space, spec.network.config, line["point"])
    modules = tuple(
        module.replace(**dict(zip(HEADINGS, cells, strict=True)))
        for module, cells in zip(base.modules, line["cells"], strict=True)
    )
    return BenchmarkTable(int(line["table"]), dict(line["point"]), base.replace(modules=modules), {})


def _parse_training(line: Mapping[str, Any]) -> Training:
    return Training(
        seed=int(line["seed"]),
        accuracy=float(line["accuracy"]),
        reports=tuple(Report(int(step), float(accuracy)) for step, accuracy in line["reports"]),
        losses=tuple(map(float, line["losses"])),
        seconds=float(line["seconds"]),
        synflow=float(line["synflow"]),
        gradient_norm=float(line["gradient_norm"]),
    )
