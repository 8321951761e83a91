"""The teacher's page: who may open it, and what its buttons do."""

from collections.abc import Callable

import pytest

from explorer import PRESETS
from explorer.classroom.names import new_token
from explorer.history import Version
from explorer.share import to_token
from explorer.ui.classroom import session
from tests.ui.app import click, everything, html, open_app, page_text, run
from tests.ui.classroom.conftest import OpenClass

TEACH = "pages/classroom/teach.py"


def open_view(view: str) -> object:
    """Open the page at a view."""
    return open_app(TEACH, {"teach_view": view})


@pytest.mark.parametrize("token", ["", "A" * 43])
def test_the_page_is_closed_to_others(room: OpenClass, cookies: dict[str, str], token: str) -> None:
    """It shows neither code nor controls, with a wrong token too."""
    cookies["explorer_teacher"] = token
    at = open_view("Server")
    assert not [button for button in at.button if str(button.key).startswith("teach_")]
    assert room.code not in everything(at)
    assert "This page is for the teacher" in at.info[0].value


def test_an_action_checks_the_token_again(
    room: OpenClass, as_teacher: Callable[[], None], cookies: dict[str, str]
) -> None:
    """A page that was open while the class was ended, or that is forged, does nothing."""
    as_teacher()
    at = open_view("Vote")
    cookies.clear()
    click(at, "teach_start")
    assert room.store.news(room.number).poll is None


def test_the_projector_shows_how_to_join(room: OpenClass, as_teacher: Callable[[], None]) -> None:
    """The address in the network, the code and a QR code; never the teacher's token."""
    as_teacher()
    at = open_view("Join")
    assert "192.168.1.7:8501/join" in html(at)
    assert room.code in html(at)
    assert "QR code" in html(at)
    assert room.token not in everything(at)


def test_a_vote_from_start_to_end(room: OpenClass, as_teacher: Callable[[], None]) -> None:
    """Start, vote again, reveal, hide, end; the counts are on the page only while they are revealed."""
    as_teacher()
    member = room.store.members.join(room.number, new_token()).number
    at = click(open_view("Vote"), "teach_start")
    poll = room.store.news(room.number).poll
    room.store.polls.vote(member, poll.number, 1, 0)
    run(at)
    assert "**1** vote in the first round" in page_text(at)
    assert "class='votes'" not in html(at)
    click(at, "teach_again")
    click(at, "teach_reveal")
    assert "First vote: 1 of 1 (100 %)" in html(at)
    click(at, "teach_hide")
    assert "class='votes'" not in html(at)
    click(at, "teach_end")
    assert room.store.news(room.number).poll is None


def test_the_class_is_brought_along(room: OpenClass, as_teacher: Callable[[], None]) -> None:
    """To the chosen page with the teacher's network, until it is ended."""
    as_teacher()
    at = click(open_view("Follow me"), "teach_lead")
    target = room.store.news(room.number).classroom.target
    assert (target.page, target.network) == ("explore/network.py", to_token(Version("paper", PRESETS["paper"])))
    click(at, "teach_release")
    assert room.store.news(room.number).classroom.target is None


def test_hand_ins_are_shown_and_loaded(room: OpenClass, as_teacher: Callable[[], None]) -> None:
    """Each by its nickname, or by its place."""
    as_teacher()
    at = click(open_view("Collect"), "teach_collect")
    mini = to_token(Version("mini", PRESETS["mini"]))
    for name, accuracy in (("Ada", 0.87), ("", None)):
        member = room.store.members.join(room.number, new_token(), name).number
        room.store.guidance.hand_in(member, mini, accuracy, "fashion_mnist")
    run(at)
    assert list(at.dataframe[0].value["name"]) == ["Ada", "network 2"]
    click(at, "teach_load")
    assert at.session_state["history"].present.config == PRESETS["mini"]


def test_where_everyone_is(room: OpenClass, as_teacher: Callable[[], None]) -> None:
    """Counts by page, and nicknames of those who gave one."""
    as_teacher()
    for name in ("Ada", ""):
        member = room.store.members.join(room.number, new_token(), name).number
        room.store.members.mark_progress(member, "learn/reduction.py", 1)
    at = open_view("Where everyone is")
    assert "2 on 1×1 reduction: Ada" in [text.value for text in at.text]


def test_pages_are_closed_to_students(room: OpenClass, as_teacher: Callable[[], None], cookies: dict[str, str]) -> None:
    """The teacher chooses them and still opens them; a visitor who is not in the class finds them closed too."""
    as_teacher()
    at = open_view("Server")
    at.multiselect(key="teach_closed").select("explore/module.py")
    run(at)
    assert room.store.guidance.closed_pages() == {"explore/module.py"}
    assert "has closed this page" not in everything(open_app("pages/explore/module.py"))
    cookies.clear()
    at = open_app("pages/explore/module.py")
    assert "Your teacher has closed this page for now." in at.info[0].value
    assert not at.tabs
    assert [] == [data for data in at.get("bidi_component") if "block" in str(data.proto.id)]
    room.store.guidance.close_pages(room.number, [])
    assert "has closed this page" not in everything(run(at))


def test_ending_needs_a_second_thought(room: OpenClass, as_teacher: Callable[[], None]) -> None:
    """Then all of the class is gone, and the page with it."""
    as_teacher()
    at = open_view("Server")
    assert at.button(key="teach_end").disabled
    at.checkbox(key="teach_sure").set_value(True)
    run(at)
    click(at, "teach_end")
    assert room.store.news(room.number) is None
    assert not session.is_teacher()
