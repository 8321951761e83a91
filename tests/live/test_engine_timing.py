"""All engines measured in turn: times, memory, deviation, accuracy, and why one cannot run here."""

from pathlib import Path

import pytest
import torch

from explorer import PRESETS
from explorer.data.weight_files import read_weights_info
from explorer.data.weights import Network
from explorer.errors import UnbuildableError
from explorer.jobs.engines import ENGINES, REFERENCE, EngineTimings
from explorer.jobs.job import Progress
from explorer.live import engine_images, engine_timing, engines
from explorer.live.engine_timing import time_engines
from explorer.paths import ASSETS


@pytest.fixture
def few_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's engines without a compiler, and ONNX Runtime's; of OpenVINO it is said that it is not installed."""
    installed = engines.installed_version
    monkeypatch.setattr(
        engines, "installed_version", lambda library: "" if library == "openvino" else installed(library)
    )
    monkeypatch.setattr(engines.shutil, "which", lambda _name: None)
    monkeypatch.setattr(engine_images, "MAX_TEST_MACS", 200 * 23_000_000)


@pytest.mark.slow
def test_engines_are_timed_and_tested_on_the_dataset_of_the_weights(few_engines: None, tmp_path: Path) -> None:
    """Each that runs has times, building, memory, deviation and correct images; each other one its obstacle."""
    info = read_weights_info(ASSETS / "weights" / "mini_fashion_mnist.safetensors")
    *progress, result = time_engines(info.network, info.preprocessing, 2, "cpu", str(tmp_path), rounds=3, seconds=0)
    assert all(isinstance(step, Progress) and 0 <= step.done <= step.total for step in progress)
    assert isinstance(result, EngineTimings)
    assert [timing.engine for timing in result.engines] == list(ENGINES)
    by_name = {timing.engine: timing for timing in result.engines}
    assert by_name["openvino"].obstacle == "package"
    assert by_name["compiled"].obstacle == "compiler"
    for timing in by_name.values():
        if not timing.obstacle:
            assert len(timing.ms) == 3
            assert min(timing.ms) > 0
            assert timing.build_s > 0
            assert timing.memory_mb >= 0
            assert timing.correct > 0.8 * result.test_images > 0
            assert by_name[REFERENCE].correct + timing.gained - timing.lost == timing.correct
            assert timing.deviation < (1e-4 if ENGINES[timing.engine].is_exact else 0.2)
    assert by_name[REFERENCE].deviation == 0


@pytest.mark.slow
def test_without_a_dataset_int8_is_not_measured(few_engines: None) -> None:
    """There are no training images to calibrate on, and no test images."""
    *_, result = time_engines(Network(config=PRESETS["mini"]), device="cpu", rounds=3, seconds=0)
    by_name = {timing.engine: timing for timing in result.engines}
    assert by_name["onnxruntime_int8"].obstacle in ("calibration", "package")
    assert by_name["channels_last"].correct is None
    assert result.test_images == 0


@pytest.mark.parametrize(("preset", "batch", "reason"), [("naive", 1, "EXPLORER_ENGINES_MB"), ("mini", 0, "at least")])
def test_what_is_too_large_is_refused_before_it_is_built(
    preset: str, batch: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the size and the limit."""
    monkeypatch.setattr(engine_timing, "build_network", lambda _network: pytest.fail("it was built"))
    with pytest.raises(UnbuildableError, match=reason):
        next(time_engines(Network(config=PRESETS[preset]), batch=batch))


def test_the_work_of_a_pass_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the number and the limit."""
    monkeypatch.setattr(engine_timing, "MAX_MACS", 1_000)
    with pytest.raises(UnbuildableError, match="MACs; the limit"):
        next(time_engines(Network(config=PRESETS["mini"])))


@pytest.mark.slow
def test_torch_has_as_many_threads_as_before(few_engines: None) -> None:
    """No engine changes a setting of the process."""
    threads = torch.get_num_threads()
    list(time_engines(Network(config=PRESETS["mini"]), device="cpu", rounds=3, seconds=0))
    assert torch.get_num_threads() == threads
