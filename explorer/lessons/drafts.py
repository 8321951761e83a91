"""What a question is made of before its options are chosen: the right value, its formula, and real mistakes."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from explorer.analysis import LayerRow, NetworkSummary

BRANCH = {"1x1": "1×1", "3x3": "3×3", "5x5": "5×5", "pool": "pool"}


class Distractor(NamedTuple):
    """A wrong answer and the mistake that leads to it, in a few words after "You …"."""

    value: int
    misconception: str


class QuestionDraft(NamedTuple):
    """A question before its options are chosen; ``slips`` may repeat each other or the right value."""

    text: str
    value: int
    unit: str
    formula: str
    why: str
    source: tuple[str, str]
    distractors: tuple[Distractor, ...]


Maker = Callable[[NetworkSummary, Random], QuestionDraft | None]


def times(*factors: int) -> str:
    """Return a product as it is written by hand: ``512 · 5 · 5 · 64``."""
    return " · ".join(f"{factor:,}" for factor in factors)


def any_conv(summary: NetworkSummary, rng: Random, *, larger: bool = False) -> LayerRow | None:
    """Draw a convolution in a branch; ``larger`` than 1×1 where that is asked. None when there is none."""
    rows = [row for row in summary.rows if row.kind == "conv" and row.branch and (not larger or row.kernel[0] > 1)]
    return rng.choice(rows) if rows else None


def any_tap(summary: NetworkSummary, rng: Random) -> str | None:
    """Draw a module with an auxiliary head. None when there is none."""
    return rng.choice(summary.config.aux.taps) if summary.config.aux.taps else None


def named(row: LayerRow) -> str:
    """Return a convolution in words: ``the 1×1 reduction in the 5×5 branch of 4b``."""
    roles = {"reduce": "reduction", "proj": "projection"}
    role = roles.get(row.path.rpartition(".")[2], "convolution")
    return f"the {row.kernel[0]}×{row.kernel[1]} {role} in the {BRANCH[row.branch]} branch of {row.module}"


def flow(row: LayerRow) -> str:
    """Return the channels of a convolution: ``(512 channels in, 24 out)``."""
    return f"({row.in_shape[0]:,} channels in, {row.out_shape[0]:,} out)"
