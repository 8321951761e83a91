"""Classes and their members: joining, presence, follow the teacher, hand-ins, and that closing deletes all of it."""

from importlib.util import find_spec
from pathlib import Path
from time import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from explorer.classroom import members as membership
from explorer.classroom.names import new_token
from explorer.classroom.records import ClassError, RefusedError
from explorer.classroom.schema import metadata
from explorer.classroom.store import ClassStore
from explorer.history import Version
from explorer.presets import PRESETS
from explorer.share import to_token
from tests.classroom.conftest import QUESTION

PAPER = to_token(Version("paper", PRESETS["paper"]))


def join(store: ClassStore, classroom: int, nickname: str = "") -> tuple[int, str]:
    """Let a new member join; return their number and token."""
    token = new_token()
    return store.members.join(classroom, token, nickname).number, token


def rows(store: ClassStore) -> dict[str, int]:
    """Return how many rows each table of ours has."""
    with store._database.read() as db:
        return {name: len(db.execute(select(table)).all()) for name, table in metadata.tables.items()}


def test_the_migrations_make_the_tables_that_the_code_uses(store: ClassStore) -> None:
    """So a change of one is a change of the other."""
    with store._database.read() as db:
        differences = compare_metadata(MigrationContext.configure(db), metadata)
    assert [] == [found for found in differences if "alembic_version" not in str(found)]


def test_a_store_opens_again(store: ClassStore, classroom: int, tmp_path: Path) -> None:
    """With what it held."""
    again = ClassStore(tmp_path)
    assert again.news(classroom) == store.news(classroom)
    again.dispose()


def test_only_the_hash_of_the_teacher_token_is_stored(store: ClassStore, tmp_path: Path) -> None:
    """And only that token opens the teacher's page of that class."""
    code, token = store.open_class()
    other, other_token = store.open_class()
    assert code != other
    classroom = store.find_class(code)
    assert store.is_teacher(classroom, token)
    assert store.teacher_class(token) == classroom
    for wrong in (other_token, token[:-1], token + "A", "", "x" * 100_000, "ключ"):
        assert not store.is_teacher(classroom, wrong)
    assert store.teacher_class(new_token()) is None
    assert not store.is_teacher(classroom + 99, token)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("classes.sqlite*"))
    assert token.encode() not in stored


def test_joining_twice_is_joining_once(store: ClassStore, classroom: int) -> None:
    """As after a reload; the nickname is the last one."""
    first, token = join(store, classroom, "Ada")
    again = store.members.join(classroom, token, "Grace")
    assert (again.number, again.nickname) == (first, "Grace")
    assert store.members.find(token) == again
    assert store.members.overview(classroom).joined == 1


def test_a_closed_class_admits_nobody(store: ClassStore, classroom: int) -> None:
    """And no class has that number."""
    store.close_class(classroom)
    with pytest.raises(RefusedError, match="no_class"):
        join(store, classroom)
    assert store.news(classroom) is None
    assert store.version(classroom) == 0


