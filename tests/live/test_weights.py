"""Weights as safetensors: they load back with their config, and an invalid file is refused with the reason."""

import json
import random
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from explorer import PRESETS
from explorer.live.model import build_model
from explorer.live.weights import (
    Weights,
    WeightsError,
    file_pieces,
    from_metadata,
    load_weights,
    restore_model,
    to_metadata,
    to_safetensors,
)

MINI = PRESETS["mini"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights file of a small network."""
    path = tmp_path_factory.mktemp("weights") / "mini.safetensors"
    path.write_bytes(to_safetensors(build_model(MINI, seed=3)))
    return path


@pytest.mark.slow
def test_weights_load_back(saved: Path) -> None:
    """The config and every tensor are the same, and the network computes the same bits."""
    weights, model = load_weights(saved), build_model(MINI, seed=3)
    assert weights.config == MINI
    assert weights.state.keys() == model.state_dict().keys()
    image = torch.randn(1, *MINI.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(model.eval()(image), restore_model(weights).eval()(image))


def test_a_file_in_pieces_takes_no_memory(tmp_path: Path) -> None:
    """They are the tensors themselves, and the library reads the file they make."""
    state = {"a": torch.arange(3.0), "bb": torch.zeros((), dtype=torch.int64), "c": torch.ones(2, 1, 3)}
    header, *pieces = file_pieces(state, {"format": "pt"})
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"".join((header, *pieces)))
    loaded = load_file(path)
    assert loaded.keys() == state.keys()
    assert all(
        torch.equal(loaded[name], tensor) and loaded[name].shape == tensor.shape for name, tensor in state.items()
    )
    state["a"][0] = 7.0
    assert b"".join((header, *pieces)) != path.read_bytes()


def test_safetensors_alone_can_read_the_file(saved: Path) -> None:
    """Other programs need no code of this app."""
    assert load_file(saved)["classifier.fc.bias"].shape == (10,)


def test_another_networks_weights_are_refused(saved: Path) -> None:
    """The tensors must fit the config."""
    with pytest.raises(WeightsError, match="do not fit"):
        restore_model(Weights(PRESETS["half"], load_weights(saved).state))


def test_a_file_without_its_config_is_refused(tmp_path: Path) -> None:
    """Also a file whose config is not a network."""
    path = tmp_path / "x.safetensors"
    for metadata, message in (
        (None, "does not say"),
        ({"config": "{}"}, "cannot be built"),
        ({"config": "x"}, "cannot be built"),
    ):
        save_file({"a": torch.zeros(1)}, path, metadata)
        with pytest.raises(WeightsError, match=message):
            load_weights(path)


def test_damaged_files_are_refused(saved: Path, tmp_path: Path) -> None:
    """Truncated, changed in the header, with a header of absurd length, or empty: always with a message."""
    whole, path = saved.read_bytes(), tmp_path / "x.safetensors"
    length = struct.unpack("<Q", whole[:8])[0]
    hostile = [b"", b"x", whole[:100], whole[:-1], struct.pack("<Q", 2**63) + whole[8:], b"\x80\x04\x95" * 100]
    for seed in range(100):
        rng, head = random.Random(seed), bytearray(whole[8 : 8 + length])
        head[rng.randrange(length)] = rng.randrange(256)
        hostile.append(whole[:8] + bytes(head))
    for content in hostile:
        path.write_bytes(content)
        try:
            restore_model(load_weights(path))  # a file with a changed space or digit may still be valid
        except WeightsError as error:
            assert str(error).endswith((".", ")"))  # noqa: PT017
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load_weights(tmp_path / "missing")


@pytest.mark.parametrize("name", PRESETS)
def test_the_config_is_in_the_metadata(name: str) -> None:
    """It is JSON in the documented format."""
    metadata = to_metadata(PRESETS[name])
    assert json.loads(metadata["config"])["version"] == 1
    assert from_metadata(metadata) == PRESETS[name]
