"""A stage for tests of the checker: a child that is told how to behave by the device's name in each request."""

import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil

from explorer import PRESETS, GoogLeNetConfig
from explorer.jobs.queue import JobQueue, Pending
from explorer.jobs.requests import CheckReport

MINI = PRESETS["mini"]
PATIENCE_S = 60  # for what takes a moment, on a machine that may be busy

# Notes "pid device" of each request in a log, then does what the device says. "wait" waits for the gate to be opened.
CHILD = """
import json, os, sys, time
log, gate = sys.argv[1:]
for line in sys.stdin:
    request = json.loads(line)
    device = request.get("device", "torchinfo")
    with open(log, "a") as file:
        print(os.getpid(), device, request["config"]["classes"], file=file)
    while device in ("wait", "die") and not os.path.exists(gate):
        time.sleep(0.01)
    if device == "die":
        os._exit(3)
    if device == "hang":
        time.sleep(1000)
    if device == "slow steps":
        for done in range(8):
            print(json.dumps({"done": done, "total": 8}), flush=True)
            time.sleep(0.2)
    if device == "steps":
        for done in range(3):
            print(json.dumps({"done": done, "total": 3, "message": "step"}), flush=True)
        while not os.path.exists(gate):
            time.sleep(0.01)
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
        self.made: list[JobQueue] = []

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        for checker in self.made:
            checker.close()
        assert not [child for child in self.children() if alive(child)]

    def checker(self, **options: Any) -> JobQueue:
        """Return a new checker, closed when the test ends."""
        checker = JobQueue((sys.executable, str(self.script), str(self.log), str(self.gate)), **options)
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


def report(checker: JobQueue, device: str = "ok", classes: int = 10, session: str = "") -> CheckReport:
    """Ask until the report is there."""

    def known() -> CheckReport | None:
        answer = checker.check(network(classes), device, session)
        return None if isinstance(answer, Pending) else answer

    return eventually(known)


def held(stage: Stage, **options: Any) -> JobQueue:
    """Return a checker whose child is busy until the gate opens."""
    checker = stage.checker(**options)
    checker.check(MINI, "wait")
    eventually(stage.asked)
    return checker
