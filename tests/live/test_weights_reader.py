"""The weights reader: torchvision's layout computes what torchvision computes, and no hostile file does any harm."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from explorer import PRESETS
from explorer.data.weight_files import METADATA_KEY, WeightsMetadata, read_weights_info
from explorer.jobs.inspection import ImportedWeights
from explorer.jobs.job import Failure
from explorer.live.model import build_model
from explorer.live.weights import load_weights, restore_model, to_metadata, to_safetensors
from explorer.live.weights_reader import read
from explorer.training.plan import DATASETS
from tests import torchvision_layout
from tests.small_network import SMALL

TORCHVISION = PRESETS["torchvision"]


def save_torch(folder: Path, content: Any, **options: Any) -> Path:
    """Save something by ``torch.save`` and return the path of the file."""
    path = folder / "uploaded.weights"
    torch.save(content, path, **options)
    return path


def small_state() -> dict[str, Tensor]:
    """Return a state dict of the small network."""
    return build_model(SMALL, seed=8).state_dict()


@pytest.mark.slow
@pytest.mark.parametrize("heads", [True, False], ids=["with heads", "without heads"])
def test_torchvisions_layout_computes_what_torchvision_does(tmp_path: Path, heads: bool) -> None:
    """Every tensor is mapped, and the logits equal those of a forward pass written out in the tests, within 1e-5."""
    state = torchvision_layout.state_dict(heads=heads)
    result = read(save_torch(tmp_path, state), SMALL)
    assert isinstance(result, ImportedWeights)
    assert result.mismatches == ()
    assert result.network.config.aux.taps == (("4a", "4d") if heads else ())
    saved = load_file(result.network.weights)
    assert len(saved) == len(state), "no tensor is left over"
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    model = restore_model(load_weights(result.network.weights)).eval()
    with torch.inference_mode():
        expected, out = torchvision_layout.forward(state, image), model.forward_with_heads(image)
    by_name = {"main": out.logits} | {{"4a": "aux1", "4d": "aux2"}[tap]: logits for tap, logits in out.aux.items()}
    assert by_name.keys() == expected.keys()
    for name, logits in expected.items():
        assert logits.std() > 1
        assert (by_name[name] - logits).abs().max() <= 1e-5


def test_a_file_of_the_app_has_its_own_config(tmp_path: Path) -> None:
    """The config of the request is not used."""
    path = tmp_path / "app.weights"
    path.write_bytes(to_safetensors(build_model(SMALL, seed=3)))
    result = read(path, TORCHVISION)
    assert result.network.config == SMALL
    assert all(
        torch.equal(tensor, load_file(result.network.weights)[name])
        for name, tensor in build_model(SMALL, seed=3).state_dict().items()
    )


def test_equal_weights_have_one_file(tmp_path: Path) -> None:
    """Whatever the format, the type of the numbers and the order in it; read twice, they are the same network."""
    state = small_state()
    backwards = dict(reversed(state.items()))
    double = {name: t.double() if t.is_floating_point() else t for name, t in state.items()}
    networks = [
        read(save_torch(tmp_path, content), SMALL, tmp_path / "new", "own.pth").network
        for content in (state, backwards, {"epoch": 1, "state_dict": double})
    ]
    path = tmp_path / "own.safetensors"
    for metadata in (to_metadata(SMALL), dict(reversed(to_metadata(SMALL).items()))):
        path.write_bytes(save(state, metadata))
        networks.append(read(path, SMALL, tmp_path / "new", "own.pth").network)
    assert len(set(networks)) == 1
    assert len([*(tmp_path / "new").iterdir()]) == 1
    state["classifier.fc.bias"][0] += 1
    assert read(save_torch(tmp_path, state), SMALL, tmp_path / "new", "own.pth").network not in networks


def test_mismatches_name_row_tensor_and_shapes(tmp_path: Path) -> None:
    """With the app's names and with torchvision's, in both formats."""
    state = small_state()
    state["inception_4a.branch_1x1.conv.conv.weight"] = torch.zeros(9, 27, 1, 1)
    other = torchvision_layout.state_dict(heads=False)
    other["inception3a.branch3.1.conv.weight"] = torch.zeros(32, 16, 5, 5)
    for content, row, expected, actual in (
        (state, "inception_4a.branch_1x1.conv", (6, 27, 1, 1), (9, 27, 1, 1)),
        (other, "inception_3a.branch_5x5.conv", (32, 16, 3, 3), (32, 16, 5, 5)),
    ):
        path = tmp_path / "x.safetensors"
        save_file(content, path)
        for result in (read(save_torch(tmp_path, content), SMALL), read(path, SMALL)):
            assert result.network is None
            assert [tuple(mismatch) for mismatch in result.mismatches] == [(row, "conv.weight", expected, actual)]
            assert result.about == "1 tensor does not fit the network."


class Trap:
    """An object whose pickle would run code."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def rewrite_zip(path: Path, **options: Any) -> bytes:
    """Write the same archive again with other options."""
    file = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(file, "w", **options) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    return file.getvalue()


