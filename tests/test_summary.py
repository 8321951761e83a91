"""The rows of a summary and their sums."""

import pytest

from explorer import PRESETS, summarize
from explorer.summary import Totals

PAPER = summarize(PRESETS["paper"])


def test_totals_are_the_sums_of_the_rows() -> None:
    """Without rows they are 0."""
    rows = PAPER.rows
    expected = (
        sum(row.parameters for row in rows),
        sum(row.macs for row in rows),
        sum(row.activations for row in rows),
    )
    assert Totals.of(rows) == expected
    assert Totals.of(()) == (0, 0, 0)


def test_a_window_has_kernel_stride_and_padding() -> None:
    """Layers without a kernel, and adaptive pools, whose windows differ, have none."""
    assert PAPER.by_path["stem.conv1"].window == ((7, 7), 2, 3)
    adaptive = PAPER.config.replace(aux=PAPER.config.aux.replace(pool="adaptive"))
    for row in (PAPER.by_path["classifier.fc"], summarize(adaptive).by_path["aux_4a.pool"]):
        with pytest.raises(ValueError, match=row.path):
            _ = row.window


def test_spacing_is_the_jump() -> None:
    """A vector has only one position, so no spacing."""
    assert PAPER.concat("3a").spacing == 8
    with pytest.raises(ValueError, match=r"classifier\.fc"):
        _ = PAPER.by_path["classifier.fc"].spacing
