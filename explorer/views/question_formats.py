"""Questions for other learning platforms: Moodle XML, GIFT, and a package of QTI 2.1. The mistakes become feedback."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from explorer.lessons.question import Question
from explorer.views import formatting as fmt

_GIFT_SPECIAL = str.maketrans({sign: f"\\{sign}" for sign in "~=#{}:\\"})
_QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
_PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
_DATE = (2000, 1, 1, 0, 0, 0)  # of files in the package: the same questions give the same bytes


def to_moodle_xml(questions: Sequence[Question]) -> str:
    """Return a quiz that Moodle imports as "Moodle XML format"."""
    items = "".join(_moodle_question(number, question) for number, question in enumerate(questions, start=1))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n{items}</quiz>\n'


def _moodle_question(number: int, question: Question) -> str:
    answers = "".join(
        f'    <answer fraction="{100 if place == question.correct_index else 0}" format="plain_text">\n'
        f"      <text>{escape(_option(question, place))}</text>\n"
        f'      <feedback format="plain_text"><text>{escape(_feedback(question, place))}</text></feedback>\n'
        "    </answer>\n"
        for place in range(len(question.options))
    )
    return (
        '  <question type="multichoice">\n'
        f"    <name><text>{escape(_name(number, question))}</text></name>\n"
        f'    <questiontext format="plain_text"><text>{escape(question.text)}</text></questiontext>\n'
        f'    <generalfeedback format="plain_text"><text>{escape(_solution(question))}</text></generalfeedback>\n'
        "    <defaultgrade>1</defaultgrade>\n    <single>true</single>\n    <shuffleanswers>true</shuffleanswers>\n"
        f"    <answernumbering>ABCD</answernumbering>\n{answers}  </question>\n"
    )


def to_gift(questions: Sequence[Question]) -> str:
    """Return the questions in GIFT, which Moodle and other platforms import."""
    return "\n".join(_gift_question(number, question) for number, question in enumerate(questions, start=1))


def _gift_question(number: int, question: Question) -> str:
    options = "".join(
        f"\t{'=' if place == question.correct_index else '~'}{_gift(_option(question, place))}"
        f"#{_gift(_feedback(question, place))}\n"
        for place in range(len(question.options))
    )
    title = f"::{_gift(_name(number, question))}::"
    return f"{title}[plain]{_gift(question.text)} {{\n{options}\t####{_gift(_solution(question))}\n}}\n"


def _gift(text: str) -> str:
    return text.translate(_GIFT_SPECIAL)


def to_qti(questions: Sequence[Question]) -> bytes:
    """Return a package of QTI 2.1: a zip archive with a manifest and a file per question."""
    names = [f"question_{number}" for number in range(1, len(questions) + 1)]
    resources = "".join(
        f'    <resource identifier="{name}" type="imsqti_item_xmlv2p1" href="{name}.xml"><file href="{name}.xml"/>'
        "</resource>\n"
        for name in names
    )
    manifest = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<manifest xmlns="{_PACKAGE}" identifier="inception_explorer">\n'
        "  <metadata><schema>QTIv2.1 Package</schema><schemaversion>1.0.0</schemaversion></metadata>\n"
        f"  <organizations/>\n  <resources>\n{resources}  </resources>\n</manifest>\n"
    )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(zipfile.ZipInfo("imsmanifest.xml", _DATE), manifest)
        for number, (name, question) in enumerate(zip(names, questions, strict=True), start=1):
            package.writestr(zipfile.ZipInfo(f"{name}.xml", _DATE), _qti_item(name, number, question))
    return data.getvalue()


def _qti_item(name: str, number: int, question: Question) -> str:
    places = range(len(question.options))
    choices = "".join(
        f'      <simpleChoice identifier="choice_{place}">{escape(_option(question, place))}</simpleChoice>\n'
        for place in places
    )
    feedback = "".join(
        f'  <modalFeedback outcomeIdentifier="FEEDBACK" identifier="choice_{place}" showHide="show">'
        f"{escape(_feedback(question, place))}</modalFeedback>\n"
        for place in places
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<assessmentItem xmlns="{_QTI}" identifier="{name}" '
        f'title={quoteattr(_name(number, question))} adaptive="false" timeDependent="false">\n'
        '  <responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier">\n'
        f"    <correctResponse><value>choice_{question.correct_index}</value></correctResponse>\n"
        "  </responseDeclaration>\n"
        '  <outcomeDeclaration identifier="SCORE" cardinality="single" baseType="float">'
        "<defaultValue><value>0</value></defaultValue></outcomeDeclaration>\n"
        '  <outcomeDeclaration identifier="FEEDBACK" cardinality="single" baseType="identifier"/>\n'
        '  <itemBody>\n    <choiceInteraction responseIdentifier="RESPONSE" shuffle="true" maxChoices="1">\n'
        f"      <prompt>{escape(question.text)}</prompt>\n{choices}    </choiceInteraction>\n  </itemBody>\n"
        f"  <responseProcessing>{_QTI_PROCESSING}</responseProcessing>\n{feedback}</assessmentItem>\n"
    )


_QTI_PROCESSING = (
    '<responseCondition><responseIf><match><variable identifier="RESPONSE"/><correct identifier="RESPONSE"/></match>'
    '<setOutcomeValue identifier="SCORE"><baseValue baseType="float">1</baseValue></setOutcomeValue></responseIf>'
    '</responseCondition><setOutcomeValue identifier="FEEDBACK"><variable identifier="RESPONSE"/></setOutcomeValue>'
)


def _name(number: int, question: Question) -> str:
    return f"{number} {question.topic.replace('_', ' ')}"


def _option(question: Question, place: int) -> str:
    return f"{fmt.exact(question.options[place])} {question.unit}"


def _feedback(question: Question, place: int) -> str:
    """Return what an answer is commented with: that it is correct, or the mistake behind it."""
    return f"You {question.mistakes[place]}." if question.mistakes[place] else "Correct."


def _solution(question: Question) -> str:
    return f"{question.why} {question.formula} = {fmt.exact(question.value)} {question.unit}"


class PlatformFormat(NamedTuple):
    """A format of a platform: the function, the file's ending, and its media type."""

    render: Callable[[Sequence[Question]], str | bytes]
    suffix: str
    mime: str


PLATFORM_FORMATS: Mapping[str, PlatformFormat] = {
    "Moodle XML": PlatformFormat(to_moodle_xml, "xml", "application/xml"),
    "GIFT": PlatformFormat(to_gift, "gift", "text/plain"),
    "QTI 2.1": PlatformFormat(to_qti, "zip", "application/zip"),
}
