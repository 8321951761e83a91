"""The server's queue of requests to one worker process, and the memory of its results. Free of torch.

In the server's own threads PyTorch would hold Python's lock and slow every edit; in a child process of low priority it
does not. One thread here passes one request at a time to the worker (:mod:`explorer.jobs.worker`) and sleeps while it
works. If the worker fails or dies, the result is a Failure with the reason, and the next request starts a new worker.
"""

import atexit
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from math import inf
from time import monotonic
from typing import Any, NamedTuple

from pydantic import ValidationError

from explorer.config import GoogLeNetConfig
from explorer.errors import UserError
from explorer.jobs.job import Failure, JobRequest, Progress, R
from explorer.jobs.process import ChildProcess
from explorer.jobs.protocol import LINE, Answer
from explorer.jobs.requests import CheckReport, CheckRequest, TorchinfoRequest

WORKER = (sys.executable, "-m", "explorer.jobs.worker")
INSPECTION_WORKER = (*WORKER, "500")  # a second process, which keeps networks in memory: it may grow by 500 MB
_MAX_LINE = 10_000_000  # bytes


class Pending(NamedTuple):
    """There is no result yet: ``ahead`` other requests come first. Submit again in about ``retry_s`` seconds.

    ``progress`` is the progress of a running request, if its kind reports any.
    """

    ahead: int
    retry_s: float
    progress: Progress | None = None


class WorkerError(UserError):
    """The worker process gave no answer."""


