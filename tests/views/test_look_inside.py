"""The charts of *Look inside* are well-formed, have a text alternative and the right numbers, and fit their frames."""

from xml.etree import ElementTree

import numpy as np
import pytest

from explorer.data.preprocessing import Preprocessing
from explorer.jobs.inspection import (
    ClassScores,
    Filters,
    Heat,
    InputStep,
    Maximization,
    Strip,
)
from explorer.views import look_inside, map_images, palette, svg
from tests.svg_reader import (
    assert_inside,
    assert_parts_are_apart,
    assert_readable_on_phone,
    assert_well_formed,
    choices,
    elements,
)

GREY = np.linspace(0, 255, 28 * 28).reshape(28, 28).astype(np.uint8)


def strip(branch: str, first: int, count: int, side: int = 7) -> Strip:
    """Return a strip with that many maps; the last channel has the highest response."""
    columns = min(16, count)
    rows = -(-count // columns)
    return Strip(
        path=f"inception_4a.branch_{branch}",
        branch=branch,
        first=first,
        last=first + count - 1,
        channels=tuple(reversed(range(count))),
        responses=tuple(1.0 - place / count for place in range(count)),
        map_size=(side, side),
        tile=(side, side),
        columns=columns,
        png=map_images.png(np.zeros((rows * side, columns * side), np.uint8)),
        mean=0.25,
        sparsity=0.5,
        dead=2 if branch == "5x5" else 0,
    )


STRIPS = (strip("1x1", 0, 100), strip("3x3", 100, 40), strip("5x5", 140, 9), strip("pool", 149, 1))
HEAT = Heat(png=map_images.png(GREY[:7, :7].copy()), size=(7, 7), low=0.0, high=2.5)
SIGNED = HEAT.replace(low=-1.0)
BARS = [look_inside.Bar("Sneaker", 0.7, 0.9, True), look_inside.Bar("a <b>bag</b> & more of it", 0.0001, 0.05)]
STEPS = (
    InputStep(code="image", size=(28, 28), low=0, high=255, png=map_images.png(GREY)),
    InputStep(code="normalised", size=(28, 28), low=-1, high=1, png=map_images.png(GREY)),
)

PICTURES = {
    "gallery": look_inside.gallery([("one", map_images.png(GREY)), ("<b>", map_images.png(GREY[:7].copy()))]),
    "steps": look_inside.preprocessing_steps(STEPS, Preprocessing()),
    "answer": look_inside.class_bars(BARS, "Predicted class: Sneaker"),
    "head": look_inside.class_bars(BARS[:1], "Auxiliary head at 4a", width=290),
    "strips": look_inside.strips(STRIPS),
    "all strips": look_inside.strips(STRIPS, every=True),
    "narrow strips": look_inside.strips(STRIPS, width=720),
    "map": look_inside.heat_panels(
        map_images.png(GREY),
        HEAT,
        look_inside.HeatTexts("4a · mini", "Feature map", "activation", "a channel over the picture"),
    ),
    "signed map": look_inside.heat_panels(
        map_images.png(GREY), SIGNED, look_inside.HeatTexts("4a", "Occlusion", "evidence", "evidence over the picture")
    ),
    "filters": look_inside.filters(
        Filters(png=map_images.png(np.zeros((6, 48), np.uint8)), kernel=(3, 3), columns=16, norms=(1.0,) * 32)
    ),
    "maximization": look_inside.maximization_chart(
        Maximization(path="p", channel=1, png=map_images.png(GREY), responses=(-0.5, 0.1, 2.0)), "4a, 1×1, channel 1"
    ),
    "one step": look_inside.maximization_chart(
        Maximization(path="p", channel=1, png=map_images.png(GREY), responses=(0.0,)), "x"
    ),
    "time": look_inside.time_bars(("stem", "3a"), {"stem": 1, "3a": 3}, {"one": {"stem": 2.0, "3a": 2.0}}),
    "attribution": look_inside.attribution_panel(map_images.png(GREY), HEAT, "Attribution for “Bag”"),
    "strongest": look_inside.strongest_maps(STRIPS, "The strongest channels of 4a"),
}

TEXTS = look_inside.HeatTexts("Integrated gradients for T-shirt/top · mini", "Feature map", "activation", "a channel")
PHONE = {
    "steps": look_inside.preprocessing_steps((*STEPS, *STEPS), Preprocessing(), svg.NARROW),
    "answer": look_inside.class_bars(BARS, "Predicted class: Sneaker · a long name of a network", svg.NARROW),
    "strips": look_inside.strips(STRIPS, width=svg.NARROW),
    "map": look_inside.heat_panels(map_images.png(GREY), HEAT, TEXTS, svg.NARROW),
    "maximization": look_inside.maximization_chart(
        Maximization(path="p", channel=1, png=map_images.png(GREY), responses=(-0.5, 2.0)), "4a", "mini", svg.NARROW
    ),
    "time": look_inside.time_bars(
        ("stem", *"abcdefghij"),
        dict.fromkeys(("stem", *"abcdefghij"), 1),
        {"one": dict.fromkeys(("stem", *"abcdefghij"), 2.0)},
        "mini",
        svg.NARROW,
    ),
    "attribution": look_inside.attribution_panel(map_images.png(GREY), HEAT, "Attribution for “Bag”", svg.NARROW),
    "strongest": look_inside.strongest_maps(STRIPS, "The strongest channels of 4a", svg.NARROW),
}


@pytest.mark.parametrize("name", PHONE)
def test_a_chart_can_be_read_on_a_phone(name: str) -> None:
    """Its texts have at least 11 pixels there, and nothing is cut off."""
    assert_readable_on_phone(PHONE[name])
    assert_inside(PHONE[name])


@pytest.mark.parametrize("name", PICTURES)
def test_every_chart_is_well_formed_has_a_text_alternative_and_loads_nothing(name: str) -> None:
    """It is XML with a label for screen readers; images are data URIs; no number is missing."""
    assert_well_formed(PICTURES[name])


def test_long_class_names_with_the_same_beginning_stay_distinct() -> None:
    """Where a name does not fit, a number makes it distinct; the tooltip has the whole name."""
    bars = [look_inside.Bar(f"a bird of the family of {kind}", 0.5) for kind in ("left", "right")]
    chart = look_inside.class_bars(bars, "Predicted class")
    assert [one.text for one in elements(chart, "text")][1::2] == ["a bird of the famil…", "a bird of the f… (2)"]
    assert [one.text for one in elements(chart, "title") if one.text in [bar.name for bar in bars]] == [
        bar.name for bar in bars
    ]


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_is_drawn_outside_the_chart(name: str) -> None:
    """Boxes, images and texts are within the frame."""
    assert_inside(PICTURES[name])


@pytest.mark.parametrize("name", ["gallery", "strips", "all strips", "narrow strips"])
def test_selectable_parts_do_not_overlap(name: str) -> None:
    """A click selects one part."""
    assert_parts_are_apart(PICTURES[name])


def test_strips_are_in_the_order_of_concatenation_the_highest_response_first() -> None:
    """All maps of every branch, and by default at most two rows of each."""
    every = choices(PICTURES["all strips"])
    assert len(every) == 150
    assert every[0] == "inception_4a.branch_1x1:99"
    assert [one.partition(":")[0] for one in every][::50] == ["inception_4a.branch_1x1"] * 2 + [
        "inception_4a.branch_3x3"
    ]
    few = choices(PICTURES["strips"])
    assert len(few) < len(every)
    assert few == [one for one in every if one in set(few)]
    labels = [box.get("aria-label") for box in elements(PICTURES["all strips"], "rect") if box.get("data-choice")]
    assert labels[-1] == "channel 149 of the block, mean 1"


def test_a_strip_names_its_channels_and_the_dead_ones() -> None:
    """The range in the concatenation, the fraction of zeros, and dead channels where there are any."""
    alt = ElementTree.fromstring(PICTURES["strips"]).get("aria-label")
    assert "5×5, channels 140–148, 7×7 each, mean 0.25, 50 % zeros, 2 dead" in alt
    assert "1×1, channels 0–99, 7×7 each, mean 0.25, 50 % zeros;" in alt


def test_bars_are_as_long_as_the_probabilities() -> None:
    """A mark is at the probability before scaling."""
    bars = [box for box in elements(PICTURES["answer"], "rect") if box.get("fill") == palette.SERIES[0]]
    tracks = [box for box in elements(PICTURES["answer"], "rect") if box.get("fill") == "currentColor"]
    marks = [box for box in elements(PICTURES["answer"], "rect") if box.get("fill") == palette.AUX]
    room = float(tracks[0].get("width"))
    assert float(bars[0].get("width")) == pytest.approx(0.7 * room, abs=0.1)
    left = float(tracks[0].get("x"))
    assert float(marks[0].get("x")) + 1.5 == pytest.approx(left + 0.9 * room, abs=0.1)


@pytest.mark.parametrize(
    ("fraction", "text"), [(1.0, "100.0 %"), (0.9999, "> 99.9 %"), (0.5, "50.0 %"), (0.0001, "< 0.1 %"), (0.0, "0.0 %")]
)
def test_a_probability_never_looks_certain_when_it_is_not(fraction: float, text: str) -> None:
    """Only 0 and 1 themselves become 0 % and 100 %."""
    assert look_inside.probability(fraction) == text


@pytest.mark.parametrize(
    ("highest", "classes", "level"),
    [
        *((1.0, 10, "very high"), (0.923, 10, "high"), (0.7, 10, "medium"), (0.4, 10, "low"), (0.12, 10, "very low")),
        *((0.6, 2, "very low"), (0.5, 1_000, "low"), (1.0, 1, "very high")),
    ],
)
def test_the_confidence_is_that_of_the_most_probable_class(highest: float, classes: int, level: str) -> None:
    """92.3 % is high, whatever the rest is spread over; little more than a guess is very low."""
    text = look_inside.confidence_text(ClassScores((0,), (highest,), 1.5), classes)
    assert text.startswith(f"Confidence is {level}: {100 * highest:.1f} % for one class (entropy 1.50 bits; 0 = ")


def test_the_steps_of_preprocessing_have_their_numbers() -> None:
    """Each step has its name and its effect, in the text alternative too."""
    assert (
        "How the image is preprocessed: image, 28 × 28, RGB, 0 to 255; "
        "normalised, (value / 255 − 0.5) / 0.5: from −1 to 1" in look_inside.preprocessing_steps(STEPS, Preprocessing())
    )


@pytest.mark.parametrize(
    ("mean", "std", "low", "high", "text"),
    [
        ((0.2860405,), (0.3530242,), -0.8102, 2.0224, "(value / 255 − 0.286) / 0.353: from −0.81 to 2.02"),
        ((-0.5,), (0.001,), 500, 1_500, "(value / 255 − (−0.5)) / 0.001: from 500 to 1,500"),
        (
            (0.485, 0.456, 0.406),
            (0.229, 0.224, 0.225),
            -2.1179,
            2.64,
            "(value / 255 − (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225): from −2.12 to 2.64",
        ),
    ],
)
def test_the_normalisation_has_three_digits_and_a_true_minus(
    mean: tuple[float, ...], std: tuple[float, ...], low: float, high: float, text: str
) -> None:
    """Like all numbers here; a mean below 0, or one per channel, is in brackets."""
    step = STEPS[-1].replace(low=low, high=high)
    chart = look_inside.preprocessing_steps([STEPS[0], step], Preprocessing(mean=mean, std=std))
    _, *lines = [one.text for one in elements(chart, "text") if float(one.get("x")) > 120]
    assert " ".join(lines) == text  # below the image, none of it cut
    assert_inside(chart)
