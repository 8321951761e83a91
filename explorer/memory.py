"""What training keeps of each image until the backward pass, in bytes as PyTorch 2.13 keeps it, float32.

Layers need the outputs of those before them, and ReLUs (in place) their own; only a pool that goes straight into a
concat is not needed again. BatchNorm keeps its input too; LRN three pictures of its size (the padded squares, their
sum, its power); a max pool where each maximum was, as an int64. ``tests/test_backward.py`` holds this against what a
live network keeps.
"""

from itertools import pairwise
from math import prod
from typing import NamedTuple

from explorer.summary import NetworkSummary

_FLOAT, _PLACE = 4, 8
_OF_LRN = 3


class ActivationMemory(NamedTuple):
    """Bytes kept for one image: the image with the outputs of the layers, normalisations, and places of maxima."""

    outputs: int
    normalisations: int
    places: int


def activation_memory(summary: NetworkSummary) -> ActivationMemory:
    """Return what one image leaves in memory in training, auxiliary heads included."""
    channels, height, width = summary.config.input_shape
    batch_norm = sum(row.activations for row in summary.rows if row.norm)
    lrn = sum(row.activations for row in summary.rows if row.kind == "lrn")
    maxima = sum(row.activations for row in summary.rows if row.kind == "max_pool")
    copied = sum(
        row.activations for row, after in pairwise(summary.rows) if (row.kind, after.kind) == ("max_pool", "concat")
    )
    return ActivationMemory(
        outputs=_FLOAT * (summary.whole.activations - copied + channels * height * width),
        normalisations=_FLOAT * (batch_norm + _OF_LRN * lrn),
        places=_PLACE * maxima,
    )


def peak_activations(summary: NetworkSummary) -> int:
    """Return the most activation elements that one image needs at once at inference: a block's input and outputs.

    At inference PyTorch frees an output after its last use, so that memory holds at most one block's input and outputs.
    """
    inputs: dict[str, int] = {}
    for row in summary.rows:
        inputs.setdefault(row.module, prod(row.in_shape))  # the first layer's input is the block's
    return max(inputs[block] + totals.activations for block, totals in summary.by_module.items())
