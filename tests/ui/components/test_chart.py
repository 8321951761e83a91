"""Charts of a lesson: what the browser gets to show and to save."""

import csv
import io

import pytest

from tests.ui.app import chart_files, open_lesson, page_text

EXPLOSIONS = ("explosion_parameters", "explosion_MACs")


@pytest.mark.parametrize(
    ("lesson", "files"),
    [
        (
            "reduction",
            {f"{name}.csv" for name in ("break_even", "widths", "cost", "mixing", "paths", *EXPLOSIONS)},
        ),
        ("auxiliary", {"ledger.csv"}),
        ("receptive_field", {"spectrum.csv", "field_windows.csv", "field_without.csv"}),
    ],
)
def test_every_chart_of_a_lesson_has_a_reading_and_its_data(lesson: str, files: set[str]) -> None:
    """Numbers under a heading, few enough to send with each answer."""
    at = open_lesson(lesson)
    found = chart_files(at)
    assert set(found) == files
    assert page_text(at).count("Reading this chart: ") >= len(files)
    for content in found.values():
        rows = list(csv.DictReader(io.StringIO(content)))
        assert len(rows) > 1
        assert all(None not in (*row, *row.values()) for row in rows)  # each line as long as the heading
        assert len(content) < 40_000


def test_the_data_are_those_of_the_chart() -> None:
    """The case's own width, the last one that saves, and the first that does not."""
    rows = csv.DictReader(io.StringIO(chart_files(open_lesson("reduction"))["break_even.csv"]))
    parameters = {int(row["reduction"]): int(row["parameters"]) for row in rows}
    assert parameters[24] == 50_688
    assert parameters[387] < 819_200 < parameters[388]


def test_no_heading_slows_an_answer() -> None:
    """Streamlit redraws its own headings with each answer; headings of a lesson are Markdown."""
    at = open_lesson("reduction")
    assert [heading for kind in ("title", "header", "subheader") for heading in at.get(kind)] == []
    assert "## Test yourself" in page_text(at)
