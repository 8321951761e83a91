"""The read-only columns of the table show results, edits, and effects of edits elsewhere."""

from typing import Any

import pytest

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.diff import find_changes, with_module
from explorer.errors import Problem
from explorer.table import remove, rename
from explorer.views import network_table as nt
from explorer.views.labels import edit_text

PAPER = PRESETS["paper"]
BASE = summarize(PAPER)


def rows(config: GoogLeNetConfig, problems: tuple[Problem, ...] = ()) -> dict[str, dict[str, object]]:
    """Return the rows by module."""
    return {row["module"]: row for row in nt.table_rows(summarize(config), BASE, problems)}


def parts(config: GoogLeNetConfig) -> dict[str, dict[str, object]]:
    """Return the parts outside the table by name."""
    return {part["part"]: part for part in nt.other_parts(summarize(config), BASE)}


def test_the_paper_has_no_marks() -> None:
    """An unedited table has no marks, and its read-only columns have the numbers of the reference."""
    shown = rows(PAPER)
    assert {""} == {row[nt.MARK] for row in shown.values()} | {row[nt.NOTE] for row in shown.values()}
    assert ("480 → 512", "14×14", 376_176, 73_608_192) == tuple(
        shown["4a"][key] for key in (nt.FLOW, nt.SIZE, nt.PARAMETERS, nt.MACS)
    )


def test_an_edit_is_marked_where_it_was_made_and_downstream_as_far_as_it_reaches() -> None:
    """Widening 4a marks 4a as edited, 4b and the head on 4a as affected, and nothing else."""
    config = with_module(PAPER, PAPER.module("4a").replace(ch3x3=210))
    shown = rows(config)
    assert {"4a": nt.EDITED, "4b": nt.RIPPLE} == {name: row[nt.MARK] for name, row in shown.items() if row[nt.MARK]}
    assert "#3×3 208 → 210, +1,730 parameters" == shown["4a"][nt.NOTE]
    assert "input channels 512 → 514, +720 parameters" == shown["4b"][nt.NOTE]
    assert {"aux 4a": nt.RIPPLE} == {name: part[nt.MARK] for name, part in parts(config).items() if part[nt.MARK]}


def test_an_edit_inside_a_branch_changes_no_other_row() -> None:
    """A narrower reduction stays inside its module."""
    config = with_module(PAPER, PAPER.module("4b").replace(ch5x5_reduce=None))
    shown = rows(config)
    assert ["4b"] == [name for name, row in shown.items() if row[nt.MARK]]
    assert shown["4b"][nt.NOTE].startswith("#5×5 reduce 24 → blank")


def test_a_larger_input_is_a_ripple_everywhere() -> None:
    """No row was edited, every row changed."""
    shown = rows(PAPER.replace(input_shape=(3, 256, 256)))
    assert {nt.RIPPLE} == {row[nt.MARK] for row in shown.values()}
    assert "input 192 × 28 × 28 → 192 × 32 × 32" == shown["3a"][nt.NOTE]
    stem = parts(PAPER.replace(input_shape=(3, 256, 256)))["stem"]
    assert (nt.EDITED, "input 3 × 224 × 224 → 3 × 256 × 256") == (stem[nt.MARK], stem[nt.NOTE])


def test_a_rejected_row_is_marked_as_such() -> None:
    """The mark of a problem takes precedence over all others."""
    shown = rows(PAPER, (Problem("4a", "ch3x3", "4a, #3×3: bad"),))
    assert nt.REJECTED == shown["4a"][nt.MARK]


def test_a_row_that_the_preset_lacks_counts_as_edited() -> None:
    """A renamed module is new to the preset."""
    config = rename(PAPER, "4e", "4f").config
    assert (nt.EDITED, "module added") == (rows(config)["4f"][nt.MARK], rows(config)["4f"][nt.NOTE])


def test_heads_are_marked_for_their_settings() -> None:
    """A changed setting of the heads marks both of them as edited."""
    config = PAPER.replace(aux=PAPER.aux.replace(hidden=512))
    assert nt.EDITED == parts(config)["aux 4a"][nt.MARK] == parts(config)["aux 4d"][nt.MARK]
    assert "auxiliary hidden units 1,024 → 512" in parts(config)["aux 4a"][nt.NOTE]


