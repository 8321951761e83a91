"""The checker: queue, memory and child. Most tests use a child that is told how to behave by the device's name."""

import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import pytest

from explorer import PRESETS, GoogLeNetConfig
from explorer.live import checker as module
from explorer.live.check_worker import NICE
from explorer.live.checker import Checker, Pending
from explorer.live.report import CheckReport

MINI = PRESETS["mini"]
PATIENCE_S = 60  # for what takes a moment, on a machine that may be busy

# Notes "pid device" of each request in a log, then does what the device says. "wait" waits for the gate to be opened.
CHILD = """
import json, os, sys, time
log, gate = sys.argv[1:]
for line in sys.stdin:
    request = json.loads(line)
    device = request["device"]
    with open(log, "a") as file:
        print(os.getpid(), device, request["config"]["classes"], file=file)
    while device in ("wait", "die") and not os.path.exists(gate):
        time.sleep(0.01)
    if device == "die":
        os._exit(3)
    if device == "hang":
        time.sleep(1000)
    if device == "garbage":
        print("this is no answer", flush=True)
    elif device == "flood":
        while True:
            sys.stdout.write("x" * 1_000_000)
    elif device == "error":
        print(json.dumps({"error": "It cannot be."}), flush=True)
    elif device == "other kind":
        print(json.dumps({"result": "a text"}), flush=True)
    elif request["kind"] == "torchinfo":
        print(json.dumps({"result": "a text"}), flush=True)
    else:
        print(json.dumps({"result": {"rows": 1, "device": device}, "retire": device == "retire"}), flush=True)
"""


