"""How fast this machine trains, told from runs."""

import pytest

from explorer import PRESETS, summarize
from explorer.runs.records import Run, TrainerProgress
from explorer.runs.speed import macs_per_second
from explorer.training.plan import TRAINING_PASSES, NamedNetwork, Plan, Settings

EACH = TRAINING_PASSES * summarize(PRESETS["mini"]).macs(aux=True)


def run(step: int, seconds: float, device: str = "auto") -> Run:
    """Return a run of mini that has taken so many steps of 64 images."""
    plan = Plan(entrants=(NamedNetwork(name="mini", config=PRESETS["mini"]),), settings=Settings(device=device))
    lane = TrainerProgress(0, step, seconds, 64 * step, 0.5, 0, "")
    return Run("r0", "mini", "", plan.model_dump_json(), "finished", "", 0.0, 0.0, 1.0, (lane,))


def test_the_latest_telling_run_counts() -> None:
    """MACs of all its images by its seconds; one that had hardly begun says nothing."""
    assert macs_per_second([run(3, 9.0), run(100, 10.0), run(100, 1_000.0)], "auto") == pytest.approx(640 * EACH)


def test_another_device_tells_nothing() -> None:
    """A run on the GPU does not speak for the CPU."""
    assert macs_per_second([run(100, 10.0, "cuda")], "cpu") is None
    assert macs_per_second([], "auto") is None
