"""The layer table has every row once and can be filtered."""

import csv
import io

import pytest

from explorer import PRESETS, summarize
from explorer.views import layer_table as lt
from explorer.views.tables import to_csv

SUMMARY = summarize(PRESETS["paper"])


@pytest.mark.parametrize("name", PRESETS)
def test_the_csv_adds_up_to_the_totals(name: str) -> None:
    """The sums of the columns are the numbers at the top of the page."""
    summary = summarize(PRESETS[name])
    read = list(csv.DictReader(io.StringIO(to_csv(lt.layer_rows(summary.rows)).removeprefix("\ufeff"))))
    assert [row.path for row in summary.rows] == [row["layer"] for row in read]
    assert summary.training_totals.parameters == sum(int(row["parameters"]) for row in read)
    assert summary.training_totals.macs == sum(int(row["MACs"]) for row in read)
    assert all(int(r["parameters"]) == int(r["weights"]) + int(r["biases"]) + int(r["norm"]) for r in read)


def test_filters_are_combined() -> None:
    """Module, branch and kind each narrow the rows; an empty selection means all."""
    assert SUMMARY.rows == lt.matching(SUMMARY)
    found = lt.matching(SUMMARY, ("4b", "4c"), ("5x5",), ("conv",))
    assert [f"inception_{m}.branch_5x5.{part}" for m in ("4b", "4c") for part in ("reduce", "conv")] == [
        row.path for row in found
    ]
    assert () == lt.matching(SUMMARY, ("stem",), ("5x5",))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("stem.conv1", "7×7/2, pad 3"),
        ("stem.pool1", "3×3/2"),
        ("inception_4a.branch_5x5.conv", "5×5/1, pad 2"),
        ("classifier.pool", "7×7/1"),
        ("stem.norm1", ""),
    ],
)
def test_kernels_read_as_kernel_stride_and_padding(path: str, text: str) -> None:
    """As the paper writes a window."""
    assert text == lt.kernel(SUMMARY.by_path[path])


def test_an_adaptive_pool_says_so() -> None:
    """It has no stride."""
    row = summarize(PRESETS["torchvision"]).by_path["aux_4a.pool"]
    assert "4×4, adaptive" == lt.kernel(row)
