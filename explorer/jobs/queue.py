"""The server's side of the live check: a queue before one child process, and a memory behind it. Never loads torch.

In the server's own threads PyTorch would hold Python's lock and slow every edit; in a child of low priority it does
not. One thread here hands one request at a time to the child (:mod:`explorer.jobs.worker`) and sleeps while it
works. Whatever becomes of the child turns into a report that says so, and the next request starts a new one.
"""

import atexit
import contextlib
import subprocess
import sys
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from math import inf
from time import monotonic
from typing import NamedTuple

from pydantic import ValidationError

from explorer.config import GoogLeNetConfig
from explorer.errors import UserError
from explorer.jobs.requests import (
    KINDS,
    LINE,
    Answer,
    CheckReport,
    CheckRequest,
    Progress,
    Request,
    Result,
    TorchinfoRequest,
)
from explorer.settings import ROOT

WORKER = (sys.executable, "-m", "explorer.jobs.worker")
INSPECTION_WORKER = (
    *WORKER,
    "500",
)  # a second process, for looking inside: it keeps networks, and may grow by so many MB
_MAX_LINE = 10_000_000  # bytes


class Pending(NamedTuple):
    """Not known yet: ``ahead`` other requests come first. Ask again in about ``retry_s`` seconds.

    ``progress`` is how far the request has come, where it is being worked on and its kind tells.
    """

    ahead: int
    retry_s: float
    progress: Progress | None = None


class ChildError(UserError):
    """The child gave no answer. The message is a sentence for the reader."""


class JobQueue:
    """Checks and measures in one child process and remembers what came out. One per server; safe from any thread.

    ``timeout_s``: seconds a request may take, from its last progress on, before the child is killed. ``idle_s``:
    seconds without a request after which the child is ended, to give its memory back. ``failure_s``: seconds for
    which a failure is remembered; after that the next request tries again.
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
        self._results: OrderedDict[Request, tuple[Result, float]] = OrderedDict()  # and until when they hold
        self._queue: OrderedDict[Request, set[str]] = OrderedDict()  # and the sessions that wait for it
        self._running: Request | None = None
        self._wanted: set[str] = set()  # the sessions that wait for the running request
        self._stopped = False  # nobody waits for it any more
        self._progress: Progress | None = None
        self._thread: threading.Thread | None = None
        self._child: _Child | None = None
        self._closed = False
        self._usual_s = 1.0
        atexit.register(self.close)

    def check(self, config: GoogLeNetConfig, device: str = "auto", session: str = "") -> CheckReport | Pending:
        """Return the report on a network if it is known, else see to it that it will be; never waits.

        A session (one reader of one badge) waits for one network at a time: its request takes the place of its older
        one, unless that has started. An empty ``session`` has no such memory. Asking again keeps the place.
        """
        return self.submit(CheckRequest(config=config, device=device), session)

    def torchinfo(self, config: GoogLeNetConfig, session: str = "") -> str | Pending:
        """Return torchinfo's text on a network, or why there is none, in the manner of :meth:`request`."""
        return self.submit(TorchinfoRequest(config=config), session)

    def cancel(self, request: Request, session: str = "") -> None:
        """Take a session's wish back. When no other waits for it, it leaves the queue, or is stopped at once."""
        with self._changed:
            if request in self._queue:
                self._leave_queue(request, session)
            elif request == self._running:
                self._wanted.discard(session)
                if not self._wanted:
                    self._stopped = True
                    if self._child:
                        self._child.kill()

    def forget(self, request: Request) -> None:
        """Drop what is remembered of a request, so that the next to ask gets a new measurement."""
        with self._changed:
            self._results.pop(request, None)

    def close(self) -> None:
        """End the child, whatever it is doing, and answer nothing new from now on."""
        atexit.unregister(self.close)
        with self._changed:
            self._closed = True
            self._queue.clear()
            if self._child:
                self._child.kill()
            self._changed.notify_all()
            thread = self._thread
        if thread:
            thread.join()

    def submit(self, request: Request, session: str = "") -> Result | Pending:
        """Return the result of any kind of request, in the manner of :meth:`request`."""
        with self._changed:
            self._withdraw_older(request, session)
            result = self._remembered(request)
            if result is not None:
                return result
            if self._closed:
                return _failure(request, "The server is shutting down.")
            if request == self._running:
                self._wanted.add(session)
                return self._pending(0)._replace(progress=self._progress)
            if request in self._queue or len(self._queue) < self._max_queue:
                self._queue.setdefault(request, set()).add(session)
                self._ensure_thread()
                self._changed.notify_all()
            return self._pending(self._place(request) + (self._running is not None))

    def _withdraw_older(self, request: Request, session: str) -> None:
        """Forget what this session waited for until now, unless others wait for it too."""
        if not session:
            return
        for older, sessions in list(self._queue.items()):
            if session in sessions and older.kind == request.kind and older != request:
                self._leave_queue(older, session)

    def _leave_queue(self, request: Request, session: str) -> None:
        sessions = self._queue[request]
        sessions.discard(session)
        if not sessions:
            del self._queue[request]

    def _place(self, request: Request) -> int:
        """Count the requests before this one. One that found no room comes after all: asking again is its way in."""
        mine = self._queue.get(request)
        return next((n for n, (_, waiting) in enumerate(self._in_turn()) if waiting is mine), len(self._queue))

    def _in_turn(self) -> list[tuple[Request, set[str]]]:
        """Return the queue in the order in which it is taken: what takes long after what takes a moment."""
        return sorted(self._queue.items(), key=lambda entry: KINDS[entry[0].kind].slow)

    def _remembered(self, request: Request) -> Result | None:
        result, until = self._results.get(request, (None, inf))
        if monotonic() > until:
            del self._results[request]
            return None
        if result is not None:
            self._results.move_to_end(request)
        return result

    def _pending(self, ahead: int) -> Pending:
        return Pending(ahead, min(max(0.3, ahead * self._usual_s), 10))

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="checker", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """The thread: one request after another, until the checker is closed or has long been idle."""
        while request := self._next():
            started = monotonic()
            result, holds_s = self._answered(request)
            with self._changed:
                self._running = None
                if self._stopped:
                    self._end_child()  # it may have answered just before it was killed
                    continue
                self._usual_s += (monotonic() - started - self._usual_s) / 4
                self._results[request] = result, monotonic() + holds_s
                if len(self._results) > self._max_results:
                    self._results.popitem(last=False)

    def _next(self) -> Request | None:
        """Wait for a request and take it. None ends the thread, and the child with it."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed, self._idle_s)
            if self._closed or not self._queue:
                self._thread = None
                self._end_child()
                return None
            self._running, self._wanted = self._in_turn()[0]
            del self._queue[self._running]
            self._stopped, self._progress = False, None
            return self._running

    def _answered(self, request: Request) -> tuple[Result, float]:
        """Return the child's answer, or the failure to get one, and the seconds for which it holds."""
        try:
            answer = self._started_child().ask(request, self._timeout_s, self._note)
            if answer.retire:
                self._end_child()
            if isinstance(answer.result, KINDS[request.kind].result):
                return answer.result, inf
            reason = answer.error or "The answer was to another question."
        except Exception as error:  # nothing may end this thread: every reader would wait for ever
            self._end_child()
            reason = str(error) if isinstance(error, ChildError) else _unforeseen(error)
        return _failure(request, reason), self._failure_s

    def _note(self, progress: Progress) -> None:
        with self._changed:
            self._progress = progress

    def _started_child(self) -> "_Child":
        with self._changed:
            if self._closed:
                raise ChildError("The server is shutting down.")
            if self._stopped:
                raise ChildError("It was stopped.")
            if self._child is None:
                self._child = _Child(self._command)
            return self._child

    def _end_child(self) -> None:
        with self._changed:
            child, self._child = self._child, None
        if child:
            child.end()


