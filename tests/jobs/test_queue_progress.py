"""The job queue and long requests: their progress, and how they are cancelled."""

import pytest

from explorer.jobs.process import ChildProcess
from explorer.jobs.requests import CheckRequest
from tests.jobs.fake_worker import MINI, FakeWorker, network, wait_for_report
from tests.processes import is_alive, wait_for


def check_request(classes: int, device: str) -> CheckRequest:
    """Return the request that ``queue.check(network(classes), device)`` submits."""
    return CheckRequest(config=network(classes), device=device)


def test_the_progress_of_the_running_request_is_reported(worker: FakeWorker) -> None:
    """The next request starts without it."""
    queue = worker.queue()
    progress = wait_for(lambda: (p := queue.check(MINI, "steps").progress) and p.done == 2 and p)
    assert (progress.total, progress.message) == (3, "step")
    worker.gate.touch()
    assert wait_for_report(queue, "steps").ok
    worker.gate.unlink()
    queue.check(network(11), "wait")
    wait_for(lambda: ("wait", 11) in worker.requests())
    assert queue.check(network(11), "wait").progress is None
    worker.gate.touch()


def test_the_timeout_starts_again_with_each_progress(worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that reports progress may take longer in total: the queue waits that long for each line."""
    waits, read_line = [], ChildProcess.read_line

    def record(child: ChildProcess, timeout_s: float, max_bytes: int) -> bytes:
        waits.append(timeout_s)
        return read_line(child, timeout_s, max_bytes)

    monkeypatch.setattr(ChildProcess, "read_line", record)
    worker.gate.touch()
    assert wait_for_report(worker.queue(timeout_s=123), "steps").ok
    assert [123] * 4 == waits
    waits.clear()
    monkeypatch.setattr(CheckRequest, "longest_step_s", 200)
    assert wait_for_report(worker.queue(timeout_s=124), "steps").ok
    assert [200] * 4 == waits, "a request that may go longer without progress"


def test_cancelling_kills_the_running_request(worker: FakeWorker) -> None:
    """The worker is killed, and nothing is remembered: the next request tries again."""
    queue = worker.busy_queue()
    queue.cancel(check_request(10, "wait"))
    wait_for(lambda: not is_alive(worker.process_ids()[0]))
    worker.gate.touch()
    assert wait_for_report(queue, "wait").ok
    assert len(worker.process_ids()) == 2


def test_cancelling_leaves_requests_that_other_sessions_wait_for(worker: FakeWorker) -> None:
    """Neither the running request nor one in the queue is lost."""
    queue = worker.busy_queue()
    for session in ("ann", "bob"):
        queue.check(network(11), "ok", session)
    queue.check(network(10), "wait", "cleo")
    for request, session in ((check_request(11, "ok"), "ann"), (check_request(10, "wait"), "cleo")):
        queue.cancel(request, session)
    worker.gate.touch()
    assert wait_for_report(queue, "wait").ok
    assert wait_for_report(queue, classes=11).ok
    assert worker.requests() == [("wait", 10), ("ok", 11)]
    assert len(worker.process_ids()) == 1


def test_a_forgotten_result_is_computed_again(worker: FakeWorker) -> None:
    """Forgetting an unknown result does nothing."""
    queue = worker.queue()
    assert wait_for_report(queue).ok
    queue.forget(check_request(10, "ok"))
    queue.forget(check_request(11, "ok"))
    assert wait_for_report(queue).ok
    assert worker.requests() == [("ok", 10), ("ok", 10)]


def test_cancelling_removes_a_request_from_the_queue(worker: FakeWorker) -> None:
    """It never starts; cancelling an unknown request does nothing."""
    queue = worker.busy_queue()
    queue.check(network(11), "ok", "ann")
    queue.cancel(check_request(11, "ok"), "ann")
    queue.cancel(check_request(12, "ok"), "ann")
    worker.gate.touch()
    assert wait_for_report(queue, "wait").ok
    assert wait_for_report(queue, classes=13).ok
    assert worker.requests() == [("wait", 10), ("ok", 13)]
