"""The totals: each label explains itself, and more of a cost is told apart from less."""

from xml.etree import ElementTree

from explorer.analysis import summarize
from explorer.presets import PRESETS
from explorer.views.totals import to_html, totals


def test_every_label_is_described_for_a_screen_reader() -> None:
    """The element that describes a label exists, and holds the meaning."""
    paper = summarize(PRESETS["paper"])
    root = ElementTree.fromstring(to_html(totals(paper, paper)))
    terms = [element for element in root.iter() if element.get("class") == "term"]
    meanings = {element.get("id"): element.text for element in root.iter() if element.get("role") == "tooltip"}
    assert 6 == len(terms)
    assert all(meanings[term.get("aria-describedby")] and term.get("tabindex") == "0" for term in terms)


def test_more_and_less_have_a_direction_and_the_receptive_field_has_none() -> None:
    """Smaller kernels cost less; a smaller field is neither better nor worse."""
    html = to_html(totals(summarize(PRESETS["torchvision"]), summarize(PRESETS["paper"])))
    assert 'class="delta less">−373,648' in html
    assert 'class="delta ">−336 (' in html
