"""What all lessons share: the quiz with its score, the worksheet, the teacher's link, the next lesson."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer import PRESETS, summarize
from explorer.lessons.openings import opening_question
from explorer.lessons.questions import BANK, questions
from explorer.ui.navigation import PAGES
from tests.ui.app import answer, click, everything, open_lesson, page_text, run, type_into

PAPER = summarize(PRESETS["paper"])


@pytest.mark.parametrize("name", BANK)
def test_every_lesson_opens_with_its_parts_and_its_test(name: str) -> None:
    """Without an error, in one run."""
    at = open_lesson(name)
    assert not at.error
    assert opening_question(name).text in [radio.label for radio in at.radio]
    assert "Test yourself" in page_text(at)


GIVEAWAYS = {  # what tells the answer to the opening question, beside the number itself
    "reduction": ("sixteen", "16.16", "93.8", "50688"),
    "auxiliary": ("half of", "13,378,280", "6,379,728"),
    "which_googlenet": ("6.62", "13,004,888"),
    "receptive_field": ("widest path",),
}


@pytest.mark.parametrize("name", BANK)
def test_nothing_gives_the_answer_before_it_is_given(name: str) -> None:
    """Neither text, chart, title nor tooltip; skipping the question shows all of the lesson."""
    at = open_lesson(name, skip=False)
    question = opening_question(name)
    answers = (f"{question.value:,}" if question.value > 100 else f"{question.value} %", *GIVEAWAYS[name])
    assert [] == _found(answers, at)
    assert "Test yourself" not in page_text(at)
    at = click(at, "predict_skip")
    assert _found(answers, at)
    assert "Test yourself" in page_text(at)


def _found(answers: tuple[str, ...], at: AppTest) -> list[str]:
    """Return those that are on the page as whole words."""
    page = everything(at)
    return [answer for answer in answers if re.search(rf"(?<![\w.,]){re.escape(answer)}(?![\w])", page)]


def test_an_answer_to_the_opening_question_opens_the_lesson() -> None:
    """With its explanation above, and on every later visit."""
    question = opening_question("reduction")
    at = answer(open_lesson("reduction", skip=False), question, question.value)
    assert question.formula in page_text(at)
    assert "Test yourself" in page_text(at)
    assert "predict_skip" not in [button.key for button in at.button]
    at.switch_page("pages/learn/auxiliary.py").run()
    assert "Test yourself" not in page_text(at)
    at.switch_page("pages/learn/reduction.py").run()
    assert "Test yourself" in page_text(at)


def test_a_lesson_without_its_opening_question_is_open() -> None:
    """A link may leave the question out."""
    assert "Test yourself" in page_text(open_lesson("reduction", skip=False, hide="predict"))


def test_the_questions_follow_number_and_network_and_the_score_counts() -> None:
    """The same number gives the same questions; a correct and a wrong answer make 1 of 2, on every page."""
    at = type_into(open_lesson("reduction"), "quiz_number", 42)
    first, second, *_ = questions(PAPER, "reduction", 42, 5)
    at = answer(at, first, first.value)
    assert "**Correct.**" in at.success[0].value
    assert first.formula in at.success[0].value
    at.segmented_control(key="quiz_reduction_which").set_value(1)
    at = run(at)
    wrong = next(option for option in second.options if option != second.value)
    at = answer(at, second, wrong)
    mistake = second.mistakes[second.options.index(wrong)]
    assert mistake in at.error[0].value
    assert "1 of 2 correct in all lessons" in page_text(at)
    at.switch_page("pages/learn/receptive_field.py").run()
    assert "1 of 2 correct in all lessons" in page_text(at)


def test_an_answer_survives_a_visit_of_another_page() -> None:
    """It is still shown and explained when the student comes back."""
    question = opening_question("auxiliary")
    at = answer(open_lesson("auxiliary"), question, question.value)
    at.switch_page("pages/learn/reduction.py").run()
    at.switch_page("pages/learn/auxiliary.py").run()
    assert any("**Correct.**" in element.value for element in at.success)


def test_a_link_leaves_out_what_it_names_on_every_page() -> None:
    """And the class tools; unknown names do nothing, and the address keeps them all for a reload."""
    at = open_lesson("reduction", hide="whole_network,quiz,no_such_part,<script>")
    assert not at.metric
    assert "Test yourself" not in page_text(at)
    assert "naive_apply" not in [button.key for button in at.button]
    for page in ("learn/auxiliary", "explore/network", "lab/train", "learn/reduction"):
        at.query_params.clear()  # as the browser does on every change of page
        at.switch_page(f"pages/{page}.py").run()
        assert at.query_params["hide"] == "no_such_part,quiz,teacher,whole_network"
        assert "Test yourself" not in page_text(at)
        assert not [element for element in at.get("download_button") if element.proto.label == "Answer key"]


@pytest.mark.parametrize("parts", ["", "answers"])
def test_a_link_for_the_class_leaves_the_class_tools_out(parts: str) -> None:
    """Whatever else it leaves out: the students get no answer key."""
    at = open_lesson("reduction")
    at.multiselect(key="leave_out_reduction").set_value([parts] if parts else [])
    link = next(code.value for code in run(at).code)
    at = open_lesson("reduction", hide=parse_qs(urlsplit(link).query)["hide"][0])
    assert {"Worksheet", "Answer key"}.isdisjoint(element.proto.label for element in at.get("download_button"))
    assert "sheet_seed" not in {field.key for field in at.text_input}


def test_the_seed_of_a_worksheet_is_not_known_to_the_students(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn at random for each session, and the name of the worksheet's file does not have it."""
    files = {}
    monkeypatch.setattr(st, "download_button", lambda label, _, name, *__, **___: files.update({label: name}))
    seeds = [open_lesson("reduction").session_state["sheet_seed"] for _ in range(3)]
    assert len(set(seeds)) > 1
    assert files["Worksheet"] == "worksheet.html"
    assert files["Answer key"] == f"answer-key-{seeds[-1]}.html"