def changed_state(name: str, value: Any) -> dict[str, Any]:
    """Return the small state dict with another value in it."""
    return small_state() | {name: value}


BIAS, MATRIX = "classifier.fc.bias", "classifier.fc.weight"
VALUES = {
    "NaN": (BIAS, torch.full((7,), torch.nan), "not finite"),
    "infinite": (BIAS, torch.full((7,), torch.inf), "not finite"),
    "whole numbers": (BIAS, torch.zeros(7, dtype=torch.int32), "of type torch.int32"),
    "complex": (BIAS, torch.zeros(7, dtype=torch.complex64), "of type torch.complex64"),
    "sparse": (MATRIX, torch.eye(7, 22).to_sparse(), "sparse"),
    "expanded": (BIAS, torch.zeros(1).expand(7), "fewer stored numbers than elements"),
    "without numbers": (BIAS, torch.zeros(7, device="meta"), "has no data"),
    "a list": (BIAS, [0.0] * 7, "more than a state dict"),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_are_not_weights_are_refused(tmp_path: Path, case: str) -> None:
    """The message names the tensor."""
    name, value, message = VALUES[case]
    result = read(save_torch(tmp_path, changed_state(name, value)), SMALL)
    assert isinstance(result, Failure)
    assert message in result.reason
    assert name in result.reason


def test_negative_variances_are_refused(tmp_path: Path) -> None:
    """They would make every output NaN."""
    config = PRESETS["mini"]
    state = build_model(config).state_dict()
    state["stem.conv1.bn.running_var"][3] = -1
    assert "stem.conv1.bn.running_var holds negative variances" in read(save_torch(tmp_path, state), config).reason


def test_tensors_that_share_their_numbers_are_refused(tmp_path: Path) -> None:
    """A thousand views of one storage would be a thousand copies."""
    numbers = torch.zeros(100_000)
    state = small_state() | {f"inception_3a.x{number}": numbers[number:] for number in range(1_000)}
    assert "share their numbers" in read(save_torch(tmp_path, state), SMALL).reason


def test_a_whole_model_is_refused_and_no_code_runs(tmp_path: Path) -> None:
    """Nor code from a trap, in any format: the marker that it would create is not there."""
    marker = tmp_path / "marker"
    for content in (build_model(SMALL), {"a": Trap(marker)}, Trap(marker)):
        for new in (True, False):
            result = read(save_torch(tmp_path, content, _use_new_zipfile_serialization=new), SMALL)
            assert "no code in it was run" in result.reason
    path = tmp_path / "plain.weights"
    path.write_bytes(pickle.dumps(Trap(marker)))
    assert isinstance(read(path, SMALL), Failure)
    assert not marker.exists()
    torch.load(save_torch(tmp_path, Trap(marker)), weights_only=False)
    assert marker.exists(), "without weights_only the trap works"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "does not hold a state dict"),
        ([torch.zeros(1)], "of type list"),
        (torch.zeros(3), "of type Tensor"),
        ({1: torch.zeros(1)}, "more than a state dict"),
        ({"state_dict": {"a": torch.zeros(1)}}, "its tensors are a …"),
        ({"state_dict": {"a": 1}}, "more than a state dict"),
        (
            {"layer1.weight": torch.zeros(1)},
            "no GoogLeNet of torchvision or of this app: its tensors are layer1",
        ),
    ],
)
def test_other_content_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    """The message says what the file holds instead."""
    assert message in read(save_torch(tmp_path, content), SMALL).reason


