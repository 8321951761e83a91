"""The checker and its child: how it may fail, be replaced, and end."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import psutil
import pytest

from explorer.jobs import queue as module
from explorer.jobs.queue import JobQueue, Pending
from explorer.jobs.worker import NICE
from tests.stage import MINI, PATIENCE_S, Stage, alive, eventually, held, network, report


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose checkers are closed and whose children are gone at the end, whatever the test does."""
    with Stage(tmp_path) as stage:
        yield stage


def test_a_child_that_is_killed_is_reported_and_replaced(stage: Stage) -> None:
    """Killed in the middle of a request, as when memory runs out."""
    checker = held(stage)
    psutil.Process(stage.children()[0]).kill()
    failed = report(checker, "wait")
    assert failed.failed
    assert "ended without an answer" in failed.note
    assert report(checker).ok
    assert len(stage.children()) == 2


def test_a_child_that_hangs_is_stopped(stage: Stage) -> None:
    """After the time that a request may take, the report says so."""
    failed = report(stage.checker(timeout_s=0.5), "hang")
    assert failed.failed
    assert "longer than 0.5 seconds" in failed.note


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ("garbage", "something that is not an answer"),
        ("flood", "without an answer"),
        ("other kind", "answered another request"),
        ("error", "It cannot be."),
    ],
)
def test_a_wrong_answer_becomes_a_plain_message(stage: Stage, device: str, told: str) -> None:
    """Whatever the child says, the reader gets a sentence, and the next request an answer."""
    checker = stage.checker()
    failed = report(checker, device)
    assert failed.failed
    assert told in failed.note
    assert report(checker).ok


def test_a_child_that_cannot_start_becomes_a_plain_message(tmp_path: Path) -> None:
    """The command is missing altogether."""
    checker = JobQueue((str(tmp_path / "no such program"),))
    note = report(checker).note
    assert "could not be checked" in note
    assert note.endswith("could not be started or reached; the server's log has the details.")
    checker.close()


def test_a_failure_is_remembered_for_a_while_only(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who polls sees the failure; who comes later gets a new try."""
    checker = stage.checker(failure_s=60)
    stage.gate.touch()
    assert report(checker, "die").failed
    assert checker.check(MINI, "die").failed
    assert len(stage.asked()) == 1
    monkeypatch.setattr(module, "monotonic", lambda: monotonic() + 61)
    assert isinstance(checker.check(MINI, "die"), Pending)
    eventually(lambda: len(stage.asked()) == 2)


def test_a_child_that_has_grown_is_replaced(stage: Stage) -> None:
    """When it says so itself, its answer still counts."""
    checker = stage.checker()
    assert report(checker, "retire").ok
    assert report(checker).ok
    assert len(stage.children()) == 2


def test_an_idle_child_gives_its_memory_back(stage: Stage) -> None:
    """It ends after a while without requests, and the next one starts another."""
    checker = stage.checker(idle_s=0.1)
    assert report(checker).ok
    eventually(lambda: not alive(stage.children()[0]))
    assert report(checker, classes=11).ok
    assert len(stage.children()) == 2


def test_closing_ends_the_child_at_once(stage: Stage) -> None:
    """Also in the middle of a request; later requests get a sentence, and what is known stays known."""
    checker = stage.checker()
    known = report(checker)
    checker.check(MINI, "wait")
    eventually(lambda: len(stage.asked()) == 2)
    checker.close()
    assert not alive(stage.children()[0])
    assert checker.check(MINI, "ok") == known
    assert "shutting down" in checker.check(network(11), "ok").note
    checker.close()


def test_leaving_python_ends_the_child(stage: Stage) -> None:
    """A server that forgets to close its checker leaves no process behind."""
    code = f"""
        import sys, time
        from explorer import PRESETS
        from explorer.jobs.queue import JobQueue
        checker = JobQueue((sys.executable, {str(stage.script)!r}, {str(stage.log)!r}, {str(stage.gate)!r}))
        while not hasattr(checker.check(PRESETS["mini"], "ok"), "ok"):
            time.sleep(0.01)
        checker.check(PRESETS["mini"], "hang")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=PATIENCE_S)
    assert len(stage.children()) == 1


def test_a_server_with_the_real_child_never_loads_torch_and_takes_it_along() -> None:
    """The whole path: a real report and text without torch in the server; the server is killed, and the child goes."""
    code = """
        import json, sys, time
        import psutil
        from explorer import PRESETS
        from explorer.jobs.queue import JobQueue, Pending
        checker = JobQueue(timeout_s=600)
        def known(ask):
            while isinstance(answer := ask(PRESETS["mini"]), Pending):
                time.sleep(0.05)
            return answer
        found = [known(checker.check).ok, known(checker.torchinfo)[:9], "torch" in sys.modules]
        print(json.dumps([*found, *((child.pid, child.nice()) for child in psutil.Process().children())]), flush=True)
        checker.check(PRESETS["paper"])
        time.sleep(1000)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as server:
        ok, text, torch_loaded, (child, priority) = json.loads(server.stdout.readline())
        server.kill()
    assert (ok, text, torch_loaded) == (True, "torchinfo", False)
    assert sys.platform == "win32" or priority == min(os.nice(0) + NICE, 19)
    eventually(lambda: not alive(child))
