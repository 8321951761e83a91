"""The moving pictures of the lessons: their numbers are the network's, and the answer is not given away."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from explorer.analysis import summarize
from explorer.lessons.openings import opening_question
from explorer.lessons.reduction import ARTICLE
from explorer.presets import CATALOGUE, PRESETS
from explorer.views import formatting as fmt
from explorer.views import palette
from explorer.views.heroes.auxiliary import gradients
from explorer.views.heroes.receptive_field import growth
from explorer.views.heroes.reduction import flow
from explorer.views.heroes.timeline import Hero
from explorer.views.heroes.which_googlenet import differences
from tests.svg_reader import assert_readable_on_phone

NETWORKS = {preset.title: preset.config for preset in CATALOGUE.values()}
CLOSED = {
    "reduction": lambda: flow(ARTICLE, "An example", shows_weights=False),
    "auxiliary": lambda: gradients(summarize(PRESETS["paper"])),
    "which_googlenet": lambda: differences(NETWORKS),
    "receptive_field": lambda: growth(summarize(PRESETS["paper"]), shows_last=False),
}


def written(hero: Hero) -> str:
    """Return all text of a picture: in both sizes of it, for screen readers, and below it."""
    roots = [ElementTree.fromstring(picture) for picture in (hero.svg, hero.narrow_svg)]
    texts = [text for root in roots for text in (*root.itertext(), root.get("aria-label", ""))]
    return "\n".join([*texts, *(text for _, text in hero.steps)])


@pytest.mark.parametrize("name", CLOSED)
def test_a_picture_is_a_timeline_with_sentences(name: str) -> None:
    """It is well-formed; every animation begins and every sentence counts before its end, in order."""
    hero = CLOSED[name]()
    for picture in (hero.svg, hero.narrow_svg):
        root = ElementTree.fromstring(picture)
        begins = [float(element.get("begin", "0s")[:-1]) for element in root.iter() if "begin" in element.attrib]
        assert begins
        assert max(begins) < hero.seconds
        assert root.get("role") == "img"
    times = [time for time, _ in hero.steps]
    assert times[0] == 0
    assert all(before < after for before, after in pairwise([*times, hero.seconds]))


@pytest.mark.parametrize("name", CLOSED)
def test_a_picture_does_not_give_the_answer_away(name: str) -> None:
    """Before the first question is answered, its answer is nowhere in the picture."""
    question = opening_question(name)
    answer = fmt.exact(question.value)
    assert not re.search(rf"(?<![\d,]){answer}(?![\d,])", written(CLOSED[name]()))


def test_channels_begin_and_end_at_the_boxes_of_convolutions() -> None:
    """Each line that leaves a box is no higher or lower than the box, and both boxes have the colour of the branch."""
    root = ElementTree.fromstring(CLOSED["reduction"]().svg)
    boxes = [box for box in root.iter() if box.get("rx")]
    assert {box.get("fill") for box in boxes} == {palette.BRANCH["5x5"]}
    for box in boxes:
        right, top = (float(box.get(name, "")) for name in ("x", "y"))
        right, bottom = right + float(box.get("width", "")), top + float(box.get("height", ""))
        starts = [line for line in root.iter() if line.get("x") == f"{right:.1f}" and line.tag.endswith("rect")]
        own = [line for line in starts if abs(float(line.get("y", "")) - (top + bottom) / 2) < 60]
        assert own
        assert all(top <= float(line.get("y", "")) <= bottom for line in own)


def test_after_the_answer_the_picture_shows_it() -> None:
    """The weights of both ways, and the receptive field of the last module."""
    assert "819,200 weights without the 1×1, 50,688 with it" in written(flow(ARTICLE, "x", shows_weights=True))
    assert "715 × 715 pixels" in written(growth(summarize(PRESETS["paper"]), shows_last=True))


def test_each_gradient_reaches_from_its_loss_back_to_the_stem() -> None:
    """A network without heads has the gradient of the main loss alone."""
    text = written(gradients(summarize(PRESETS["paper"])))
    assert "That of the head at 4d reaches stem to 4d." in text
    paper = PRESETS["paper"]
    without = gradients(summarize(paper.replace(aux=paper.aux.replace(taps=()))))
    assert "head at" not in written(without)


def test_what_differs_is_counted() -> None:
    """Google's released network has other widths in two rows; the naive one no reductions."""
    text = written(differences(NETWORKS))
    assert "paper: Table 1." in text
    assert "inception5h differs from paper in 2 cells of the table and 3 settings." in text
    assert "naive differs from paper in 27 cells of the table." in text


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_its_pictures(preset: str) -> None:
    """Also the small stem, and networks without reductions."""
    summary = summarize(PRESETS[preset])
    assert gradients(summary).steps
    last = summary.config.modules[-1].name
    assert f"After {last}, one position sees {fmt.exact(summary.receptive_field)} ×" in written(
        growth(summary, shows_last=True)
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_a_narrow_picture_can_be_read_on_a_phone(preset: str) -> None:
    """Every hero has such a picture, for every preset."""
    summary = summarize(PRESETS[preset])
    for hero in (gradients(summary), growth(summary, shows_last=True), *(draw() for draw in CLOSED.values())):
        assert_readable_on_phone(hero.narrow_svg)
