"""The parts of a question before its options are chosen: the correct value, its formula, and common mistakes."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from explorer.summary import LayerRow, NetworkSummary

BRANCH = {"1x1": "1×1", "3x3": "3×3", "5x5": "5×5", "pool": "pool"}


class Distractor(NamedTuple):
    """A wrong answer and the mistake that leads to it, as a phrase that follows "you"."""

    value: int
    misconception: str


class QuestionDraft(NamedTuple):
    """A question before its options are chosen; distractors may equal each other or the correct value."""

    text: str
    value: int
    unit: str
    formula: str
    why: str
    source: tuple[str, str]
    distractors: tuple[Distractor, ...]


QuestionMaker = Callable[[NetworkSummary, Random], QuestionDraft | None]


def product(*factors: int) -> str:
    """Return a product in mathematical notation: ``512 · 5 · 5 · 64``."""
    return " · ".join(f"{factor:,}" for factor in factors)


def draw_conv(summary: NetworkSummary, rng: Random, *, larger: bool = False) -> LayerRow | None:
    """Draw a convolution in a branch, with ``larger`` only from those larger than 1×1. None when there is none."""
    rows = [
        row for row in summary.rows if row.kind == "conv" and row.branch and (not larger or row.window.kernel[0] > 1)
    ]
    return rng.choice(rows) if rows else None


def draw_tap(summary: NetworkSummary, rng: Random) -> str | None:
    """Draw a module with an auxiliary head. None when there is none."""
    return rng.choice(summary.config.aux.taps) if summary.config.aux.taps else None


def conv_name(row: LayerRow) -> str:
    """Return the name of a convolution: ``the 1×1 reduction in the 5×5 branch of 4b``."""
    roles = {"reduce": "reduction", "proj": "projection"}
    role = roles.get(row.path.rpartition(".")[2], "convolution")
    height, width = row.window.kernel
    branch = f" in the {BRANCH[row.branch]} branch" if row.branch else ""
    return f"the {height}×{width} {role}{branch} of {row.module}"


def channel_flow(row: LayerRow) -> str:
    """Return the channels of a convolution: ``(512 channels in, 24 out)``."""
    return f"({row.in_shape[0]:,} channels in, {row.out_shape[0]:,} out)"