class JobQueue:
    """Passes requests to one worker process and remembers the results. One per server; safe from any thread.

    ``timeout_s``: seconds without progress after which the worker is killed, unless a request may take longer.
    ``idle_s``: seconds without a request after which the worker is ended, to free its memory. ``failure_s``: seconds
    for which a failure is remembered; after that the next request tries again.
    """

    def __init__(
        self,
        command: Sequence[str] = WORKER,
        *,
        timeout_s: float = 60,
        idle_s: float = 300,
        failure_s: float = 60,
        max_results: int = 256,
        max_queue: int = 256,
    ) -> None:
        self._command, self._timeout_s, self._idle_s, self._failure_s = command, timeout_s, idle_s, failure_s
        self._max_results, self._max_queue = max_results, max_queue
        self._changed = threading.Condition()  # guards all that follows
        self._results: OrderedDict[JobRequest[Any], tuple[Any, float]] = OrderedDict()  # with the time they expire
        self._queue: OrderedDict[JobRequest[Any], set[str]] = OrderedDict()  # with the sessions that wait for it
        self._running: JobRequest[Any] | None = None
        self._running_sessions: set[str] = set()  # that wait for the running request
        self._cancelled = False  # no session waits for the running request any more
        self._progress: Progress | None = None
        self._thread: threading.Thread | None = None
        self._worker: ChildProcess | None = None
        self._closed = False
        self._average_s = 1.0  # that a request takes
        atexit.register(self.close)

    def check(self, config: GoogLeNetConfig, device: str = "auto", session: str = "") -> CheckReport | Pending:
        """Return the report on a network, or why there is none, as :meth:`submit` does."""
        result = self.submit(CheckRequest(config=config, device=device), session)
        if isinstance(result, Failure):
            return CheckReport(note=f"The live network could not be checked. {result.reason}")
        return result

    def torchinfo(self, config: GoogLeNetConfig, session: str = "") -> str | Pending:
        """Return torchinfo's summary of a network, or why there is none, as :meth:`submit` does."""
        result = self.submit(TorchinfoRequest(config=config), session)
        return f"torchinfo's summary could not be made. {result.reason}" if isinstance(result, Failure) else result

    def submit(self, request: JobRequest[R], session: str = "") -> R | Failure | Pending:
        """Return the result of a request if it is known; otherwise put the request in the queue. Never waits.

        A session waits for one request of each kind at a time: a new one replaces its older one, unless that is
        running. An empty ``session`` may wait for any number. Submitting again keeps the position in the queue.
        """
        with self._changed:
            self._withdraw_older(request, session)
            result = self._known_result(request)
            if result is not None:
                return result
            if self._closed:
                return Failure(reason="The server is shutting down.")
            if request == self._running:
                self._running_sessions.add(session)
                return self._pending(0)._replace(progress=self._progress)
            if request in self._queue or len(self._queue) < self._max_queue:
                self._queue.setdefault(request, set()).add(session)
                self._ensure_thread()
                self._changed.notify_all()
            return self._pending(self._position(request) + (self._running is not None))

    def cancel(self, request: JobRequest[Any], session: str = "") -> None:
        """Withdraw a session's request. If no other session waits for it, it leaves the queue or is stopped at once."""
        with self._changed:
            if request in self._queue:
                self._leave_queue(request, session)
            elif request == self._running:
                self._running_sessions.discard(session)
                if not self._running_sessions:
                    self._cancelled = True
                    if self._worker:
                        self._worker.kill()

    def forget(self, request: JobRequest[Any]) -> None:
        """Drop the result of a request, so that the next one gets a new measurement."""
        with self._changed:
            self._results.pop(request, None)

    def close(self) -> None:
        """Kill the worker, even in the middle of a request, and accept no more requests."""
        atexit.unregister(self.close)
        with self._changed:
            self._closed = True
            self._queue.clear()
            if self._worker:
                self._worker.kill()
            self._changed.notify_all()
            thread = self._thread
        if thread:
            thread.join()

    def _withdraw_older(self, request: JobRequest[Any], session: str) -> None:
        """Take what this session waited for out of the queue, unless other sessions wait for it too."""
        if not session:
            return
        for older, sessions in list(self._queue.items()):
            if session in sessions and older.kind == request.kind and older != request:
                self._leave_queue(older, session)

    def _leave_queue(self, request: JobRequest[Any], session: str) -> None:
        sessions = self._queue[request]
        sessions.discard(session)
        if not sessions:
            del self._queue[request]

    def _position(self, request: JobRequest[Any]) -> int:
        """Count the requests before this one. All of them, if it found the queue full."""
        sessions = self._queue.get(request)
        return next((n for n, (_, other) in enumerate(self._in_order()) if other is sessions), len(self._queue))

    def _in_order(self) -> list[tuple[JobRequest[Any], set[str]]]:
        """Return the queue in the order in which it is worked on: slow requests after quick ones."""
        return sorted(self._queue.items(), key=lambda entry: entry[0].slow)

    def _known_result(self, request: JobRequest[R]) -> R | Failure | None:
        result, expires = self._results.get(request, (None, inf))
        if monotonic() > expires:
            del self._results[request]
            return None
        if isinstance(result, Failure | request.result_type()):
            self._results.move_to_end(request)
            return result
        return None

    def _pending(self, ahead: int) -> Pending:
        return Pending(ahead, min(max(0.3, ahead * self._average_s), 10))

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="job queue", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """Run in the thread: one request after another, until the queue is closed or has long been idle."""
        while request := self._next_request():
            started = monotonic()
            result = self._compute(request)
            with self._changed:
                self._running = None
                if self._cancelled:
                    self._end_worker()  # it may have answered just before it was killed
                    continue
                self._average_s += (monotonic() - started - self._average_s) / 4
                lifetime_s = self._failure_s if isinstance(result, Failure) else inf
                self._results[request] = result, monotonic() + lifetime_s
                if len(self._results) > self._max_results:
                    self._results.popitem(last=False)

    def _next_request(self) -> JobRequest[Any] | None:
        """Wait for a request and take it. None ends the thread, and the worker with it."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed, self._idle_s)
            if self._closed or not self._queue:
                self._thread = None
                self._end_worker()
                return None
            self._running, self._running_sessions = self._in_order()[0]
            del self._queue[self._running]
            self._cancelled, self._progress = False, None
            return self._running

    def _compute(self, request: JobRequest[R]) -> R | Failure:
        """Return the worker's result, or a Failure with the reason why there is none."""
        try:
            timeout_s = max(self._timeout_s, request.longest_step_s)
            answer = _ask(self._started_worker(), request, timeout_s, self._set_progress)
            if answer.retire:
                self._end_worker()
        except Exception as error:  # nothing may end this thread: every session would wait for ever
            self._end_worker()
            return Failure(reason=str(error) if isinstance(error, WorkerError) else _unexpected(error))
        if isinstance(answer.result, request.result_type()):
            return answer.result
        return Failure(reason=answer.error or "The worker process answered another request.")

    def _set_progress(self, progress: Progress) -> None:
        with self._changed:
            self._progress = progress

    def _started_worker(self) -> ChildProcess:
        with self._changed:
            if self._closed:
                raise WorkerError("The server is shutting down.")
            if self._cancelled:
                raise WorkerError("The request was cancelled.")
            if self._worker is None:
                self._worker = ChildProcess(self._command)
            return self._worker

    def _end_worker(self) -> None:
        with self._changed:
            worker, self._worker = self._worker, None
        if worker:
            worker.end()


def _unexpected(error: Exception) -> str:
    traceback.print_exception(error)
    return "The worker process could not be started or reached; the server's log has the details."


def _ask(
    worker: ChildProcess, request: JobRequest[Any], timeout_s: float, on_progress: Callable[[Progress], None]
) -> Answer:
    """Return the worker's answer to a request, and pass its progress to ``on_progress`` before.

    Raises WorkerError after ``timeout_s`` seconds without progress, or when no answer comes.
    """
    worker.write([request.model_dump_json().encode() + b"\n"])
    try:
        while isinstance(message := _read_message(worker, timeout_s), Progress):
            on_progress(message)
    except TimeoutError:
        raise WorkerError(f"It took longer than {timeout_s:g} seconds and was stopped.") from None
    return message


def _read_message(worker: ChildProcess, timeout_s: float) -> Progress | Answer:
    line = worker.read_line(timeout_s, _MAX_LINE)
    if not line.endswith(b"\n"):
        raise WorkerError(f"The worker process ended without an answer (exit code {worker.end()}).")
    try:
        return LINE.validate_json(line)
    except ValidationError:
        raise WorkerError("The worker process printed something that is not an answer.") from None
