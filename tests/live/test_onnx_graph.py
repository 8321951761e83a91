"""The ONNX graph: onnx accepts it, onnxruntime computes what torch does, and its names are the layer paths."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.live.model import GoogLeNet, build_model
from explorer.live.onnx_graph import to_onnx
from explorer.share import from_json
from tests.strategies import examples, networks

RUN = [name for name in PRESETS if name != "naive"]  # it has 100 million weights; random networks have blank cells too


def build_perturbed(config: GoogLeNetConfig) -> GoogLeNet:
    """Return a network whose biases and running statistics are not zeros and ones, so that an error in one shows."""
    model, generator = build_model(config), torch.Generator().manual_seed(5)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.ndim == 1:
                tensor.add_(torch.rand(tensor.shape, generator=generator) * 0.2)
    return model.eval()


def assert_same_output(config: GoogLeNetConfig, batch: int = 2) -> None:
    """Assert that torch and onnxruntime agree within 1e-4 of the largest logit."""
    model = build_perturbed(config)
    images = torch.randn(batch, *config.input_shape, generator=torch.Generator().manual_seed(0))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(to_onnx(model), options, providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": images.numpy()})
    with torch.inference_mode():
        expected = model(images).numpy()
    assert np.abs(expected - logits).max() <= 1e-4 * max(1.0, np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_presets_compute_the_same(name: str) -> None:
    """At a small size with unequal sides, to be fast."""
    config = PRESETS[name]
    size = (28, 28) if name == "mini" else (81, 65)
    assert_same_output(config.replace(input_shape=(config.input_shape[0], *size)))


@given(networks())
@examples(12)
def test_random_networks_compute_the_same(config: GoogLeNetConfig) -> None:
    """Cells may be blank or zero, modules added or renamed, under each rule of pooling and normalization."""
    assert_same_output(config)


def test_the_batch_size_is_dynamic() -> None:
    """One file runs batches of any size."""
    for batch in (1, 3):
        assert_same_output(PRESETS["mini"], batch)
    graph = onnx.load_from_string(to_onnx(build_model(PRESETS["mini"]))).graph
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_param == "N"


@pytest.mark.parametrize("name", ["mini", "half"])
def test_the_nodes_have_the_layer_paths_as_names(name: str) -> None:
    """Each layer of the inference network has one node of its path, and each weight its name in the state dict."""
    config = PRESETS[name]
    model = build_model(config)
    graph = onnx.load_from_string(to_onnx(model)).graph
    names = [node.name for node in graph.node]
    assert len(names) == len(set(names))
    expected = [row.path for row in summarize(config).rows if row.aux is None and row.kind != "dropout"]
    assert [name for name in names if name in set(expected)] == expected
    assert {tensor.name for tensor in graph.initializer} <= model.state_dict().keys()


def test_the_config_is_in_the_metadata() -> None:
    """It can be read from the file."""
    graph = onnx.load_from_string(to_onnx(build_model(PRESETS["mini"])))
    metadata = {entry.key: entry.value for entry in graph.metadata_props}
    assert from_json(metadata["config"]) == PRESETS["mini"]
    assert json.loads(metadata["config"])["format"] == "inception-explorer network"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["paper", "torchvision", "mini"])
def test_the_heads_compute_the_same(name: str) -> None:
    """With ``heads`` the graph has an output per head too, under each rule of the heads' pooling."""
    config = PRESETS[name]
    if name != "mini":
        config = config.replace(input_shape=(3, 97, 113))
    model = build_perturbed(config)
    images = torch.randn(2, *config.input_shape, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(to_onnx(model, heads=True), providers=["CPUExecutionProvider"])
    logits, *heads = session.run(None, {"image": images.numpy()})
    with torch.inference_mode():
        expected = model.forward_with_heads(images)
    assert [output.name for output in session.get_outputs()][1:] == [f"aux_{tap}.classifier" for tap in expected.aux]
    for found, correct in zip((logits, *heads), (expected.logits, *expected.aux.values()), strict=True):
        np.testing.assert_allclose(found, correct.numpy(), atol=1e-4 * correct.abs().max().item())
