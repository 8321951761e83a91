"""Weights as a safetensors file that carries its config, so that it can be opened without knowing what it is.

Source of the format: https://huggingface.co/docs/safetensors; it holds numbers and text and cannot hold code.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from explorer.config import GoogLeNetConfig
from explorer.errors import UserError
from explorer.live.model import GoogLeNet, build_model
from explorer.share import ShareError, from_json, to_json

_CONFIG = "config"


class WeightsError(UserError, ValueError):
    """A file that holds no weights of a network here; the message says what is wrong with it."""


class Weights(NamedTuple):
    """A config and the state dict that belongs to it."""

    config: GoogLeNetConfig
    state: dict[str, Tensor]


def to_metadata(config: GoogLeNetConfig) -> dict[str, str]:
    """Return what stands in the head of the file: the config as the document of :func:`explorer.share.to_json`."""
    return {"format": "pt", _CONFIG: to_json(config)}


def from_metadata(metadata: Mapping[str, str] | None) -> GoogLeNetConfig:
    """Read the config back. Raises WeightsError with the reason."""
    document = (metadata or {}).get(_CONFIG)
    if document is None:
        raise WeightsError("The file does not say which network its weights are of.")
    try:
        return from_json(document)
    except ShareError as error:
        raise WeightsError(f"The weights are of no network that can be built here. {error}") from error


def to_safetensors(model: GoogLeNet, more: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return the model's state dict with its config, and with ``more`` to stand beside it in the head."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    return save(state, to_metadata(model.config) | more)


def load_weights(path: Path | str) -> Weights:
    """Read a file made by :func:`to_safetensors`. Raises WeightsError with the reason for anything else."""
    try:
        with safe_open(path, framework="pt") as file:
            config = from_metadata(file.metadata())
        return Weights(config, load_file(path))
    except (OSError, SafetensorError) as error:
        raise WeightsError("The file is no safetensors file, or is cut off.") from error


def restore_model(weights: Weights) -> GoogLeNet:
    """Return the network with these weights. Raises WeightsError when they are another network's."""
    model = build_model(weights.config)
    try:
        model.load_state_dict(weights.state)
    except RuntimeError as error:
        raise WeightsError("The weights do not fit the network that the file names.") from error
    return model
