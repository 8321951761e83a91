"""Trained weights as files of three formats."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from explorer import PRESETS
from explorer.live.weights import load_weights
from explorer.ui.components import trained_weights
from explorer.ui.components.downloads import File
from explorer.ui.components.export_process import run_export

MINI = Path(trained_weights.__file__).parents[3] / "assets" / "weights" / "mini_fashion_mnist.safetensors"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, File]:
    """The files that are offered for the weights that come with the app, by their ending."""
    offered: list[File] = []
    monkeypatch.setattr(trained_weights, "download_buttons", lambda found, *_: offered.extend(found))
    monkeypatch.setattr(trained_weights.st, "caption", lambda _: None)
    trained_weights.show_weights_downloads(load_weights(MINI).config, MINI, "mini")
    return {file.ending: file for file in offered}


def test_the_safetensors_file_is_the_trained_one(files: dict[str, File]) -> None:
    """Byte by byte, with its metadata."""
    assert files["safetensors"].make() == MINI.read_bytes()


def test_what_does_not_fit_torchvision_is_refused_with_the_reason(files: dict[str, File]) -> None:
    """Its button is disabled; the others are not."""
    assert "is the preset torchvision" in files["pth"].refusal
    assert files["onnx"].refusal == files["safetensors"].refusal == ""


@pytest.mark.slow
def test_the_graph_has_the_trained_weights(files: dict[str, File]) -> None:
    """Not random ones."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_from_string(files["onnx"].make()).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    trained = load_file(MINI)["classifier.fc.weight"]
    assert torch.equal(torch.from_numpy(values["classifier.fc.weight"].copy()), trained)


@pytest.mark.slow
def test_the_command_line_writes_torchvisions_layout(tmp_path: Path) -> None:
    """In another process, for the network that fits."""
    config = PRESETS["torchvision"].replace(classes=10, aux=PRESETS["torchvision"].aux.replace(taps=()))
    (tmp_path / "file.pth").write_bytes(run_export(config, "pth"))
    state = torch.load(tmp_path / "file.pth", weights_only=True)
    assert state["fc.weight"].shape == (10, 1_024)