def test_a_class_has_a_limit(store: ClassStore, classroom: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members can come back; new ones are refused."""
    monkeypatch.setattr(membership, "MAX_MEMBERS", 2)
    _, token = join(store, classroom)
    join(store, classroom)
    with pytest.raises(RefusedError, match="full"):
        join(store, classroom)
    store.members.join(classroom, token, "back")


def test_closing_deletes_all_that_is_personal(store: ClassStore, classroom: int, tmp_path: Path) -> None:
    """Members, votes, questions and hand-ins, in the file too; another class keeps its own."""
    other = store.find_class(store.open_class()[0])
    for room in (classroom, other):
        member, _ = join(store, room, "Ludmila")
        poll = store.polls.start(room, QUESTION)
        store.polls.vote(member, poll, 1, 0)
        store.guidance.collect(room, True)
        store.guidance.hand_in(member, PAPER, 0.9, "fashion_mnist")
    store.close_class(classroom)
    left = {"classrooms": 1, "members": 1, "polls": 1, "votes": 1, "hand_ins": 1}
    assert left == rows(store)
    store.close_class(other)
    store.dispose()
    assert b"Ludmila" not in b"".join(path.read_bytes() for path in tmp_path.glob("classes.sqlite"))


def test_leaving_deletes_a_member(store: ClassStore, classroom: int) -> None:
    """With their vote."""
    member, token = join(store, classroom, "Ada")
    poll = store.polls.start(classroom, QUESTION)
    store.polls.vote(member, poll, 1, 0)
    store.members.leave(member)
    assert store.members.find(token) is None
    assert store.polls.count_votes(poll, 1) == 0


def test_old_classes_are_closed(store: ClassStore, classroom: int) -> None:
    """Those opened before the given number of hours."""
    assert store.close_older(1) == 0
    assert store.close_older(-1) == 1
    assert store.news(classroom) is None


def test_the_overview_counts_pages_and_who_does_not_move(store: ClassStore, classroom: int) -> None:
    """Of members with an open page; nicknames of those who gave one."""
    ada, _ = join(store, classroom, "Ada")
    nameless, _ = join(store, classroom)
    join(store, classroom, "gone")
    store.members.mark_progress(ada, "learn/reduction.py", 3)
    store.members.mark_progress(nameless, "learn/reduction.py", 1)
    later = time() + membership.IDLE_S + 1
    assert store.members.overview(classroom, later).present == 0
    page = store.members.overview(classroom).pages[0]
    assert (page.page, page.members, page.nicknames) == ("learn/reduction.py", 2, ("Ada",))
    found = store.members.overview(classroom)
    assert (found.joined, found.present, found.idle, found.answers) == (3, 3, 0, 4)
    assert store.members.overview(classroom, time() + membership.PRESENT_S - 5).present == 3


def test_asking_for_news_is_presence_not_progress(
    store: ClassStore, classroom: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is open but not used is counted as idle."""
    _, token = join(store, classroom)
    later = time() + membership.IDLE_S + 30
    monkeypatch.setattr(membership, "time", lambda: later)
    store.members.mark_present([membership.token_hash(token), "unknown"])
    found = store.members.overview(classroom)
    assert (found.present, found.idle) == (1, 1)


def test_the_class_follows_the_teacher(store: ClassStore, classroom: int) -> None:
    """Each call is a new one, also to the same place; release ends it."""
    assert store.news(classroom).classroom.target is None
    before = store.version(classroom)
    store.guidance.lead(classroom, "explore/network.py", PAPER)
    first = store.news(classroom).classroom.target
    store.guidance.lead(classroom, "explore/network.py", PAPER)
    second = store.news(classroom).classroom.target
    assert (first.page, first.network) == ("explore/network.py", PAPER)
    assert second.number == first.number + 1
    assert store.version(classroom) > before
    store.guidance.release(classroom)
    assert store.news(classroom).classroom.target is None


def test_pages_are_closed_and_opened(store: ClassStore, classroom: int) -> None:
    """The news of the class change; the pages that any class closed are closed on the server, until that class ends."""
    before = store.version(classroom)
    store.guidance.close_pages(classroom, ["lab/train.py", "lab/search.py"])
    assert store.version(classroom) > before
    assert store.news(classroom).classroom.closed_pages == ("lab/train.py", "lab/search.py")
    other = store.find_class(store.open_class()[0])
    store.guidance.close_pages(other, ["learn/reduction.py"])
    assert store.guidance.closed_pages() == {"lab/train.py", "lab/search.py", "learn/reduction.py"}
    store.guidance.close_pages(classroom, [])
    assert store.guidance.closed_pages() == {"learn/reduction.py"}
    store.close_class(other)
    assert store.guidance.closed_pages() == frozenset()


@pytest.mark.parametrize("token", ["", "2.paper.@", "x" * 5_000, "2.no_such_preset"])
def test_no_place_has_a_network_that_cannot_be_read(store: ClassStore, classroom: int, token: str) -> None:
    """Neither where the teacher leads, nor what is handed in."""
    member, _ = join(store, classroom)
    store.guidance.collect(classroom, True)
    with pytest.raises(RefusedError, match="bad_network"):
        store.guidance.lead(classroom, "explore/network.py", token)
    with pytest.raises(RefusedError, match="bad_network"):
        store.guidance.hand_in(member, token)


def test_hand_ins_are_taken_while_they_are_asked_for(store: ClassStore, classroom: int) -> None:
    """The last one of a member counts; asking again begins with none."""
    member, _ = join(store, classroom, "Ada")
    with pytest.raises(RefusedError, match="closed"):
        store.guidance.hand_in(member, PAPER)
    store.guidance.collect(classroom, True)
    store.guidance.hand_in(member, PAPER)
    store.guidance.hand_in(member, PAPER, 0.875, "fashion_mnist")
    (found,) = store.guidance.hand_ins(classroom)
    assert found == ("Ada", PAPER, 0.875, "fashion_mnist")
    with pytest.raises(RefusedError, match="no_class"):
        store.guidance.hand_in(member + 99, PAPER)
    store.guidance.collect(classroom, True)
    assert store.guidance.hand_ins(classroom) == ()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://x@localhost/y", "not the address"),
        ("nonsense", "not the address"),
        ("postgresql+nodriver://x@localhost/y", "without its driver"),
        pytest.param(
            "postgresql+psycopg://x@127.0.0.1:1/y",
            "cannot be opened",
            marks=pytest.mark.skipif(find_spec("psycopg") is None, reason="needs requirements-cluster.txt"),
        ),
    ],
)
def test_a_database_that_cannot_be_used_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, problem: str
) -> None:
    """An address of another kind, a missing driver, a server that does not answer."""
    monkeypatch.setenv("EXPLORER_DATABASE", url)
    with pytest.raises(ClassError, match=problem):
        ClassStore(tmp_path)


def test_a_folder_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    """Such as one whose name a file has."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ClassError, match="cannot be opened"):
        ClassStore(tmp_path / "file")