def test_a_setting_that_acts_in_every_module_is_named_as_the_reason() -> None:
    """A smaller kernel changed each row from inside: the note names the switch, and nothing came from upstream."""
    shown = rows(PAPER.replace(kernel_5x5="3x3"))
    assert {nt.RIPPLE} == {row[nt.MARK] for row in shown.values()}
    assert "5×5 branch 5×5 → 3×3, −8,192 parameters" == shown["3a"][nt.NOTE]
    without = with_module(PAPER, PAPER.module("3a").replace(ch5x5=0)).replace(kernel_5x5="3x3")
    assert "5×5 branch" not in rows(without)["3a"][nt.NOTE]


def test_biases_and_normalisation_are_named_where_they_act() -> None:
    """Stem, modules and heads have both; the classifier has neither and no mark."""
    config = PAPER.replace(normalisation="batch_norm", conv_bias=False)
    note = "normalisation LRN → BatchNorm, conv biases on → off, +368 parameters"
    assert (nt.RIPPLE, note) == (rows(config)["3a"][nt.MARK], rows(config)["3a"][nt.NOTE])
    around = parts(config)
    assert ["stem", "aux 4a", "aux 4d"] == [name for name, part in around.items() if "BatchNorm" in part[nt.NOTE]]
    assert "" == around["classifier"][nt.MARK]


@pytest.mark.parametrize(
    ("changed", "part", "note"),
    [
        ({"dropout": 0.5}, "classifier", "dropout 0.4 → 0.5"),
        ({"classes": 10}, "classifier", "classes 1,000 → 10, −1,014,750 parameters"),
        ({"pooling": "padded"}, "stem", "pooling 3×3/2, rounding up (Caffe) → 3×3/2 with padding 1 (TensorFlow, d2l)"),
        ({"stem": PAPER.stem.replace(conv1=32)}, "stem", "stem conv1 64 → 32, −6,784 parameters"),
    ],
)
def test_a_setting_of_one_part_is_marked_there_as_edited(changed: dict[str, Any], part: str, note: str) -> None:
    """Even where it changes no number, as a dropout."""
    shown = parts(PAPER.replace(**changed))[part]
    assert (nt.EDITED, note) == (shown[nt.MARK], shown[nt.NOTE])


def test_heads_name_the_number_of_classes_as_the_reason() -> None:
    """The heads were not edited, and their input is the same."""
    head = parts(PAPER.replace(classes=10))["aux 4a"]
    assert (nt.RIPPLE, "classes 1,000 → 10, −1,014,750 parameters") == (head[nt.MARK], head[nt.NOTE])


@pytest.mark.parametrize("name", PRESETS)
def test_every_difference_between_presets_is_marked(name: str) -> None:
    """A network with edits has at least one mark, and every mark its reason."""
    config = PRESETS[name]
    marked = [row for row in (*rows(config).values(), *parts(config).values()) if row[nt.MARK]]
    assert bool(marked) == (config != PAPER)
    assert all(row[nt.NOTE] for row in marked)


def test_the_title_counts_the_edits() -> None:
    """Every screen names its network."""
    once = with_module(PAPER, PAPER.module("4a").replace(ch3x3=210))
    assert "paper" == nt.version_title("paper", find_changes(PAPER, PAPER))
    assert "paper + 1 edit" == nt.version_title("paper", find_changes(PAPER, once))
    assert "paper + 2 edits" == nt.version_title("paper", find_changes(PAPER, once.replace(classes=10)))
    assert "module removed" in map(edit_text, find_changes(PAPER, remove(PAPER, "4a").config))


def test_a_change_is_told_by_its_totals() -> None:
    """Before and after; a total that stays says so."""
    taller = summarize(PAPER.replace(input_shape=(3, 256, 224)))
    assert nt.change_text(BASE, taller) == "Parameters: 6,998,552, no change. MACs: 1,582,671,872 → 1,808,621,568."


def test_a_row_as_text_has_what_the_table_shows_beside_its_cells() -> None:
    """Channels, size, costs and the note."""
    wider = summarize(with_module(PAPER, PAPER.module("4a").replace(ch3x3=210)))
    assert nt.row_text(wider, BASE, "4b") == (
        "514 → 512 channels · 14×14 · 449,880 parameters · 88,049,472 MACs · input channels 512 → 514, +720 parameters"
    )
