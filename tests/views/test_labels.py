"""Every value of every setting has one name on screen, and the texts of edits use these names."""

from typing import get_args

import pytest

from explorer import PRESETS
from explorer.config import AuxiliaryPool, Kernel5x5, Normalisation, Pooling, StemKind
from explorer.diff import find_changes, with_module
from explorer.table import remove
from explorer.views import labels

PAPER = PRESETS["paper"]


@pytest.mark.parametrize(
    ("kind", "titles"),
    [
        (Kernel5x5, labels.KERNELS),
        (Normalisation, labels.NORMALISATIONS),
        (Pooling, labels.POOLINGS),
        (StemKind, labels.STEMS),
        (AuxiliaryPool, labels.AUX_POOLS),
    ],
)
def test_every_value_has_a_name_of_its_own(kind: object, titles: dict[str, str]) -> None:
    """No value lacks a name, and no two share one."""
    assert set(get_args(kind)) == set(titles)
    assert len(set(titles.values())) == len(titles)


@pytest.mark.parametrize("name", PRESETS)
def test_no_key_reaches_the_screen(name: str) -> None:
    """The texts of edits between presets have no keys of the config."""
    for change in (*find_changes(PAPER, PRESETS[name]), *find_changes(PRESETS[name], PAPER)):
        line = labels.edit_line(change)
        assert "_" not in line
        assert "lrn" not in line


def test_edits_as_text() -> None:
    """Cells, settings, switches, shapes, lists, and added and removed rows."""
    config = with_module(PAPER, PAPER.module("4a").replace(ch3x3=1_210, ch5x5_reduce=None)).replace(
        normalisation="batch_norm", conv_bias=False, input_shape=(1, 28, 28), aux=PAPER.aux.replace(taps=())
    )
    assert [labels.edit_line(change) for change in find_changes(PAPER, config)] == [
        "4a #3×3 208 → 1,210",
        "4a #5×5 reduce 16 → blank",
        "input 3 × 224 × 224 → 1 × 28 × 28",
        "normalisation LRN → BatchNorm",
        "conv biases on → off",
        "auxiliary heads on 4a, 4d → none",
    ]
    assert "4b module removed" == labels.edit_line(find_changes(PAPER, remove(PAPER, "4b").config)[0])


def test_the_stems_name_all_their_convolutions() -> None:
    """Both have the 1×1 whose width is called conv2 reduce."""
    assert all("1×1" in title for title in labels.STEMS.values())
