"""Worksheets as files: self-contained, escaped, with questions and no answers; the key has all answers."""

import re
from html import escape
from xml.etree import ElementTree

import pytest

from explorer import PRESETS, summarize
from explorer.lessons.questions import BANK
from explorer.lessons.worksheet import worksheet
from explorer.views.worksheet import FORMATS, TOPICS, tex, to_html, to_latex, to_markdown

PAPER = summarize(PRESETS["paper"])
WRITTEN = {"HTML": escape, "Markdown": str, "LaTeX": tex}
SHEET = worksheet(PAPER, "paper + 2 edits & <more>", tuple(BANK), 7, 12)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("key", [False, True])
def test_every_format_holds_every_question_and_the_same_again(form: str, key: bool) -> None:
    """Twelve questions, reproducible; the key has the seed, the sheet, from which a student could make the key, not."""
    text = FORMATS[form].render(SHEET, key=key)
    again = worksheet(PAPER, "paper + 2 edits & <more>", tuple(BANK), 7, 12)
    assert text == FORMATS[form].render(again, key=key)
    assert ("Seed 7" in text) is key
    assert len(SHEET.questions) == 12


@pytest.mark.parametrize("form", FORMATS)
def test_the_sheet_has_no_answer_and_the_key_has_all(form: str) -> None:
    """Neither a formula with its value nor a reason is on the sheet; both are in the key."""
    sheet, key = (FORMATS[form].render(SHEET, key=key) for key in (False, True))
    for question in SHEET.questions:
        worked = f"{question.formula} = {question.value:,}"
        for answer in map(WRITTEN[form], (question.why, worked)):
            assert answer not in sheet
            assert answer in key
    assert WRITTEN[form]("FLOPs = 2 × MACs") not in sheet  # that is the answer to one of the questions


def test_the_page_is_self_contained_and_well_formed() -> None:
    """No address, no script; names are escaped."""
    page = to_html(SHEET, key=False)
    assert "http" not in page
    assert "<script" not in page
    assert "&lt;more&gt;" in page
    assert page.count("<li>") == 12
    body = page[page.index("<ol>") : page.index("</ol>") + 5].replace("class=options", "").replace("class=work", "")
    assert len(ElementTree.fromstring(body)) == 12


def test_markdown_numbers_its_questions() -> None:
    """1. to 12., each with four options."""
    text = to_markdown(SHEET, key=False)
    assert re.findall(r"^(\d+)\. ", text, re.MULTILINE) == [str(number) for number in range(1, 13)]
    assert len(re.findall(r"^   - [A-D]  ", text, re.MULTILINE)) == 48


@pytest.mark.parametrize("key", [False, True])
def test_latex_is_balanced_and_has_only_known_characters(key: bool) -> None:
    """Braces and environments close, special characters are escaped, and only ASCII is left."""
    text = to_latex(SHEET, key=key)
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert not re.search(r"(?<!\\)[#%&_]", text)
    assert text.isascii()


def test_all_lessons_have_a_title() -> None:
    """Every topic of the questions has one."""
    assert set(TOPICS) == set(BANK)
