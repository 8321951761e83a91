"""The views of a class: votes as bars, and its networks on a chart."""

from explorer.lessons.openings import opening_question
from explorer.views.class_networks import Collected, accuracy_chart
from explorer.views.class_votes import vote_bars

QUESTION = opening_question("reduction")


def test_each_answer_has_its_bars_and_its_mistake() -> None:
    """Both rounds, in counts and percent; a round without votes has none."""
    html = vote_bars(QUESTION, [(1, 3, 0, 0), (0, 0, 0, 0)])
    assert html.count("First vote") == html.count("Second vote") == 2 * len(QUESTION.options)  # text and label
    assert "First vote: 3 of 4 (75 %)" in html
    assert "Second vote: 0 of 0 (0 %)" in html
    assert html.count("✓ correct") == 1
    assert all(mistake in html for mistake in QUESTION.mistakes)


def test_no_name_or_text_becomes_markup() -> None:
    """Whatever is in a unit."""
    html = vote_bars(QUESTION._replace(unit="<img src=x>"), [(1, 0, 0, 0)])
    assert "<img" not in html


def test_untrained_networks_are_below_the_measured_ones() -> None:
    """As open marks, and the best one is in the title; without a measurement the title says so."""
    networks = [
        Collected("Ada", 7_000_000, 10, 0.9, "fashion_mnist"),
        Collected("Grace", 2_000_000, 5, 0.8, "fashion_mnist"),
        Collected("network 3", 5_000_000, 7, None, ""),
    ]
    figure = accuracy_chart(networks).figure
    measured, rest = figure.data
    assert figure.layout.title.text == "Ada has the highest accuracy"
    assert list(measured.y) == [0.9, 0.8]
    assert rest.y[0] < min(measured.y)
    assert figure.layout.yaxis.range[0] <= rest.y[0]
    assert accuracy_chart(networks[2:]).figure.layout.title.text == "No network was trained here yet"
