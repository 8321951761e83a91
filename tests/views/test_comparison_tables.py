"""A comparison as rows and HTML: differences are written out and marked, and nothing else is."""

import re
from html.parser import HTMLParser

import pytest

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.comparison import Comparison
from explorer.diff import with_module
from explorer.table import insert_after, unused_name
from explorer.views import comparison_tables
from explorer.views.palette import DARK, LIGHT

PAPER = PRESETS["paper"]
EDITED = with_module(PAPER, PAPER.module("4a").replace(ch3x3=210, ch5x5_reduce=None))


def compared(*configs: GoogLeNetConfig, base: int = 0) -> Comparison:
    """Return the comparison of these networks."""
    return Comparison(tuple(map(summarize, configs)), base)


class Cells(HTMLParser):
    """Collects the texts of a table's rows, and which of its cells are marked."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.marked: list[str] = []
        self._mark = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._mark = ("class", "marked") in attrs

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data
            if self._mark:
                self.marked.append(data)


def test_totals_with_differences() -> None:
    """Each total has its unit; a difference has sign, arrow and percent."""
    rows = comparison_tables.total_rows(compared(PAPER, EDITED), ["paper", "wide"])
    assert rows[0] == {
        "total": "parameters",
        "A paper": "6,998,552",
        "B wide": "7,550,106 ▲ +551,554 (+7.88 %)",
    }
    assert rows[4] == {"total": "receptive field", "A paper": "715 px", "B wide": "715 px"}


def test_the_base_can_be_another() -> None:
    """Then the differences of the others are from it."""
    rows = comparison_tables.total_rows(compared(PAPER, EDITED, base=1), ["paper", "wide"])
    assert rows[0]["A paper"] == "6,998,552 ▼ −551,554 (−7.31 %)"
    assert rows[0]["B wide"] == "7,550,106"


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_only_differing_cells_are_marked(theme: object) -> None:
    """One line where all are equal, one more for each that differs, and marks on exactly the edited cells."""
    table = Cells(comparison_tables.cells_html(compared(PAPER, EDITED, PAPER), theme))
    assert len(table.rows) == 1 + 9 + 2
    assert table.marked == ["210", "blank"]
    assert ["4a", "AC", "192", "96", "208", "16", "48", "64", "512 × 14 × 14", "376,176", "73,608,192"] in table.rows
    assert ["B", "192", "96", "210", "blank", "48", "64"] in [row[:7] for row in table.rows]
    assert ["3a", "all", "64", "96", "128", "16", "32", "32"] in [row[:8] for row in table.rows]


def test_results_of_a_difference_elsewhere_are_bold_and_not_marked() -> None:
    """The cells of 4b are equal, but its input is two channels wider: a line with other costs, the same output."""
    html = comparison_tables.cells_html(compared(PAPER, EDITED), LIGHT)
    became = summarize(EDITED).by_module["4b"]
    cells = ["160", "112", "224", "24", "64", "64", "512 × 14 × 14", f"{became.parameters:,}", f"{became.macs:,}"]
    assert ["B", *cells] in Cells(html).rows
    assert f'<td class="follows">{became.parameters:,}</td><td class="follows">{became.macs:,}</td></tr>' in html
    assert '<td class="follows">512 × 14 × 14</td>' not in html
    assert '<td class="follows">514 × 14 × 14</td>' in html


def test_a_module_that_one_network_lacks() -> None:
    """It has dashes in its place, also for its output and costs."""
    less = PAPER.replace(modules=PAPER.modules[:-1])
    rows = Cells(comparison_tables.cells_html(compared(PAPER, less), LIGHT)).rows
    assert ["B", *["–"] * 9] in rows


def test_bars_are_to_the_scale_of_their_row() -> None:
    """The largest number of a row has the whole width, the others their share of it."""
    comparison = compared(PAPER, PRESETS["half"])
    widths = re.findall(
        r'<i style="width:([\d.]+)%', comparison_tables.totals_html(comparison, ["paper", "half"], LIGHT)
    )
    parameters = [facts.parameters for facts in comparison.totals]
    assert ["100.0", f"{100 * parameters[1] / parameters[0]:.1f}"] == widths[:2]
    assert len(widths) == 2 * len(comparison_tables.QUANTITIES)


def test_all_cells_of_a_missing_module_are_marked() -> None:
    """Its cells are dashes there, all of them marked."""
    longer = insert_after(PAPER, "4e", unused_name(PAPER, "4e")).config
    table = Cells(comparison_tables.cells_html(compared(longer, PAPER), LIGHT))
    assert table.marked == ["–"] * 6
    same = Cells(comparison_tables.cells_html(compared(PAPER, PAPER), LIGHT))
    assert not same.marked


def test_settings_that_differ() -> None:
    """Every difference outside the table is a row of text, network by network."""
    rows = comparison_tables.setting_rows(compared(PAPER, EDITED, PRESETS["batch_norm"]), ["paper", "wide", "bn"])
    assert rows == [
        {"network": "C bn", "differs in": "normalisation LRN → BatchNorm"},
        {"network": "C bn", "differs in": "conv biases on → off"},
    ]


def test_layers_side_by_side() -> None:
    """A row per differing layer has its status and the numbers of each network."""
    comparison = compared(PAPER, EDITED)
    rows = comparison_tables.layer_rows(comparison.differing_layers, "AB", 0)
    by_path = {row["layer"]: row for row in rows}
    conv = by_path["inception_4a.branch_3x3.conv"]
    assert conv["differs"] == "B changed"
    assert (conv["A parameters"], conv["B parameters"]) == (179_920, 181_650)
    assert conv["B Δ parameters"] == 1_730
    gone = by_path["inception_4a.branch_5x5.reduce"]
    assert gone["B Δ parameters"] == -gone["A parameters"]
    assert gone["differs"] == "B removed"
    assert (gone["B output"], gone["B parameters"]) == ("–", None)
    assert sum((row["B MACs"] or 0) - (row["A MACs"] or 0) for row in rows) == (
        comparison.summaries[1].macs(aux=True) - comparison.summaries[0].macs(aux=True)
    )


def test_the_layer_that_differs_most_is_named_at_once() -> None:
    """A sentence for each network, with the differences; empty where no layer has other numbers."""
    networks = compared(PAPER, PRESETS["no_reduction"], PRESETS["torchvision"])
    first, second = comparison_tables.most_different_text(networks, ["paper", "wide", "torchvision"]).split("  \n")
    assert first.startswith("**B wide differs most from A** in `inception_5a.branch_5x5.conv` (+2,560,000 parameters)")
    assert second.startswith("**C torchvision differs most from A** in `inception_5b.branch_5x5.conv` (−98,")
    assert " parameters) and in `inception_3b.branch_5x5.conv` (−38," in second
    assert second.endswith(" MACs).")
    assert comparison_tables.most_different_text(compared(PAPER, PAPER), ["a", "b"]) == ""


def test_letters_have_their_colours() -> None:
    """The letter of each network has the colour of its lines in the charts."""
    html = comparison_tables.totals_html(compared(PAPER, EDITED), ["paper", "wide"], DARK)
    for letter in "AB":
        assert DARK.variants[letter] in html
    assert DARK.variants["C"] not in html
    assert "▲" in html
    assert DARK.worse in html
