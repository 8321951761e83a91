"""Weights as a safetensors file with the network's config in its metadata, so that the file describes itself.

Source of the format: https://huggingface.co/docs/safetensors. It stores numbers and text, and cannot store code.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from explorer.config import GoogLeNetConfig
from explorer.data.weight_files import file_header
from explorer.errors import UserError
from explorer.live.model import GoogLeNet, build_model
from explorer.share import ShareError, from_json, to_json

_CONFIG = "config"
_TYPES = {torch.float32: "F32", torch.int64: "I64"}  # in the tensors of a network, as the format calls them


class WeightsError(UserError, ValueError):
    """A file is not a weights file of this app; the message says what is wrong with it."""


class Weights(NamedTuple):
    """A config and its state dict."""

    config: GoogLeNetConfig
    state: dict[str, Tensor]


def to_metadata(config: GoogLeNetConfig) -> dict[str, str]:
    """Return the metadata for the file's header: the config as the document of :func:`explorer.share.to_json`."""
    return {"format": "pt", _CONFIG: to_json(config)}


def from_metadata(metadata: Mapping[str, str] | None) -> GoogLeNetConfig:
    """Return the config from the metadata of a file. Raises WeightsError with the reason."""
    document = (metadata or {}).get(_CONFIG)
    if document is None:
        raise WeightsError("The file does not say which network its weights belong to.")
    try:
        return from_json(document)
    except ShareError as error:
        raise WeightsError(f"The weights belong to a network that cannot be built here. {error}") from error


def to_safetensors(model: GoogLeNet, more: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return the model's state dict as a safetensors file, with its config and ``more`` in the metadata."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    return b"".join(file_pieces(state, to_metadata(model.config) | dict(more)))


def file_pieces(state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> list[bytes | memoryview]:
    """Return a safetensors file of contiguous float32 and int64 tensors in pieces, which share their memory.

    The library's own function takes the memory of the file twice. Types come by size, as there, so that all are
    aligned.
    """
    entries: dict[str, object] = {}
    pieces: list[bytes | memoryview] = []
    start = 0
    for name, tensor in sorted(state.items(), key=lambda item: (-item[1].element_size(), item[0])):
        pieces.append(tensor.reshape(-1).numpy().data.cast("B"))
        end = start + len(pieces[-1])
        shape, offsets = list(tensor.shape), [start, end]
        entries[name] = {"dtype": _TYPES[tensor.dtype], "shape": shape, "data_offsets": offsets}
        start = end
    return [file_header(entries, metadata), *pieces]


def load_weights(path: Path | str) -> Weights:
    """Read a file made by :func:`to_safetensors`. Raises WeightsError with the reason for anything else."""
    try:
        with safe_open(path, framework="pt") as file:
            config = from_metadata(file.metadata())
        return Weights(config, load_file(path))
    except (OSError, SafetensorError) as error:
        raise WeightsError("The file is not a safetensors file, or is truncated.") from error


def restore_model(weights: Weights) -> GoogLeNet:
    """Build the network and load its weights. Raises WeightsError if they belong to another network."""
    model = build_model(weights.config)
    try:
        model.load_state_dict(weights.state)
    except RuntimeError as error:
        raise WeightsError("The weights do not fit the config in the file.") from error
    return model