def test_a_link_can_hide_the_answers() -> None:
    """The questions stay without their reveal buttons; the opening question is not affected."""
    at = open_lesson("reduction", hide="answers")
    reveals = [button.key for button in at.button if button.label == "Reveal"]
    assert len(reveals) == 1
    assert reveals[0].startswith("opening_")


def test_the_link_hides_the_selected_parts() -> None:
    """It names the page, the network and the parts; opened, it hides them."""
    at = open_lesson("reduction", net="1.half")
    at.multiselect(key="leave_out_reduction").set_value(["timing", "quiz"])
    at = run(at)
    link = next(code.value for code in at.code)
    query = parse_qs(urlsplit(link).query)
    assert urlsplit(link).path == "/reduction"
    assert query["hide"] == ["quiz,teacher,timing"]
    again = open_lesson("reduction", net=query["net"][0], hide=query["hide"][0])
    assert "Test yourself" not in page_text(again)
    assert again.session_state["history"].present.config == PRESETS["half"]


def test_a_worksheet_and_its_key_are_offered_in_three_formats() -> None:
    """Two downloads, named by the seed; without lessons a sentence instead."""
    at = open_lesson("which_googlenet")
    labels = [element.proto.label for element in at.get("download_button")]
    assert {"Worksheet", "Answer key"} <= set(labels)
    at.multiselect(key="sheet_topics").set_value([])
    at = run(at)
    assert "Select at least one lesson." in page_text(at)
    assert "Worksheet" not in [element.proto.label for element in at.get("download_button")]


@pytest.mark.slow
def test_each_lesson_leads_to_the_next() -> None:
    """In the order of the menu, the last one to the network."""
    titles = [entry.title for entry in (*PAGES["Learn"][1:], PAGES["Explore"][0])]
    for entry, title in zip(PAGES["Learn"], titles, strict=True):
        at = open_lesson(entry.file.removeprefix("learn/").removesuffix(".py"))
        assert [link.proto.label for link in at.get("page_link")][-1] == f"Next: {title}"


def test_a_lesson_without_its_text_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A teacher who renamed the file sees which one is missing."""
    from explorer.lessons import text

    monkeypatch.setattr(text, "FOLDER", tmp_path)
    at = open_lesson("auxiliary")
    assert "auxiliary.md does not exist" in at.error[0].value


def test_only_other_networks_offer_a_way_back_to_the_paper() -> None:
    """There is no such button for the paper's own network."""
    assert "Back to the paper's network" not in [button.label for button in open_lesson("reduction").button]
    at = open_lesson("reduction", net="1.naive")
    key = next(button.key for button in at.button if button.label == "Back to the paper's network")
    assert click(at, key).session_state["history"].present.config == PRESETS["paper"]
