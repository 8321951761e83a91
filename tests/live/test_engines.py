"""Every engine computes what PyTorch computes, within the rounding of its precision."""

import gc
import sys
import weakref
from functools import partial
from importlib.util import find_spec

import pytest
import torch

from explorer import PRESETS
from explorer.data.weights import Network
from explorer.jobs.engines import ENGINES, REFERENCE
from explorer.live import engines
from explorer.live.engines import EngineCache, EngineError, build_engine, merge_batch_norm, obstacle
from tests.live.test_onnx_graph import build_perturbed

MINI = PRESETS["mini"]
TOLERANCES = {"float32": 1e-4, "bfloat16": 0.05, "int8": 0.1}  # of the largest logit
CPU = torch.device("cpu")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ENGINES if name != "compiled"])
def test_the_outputs_are_pytorchs(name: str) -> None:
    """Of the network and of its heads, for the usual batch and for another one."""
    if reason := obstacle(name, CPU):
        pytest.skip(reason)
    model = build_perturbed(MINI)
    images = torch.randn(3, *MINI.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        run = build_engine(name, model, 3, calibration=images)
        for batch in (images, images[:1]):
            expected, found = model.forward_with_heads(batch), run(batch)
            assert found.aux.keys() == expected.aux.keys()
            for tap, logits in ({"": expected.logits} | expected.aux).items():
                difference = ((found.aux[tap] if tap else found.logits) - logits).abs().max()
                assert difference <= TOLERANCES[ENGINES[name].precision] * logits.abs().max()


@pytest.mark.slow
def test_a_compiled_network_computes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captured by torch.compile; the compiler itself, which takes a minute, is PyTorch's business."""
    monkeypatch.setattr(engines.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    model = build_perturbed(MINI)
    images = torch.randn(2, *MINI.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = model.forward_with_heads(images).logits
        found = build_engine("compiled", model, 2)(images).logits
    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.slow
@pytest.mark.skipif(not find_spec("openvino"), reason="OpenVINO is not installed")
def test_openvino_reports_to_nobody() -> None:
    """Its package that sends reports is never loaded; a stub of OpenVINO's own stands for it."""
    build_engine("openvino", build_perturbed(MINI), 1)
    assert sys.modules["openvino_telemetry"] is None
    assert sys.modules["openvino.tools.ovc.telemetry_utils"].tm.__name__ == "openvino.tools.ovc.telemetry_stub"


def test_an_engine_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is built."""
    monkeypatch.setattr(engines, "installed_version", lambda library: "" if library == "openvino" else "1.0")
    with pytest.raises(EngineError) as error:
        build_engine("openvino", build_perturbed(MINI), 1)
    assert error.value.obstacle == "package"


def test_bfloat16_needs_a_processor_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch would emulate it slowly."""
    monkeypatch.setattr(engines, "_has_bfloat16", lambda: False)
    assert obstacle("channels_last_bfloat16", CPU) == "processor"


def test_other_libraries_run_on_the_cpu_only() -> None:
    """On a GPU they would need other packages."""
    assert obstacle("onnxruntime", torch.device("cuda")) in ("cpu_only", "package")
    assert obstacle(REFERENCE, torch.device("cuda")) == ""


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs onnxruntime")
def test_int8_needs_images_to_calibrate_on() -> None:
    """Without them its ranges would be guessed."""
    with pytest.raises(EngineError) as error:
        build_engine("onnxruntime_int8", build_perturbed(MINI), 1)
    assert error.value.obstacle == "calibration"


def test_merging_batch_norm_changes_no_output() -> None:
    """And leaves the network as it was."""
    model = build_perturbed(MINI)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    images = torch.randn(2, *MINI.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        merged = merge_batch_norm(model)
        torch.testing.assert_close(merged(images), model(images), atol=1e-4, rtol=1e-4)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in merged.modules())
    assert merged.classifier.fc.weight is model.classifier.fc.weight, "what is not merged is not copied"
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["channels_last", "onnxruntime", "openvino"])
def test_an_engine_keeps_nothing_but_its_own_weights(name: str) -> None:
    """Neither the network nor the graph that it was built from: the worker keeps two engines."""
    if reason := obstacle(name, CPU):
        pytest.skip(reason)
    model = build_perturbed(MINI)
    network = weakref.ref(model)
    run = build_engine(name, model, 1)
    del model
    gc.collect()
    assert network() is None
    assert not any(isinstance(cell.cell_contents, bytes) for cell in run.__closure__)


def test_the_cache_keeps_the_engines_used_last() -> None:
    """An engine is built once, and again when it was dropped."""
    cache, built = EngineCache(), []

    def get(name: str) -> None:
        cache.get(Network(config=MINI), name, 1, lambda: built.append(name))

    for name in ("a", "b", "a", "c", "a", "b"):
        get(name)
    assert built == ["a", "b", "c", "b"]
