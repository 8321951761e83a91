"""The server's side of training: a bounded queue before child processes, one at a time. Never loads torch.

The queue, the wishes and the states are rows of the run store, so they outlive the server, and any number of servers
may work with one data directory: all of them take orders, and the one that owns it starts the workers. One thread here
starts, watches and, where it must, kills them. Whatever becomes of a worker, its run says so and the next one starts.
"""

import atexit
import contextlib
import re
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from explorer.jobs.process import ChildProcess
from explorer.runs.owner import Ownership
from explorer.runs.records import DISK_FULL, FULL_DISK, RefusedError, Run, State
from explorer.runs.store import Store
from explorer.settings import setting
from explorer.training.plan import DatasetInfo, Plan, memory_bytes
from explorer.training.validation import plan_problems

WORKER = (sys.executable, "-m", "explorer.runs.worker")
MAX_QUEUE = 20
CANCEL_S = 1.0  # a worker that is to cancel has this long to save what it has
PAUSE_S = 60.0
LEAST_MEMORY = 1_000_000_000  # bytes that every run may use
MEMORY_MARGIN = 1.5  # times the estimate, where that is more

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_SIGKILL = 9  # by which Linux ends a process for want of memory; Windows does not know it
_BUSY_POLL_S, _IDLE_POLL_S = 0.05, 0.5
_GONE = RefusedError("There is no such run. It may have been deleted.")
_BAD_NAME = RefusedError(
    "That is no name for a run. Write a letter first, then letters, digits or _, at most 32 in all."
)
_Asked, _Answer = ParamSpec("_Asked"), TypeVar("_Answer")
_SERVER_ENDED = "The server ended while it ran."


def _answering(ask: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer | RefusedError]:
    """Let a step that the store cannot take, as on a full disk, be refused with the reason."""

    @wraps(ask)
    def answered(*args: _Asked.args, **options: _Asked.kwargs) -> _Answer | RefusedError:
        try:
            return ask(*args, **options)
        except (sqlite3.Error, OSError) as error:
            return RefusedError(f"The data directory cannot be written to: {error}.")

    return answered


