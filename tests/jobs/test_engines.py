"""The catalogue of engines: which answers, what is missing, and that it needs no torch."""

import pytest

from explorer.jobs import engines
from explorer.jobs.engines import AUTO, ENGINES, FASTEST_EXACT, LIBRARIES, REFERENCE, resolve_engine


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):
    """Return a function that sets which libraries are installed."""

    def install(*libraries: str) -> None:
        monkeypatch.setattr(engines, "installed_version", lambda library: "1.0" if library in libraries else "")

    return install


def test_the_fastest_exact_engine_that_is_installed_answers(installed) -> None:
    """PyTorch alone is enough; each library that is faster takes its place."""
    installed("torch")
    assert resolve_engine(AUTO) == "channels_last"
    installed("torch", "onnxruntime")
    assert resolve_engine(AUTO) == "onnxruntime"
    installed("torch", "onnxruntime", "openvino")
    assert resolve_engine(AUTO) == "openvino"


def test_an_engine_that_cannot_answer_gives_way_to_pytorch(installed) -> None:
    """It is unknown, not installed, or the network runs on a GPU."""
    installed("torch", "openvino")
    assert resolve_engine("openvino_bfloat16") == "openvino_bfloat16"
    assert resolve_engine("onnxruntime") == "channels_last"
    assert resolve_engine("tensorrt") == "channels_last"
    assert resolve_engine("openvino", on_cpu=False) == "channels_last"
    assert resolve_engine("compiled", on_cpu=False) == "compiled"


def test_every_engine_has_a_title_of_its_own() -> None:
    """With the library, the precision, and what tells it from the others."""
    assert len({engine.title for engine in ENGINES.values()}) == len(ENGINES)
    assert ENGINES["channels_last"].title == "PyTorch, channels-last, float32"
    assert all(ENGINES[name].is_exact for name in (*FASTEST_EXACT, REFERENCE))
    assert {engine.library for engine in ENGINES.values()} == set(LIBRARIES)
