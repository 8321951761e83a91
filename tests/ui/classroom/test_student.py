"""What a student sees: joining, votes on every page, following the teacher, handing in."""

import pytest

from explorer import PRESETS
from explorer.classroom.names import new_token
from explorer.history import Version
from explorer.lessons.openings import opening_question
from explorer.share import to_token
from explorer.ui.navigation import PAGES, sections
from explorer.views.class_votes import option_text
from tests.ui.app import answer, click, everything, html, open_app, open_lesson, page_text, run
from tests.ui.classroom.conftest import OpenClass

QUESTION = opening_question("reduction")
JOIN = "pages/classroom/join.py"
MINI = to_token(Version("mini", PRESETS["mini"]))


def test_a_server_without_a_class_has_none_of_it() -> None:
    """Neither its pages nor its panel."""
    at = open_app()
    assert sections() is PAGES
    assert "class_news" not in everything(at)


def test_a_student_joins_with_the_code(room: OpenClass, cookies: dict[str, str]) -> None:
    """Typed in any case, with a nickname or without."""
    cookies["explorer_member"] = new_token()
    at = open_app(JOIN)
    at.text_input(key="class_code").set_value(f" {room.code.lower()} ")
    at.text_input(key="class_nickname").set_value("Ada *x*")
    at.button[-1].click()
    run(at)
    assert room.store.members.find(cookies["explorer_member"]).nickname == "Ada *x*"
    assert room.code in page_text(at)


@pytest.mark.parametrize("code", ["", "ABC234", "<script>"])
def test_a_wrong_code_is_refused(room: OpenClass, cookies: dict[str, str], code: str) -> None:
    """With a reason."""
    cookies["explorer_member"] = new_token()
    at = open_app(JOIN)
    at.text_input(key="class_code").set_value("" if code == room.code else code)
    at.button[-1].click()
    run(at)
    assert "no class with this code" in at.error[0].value
    assert room.store.members.overview(room.number).joined == 0


def test_a_browser_without_cookies_is_explained(room: OpenClass, cookies: dict[str, str]) -> None:
    """It could not be recognized again."""
    at = open_app(JOIN, code=room.code)
    assert at.text_input(key="class_code").value == room.code
    at.button[-1].click()
    run(at)
    assert "cookie" in at.error[0].value


def test_a_vote_appears_on_any_page_and_can_be_changed(room: OpenClass, student: int) -> None:
    """Until it ends; the counts are not on the page."""
    poll = room.store.polls.start(room.number, QUESTION)
    at = open_app("pages/explore/module.py")
    for option in (1, 2):
        at.radio(key=f"class_vote_{poll}_1").set_value(option)
        run(at)
        assert room.store.polls.own_votes(student, poll) == {1: option}
        assert f"Your vote is {option_text(QUESTION, option)}" in page_text(at)
    assert "class='votes'" not in html(at)
    room.store.polls.hide(room.number)
    run(at)
    assert "The vote has ended" in page_text(at)
    assert "class='votes'" not in html(at)


def test_a_revealed_vote_names_the_mistakes(room: OpenClass, student: int) -> None:
    """With both rounds, the working, and the own votes."""
    poll = room.store.polls.start(room.number, QUESTION)
    wrong = next(place for place, mistake in enumerate(QUESTION.mistakes) if mistake)
    room.store.polls.vote(student, poll, 1, wrong)
    room.store.polls.start_second_round(room.number)
    room.store.polls.vote(student, poll, 2, QUESTION.correct_index)
    room.store.polls.reveal(room.number)
    at = open_app()
    assert "First vote: 1 of 1 (100 %)" in html(at)
    assert "Second vote: 1 of 1 (100 %)" in html(at)
    assert QUESTION.mistakes[wrong].split(":")[0] in html(at)
    assert QUESTION.formula in page_text(at)
    own = f"You voted: {option_text(QUESTION, wrong)}, then {option_text(QUESTION, QUESTION.correct_index)}."
    assert own in page_text(at)


def test_an_answer_in_the_lesson_is_a_vote(room: OpenClass, student: int) -> None:
    """If the class votes on that question; another question is none."""
    poll = room.store.polls.start(room.number, QUESTION)
    at = open_lesson("reduction", skip=False)
    lesson = next(radio for radio in at.radio if radio.key.startswith("opening"))
    lesson.set_value(QUESTION.value)
    run(at)
    click(at, f"{lesson.key}_reveal")
    assert room.store.polls.own_votes(student, poll) == {1: QUESTION.correct_index}
    other = opening_question("receptive_field")
    answer(open_lesson("receptive_field", skip=False), other, other.value)
    assert room.store.polls.count_votes(poll, 1) == 1


def test_a_student_is_brought_along_once_and_can_go_back(room: OpenClass, student: int) -> None:
    """To the teacher's page and network; then to the own ones, where nothing is lost."""
    at = open_app("pages/explore/compare.py")
    own = at.session_state["history"].present
    room.store.guidance.lead(room.number, "explore/module.py", MINI)
    run(at)
    assert at.session_state["history"].present.config == PRESETS["mini"]
    assert "This is where your teacher leads the class." in page_text(at)
    click(at, "class_back")
    assert at.session_state["history"].present == own
    run(at)
    assert at.session_state["history"].present == own


def test_a_network_is_handed_in_while_it_is_collected(room: OpenClass, student: int) -> None:
    """Not before."""
    at = open_app(JOIN)
    assert not [button for button in at.button if button.key == "hand_in"]
    room.store.guidance.collect(room.number, True)
    click(run(at), "hand_in")
    (found,) = room.store.guidance.hand_ins(room.number)
    assert (found.nickname, found.network, found.accuracy) == (
        "Ada",
        to_token(Version("paper", PRESETS["paper"])),
        None,
    )


def test_progress_is_recorded(room: OpenClass, student: int) -> None:
    """The page, at once."""
    at = open_app("pages/explore/module.py")
    assert [place.page for place in room.store.members.overview(room.number).pages] == ["explore/module.py"]
    at.switch_page("pages/explore/compare.py")
    run(at)
    assert [place.page for place in room.store.members.overview(room.number).pages] == ["explore/compare.py"]


def test_a_student_who_leaves_is_deleted(room: OpenClass, student: int) -> None:
    """And can join again."""
    at = click(open_app(JOIN), "class_leave")
    assert room.store.members.overview(room.number).joined == 0
    assert at.text_input(key="class_code").value == ""
