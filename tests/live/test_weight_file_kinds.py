"""One row per kind of weight file: it is read as weights with a title, or refused with a sentence; nothing between."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from explorer.data.weight_files import METADATA_KEY, WeightsMetadata, read_weights_info
from explorer.jobs.job import Failure
from explorer.live.model import build_model
from explorer.live.weights import to_safetensors
from explorer.live.weights_reader import read
from explorer.training.plan import DATASETS
from tests import torchvision_layout
from tests.small_network import SMALL

UNKNOWN = f"weights from a file, {SMALL.classes} classes, 1 auxiliary head"
TITLE = f"own.pth: {UNKNOWN}"


@cache
def small() -> dict[str, Tensor]:
    """Return a state dict of the small network."""
    return build_model(SMALL, seed=8).state_dict()


def torch_file(content: Any, **options: Any) -> bytes:
    """Return something as ``torch.save`` writes it."""
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def renamed(prefix: str) -> dict[str, Tensor]:
    """Return the state dict with something before every name."""
    return {prefix + name: tensor for name, tensor in small().items()}


def zip_of(*names: str, method: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip of files with these names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, b"x" * 1_000)
    return file.getvalue()


def torchscript() -> bytes:
    """Return a program as ``torch.jit.save`` writes it; the names are what matters, and making one is deprecated."""
    return zip_of(
        "net/data.pkl", "net/code/__torch__.py", "net/constants.pkl", "net/version", method=zipfile.ZIP_DEFLATED
    )


def with_metadata() -> bytes:
    """Return a file of this app with a record of its training."""
    facts = DATASETS["fashion_mnist"].replace(classes=tuple("abcdefg"))
    training = WeightsMetadata(name="mini", facts=facts, mean=(0.3,), std=(0.35,), seed=0, steps=9, seconds=1.0)
    return to_safetensors(build_model(SMALL, seed=8), {METADATA_KEY: training.model_dump_json()})


def header_of(length: int) -> bytes:
    """Return a safetensors file whose header claims to be this long."""
    return struct.pack("<Q", length) + b'{"a":' + bytes(50)


class Trap:
    """An object whose pickle would run code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit",)


