"""What the checker does for long requests: progress while they run, and an end when nobody wants them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.jobs.requests import CheckRequest
from tests.stage import MINI, Stage, alive, eventually, held, network, report


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose checkers are closed and whose children are gone at the end, whatever the test does."""
    with Stage(tmp_path) as stage:
        yield stage


def wanted(classes: int, device: str) -> CheckRequest:
    """Return the request behind ``checker.request(network(classes), device)``."""
    return CheckRequest(config=network(classes), device=device)


def test_progress_is_seen_while_it_works(stage: Stage) -> None:
    """Whoever asks meanwhile learns how far it is; the next request starts without it."""
    checker = stage.checker()
    seen = eventually(lambda: (p := checker.check(MINI, "steps").progress) and p.done == 2 and p)
    assert (seen.total, seen.message) == (3, "step")
    stage.gate.touch()
    assert report(checker, "steps").ok
    stage.gate.unlink()
    checker.check(network(11), "wait")
    eventually(lambda: ("wait", 11) in stage.asked())
    assert checker.check(network(11), "wait").progress is None
    stage.gate.touch()


def test_who_makes_progress_may_take_longer(stage: Stage) -> None:
    """The time runs from the last word on, not from the first."""
    assert report(stage.checker(timeout_s=1.2), "slow steps").ok


def test_cancelling_stops_what_runs_and_is_not_remembered(stage: Stage) -> None:
    """The child is killed, and the next to ask gets a new try."""
    checker = held(stage)
    checker.cancel(wanted(10, "wait"))
    eventually(lambda: not alive(stage.children()[0]))
    stage.gate.touch()
    assert report(checker, "wait").ok
    assert len(stage.children()) == 2


def test_cancelling_leaves_what_others_wait_for(stage: Stage) -> None:
    """Neither the running request nor a queued one is lost while another session wants it."""
    checker = held(stage)
    for session in ("ann", "bob"):
        checker.check(network(11), "ok", session)
    checker.check(network(10), "wait", "cleo")
    for request, session in ((wanted(11, "ok"), "ann"), (wanted(10, "wait"), "cleo")):
        checker.cancel(request, session)
    stage.gate.touch()
    assert report(checker, "wait").ok
    assert report(checker, classes=11).ok
    assert stage.asked() == [("wait", 10), ("ok", 11)]
    assert len(stage.children()) == 1


def test_what_is_forgotten_is_measured_again(stage: Stage) -> None:
    """And forgetting what is not known changes nothing."""
    checker = stage.checker()
    assert report(checker).ok
    checker.forget(wanted(10, "ok"))
    checker.forget(wanted(11, "ok"))
    assert report(checker).ok
    assert stage.asked() == [("ok", 10), ("ok", 10)]


def test_cancelling_takes_a_request_out_of_the_queue(stage: Stage) -> None:
    """It is never started; cancelling what nobody asked for changes nothing."""
    checker = held(stage)
    checker.check(network(11), "ok", "ann")
    checker.cancel(wanted(11, "ok"), "ann")
    checker.cancel(wanted(12, "ok"), "ann")
    stage.gate.touch()
    assert report(checker, "wait").ok
    assert report(checker, classes=13).ok
    assert stage.asked() == [("wait", 10), ("ok", 13)]
