"""A network with its weights, and how its tensors can differ from a file's."""

from typing import NamedTuple

from explorer.config import Frozen, GoogLeNetConfig

Shape = tuple[int, ...]


class Network(Frozen):
    """A network and its weights.

    ``weights`` is the path of a safetensors file in this app's format; empty for random weights, drawn from ``seed``.
    ``stamp`` changes when the content of the file does. :func:`explorer.data.weight_files.read_weights_info` sets both.
    """

    config: GoogLeNetConfig
    weights: str = ""
    stamp: str = ""
    seed: int = 0


class ShapeMismatch(NamedTuple):
    """A tensor that does not fit the network: the path of its row, its name there, and both shapes.

    A shape is None if the tensor is missing on that side.
    """

    path: str
    tensor: str
    expected: Shape | None
    found: Shape | None
