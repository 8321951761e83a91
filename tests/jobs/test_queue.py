"""The checker's queue and memory."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.jobs.inspection import ImportRequest
from explorer.jobs.queue import Pending
from explorer.jobs.requests import CheckReport
from tests.stage import MINI, PATIENCE_S, Stage, eventually, held, network, report


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose checkers are closed and whose children are gone at the end, whatever the test does."""
    with Stage(tmp_path) as stage:
        yield stage


def test_a_report_comes_later_and_is_then_known_at_once(stage: Stage) -> None:
    """The first request waits for nothing, and the same network is not checked again."""
    checker = stage.checker()
    assert checker.check(MINI, "ok") == Pending(ahead=0, retry_s=0.3)
    assert report(checker).device == "ok"
    assert checker.check(MINI, "ok").ok
    assert stage.asked() == [("ok", 10)]


def test_a_text_comes_the_same_way(stage: Stage) -> None:
    """torchinfo's text is another question about the same network."""
    checker = stage.checker()
    assert isinstance(checker.torchinfo(MINI), Pending)
    assert eventually(lambda: checker.torchinfo(MINI) if isinstance(checker.torchinfo(MINI), str) else "") == "a text"
    assert stage.asked() == [("torchinfo", 10)]


def test_twenty_sessions_with_the_same_networks_check_each_once(stage: Stage) -> None:
    """Twenty threads that ask for the same three networks get equal reports, and three checks take place."""
    checker = stage.checker()
    reports: list[CheckReport] = []

    def session(number: int) -> None:
        reports.extend(report(checker, classes=classes, session=f"session {number}") for classes in (10, 11, 12))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert len(reports) == 60
    assert set(reports) == {CheckReport(rows=1, device="ok")}
    assert sorted(stage.asked()) == [("ok", 10), ("ok", 11), ("ok", 12)]


def test_the_place_in_the_queue_can_be_read_and_is_kept(stage: Stage) -> None:
    """A request counts those before it, the running one included; asking again does not lose the place."""
    checker = held(stage)
    places = [checker.check(network(classes), "ok").ahead for classes in (11, 12, 11, 12)]
    assert places == [1, 2, 1, 2]
    assert checker.check(MINI, "wait").ahead == 0
    stage.gate.touch()
    assert report(checker, classes=12).ok
    assert stage.asked() == [("wait", 10), ("ok", 11), ("ok", 12)]


def test_a_newer_request_of_a_session_replaces_its_older_one(stage: Stage) -> None:
    """Only what the session wants now is checked; what has started, another kind or another session stays."""
    checker = held(stage)
    checker.check(network(11), "ok", "ann")
    checker.check(network(12), "ok", "ann")
    checker.check(network(12), "ok", "bob")
    checker.torchinfo(network(11), "ann")
    checker.check(network(13), "ok", "ann")
    stage.gate.touch()
    assert report(checker, classes=13, session="ann").ok
    assert stage.asked() == [("wait", 10), ("ok", 12), ("torchinfo", 11), ("ok", 13)]


def test_going_back_to_a_known_network_withdraws_too(stage: Stage) -> None:
    """After an undo nobody waits for the edit that was undone."""
    checker = stage.checker()
    known = report(checker, classes=9)
    checker.check(MINI, "wait")
    checker.check(network(11), "ok", "ann")
    assert checker.check(network(9), "ok", "ann") == known
    stage.gate.touch()
    assert report(checker, classes=12).ok
    assert ("ok", 11) not in stage.asked()


def test_the_queue_is_bounded_and_polling_gets_in_later(stage: Stage) -> None:
    """With no room a request is told that all others come first, and is taken when asked again."""
    checker = held(stage, max_queue=2)
    assert [checker.check(network(classes), "ok").ahead for classes in (11, 12, 13, 14)] == [1, 2, 3, 3]
    stage.gate.touch()
    assert report(checker, classes=12).ok
    assert {11, 12} == {classes for device, classes in stage.asked() if device == "ok"}
    assert report(checker, classes=14).ok


def test_the_memory_is_bounded(stage: Stage) -> None:
    """The report that was longest not asked for is forgotten first."""
    checker = stage.checker(max_results=2)
    for classes in (10, 11, 10, 12, 10, 11):  # 12 pushes 11 out; 10 stays, being asked for
        report(checker, classes=classes)
    assert [classes for _, classes in stage.asked()] == [10, 11, 12, 11]


def test_what_takes_long_waits_for_what_takes_a_moment(stage: Stage) -> None:
    """A long request that was asked first is overtaken, and told so."""
    checker = held(stage)
    slow = ImportRequest(path="/a/file", config=network(11))
    assert checker.submit(slow).ahead == 1
    assert checker.check(network(12), "ok").ahead == 1
    assert checker.submit(slow).ahead == 2
    stage.gate.touch()
    eventually(lambda: not isinstance(checker.submit(slow), Pending))
    assert stage.asked() == [("wait", 10), ("ok", 12), ("torchinfo", 11)]