def _unforeseen(error: Exception) -> str:
    traceback.print_exception(error)
    return "The checking process could not be asked; the server's log has the details."


def _failure(request: Request, reason: str) -> Result:
    return KINDS[request.kind].failed(reason)


class _Child:
    """The checking process. It must be started by the thread that lives as long as it: on Linux it dies with it."""

    def __init__(self, command: Sequence[str]) -> None:
        priority = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)  # Windows; elsewhere it lowers its own
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT, creationflags=priority)

    def ask(self, request: Request, timeout_s: float, note: Callable[[Progress], None]) -> Answer:
        """Return the answer to one request, with each progress passed to ``note`` before it.

        Raises ChildError after ``timeout_s`` seconds without a word, or when no answer comes.
        """
        started = monotonic()
        try:
            self._process.stdin.write(request.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()
            while isinstance(said := self._read_within(timeout_s), Progress):
                note(said)
                started = monotonic()
        except OSError:  # it ended before it read
            said = None
        if said:
            return said
        if monotonic() - started >= timeout_s:
            raise ChildError(f"It took longer than {timeout_s:g} seconds and was stopped.")
        self.end()
        raise ChildError(f"The checking process ended without an answer (exit code {self._process.returncode}).")

    def _read_within(self, seconds: float) -> Progress | Answer | None:
        timer = threading.Timer(seconds, self.kill)
        timer.daemon = True
        timer.start()
        try:
            return self._read()
        finally:
            timer.cancel()

    def _read(self) -> Progress | Answer | None:
        """Return what the process says next; None when it ended, or floods."""
        line = self._process.stdout.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            return None
        try:
            return LINE.validate_json(line)
        except ValidationError:
            raise ChildError("The checking process answered with something that is no answer.") from None

    def kill(self) -> None:
        """Stop the process at once; :meth:`end` must follow."""
        self._process.kill()

    def end(self) -> None:
        """Stop the process, wait for it, and close the pipes. May be called twice."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