BIAS = "classifier.fc.bias"
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "state dict": (lambda: torch_file(small()), TITLE),
    "state dict, before PyTorch 1.6": (lambda: torch_file(small(), _use_new_zipfile_serialization=False), TITLE),
    "half precision": (
        lambda: torch_file({name: t.half() if t.is_floating_point() else t for name, t in small().items()}),
        TITLE,
    ),
    "bfloat16": (
        lambda: torch_file({name: t.bfloat16() if t.is_floating_point() else t for name, t in small().items()}),
        TITLE,
    ),
    "checkpoint: state_dict": (lambda: torch_file({"epoch": 3, "state_dict": small(), "best": 0.5}), TITLE),
    "checkpoint: model": (lambda: torch_file({"model": small(), "optimizer": {"state": {}}}), TITLE),
    "checkpoint: model_state_dict": (lambda: torch_file({"model_state_dict": small(), "loss": 1.0}), TITLE),
    "checkpoint: net": (lambda: torch_file({"net": small(), "acc": 93.1}), TITLE),
    "DataParallel": (lambda: torch_file(renamed("module.")), TITLE),
    "torch.compile": (lambda: torch_file(renamed("_orig_mod.")), TITLE),
    "Lightning": (lambda: torch_file({"state_dict": renamed("model."), "pytorch-lightning_version": "2.5"}), TITLE),
    "DataParallel in a checkpoint": (lambda: torch_file({"state_dict": renamed("module.")}), TITLE),
    "compiled and parallel": (lambda: torch_file({"model": renamed("_orig_mod.module.")}), TITLE),
    "safetensors of this app": (lambda: to_safetensors(build_model(SMALL)), TITLE),
    "safetensors of this app, trained": (
        with_metadata,
        "own.pth: mini, trained on Fashion-MNIST, a balanced sixth according to the file",
    ),
    "safetensors without metadata": (lambda: save(small()), TITLE),
    "torchvision's layout": (
        lambda: torch_file(torchvision_layout.state_dict(heads=False)),
        "own.pth: a GoogLeNet in torchvision's layout, 1,000 classes, no auxiliary heads",
    ),
    "TorchScript": (
        torchscript,
        "The file is a TorchScript program (torch.jit.save): code together with its weights. Convert",
    ),
    "torch.export": (
        lambda: zip_of("serialized_exported_program.json", "version"),
        "The file is a program of torch.export.",
    ),
    "whole model": (
        lambda: torch_file(nn.Linear(2, 2)),
        "The file holds Python objects besides weights; no code in it was",
    ),
    "pickle that runs code": (
        lambda: torch_file(Trap()),
        "The file holds Python objects besides weights; no code in it",
    ),
    "plain pickle": (lambda: pickle.dumps(Trap()), "The file is not a PyTorch file, or it is damaged or truncated."),
    "ONNX": (
        lambda: b"\x08\x08\x12\x07pytorch\x1a\x05" + bytes(99),
        "The file is a graph in ONNX. Choose the weights it was",
    ),
    "Keras HDF5": (
        lambda: b"\x89HDF\r\n\x1a\n" + bytes(99),
        "The file is an HDF5 file, as Keras saves weights. Its layers",
    ),
    "Keras archive": (lambda: zip_of("metadata.json", "config.json", "model.weights.h5"), "The file is a Keras model."),
    "NumPy npz": (lambda: zip_of("a.npy", "b.npy"), "The file holds arrays of NumPy (.npz). Save the weights with"),
    "NumPy npy": (lambda: b"\x93NUMPY\1\0" + bytes(99), "The file is an array of NumPy. Save all weights with"),
    "GGUF": (
        lambda: b"GGUF" + bytes(99),
        "The file is a GGUF file of a language model. Choose weights of a GoogLeNet.",
    ),
    "zip around the file": (
        lambda: zip_of("weights.pth"),
        "The file is a zip without weights of PyTorch. Unpack it and",
    ),
    "gzip": (
        lambda: b"\x1f\x8b\x08" + bytes(99),
        "The file is compressed by gzip. Unpack it and choose the file in it.",
    ),
    "Git LFS pointer": (
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "The file is only a pointer of Git LFS to a file. Download the file itself: git lfs pull.",
    ),
    "web page": (lambda: b"<!DOCTYPE html><html>", "The file is a web page. Download the file itself."),
    "JSON": (lambda: json.dumps({"a": [1]}).encode(), "The file is a text in JSON. Save the weights with"),
    "empty": (lambda: b"", "The file is empty. Save or download it again."),
    "text": (lambda: b"not weights at all", "The file is a text. Save the weights with torch.save(model.state_dict()"),
    "truncated": (
        lambda: torch_file(small())[:5_000],
        "The file is not a PyTorch file, or it is damaged or truncated.",
    ),
    "truncated safetensors": (lambda: save(small())[:-9], "The file is not a safetensors file, or it is truncated."),
    "safetensors with a hostile header": (lambda: header_of(2**60), "The file is not a safetensors file, or it is"),
    "compressed bomb": (
        lambda: zip_of("net/data.pkl", "net/data/0", method=zipfile.ZIP_DEFLATED),
        "The file is a compressed archive, which PyTorch does not write",
    ),
    "another network": (
        lambda: torch_file({"layer1.0.conv1.weight": torch.zeros(1)}),
        "The file has no GoogLeNet of torchvision or of this app: its tensors are layer1.0.conv1.weight …",
    ),
    "a tensor": (
        lambda: torch_file(torch.zeros(3)),
        "The file does not hold a state dict, but a value of type Tensor.",
    ),
    "an optimiser's state": (
        lambda: torch_file({"state": {}, "param_groups": []}),
        "The file holds more than a state dict",
    ),
    "quantised": (
        lambda: torch_file(small() | {BIAS: torch.zeros(7, dtype=torch.int8)}),
        f"{BIAS} is of type torch.int8; weights must be floating-point numbers.",
    ),
    "NaN": (lambda: torch_file(small() | {BIAS: torch.full((7,), torch.nan)}), f"{BIAS} holds numbers that are not"),
    "another width": (lambda: torch_file(small() | {BIAS: torch.zeros(9)}), "1 tensor does not fit the network."),
    "a tensor missing": (
        lambda: torch_file({name: tensor for name, tensor in small().items() if name != BIAS}),
        "1 tensor does not fit the network.",
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_of_file_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    """Weights keep the numbers and the name of the file; a sentence says what the file is and what to do."""
    make, expected = FILES[kind]
    path = tmp_path / "upload.weights"
    path.write_bytes(make())
    result = read(path, SMALL, tmp_path / "new", "own.pth")
    if isinstance(result, Failure) or result.network is None:
        message = result.reason if isinstance(result, Failure) else result.about
        assert message.startswith(expected)
        assert message.endswith(".")
    else:
        assert expected == read_weights_info(result.network.weights).title
        assert Path(result.network.weights).parent == tmp_path / "new"


def test_the_table_is_complete() -> None:
    """It has at least thirty kinds."""
    assert len(FILES) >= 30