class Manager:
    """Runs plans in child processes. One per server; safe from any thread.

    A run belongs to the session that started it. Everybody sees all runs; a step on another session's run is refused
    unless it is ``sure``, so that it is never taken by accident.

    ``at_once``: workers at a time, by default the environment's ``EXPLORER_RUNS``, else 1. ``max_queue``: runs that
    wait. ``cancel_s``, ``pause_s``: seconds after which a worker that is to stop is killed.
    """

    def __init__(
        self,
        store: Store,
        command: Sequence[str] = WORKER,
        *,
        at_once: int | None = None,
        max_queue: int = MAX_QUEUE,
        cancel_s: float = CANCEL_S,
        pause_s: float = PAUSE_S,
    ) -> None:
        self.store = store
        self._command, self._max_queue = command, max_queue
        self._at_once = at_once or setting("EXPLORER_RUNS")
        self._patience_s = {"cancelled": cancel_s, "paused": pause_s}
        self.trouble = ""  # a sentence for the reader while the queue cannot be worked on
        self._ownership = Ownership(store.folder)
        self._owner = False
        self._workers: list[_Worker] = []  # the thread's own
        self._changed = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="runs", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    # What a page asks for. Each returns Refused with the reason where it is not done.

    @_answering
    def submit(self, plan: Plan, facts: DatasetInfo, session: str = "", name: str = "") -> str | RefusedError:
        """Put a run in the queue and return its id. ``facts`` are those of the plan's images.

        Without a ``name`` it goes by those of its networks.
        """
        if found := plan_problems(plan, facts):
            return RefusedError(found[0].message)
        name = name or "_vs_".join(entrant.name for entrant in plan.entrants)[:32]
        if not _NAME.fullmatch(name):
            return _BAD_NAME
        memory = max(LEAST_MEMORY, int(MEMORY_MARGIN * memory_bytes(plan, facts)))
        run_id = self.store.add(plan, name, session, memory, self._max_queue)
        self._changed.set()
        return run_id or self._full()

    @_answering
    def pause(self, run_id: str, session: str = "", *, sure: bool = False) -> RefusedError | None:
        """Let a run save what it has and stop. It makes room for the next one and can be resumed."""
        return self._wished(run_id, "paused", session, sure)

    @_answering
    def cancel(self, run_id: str, session: str = "", *, sure: bool = False) -> RefusedError | None:
        """Stop a run now, within two seconds. It can be resumed from its last checkpoint."""
        return self._wished(run_id, "cancelled", session, sure)

    @_answering
    def resume(self, run_id: str, session: str = "", *, sure: bool = False) -> RefusedError | None:
        """Put a run that was stopped back in the queue, at its end, to go on from its last checkpoint."""
        run = self._judged(run_id, session, sure)
        if isinstance(run, RefusedError):
            return run
        if run.state == "finished":
            return RefusedError(f"{run.name} has used its budget. Start a new run with a larger one.")
        if not run.resumable:
            return RefusedError(f"{run.name} is {run.state} already.")
        if not self.store.requeue(run_id, self._max_queue):
            return self._full()
        self._changed.set()
        return None

    @_answering
    def rename(self, run_id: str, name: str, session: str = "", *, sure: bool = False) -> RefusedError | None:
        """Give a run another name."""
        run = self._judged(run_id, session, sure)
        if isinstance(run, RefusedError):
            return run
        if not _NAME.fullmatch(name):
            return _BAD_NAME
        return None if self.store.rename(run_id, name) else _GONE

    @_answering
    def delete(self, run_id: str, session: str = "", *, sure: bool = False) -> RefusedError | None:
        """Delete a run with its curves and its weights. One that is running must be cancelled first."""
        run = self._judged(run_id, session, sure)
        if isinstance(run, RefusedError):
            return run
        return None if self.store.delete(run_id) else RefusedError(f"{run.name} is running. Cancel it first.")

    def close(self) -> None:
        """End the workers, whatever they are doing, and start no more. What waits in the queue stays there."""
        atexit.unregister(self.close)
        self._closed = True
        self._changed.set()
        self._thread.join()

    def _wished(self, run_id: str, state: State, session: str, sure: bool) -> RefusedError | None:
        run = self._judged(run_id, session, sure)
        if isinstance(run, RefusedError):
            return run
        if not self.store.request_state(run_id, state):
            return RefusedError(f"{run.name} is {run.state}: there is nothing to stop.")
        self._changed.set()
        return None

    def _judged(self, run_id: str, session: str, sure: bool) -> Run | RefusedError:
        """Return the run if there is one, and it is the session's own or the session is sure."""
        run = self.store.run(run_id)
        if run is None:
            return _GONE
        if run.session != session and not sure:
            return RefusedError(f"{run.name} was started by somebody else. Say that you are sure.")
        return run

    def _full(self) -> RefusedError:
        return RefusedError(
            f"{self._max_queue} runs are waiting already, and no more are taken. Wait for one to end, or cancel one."
        )

    # The thread.

    def _work(self) -> None:
        """The thread: as a worker dies with the thread that started it, this one lives as long as the manager."""
        while not self._closed:
            try:
                self._tend()
                self.trouble = ""
            except Exception as error:  # a full disk, for one; what could not be noted now is noted later
                self.trouble = f"The queue stands still: {error}."
            self._changed.wait(_BUSY_POLL_S if self._workers else _IDLE_POLL_S)
            self._changed.clear()
        self._end_all()

    def _tend(self) -> None:
        """Do all that is to be done now."""
        if not self._owner:
            self._owner = self._ownership.take()
            if not self._owner:
                return
            self.store.give_up_all(_SERVER_ENDED)
            self.store.sweep()
        overdue = self.store.stop_timed_out(self._patience_s)
        for worker in list(self._workers):
            if worker.run_id in overdue:
                worker.kill()
            if worker.ended:
                self.store.give_up(worker.run_id, worker.attempt, *worker.end())
                self._workers.remove(worker)
        while len(self._workers) < self._at_once and (job := self.store.start_next()):
            self._start(*job)

    def _start(self, run_id: str, attempt: int) -> None:
        try:
            self._workers.append(_Worker(self._command, self.store.folder, run_id, attempt))
        except OSError as error:
            self.store.give_up(run_id, attempt, "failed", f"Its process could not be started: {error}.")

    def _end_all(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.end()
            with contextlib.suppress(sqlite3.Error):  # else it is noted at the next start
                self.store.give_up(worker.run_id, worker.attempt, "interrupted", _SERVER_ENDED)
        self._ownership.give_back()


class _Worker:
    """A process that works on a run. It must be started by the thread that lives as long as it."""

    def __init__(self, command: Sequence[str], folder: Path, run_id: str, attempt: int) -> None:
        self.run_id, self.attempt = run_id, attempt
        self._memory_kills = _memory_kills()
        self._process = ChildProcess([*command, str(folder), run_id, str(attempt)], stdout="inherit")

    @property
    def ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.has_ended

    def kill(self) -> None:
        """Stop the process at once; :meth:`end` must follow."""
        self._process.kill()

    def end(self) -> tuple[State, str]:
        """Collect the process and return what that makes of a run whose end it did not note itself."""
        code = self._process.wait()
        if code == DISK_FULL:
            return "failed", FULL_DISK
        if code == -_SIGKILL and _memory_kills() > self._memory_kills:
            return "failed", "The system ended its process, as memory ran out. Take a smaller batch or network."
        if code < 0:
            return "interrupted", f"Its process was killed from outside (signal {-code})."
        return "failed", f"Its process ended without a word (exit code {code})."


def _memory_kills() -> int:
    """Return how many processes Linux has ended for want of memory; 0 where that is not known."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text("ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0
