"""The benchmark file (explorer.search.benchmark_file)."""

from pathlib import Path

import pytest
from filelock import FileLock

from explorer.search.benchmark_file import (
    BUNDLED,
    SPEC,
    BenchmarkError,
    extend_file,
    point_of,
    read_benchmark,
)
from explorer.search.ceilings import ceiling_of, cost_of, own_table
from explorer.search.replay import Pool
from explorer.search.trials import OnReport, Report, TrialResult
from explorer.training.plan import Plan


def train(plan: Plan, evaluated_steps: tuple[int, ...], on_report: OnReport) -> TrialResult:
    """Return a made-up result that depends on the table and the seed."""
    accuracy = 0.5 + (plan.networks[0].config.modules[0].ch1x1 % 10) / 100 + plan.seeds[0] / 1000
    reports = tuple(Report(step, accuracy / 2) for step in evaluated_steps)
    return TrialResult(accuracy, reports, (2.0, 1.0), 100, 7.0, 9.0, 50.0, 20.0)


def extend(path: Path, tables: int, seeds: int) -> int:
    """Extend a file and return how many trainings were added."""
    return len(list(extend_file(path, tables, seeds, train)))


def test_a_file_has_every_table_and_seed(tmp_path: Path) -> None:
    """Each table is at the ceiling, the first one is the network's own, and all trainings are read again."""
    path = tmp_path / "file.jsonl"
    assert 8 == extend(path, 4, 2)
    benchmark = read_benchmark(path)
    assert SPEC == benchmark.spec
    assert [0, 1, 2, 3] == [table.number for table in benchmark.tables]
    assert own_table(SPEC, 0) == benchmark.tables[0].config
    for table in benchmark.tables:
        assert {0, 1} == set(table.trainings)
        assert 0.98 * ceiling_of(SPEC, 0) <= cost_of(table.config, "macs") <= ceiling_of(SPEC, 0)
        assert table.accuracy == pytest.approx(0.5005 + (table.config.modules[0].ch1x1 % 10) / 100)


def test_the_file_of_the_app_can_be_replayed_and_continued() -> None:
    """Its tables are those that the command draws, at the ceiling, and enough of them are trained from three seeds."""
    benchmark = read_benchmark(BUNDLED)
    assert SPEC == benchmark.spec
    assert Pool(benchmark).tables
    for table in benchmark.tables:
        assert point_of(SPEC, table.number) == table.point
        assert 0.98 * ceiling_of(SPEC, 0) <= cost_of(table.config, "macs") <= ceiling_of(SPEC, 0)
    assert all(len(table.trainings) == 3 for table in benchmark.tables[:-1])


@pytest.mark.slow
def test_a_file_is_continued_wherever_it_was_cut(tmp_path: Path) -> None:
    """After a cut at any byte the file ends with the same content as without."""
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    extend(whole, 3, 2)
    content = whole.read_bytes()
    for end in (*range(0, len(content), 400), len(content) - 1):
        cut.write_bytes(content[:end])
        extend(cut, 3, 2)
        assert content == cut.read_bytes()


def test_a_file_can_grow(tmp_path: Path) -> None:
    """More seeds and more tables are appended; what is there stays."""
    path = tmp_path / "file.jsonl"
    extend(path, 2, 1)
    content = path.read_bytes()
    assert 4 == extend(path, 3, 2)
    assert path.read_bytes().startswith(content)
    assert 0 == extend(path, 3, 2)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A second process is refused, so no training is done twice."""
    path = tmp_path / "file.jsonl"
    with FileLock(f"{path}.lock"), pytest.raises(BenchmarkError, match="another process"):
        extend(path, 1, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no header"),
        (b'{"kind":"table"}\n', "no header"),
        (b"[1]\n", "not a JSON object"),
        (b"\xff\xfe\n", "cannot be read"),
        (b"no json\n", "line 1 is not JSON"),
        (b'{"kind":"header","version":99}\n', "another version"),
        (b'{"kind":"header","version":1,"spec":{}}\n', "damaged"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """What is no benchmark file is refused with the reason."""
    path = tmp_path / "file.jsonl"
    path.write_bytes(content)
    with pytest.raises(BenchmarkError, match=message):
        read_benchmark(path)


def test_a_damaged_line_is_refused(tmp_path: Path) -> None:
    """A training of a table that the file does not describe is an error."""
    path = tmp_path / "file.jsonl"
    extend(path, 1, 1)
    with path.open("a") as file:
        file.write('{"kind":"training","table":5,"seed":0}\n')
    with pytest.raises(BenchmarkError, match="damaged"):
        read_benchmark(path)


def test_points_follow_from_seed_and_number() -> None:
    """The same number is always the same point, and other numbers are others."""
    assert point_of(SPEC, 3) == point_of(SPEC, 3)
    assert point_of(SPEC, 3) != point_of(SPEC, 4)
