"""The job queue: the order of requests, the sessions that wait, and the memory of results."""

import threading

from explorer.jobs.inspection import ImportRequest
from explorer.jobs.job import Failure
from explorer.jobs.queue import Pending
from explorer.jobs.requests import CheckReport
from tests.jobs.fake_worker import MINI, FakeWorker, network, wait_for_report
from tests.processes import WAIT_S, wait_for


def test_a_report_is_pending_and_then_remembered(worker: FakeWorker) -> None:
    """The first request waits for nothing, and the same network is not checked again."""
    queue = worker.queue()
    assert queue.check(MINI, "ok") == Pending(ahead=0, retry_s=0.3)
    assert wait_for_report(queue).device == "ok"
    assert queue.check(MINI, "ok").ok
    assert worker.requests() == [("ok", 10)]


def test_torchinfos_text_is_another_request(worker: FakeWorker) -> None:
    """Its result is a text."""
    queue = worker.queue()
    assert isinstance(queue.torchinfo(MINI), Pending)
    assert wait_for(lambda: queue.torchinfo(MINI) if isinstance(queue.torchinfo(MINI), str) else "") == "a text"
    assert worker.requests() == [("torchinfo", 10)]


def test_twenty_sessions_with_the_same_networks_check_each_once(worker: FakeWorker) -> None:
    """Twenty threads that ask for the same three networks get equal reports, and three checks take place."""
    queue = worker.queue()
    reports: list[CheckReport] = []

    def session(number: int) -> None:
        reports.extend(wait_for_report(queue, classes=classes, session=f"session {number}") for classes in (10, 11, 12))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert len(reports) == 60
    assert set(reports) == {CheckReport(rows=1, device="ok")}
    assert sorted(worker.requests()) == [("ok", 10), ("ok", 11), ("ok", 12)]


def test_submitting_again_keeps_the_position(worker: FakeWorker) -> None:
    """``ahead`` counts the requests before, including the running one."""
    queue = worker.busy_queue()
    positions = [queue.check(network(classes), "ok").ahead for classes in (11, 12, 11, 12)]
    assert positions == [1, 2, 1, 2]
    assert queue.check(MINI, "wait").ahead == 0
    worker.gate.touch()
    assert wait_for_report(queue, classes=12).ok
    assert worker.requests() == [("wait", 10), ("ok", 11), ("ok", 12)]


def test_a_new_request_of_a_session_replaces_its_older_one(worker: FakeWorker) -> None:
    """Only the newest network is checked; a running request, another kind or another session stays."""
    queue = worker.busy_queue()
    queue.check(network(11), "ok", "ann")
    queue.check(network(12), "ok", "ann")
    queue.check(network(12), "ok", "bob")
    queue.torchinfo(network(11), "ann")
    queue.check(network(13), "ok", "ann")
    worker.gate.touch()
    assert wait_for_report(queue, classes=13, session="ann").ok
    assert worker.requests() == [("wait", 10), ("ok", 12), ("torchinfo", 11), ("ok", 13)]


def test_a_remembered_result_replaces_an_older_request_too(worker: FakeWorker) -> None:
    """After an undo, the network before the undo is not checked."""
    queue = worker.queue()
    remembered = wait_for_report(queue, classes=9)
    queue.check(MINI, "wait")
    queue.check(network(11), "ok", "ann")
    assert queue.check(network(9), "ok", "ann") == remembered
    worker.gate.touch()
    assert wait_for_report(queue, classes=12).ok
    assert ("ok", 11) not in worker.requests()


def test_the_queue_is_bounded(worker: FakeWorker) -> None:
    """Without room, all others are ahead of a request; it enters the queue when it is submitted again."""
    queue = worker.busy_queue(max_queue=2)
    assert [queue.check(network(classes), "ok").ahead for classes in (11, 12, 13, 14)] == [1, 2, 3, 3]
    worker.gate.touch()
    assert wait_for_report(queue, classes=12).ok
    assert {11, 12} == {classes for device, classes in worker.requests() if device == "ok"}
    assert wait_for_report(queue, classes=14).ok


def test_the_memory_is_bounded(worker: FakeWorker) -> None:
    """The least recently requested report is forgotten first."""
    queue = worker.queue(max_results=2)
    for classes in (10, 11, 10, 12, 10, 11):  # 12 replaces 11; 10 stays, because it was requested again
        wait_for_report(queue, classes=classes)
    assert [classes for _, classes in worker.requests()] == [10, 11, 12, 11]


def test_a_slow_request_waits_for_quick_ones(worker: FakeWorker) -> None:
    """A quick request overtakes it, and its position says so."""
    queue = worker.busy_queue()
    slow = ImportRequest(path="/a/file", config=network(11))
    assert queue.submit(slow).ahead == 1
    assert queue.check(network(12), "ok").ahead == 1
    assert queue.submit(slow).ahead == 2
    worker.gate.touch()
    result = wait_for(lambda: None if isinstance(answer := queue.submit(slow), Pending) else answer)
    assert result == Failure(reason="The worker process answered another request.")
    assert worker.requests() == [("wait", 10), ("ok", 12), ("torchinfo", 11)]
