"""The report on an upload in sentences: plain text for every finding, and names that are never markup."""

from typing import get_args

import pytest

from explorer.data.import_report import (
    Branch,
    ClassReport,
    ImportReport,
    LabelSource,
    LeftOut,
    LeftOutCode,
    Note,
    NoteCode,
    Source,
)
from explorer.views.import_report import (
    classes_html,
    findings,
    label_source,
    left_out_text,
    note_text,
    summary,
    tree_text,
)

REPORT = ImportReport(
    title="x.zip",
    source=Source("archive", (Branch(0, "train", 3, "train"), Branch(1, "<b>", 3, "class"))),
    shape=(3, 32, 32),
    classes=(ClassReport(name="<b>", counts=(3, 1, 2), samples=(b"\x89PNG",)),),
    validation="left_out",
    train=3,
    test=2,
    left_out=(),
    notes=(),
)


@pytest.mark.parametrize("code", get_args(NoteCode))
def test_every_note_is_a_sentence(code: NoteCode) -> None:
    """It ends with a full stop."""
    assert note_text(Note(code, "labels.csv", 2)).endswith(".")


@pytest.mark.parametrize("code", get_args(LeftOutCode))
def test_everything_left_out_has_a_reason(code: LeftOutCode) -> None:
    """One and several, with an example."""
    for number in (1, 1_200):
        text = left_out_text(LeftOut(code, number, "a/1.png"))
        assert "left out" in text
        assert code == "array" or text.startswith("1 " if number == 1 else "1,200 ")


def test_the_report_names_sizes_parts_and_folders() -> None:
    """Names of classes are escaped."""
    assert summary(REPORT) == "5 images in 1 class, 3 × 32 × 32 each: 3 for training and 2 for testing."
    assert list(findings(REPORT)) == ["1 image for validation: left out, because there are test images too."]
    assert tree_text(REPORT) == "train/  3 images  → training images\n    <b>/  3 images  → class"
    html = classes_html(REPORT)
    assert "<th>&lt;b&gt;</th><td>3</td><td>1</td><td>2</td>" in html
    assert "<b>" not in html


def test_what_can_be_the_classes_has_a_title_with_examples() -> None:
    """A level of folders, a column, an array."""
    assert label_source(LabelSource("folder 2", "folder", "2", 5, ("a", "b"))) == "folders of level 2: a, b, …"
    assert label_source(LabelSource("column breed", "column", "breed", 2, ("a", "b"))) == "column breed: a, b"
    assert label_source(LabelSource("array labels", "array", "labels", 0, ())) == "labels"
