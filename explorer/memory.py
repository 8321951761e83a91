"""The memory that training needs for each image until the backward pass, in bytes, float32, as in PyTorch 2.13.

Autograd saves the outputs of layers that later layers need, and of ReLUs (in place); only the output of a pool that
goes straight into a concatenation is not saved. BatchNorm also saves its input; LRN saves three tensors of its size
(the padded squares, their sum, its power); a max pool saves the index of each maximum as an int64.
``tests/test_memory.py`` compares this with what autograd saves for a live network.
"""

from itertools import pairwise
from math import prod
from typing import NamedTuple

from explorer.summary import NetworkSummary

_FLOAT_BYTES, _INDEX_BYTES = 4, 8
_LRN_TENSORS = 3


class ActivationMemory(NamedTuple):
    """Bytes saved for one image: the image and the layers' outputs, tensors of normalisations, indices of maxima."""

    outputs: int
    normalisations: int
    pool_indices: int


def activation_memory(summary: NetworkSummary) -> ActivationMemory:
    """Return the bytes that autograd saves for one image in training, auxiliary heads included."""
    channels, height, width = summary.config.input_shape
    batch_norm = sum(row.activations for row in summary.rows if row.norm)
    lrn = sum(row.activations for row in summary.rows if row.kind == "lrn")
    maxima = sum(row.activations for row in summary.rows if row.kind == "max_pool")
    unsaved = sum(  # the concatenation copies a pool's output, and no gradient needs it
        row.activations for row, after in pairwise(summary.rows) if (row.kind, after.kind) == ("max_pool", "concat")
    )
    return ActivationMemory(
        outputs=_FLOAT_BYTES * (summary.training_totals.activations - unsaved + channels * height * width),
        normalisations=_FLOAT_BYTES * (batch_norm + _LRN_TENSORS * lrn),
        pool_indices=_INDEX_BYTES * maxima,
    )


def peak_activations(summary: NetworkSummary) -> int:
    """Return the most activation elements that one image needs at once at inference: a block's input and outputs.

    At inference PyTorch frees an output after its last use, so that memory holds at most one block's input and outputs.
    """
    inputs: dict[str, int] = {}
    for row in summary.rows:
        inputs.setdefault(row.module, prod(row.in_shape))  # the first layer's input is the block's
    return max(inputs[block] + totals.activations for block, totals in summary.by_module.items())