class Stage:
    """A checker with the obedient child, the log of what the child was asked, and the gate it may wait at."""

    def __init__(self, folder: Path) -> None:
        self.log, self.gate, self.script = folder / "log", folder / "gate", folder / "child.py"
        self.script.write_text(CHILD)
        self.log.touch()
        self.made: list[Checker] = []

    def checker(self, **options: Any) -> Checker:
        """Return a new checker, closed when the test ends."""
        checker = Checker((sys.executable, str(self.script), str(self.log), str(self.gate)), **options)
        self.made.append(checker)
        return checker

    def asked(self) -> list[tuple[str, int]]:
        """Return device and classes of each request that reached a child."""
        return [(line.rsplit(" ", 1)[0].split(" ", 1)[1], int(line.split()[-1])) for line in self._lines()]

    def children(self) -> list[int]:
        """Return the ids of the processes that were asked, in order, each once."""
        return list(dict.fromkeys(int(line.split()[0]) for line in self._lines()))

    def _lines(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose checkers are closed and whose children are gone at the end, whatever the test does."""
    stage = Stage(tmp_path)
    yield stage
    for checker in stage.made:
        checker.close()
    assert not [child for child in stage.children() if alive(child)]


def alive(pid: int) -> bool:
    """Whether a process still runs; one that ended and was not yet collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds and return what it gave."""
    end = monotonic() + PATIENCE_S
    while not (value := condition()):
        assert monotonic() < end, "it did not happen"
        sleep(0.01)
    return value


def network(classes: int) -> GoogLeNetConfig:
    """Return a network that differs from others by its number of classes."""
    return MINI.replace(classes=classes)


def report(checker: Checker, device: str = "ok", classes: int = 10, session: str = "") -> CheckReport:
    """Ask until the report is there."""

    def known() -> CheckReport | None:
        answer = checker.request(network(classes), device, session)
        return None if isinstance(answer, Pending) else answer

    return eventually(known)


def test_a_report_comes_later_and_is_then_known_at_once(stage: Stage) -> None:
    """The first request waits for nothing, and the same network is not checked again."""
    checker = stage.checker()
    assert checker.request(MINI, "ok") == Pending(ahead=0, retry_s=0.3)
    assert report(checker).device == "ok"
    assert checker.request(MINI, "ok").ok
    assert stage.asked() == [("ok", 10)]


def test_a_text_comes_the_same_way(stage: Stage) -> None:
    """torchinfo's text is another question about the same network."""
    checker = stage.checker()
    assert isinstance(checker.torchinfo(MINI), Pending)
    assert eventually(lambda: checker.torchinfo(MINI) if isinstance(checker.torchinfo(MINI), str) else "") == "a text"
    assert stage.asked() == [("meta", 10)]


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


def held(stage: Stage, **options: Any) -> Checker:
    """Return a checker whose child is busy until the gate opens."""
    checker = stage.checker(**options)
    checker.request(MINI, "wait")
    eventually(stage.asked)
    return checker


def test_the_place_in_the_queue_can_be_read_and_is_kept(stage: Stage) -> None:
    """A request counts those before it, the running one included; asking again does not lose the place."""
    checker = held(stage)
    places = [checker.request(network(classes), "ok").ahead for classes in (11, 12, 11, 12)]
    assert places == [1, 2, 1, 2]
    assert checker.request(MINI, "wait").ahead == 0
    stage.gate.touch()
    assert report(checker, classes=12).ok
    assert stage.asked() == [("wait", 10), ("ok", 11), ("ok", 12)]


def test_a_newer_request_of_a_session_replaces_its_older_one(stage: Stage) -> None:
    """Only what the session wants now is checked; what has started, another kind or another session stays."""
    checker = held(stage)
    checker.request(network(11), "ok", "ann")
    checker.request(network(12), "ok", "ann")
    checker.request(network(12), "ok", "bob")
    checker.torchinfo(network(11), "ann")
    checker.request(network(13), "ok", "ann")
    stage.gate.touch()
    assert report(checker, classes=13, session="ann").ok
    assert stage.asked() == [("wait", 10), ("ok", 12), ("meta", 11), ("ok", 13)]


def test_going_back_to_a_known_network_withdraws_too(stage: Stage) -> None:
    """After an undo nobody waits for the edit that was undone."""
    checker = stage.checker()
    known = report(checker, classes=9)
    checker.request(MINI, "wait")
    checker.request(network(11), "ok", "ann")
    assert checker.request(network(9), "ok", "ann") == known
    stage.gate.touch()
    assert report(checker, classes=12).ok
    assert ("ok", 11) not in stage.asked()


def test_the_queue_is_bounded_and_polling_gets_in_later(stage: Stage) -> None:
    """With no room a request is told that all others come first, and is taken when asked again."""
    checker = held(stage, max_queue=2)
    assert [checker.request(network(classes), "ok").ahead for classes in (11, 12, 13, 14)] == [1, 2, 3, 3]
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
        ("garbage", "something that is no answer"),
        ("flood", "without an answer"),
        ("other kind", "another question"),
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
    checker = Checker((str(tmp_path / "no such program"),))
    assert "could not be checked" in report(checker).note
    checker.close()


def test_a_failure_is_remembered_for_a_while_only(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who polls sees the failure; who comes later gets a new try."""
    checker = stage.checker(failure_s=60)
    stage.gate.touch()
    assert report(checker, "die").failed
    assert checker.request(MINI, "die").failed
    assert len(stage.asked()) == 1
    monkeypatch.setattr(module, "monotonic", lambda: monotonic() + 61)
    assert isinstance(checker.request(MINI, "die"), Pending)
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
    checker.request(MINI, "wait")
    eventually(lambda: len(stage.asked()) == 2)
    checker.close()
    assert not alive(stage.children()[0])
    assert checker.request(MINI, "ok") == known
    assert "shutting down" in checker.request(network(11), "ok").note
    checker.close()


def test_leaving_python_ends_the_child(stage: Stage) -> None:
    """A server that forgets to close its checker leaves no process behind."""
    code = f"""
        import sys, time
        from explorer import PRESETS
        from explorer.live.checker import Checker
        checker = Checker((sys.executable, {str(stage.script)!r}, {str(stage.log)!r}, {str(stage.gate)!r}))
        while not hasattr(checker.request(PRESETS["mini"], "ok"), "ok"):
            time.sleep(0.01)
        checker.request(PRESETS["mini"], "hang")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=PATIENCE_S)
    assert len(stage.children()) == 1


def test_a_server_with_the_real_child_never_loads_torch_and_takes_it_along() -> None:
    """The whole path: a real report and text without torch in the server; the server is killed, and the child goes."""
    code = """
        import json, sys, time
        import psutil
        from explorer import PRESETS
        from explorer.live.checker import Checker, Pending
        checker = Checker(timeout_s=600)
        def known(ask):
            while isinstance(answer := ask(PRESETS["mini"]), Pending):
                time.sleep(0.05)
            return answer
        found = [known(checker.request).ok, known(checker.torchinfo)[:9], "torch" in sys.modules]
        print(json.dumps([*found, *((child.pid, child.nice()) for child in psutil.Process().children())]), flush=True)
        checker.request(PRESETS["paper"])
        time.sleep(1000)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE) as server:
        ok, text, torch_loaded, (child, priority) = json.loads(server.stdout.readline())
        server.kill()
    assert (ok, text, torch_loaded) == (True, "torchinfo", False)
    assert priority == NICE or sys.platform == "win32"
    eventually(lambda: not alive(child))
