"""Questions for learning platforms: well-formed, complete, and with the right answer marked."""

import io
import re
import zipfile
from xml.etree import ElementTree as ET

import pytest

from explorer import PRESETS, summarize
from explorer.lessons.openings import opening_question
from explorer.lessons.questions import BANK, questions
from explorer.views import formatting as fmt
from explorer.views.question_formats import to_gift, to_moodle_xml, to_qti

QUESTIONS = [
    question
    for topic in BANK
    for question in (opening_question(topic), *questions(summarize(PRESETS["paper"]), topic, 7, 5))
]
HOSTILE = QUESTIONS[0]._replace(text="<b>{a=b} ~ c:d # \\ & \"e\" 'f'</b>", why="~=#{}", unit="<i>&")


def test_moodle_gets_every_question_with_one_correct_answer() -> None:
    """And a comment on each of the four."""
    found = ET.fromstring(to_moodle_xml(QUESTIONS)).findall("question")
    assert [item.findtext("questiontext/text") for item in found] == [question.text for question in QUESTIONS]
    for item, question in zip(found, QUESTIONS, strict=True):
        answers = item.findall("answer")
        correct = [answer.findtext("text") for answer in answers if answer.get("fraction") == "100"]
        assert correct == [f"{fmt.exact(question.value)} {question.unit}"]
        assert len(answers) == 4
        assert all(answer.findtext("feedback/text") for answer in answers)


def test_gift_marks_one_answer_in_each_question() -> None:
    """An unescaped = begins the correct one, ~ the others."""
    blocks = to_gift(QUESTIONS).split("\n\n")
    assert len(blocks) == len(QUESTIONS)
    for block, question in zip(blocks, QUESTIONS, strict=True):
        (correct,) = re.findall(r"^\t=(.*?)(?<!\\)#", block, re.MULTILINE)
        assert correct == f"{fmt.exact(question.value)} {question.unit}"
        assert len(re.findall(r"^\t~", block, re.MULTILINE)) == 3


def test_qti_is_a_package_with_its_items() -> None:
    """The manifest names each file; each names its correct choice; the same questions give the same bytes."""
    package = zipfile.ZipFile(io.BytesIO(to_qti(QUESTIONS)))
    named = re.findall(r'<file href="(.*?)"', package.read("imsmanifest.xml").decode())
    assert {"imsmanifest.xml", *named} == set(package.namelist())
    name = {"q": "http://www.imsglobal.org/xsd/imsqti_v2p1"}
    for file, question in zip(named, QUESTIONS, strict=True):
        item = ET.fromstring(package.read(file))
        correct = item.findtext("q:responseDeclaration/q:correctResponse/q:value", namespaces=name)
        choices = {choice.get("identifier"): choice.text for choice in item.iter(f"{{{name['q']}}}simpleChoice")}
        assert choices[correct] == f"{fmt.exact(question.value)} {question.unit}"
        assert len(item.findall("q:modalFeedback", name)) == 4
    assert to_qti(QUESTIONS) == to_qti(QUESTIONS)


@pytest.mark.parametrize("question", [HOSTILE])
def test_no_text_breaks_a_format(question: object) -> None:
    """Whatever signs are in it."""
    assert ET.fromstring(to_moodle_xml([question])).findtext("question/questiontext/text") == HOSTILE.text
    item = zipfile.ZipFile(io.BytesIO(to_qti([question]))).read("question_1.xml")
    assert HOSTILE.text in "".join(ET.fromstring(item).itertext())
    assert r"\{a\=b\} \~ c\:d \# \\" in to_gift([question])