@pytest.mark.slow
def test_compressed_archives_are_not_unpacked(tmp_path: Path) -> None:
    """A zip bomb of a thousand times its size is refused by its table of contents."""
    path = save_torch(tmp_path, {"a": torch.zeros(20_000_000)})
    path.write_bytes(rewrite_zip(path, compression=zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 1_000_000
    assert "compressed archive" in read(path, SMALL).reason


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    """At any length, in every format."""
    path = save_torch(tmp_path, small_state())
    files = [path.read_bytes(), save(small_state(), to_metadata(SMALL))]
    files.append(save_torch(tmp_path, small_state(), _use_new_zipfile_serialization=False).read_bytes())
    for whole in files:
        for length in (0, 1, 9, 100, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            result = read(path, SMALL)
            assert isinstance(result, Failure)
            assert result.reason.endswith(".")


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    """Its size is checked first."""
    path = tmp_path / "x.weights"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    assert read(path, SMALL).reason == (
        "The file has 300,000,000 bytes; the limit is 256,000,000. Save the weights alone, without an optimizer: "
        "torch.save(model.state_dict(), 'weights.pth')."
    )


def test_metadata_on_the_training_is_limited(tmp_path: Path) -> None:
    """The weights keep it, but a header of megabytes does not reach the server."""
    facts = DATASETS["fashion_mnist"].replace(classes=tuple(f"class {n}" for n in range(SMALL.classes)))
    training = WeightsMetadata(name="mine", facts=facts, mean=(0.3,), std=(0.35,), seed=0, steps=9, seconds=1.0)
    for metadata, expected in ((training, training), (training.replace(name="x" * 100_000), None)):
        path = tmp_path / "uploaded.weights"
        path.write_bytes(to_safetensors(build_model(SMALL, seed=8), {METADATA_KEY: metadata.model_dump_json()}))
        assert expected == read_weights_info(read(path, SMALL).network.weights).training


def test_metadata_of_an_uploaded_file_is_unverified(tmp_path: Path) -> None:
    """Only weights of the app are "trained here"; names are short and different, and an accuracy is at most 1."""
    facts = DATASETS["fashion_mnist"].replace(title="t" * 99, classes=("the same",) * SMALL.classes)
    training = WeightsMetadata(
        name="n" * 99, facts=facts, mean=(0.3,), std=(0.35,), seed=0, steps=9, seconds=1.0, accuracy=1.0
    )
    path = tmp_path / "uploaded.weights"
    path.write_bytes(to_safetensors(build_model(SMALL, seed=8), {METADATA_KEY: training.model_dump_json()}))
    result = read_weights_info(read(path, SMALL).network.weights)
    assert result.title == f"{'n' * 40}, trained on {'t' * 40} according to the file"
    assert result.is_unverified
    assert result.class_names[:2] == ("the same", "the same (2)")
    local = read_weights_info(path, is_local=True)
    assert "trained here" in local.title
    assert not local.is_unverified
    assert "trained here" not in read_weights_info(path).title, "it came from elsewhere"
    exaggerated = training.model_dump_json().replace('"accuracy":1.0', '"accuracy":17.0')
    path.write_bytes(to_safetensors(build_model(SMALL, seed=8), {METADATA_KEY: exaggerated}))
    assert read_weights_info(read(path, SMALL).network.weights).training is None
