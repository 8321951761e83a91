"""The handout is complete and self-contained, and has the numbers of the network."""

from html.parser import HTMLParser

import pytest

from explorer import PRESETS, summarize
from explorer.comparison import Comparison
from explorer.diff import with_module
from explorer.history import Version
from explorer.lessons.worksheet import worksheet
from explorer.views import handout, layout
from explorer.views.layout import LayoutUnavailableError

PAPER = PRESETS["paper"]
EDITED = with_module(PAPER, PAPER.module("4a").replace(ch3x3=210))


class Page(HTMLParser):
    """Collects a page's text, its tags, and every address outside the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.tags, self.outside = "", [], []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data") and not (value or "").startswith("data:"):
                self.outside.append((tag, name, value))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


def network_page(**more: object) -> str:
    """Return the handout of an edited network."""
    return handout.network_handout(Version("paper", EDITED), summarize(EDITED), "wide_4a", "my note", **more)


def test_one_network() -> None:
    """Name, note, totals, table, edits, two diagrams, charts and every layer are in it."""
    html = network_page(modules=["4a"])
    page, summary = Page(html), summarize(EDITED)
    for part in ("wide_4a", "my note", f"{summary.parameters(aux=False):,}", "#3×3 208 → 210", "arXiv:1409.4842"):
        assert part in page.text
    assert all(row.path in page.text for row in summary.rows)
    assert page.tags.count("img") == 2
    assert page.tags.count("svg") == 2
    assert page.tags.count("script") == 0


def test_a_comparison() -> None:
    """Letters, differences, marks, charts and diagrams of the same module are in it."""
    comparison = Comparison(tuple(map(summarize, (PAPER, EDITED, PRESETS["mini"]))))
    page = Page(handout.comparison_handout(comparison, ["paper", "wide_4a", "mini"], ["4a"]))
    for part in (
        "A paper",
        "B wide_4a",
        "C mini",
        "▼",
        "inception_4a.branch_3x3.conv",
        "input 3 × 224 × 224 → 1 × 28 × 28",
    ):
        assert part in page.text
    assert page.tags.count("img") == 3


@pytest.mark.parametrize("preset", PRESETS)
def test_it_loads_nothing_from_outside(preset: str) -> None:
    """No link, script, font or image from elsewhere, in no preset's handout."""
    version = Version(preset, PRESETS[preset])
    html = handout.network_handout(version, summarize(version.config))
    assert not Page(html).outside
    assert "url(" not in html
    assert "@import" not in html


def test_questions_and_answers() -> None:
    """The questions of the selected lessons have their options; the answers are on a separate page."""
    questions = worksheet(summarize(EDITED), "wide_4a", ("reduction", "auxiliary"), 1, 4)
    page = Page(network_page(questions=questions))
    for question in questions.questions:
        assert question.text in page.text
        assert page.text.count(f"{question.value:,} {question.unit}") >= 2
    assert page.text.index("Answers") > page.text.index(questions.questions[-1].text)


def test_without_graphviz_the_rest_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of the layout is in the place of the diagram."""

    def missing(dot: str) -> str:
        raise LayoutUnavailableError("Graphviz is missing.")

    monkeypatch.setattr(layout, "svg", missing)
    page = Page(network_page())
    assert "Graphviz is missing." in page.text
    assert page.tags.count("img") == 0
    assert "classifier.fc" in page.text


def test_a_comparison_shows_the_selected_modules() -> None:
    """Each of them in every network that has it."""
    comparison = Comparison((summarize(PAPER), summarize(PAPER.replace(modules=PAPER.modules[:-1]))))
    page = Page(handout.comparison_handout(comparison, ["paper", "less"], ["3a", "5b"]))
    for title in ("A paper: module 3a", "B less: module 3a", "A paper: module 5b"):
        assert title in page.text
    assert "B less: module 5b" not in page.text
    assert page.tags.count("img") == 3


def test_without_a_selection_a_comparison_shows_the_first_modules_that_differ() -> None:
    """Not those whose cells are equal."""
    page = Page(handout.comparison_handout(Comparison((summarize(PAPER), summarize(EDITED))), ["paper", "wide"]))
    assert "A paper: module 4a" in page.text
    assert page.tags.count("img") == 2
    page = Page(handout.comparison_handout(Comparison((summarize(PAPER), summarize(PRESETS["half"]))), ["a", "b"]))
    assert page.tags.count("img") == 2 * 3


def test_bars_are_to_scale() -> None:
    """The longest bar is the largest block of all networks, and each bar has its number."""
    comparison = Comparison((summarize(PAPER), summarize(PRESETS["half"])))
    svg = handout.bars(comparison, ["paper", "half"], "macs")
    widths = [float(part.split('"')[0]) for part in svg.split(' width="')[2:]]
    largest = summarize(PAPER).by_module["stem"].macs
    assert max(widths) == 560
    assert widths[1] == pytest.approx(560 * summarize(PRESETS["half"]).by_module["stem"].macs / largest, abs=0.06)
    assert "A 477.68 M" in svg
