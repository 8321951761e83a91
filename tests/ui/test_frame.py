"""The bar around every page tells what an edit changed, and when its numbers are older than what was typed."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.ui.app import click, open_lesson, open_settings, texts, type_into

Edit = Callable[..., AppTest]


def announcement(app: AppTest) -> str:
    """Return what screen readers hear after the last change."""
    (text,) = [element.value for element in app.markdown if "role='status'" in element.value]
    return text.partition("role='status' class='visually-hidden'>")[2].removesuffix("</span>")


def test_an_edit_and_its_undo_are_announced(app: AppTest, edit: Edit) -> None:
    """Nothing at first, then the totals before and after; a run without a change leaves the text as it is."""
    assert announcement(app) == ""
    edit({2: {"#3×3": "210"}})
    heard = "Parameters: 6,998,552 → 7,001,002. MACs: 1,582,671,872 → 1,583,151,680."
    assert announcement(app) == heard
    app.run()
    assert announcement(app) == heard
    click(app, "undo")
    assert announcement(app) == "Parameters: 7,001,002 → 6,998,552. MACs: 1,583,151,680 → 1,582,671,872."


def test_a_refused_number_marks_the_network_as_the_last_valid_one(app: AppTest) -> None:
    """In the bar and at the badge, until all fields are valid again."""
    open_settings(app)
    type_into(app, "input_1", "x")
    type_into(app, "classes", "10")
    assert "last valid network" in texts(app)
    type_into(app, "input_1", "224")
    assert "last valid network" not in texts(app)


def test_a_refused_cell_marks_it_too(app: AppTest, edit: Edit) -> None:
    """A valid cell beside it counts, and the mark stays."""
    edit({2: {"#3×3": "x"}, 3: {"#3×3": "300"}})
    assert "last valid network" in texts(app)
    edit({2: {"#3×3": "300"}, 3: {"#3×3": "300"}})
    assert "last valid network" not in texts(app)


def test_the_bar_does_not_answer_the_question_of_a_lesson() -> None:
    """The lesson asks for torchvision's parameters, also when that is the current network, until it is answered."""
    total = "6,624,904"
    app = open_lesson("which_googlenet", skip=False, net="1.torchvision")
    assert total not in texts(app)
    click(app, "predict_skip")
    assert f"**{total}** parameters" in texts(app)
    assert "**6,998,552** parameters" in texts(open_lesson("which_googlenet", skip=False))
    assert f"**{total}** parameters" in texts(open_lesson("reduction", skip=False, net="1.torchvision"))
    assert f"**{total}** parameters" in texts(
        open_lesson("which_googlenet", skip=False, net="1.torchvision", hide="predict")
    )
