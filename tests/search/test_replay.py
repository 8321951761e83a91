"""Replays on a benchmark file (explorer.search.replay)."""

import numpy as np
import pytest

from explorer.search.benchmark_file import SPEC, Benchmark, BenchmarkError, BenchmarkTable, Training, point_of
from explorer.search.replay import Pool, accuracy_except, compare_samplers, replay, replay_bundled, shape_of
from explorer.search.samplers import SAMPLERS
from explorer.search.trials import Report


def made_up_benchmark(tables: int = 150) -> Benchmark:
    """Return a benchmark in which tables with wide 3×3 and narrow 5×5 columns are better."""
    found = []
    for number in range(tables):
        point = point_of(SPEC, number)
        quality = 0.7 + 0.03 * float(point["column #3×3"]) - 0.03 * float(point["column #5×5"])
        noise = np.random.default_rng(number).normal(0, 0.004, 3)
        trainings = {
            seed: Training(
                seed,
                quality + noise[seed],
                tuple(Report(step, quality * (0.5 + step / 200)) for step in SPEC.evaluated_steps),
                (1.0,),
                7.0,
                50.0,
                20.0,
            )
            for seed in range(3)
        }
        found.append(BenchmarkTable(number, point, SPEC.network.config, trainings))
    return Benchmark(SPEC, tuple(found))


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Return a pool of made-up tables."""
    return Pool(made_up_benchmark())


def test_a_replay_follows_from_its_seed(pool: Pool) -> None:
    """The same seed gives the same trials, each table at most once, within the budget."""
    points = replay(pool, "tpe", 12, seed=3)
    assert points == replay(pool, "tpe", 12, seed=3)
    assert points != replay(pool, "tpe", 12, seed=4)
    assert len({point.table for point in points}) == len(points)
    assert points[-2].used < 12 <= points[-1].used
    assert any(point.accuracy is None for point in points)


def test_the_file_of_the_app_is_replayed_with_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step for each seed, then the comparison; a file with too few tables is explained."""
    monkeypatch.setattr("explorer.search.replay.read_benchmark", lambda path: made_up_benchmark(25))
    monkeypatch.setattr("explorer.search.replay.REPLAY_SEEDS", 2)
    *progress, found = replay_bundled(0.0, 3)
    assert [(0, 2), (1, 2)] == [(one.done, one.total) for one in progress]
    assert found.comparisons == compare_samplers(Pool(made_up_benchmark(25)), tuple(SAMPLERS), 3, 2)
    monkeypatch.setattr("explorer.search.replay.read_benchmark", lambda path: made_up_benchmark(5))
    with pytest.raises(BenchmarkError, match="needs 20"):
        next(replay_bundled(0.0, 3))


@pytest.mark.slow
def test_a_sampler_that_models_beats_random_search_where_there_is_something_to_learn(pool: Pool) -> None:
    """On made-up tables whose accuracy depends on two columns, TPE finds better ones with the same steps."""
    tpe, random = compare_samplers(pool, ["tpe"], trials=25, replays=8)
    assert ("tpe", "random") == (tpe.sampler, random.sampler)
    assert tpe.interval.low > 0
    assert 0 == random.difference
    assert list(tpe.curve) == sorted(tpe.curve) or tpe.curve[-1] > tpe.curve[0]


def test_a_table_is_evaluated_by_other_seeds_than_it_was_chosen_by() -> None:
    """The seed by which a table was chosen does not count."""
    table = made_up_benchmark(2).tables[1]
    assert accuracy_except(table, 0) == pytest.approx((table.trainings[1].accuracy + table.trainings[2].accuracy) / 2)


def test_the_common_factor_makes_no_distance() -> None:
    """Two points that differ by a factor of all widths are the same table."""
    point = point_of(SPEC, 1)
    shifted = {name: float(value) + 0.5 if name.startswith("stage") else value for name, value in point.items()}
    assert shape_of(SPEC, shifted) == pytest.approx(shape_of(SPEC, point))


def test_too_few_tables_are_refused() -> None:
    """The message names the command that adds more."""
    with pytest.raises(BenchmarkError, match="search benchmark"):
        Pool(made_up_benchmark(10))
