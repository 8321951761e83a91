"""A job queue with a fake worker, for tests: the device in each request says how the worker behaves."""

import sys
from pathlib import Path
from typing import Any

from explorer import PRESETS, GoogLeNetConfig
from explorer.jobs.queue import JobQueue, Pending
from explorer.jobs.requests import CheckReport
from tests.processes import is_alive, wait_for

MINI = PRESETS["mini"]

# Logs the process id, device and number of classes of each request, then behaves as the device says. "wait" waits until
# the file "gate" exists.
SCRIPT = """
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
    if device == "steps":
        for done in range(3):
            print(json.dumps({"done": done, "total": 3, "message": "step"}), flush=True)
        while not os.path.exists(gate):
            time.sleep(0.01)
    if device == "garbage":
        print("this is not an answer", flush=True)
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


class FakeWorker:
    """Job queues with the fake worker, the log of the requests that it received, and the gate that it may wait for."""

    def __init__(self, folder: Path) -> None:
        self.log, self.gate, self.script = folder / "log", folder / "gate", folder / "worker.py"
        self.script.write_text(SCRIPT)
        self.log.touch()
        self.queues: list[JobQueue] = []

    def __enter__(self) -> "FakeWorker":
        return self

    def __exit__(self, *_: object) -> None:
        for queue in self.queues:
            queue.close()
        assert not [pid for pid in self.process_ids() if is_alive(pid)]

    @property
    def command(self) -> tuple[str, ...]:
        """The command that starts the worker."""
        return (sys.executable, str(self.script), str(self.log), str(self.gate))

    def queue(self, **options: Any) -> JobQueue:
        """Return a new queue, which is closed when the test ends."""
        queue = JobQueue(self.command, **options)
        self.queues.append(queue)
        return queue

    def busy_queue(self, **options: Any) -> JobQueue:
        """Return a new queue whose worker is busy until the gate opens."""
        queue = self.queue(**options)
        queue.check(MINI, "wait")
        wait_for(self.requests)
        return queue

    def requests(self) -> list[tuple[str, int]]:
        """Return device and number of classes of each request that a worker received."""
        return [(line.rsplit(" ", 1)[0].split(" ", 1)[1], int(line.split()[-1])) for line in self._lines()]

    def process_ids(self) -> list[int]:
        """Return the ids of the processes that received requests, in order, each once."""
        return list(dict.fromkeys(int(line.split()[0]) for line in self._lines()))

    def _lines(self) -> list[str]:
        return self.log.read_text().splitlines()


def network(classes: int) -> GoogLeNetConfig:
    """Return a network that differs from others by its number of classes."""
    return MINI.replace(classes=classes)


def wait_for_report(queue: JobQueue, device: str = "ok", classes: int = 10, session: str = "") -> CheckReport:
    """Submit a check until its report is there."""

    def report() -> CheckReport | None:
        result = queue.check(network(classes), device, session)
        return None if isinstance(result, Pending) else result

    return wait_for(report)
