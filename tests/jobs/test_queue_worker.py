"""The job queue and its worker process: how the worker can fail, be replaced, and end."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from time import monotonic

import psutil
import pytest

from explorer.jobs import queue as queue_module
from explorer.jobs.queue import JobQueue, Pending
from explorer.jobs.worker import NICE
from tests.jobs.fake_worker import MINI, FakeWorker, network, wait_for_report
from tests.processes import WAIT_S, environment_with_priorities, is_alive, wait_for


def test_a_killed_worker_is_reported_and_replaced(worker: FakeWorker) -> None:
    """Killed during a request, as when memory runs out."""
    queue = worker.busy_queue()
    psutil.Process(worker.process_ids()[0]).kill()
    report = wait_for_report(queue, "wait")
    assert report.failed
    assert "ended without an answer" in report.note
    assert wait_for_report(queue).ok
    assert len(worker.process_ids()) == 2


def test_a_hanging_worker_is_killed(worker: FakeWorker) -> None:
    """After the timeout, the report says so."""
    report = wait_for_report(worker.queue(timeout_s=0.5), "hang")
    assert report.failed
    assert "longer than 0.5 seconds" in report.note


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("garbage", "something that is not an answer"),
        ("flood", "without an answer"),
        ("other kind", "answered another request"),
        ("error", "It cannot be."),
    ],
)
def test_a_wrong_answer_becomes_a_sentence(worker: FakeWorker, device: str, message: str) -> None:
    """Whatever the worker prints, the user sees a sentence, and the next request has a result."""
    queue = worker.queue()
    report = wait_for_report(queue, device)
    assert report.failed
    assert message in report.note
    assert wait_for_report(queue).ok


def test_a_worker_that_cannot_start_becomes_a_sentence(tmp_path: Path) -> None:
    """The command does not exist."""
    queue = JobQueue((str(tmp_path / "no such program"),))
    note = wait_for_report(queue).note
    assert "could not be checked" in note
    assert note.endswith("could not be started or reached; the server's log has the details.")
    queue.close()


def test_a_failure_is_remembered_for_a_limited_time(worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that polls sees the failure; a later request tries again."""
    queue = worker.queue(failure_s=60)
    worker.gate.touch()
    assert wait_for_report(queue, "die").failed
    assert queue.check(MINI, "die").failed
    assert len(worker.requests()) == 1
    monkeypatch.setattr(queue_module, "monotonic", lambda: monotonic() + 61)
    assert isinstance(queue.check(MINI, "die"), Pending)
    wait_for(lambda: len(worker.requests()) == 2)


def test_a_worker_that_has_grown_is_replaced(worker: FakeWorker) -> None:
    """It asks to be replaced, and its answer still counts."""
    queue = worker.queue()
    assert wait_for_report(queue, "retire").ok
    assert wait_for_report(queue).ok
    assert len(worker.process_ids()) == 2


def test_an_idle_worker_is_ended(worker: FakeWorker) -> None:
    """After some time without requests; the next request starts another one."""
    queue = worker.queue(idle_s=0.1)
    assert wait_for_report(queue).ok
    wait_for(lambda: not is_alive(worker.process_ids()[0]))
    assert wait_for_report(queue, classes=11).ok
    assert len(worker.process_ids()) == 2


def test_closing_kills_the_worker_at_once(worker: FakeWorker) -> None:
    """Also during a request; later requests fail with a sentence, and remembered results stay."""
    queue = worker.queue()
    remembered = wait_for_report(queue)
    queue.check(MINI, "wait")
    wait_for(lambda: len(worker.requests()) == 2)
    queue.close()
    assert not is_alive(worker.process_ids()[0])
    assert queue.check(MINI, "ok") == remembered
    assert "shutting down" in queue.check(network(11), "ok").note
    queue.close()


def test_the_worker_ends_when_python_exits(worker: FakeWorker) -> None:
    """Also if the server does not close its queue."""
    code = f"""
        import time
        from explorer import PRESETS
        from explorer.jobs.queue import JobQueue
        queue = JobQueue({worker.command!r})
        while not hasattr(queue.check(PRESETS["mini"], "ok"), "ok"):
            time.sleep(0.01)
        queue.check(PRESETS["mini"], "hang")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=WAIT_S)
    assert len(worker.process_ids()) == 1


@pytest.mark.slow
def test_the_real_worker_answers_and_ends_with_its_server() -> None:
    """A real report and text, without torch in the server; when the server is killed, the worker ends."""
    code = """
        import json, sys, time
        import psutil
        from explorer import PRESETS
        from explorer.jobs.queue import JobQueue, Pending
        queue = JobQueue(timeout_s=600)
        def result(request):
            while isinstance(answer := request(PRESETS["mini"]), Pending):
                time.sleep(0.05)
            return answer
        found = [result(queue.check).ok, result(queue.torchinfo)[:9], "torch" in sys.modules]
        print(json.dumps([*found, *((child.pid, child.nice()) for child in psutil.Process().children())]), flush=True)
        queue.check(PRESETS["paper"])
        time.sleep(1000)
    """
    command, environment = [sys.executable, "-c", textwrap.dedent(code)], environment_with_priorities()
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as server:
        ok, text, torch_loaded, (worker, priority) = json.loads(server.stdout.readline())
        server.kill()
    assert (ok, text, torch_loaded) == (True, "torchinfo", False)
    assert sys.platform == "win32" or priority == min(os.nice(0) + NICE, 19)
    wait_for(lambda: not is_alive(worker))
