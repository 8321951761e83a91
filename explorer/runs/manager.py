"""The server's side of training: a bounded queue and child processes that work on it. Never loads torch.

The queue, the requests and the states are rows of the run store, so they outlive the server. Any number of servers may
use one data directory: all of them accept requests, and the one that has the lock starts the workers. One thread here
starts and watches them, and kills those that do not stop in time. However a worker ends, its run records it and the
next one starts.
"""

import atexit
import contextlib
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from filelock import FileLock, Timeout

from explorer.jobs.process import ChildProcess
from explorer.runs.records import DISK_FULL_EXIT_CODE, DISK_FULL_MESSAGE, Refusal, RequestedState, Run, State
from explorer.runs.store import Store
from explorer.settings import read_setting
from explorer.training.names import clean_name, unique_name
from explorer.training.plan import DatasetInfo, Plan, memory_bytes
from explorer.training.validation import plan_problems

WORKER_COMMAND = (sys.executable, "-m", "explorer.runs.worker")
MAX_QUEUE = 20
CANCEL_TIMEOUT_S = 1.0  # a cancelled worker has this long to save a checkpoint
PAUSE_TIMEOUT_S = 60.0
MIN_MEMORY_BYTES = 1_000_000_000  # that every run may use
MEMORY_FACTOR = 1.5  # times the estimate, if that is more

_SIGKILL = 9  # sent by Linux when memory runs out; not defined on Windows
_BUSY_POLL_S, _IDLE_POLL_S = 0.05, 0.5
_GONE = Refusal("There is no such run. It may have been deleted.")
_NO_NAME = Refusal("A run needs a name. Enter at least one character that can be shown.")
_SERVER_ENDED = "The server ended while it ran."
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def _refuse_on_storage_error(request: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result | Refusal]:
    """Turn an error of the store, such as a full disk, into a refusal with the reason."""

    @wraps(request)
    def wrapper(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result | Refusal:
        try:
            return request(*args, **kwargs)
        except (sqlite3.Error, OSError) as error:
            return Refusal(f"The data directory cannot be written to: {error}.")

    return wrapper


class Manager:
    """Runs plans in child processes. One per server; safe from any thread.

    A run belongs to the session that started it. Every session sees all runs; a request about another session's run is
    refused unless it is ``confirmed``, so that nobody stops it by accident.

    ``max_workers``: at the same time, by default the environment's ``EXPLORER_RUNS``, else 1. ``max_queue``: queued
    runs. ``cancel_timeout_s``, ``pause_timeout_s``: the seconds after which a worker that has not stopped is killed.
    """

    def __init__(
        self,
        store: Store,
        command: Sequence[str] = WORKER_COMMAND,
        *,
        max_workers: int | None = None,
        max_queue: int = MAX_QUEUE,
        cancel_timeout_s: float = CANCEL_TIMEOUT_S,
        pause_timeout_s: float = PAUSE_TIMEOUT_S,
    ) -> None:
        self.store = store
        self._command, self._max_queue = command, max_queue
        self._max_workers = max_workers or read_setting("EXPLORER_RUNS")
        self._timeouts_s: dict[RequestedState, float] = {"cancelled": cancel_timeout_s, "paused": pause_timeout_s}
        self.queue_error = ""  # a sentence for the reader while the queue cannot be worked on
        # One server at a time starts workers. The system releases the lock when the server's process ends.
        self._lock = FileLock(store.folder / "server.lock", blocking=False, fallback_to_soft=False)
        self._workers: list[_Worker] = []  # only the thread uses it
        self._changed = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="runs", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    # What a page requests. Each method returns a Refusal with the reason if it does not do it.

    @_refuse_on_storage_error
    def submit(self, plan: Plan, dataset: DatasetInfo, session: str = "", name: str = "") -> str | Refusal:
        """Put a run in the queue and return its id. ``dataset`` describes the plan's images.

        Without a ``name`` the run gets those of its networks. If another run has the name, a number follows.
        """
        if found := plan_problems(plan, dataset):
            return Refusal(found[0].message)
        name = clean_name(name or " vs ".join(network.name for network in plan.networks))
        if not name:
            return _NO_NAME
        name = unique_name(name, self.store.names())
        memory = max(MIN_MEMORY_BYTES, int(MEMORY_FACTOR * memory_bytes(plan, dataset)))
        run_id = self.store.add(plan, name, session, memory, self._max_queue)
        self._changed.set()
        return run_id or self._queue_full()

    @_refuse_on_storage_error
    def pause(self, run_id: str, session: str = "", *, confirmed: bool = False) -> Refusal | None:
        """Let a run save a checkpoint and stop. The next run starts, and this one can be resumed."""
        return self._request_stop(run_id, "paused", session, confirmed)

    @_refuse_on_storage_error
    def cancel(self, run_id: str, session: str = "", *, confirmed: bool = False) -> Refusal | None:
        """Stop a run within two seconds. It can be resumed from its last checkpoint."""
        return self._request_stop(run_id, "cancelled", session, confirmed)

    @_refuse_on_storage_error
    def resume(self, run_id: str, session: str = "", *, confirmed: bool = False) -> Refusal | None:
        """Put a stopped run at the end of the queue, to resume from its last checkpoint."""
        run = self._find(run_id, session, confirmed)
        if isinstance(run, Refusal):
            return run
        if run.state == "finished":
            return Refusal(f"{run.name} has used its budget. Start a new run with a larger one.")
        if not run.is_resumable:
            return Refusal(f"{run.name} is already {run.state}.")
        if not self.store.requeue(run_id, self._max_queue):
            return self._queue_full()
        self._changed.set()
        return None

    @_refuse_on_storage_error
    def rename(self, run_id: str, name: str, session: str = "", *, confirmed: bool = False) -> Refusal | None:
        """Give a run another name: any text, with a number if another run has it."""
        run = self._find(run_id, session, confirmed)
        if isinstance(run, Refusal):
            return run
        if not (name := clean_name(name)):
            return _NO_NAME
        name = unique_name(name, self.store.names(except_run=run_id))
        return None if self.store.rename(run_id, name) else _GONE

    @_refuse_on_storage_error
    def delete(self, run_id: str, session: str = "", *, confirmed: bool = False) -> Refusal | None:
        """Delete a run with its curves and its weights. One that is running must be cancelled first."""
        run = self._find(run_id, session, confirmed)
        if isinstance(run, Refusal):
            return run
        return None if self.store.delete(run_id) else Refusal(f"{run.name} is running. Cancel it first.")

    def close(self) -> None:
        """Kill the workers and start no more. Queued runs stay in the queue."""
        atexit.unregister(self.close)
        self._closed = True
        self._changed.set()
        self._thread.join()

    def _request_stop(self, run_id: str, state: RequestedState, session: str, confirmed: bool) -> Refusal | None:
        run = self._find(run_id, session, confirmed)
        if isinstance(run, Refusal):
            return run
        if not self.store.request_state(run_id, state):
            return Refusal(f"{run.name} is {run.state}: there is nothing to stop.")
        self._changed.set()
        return None

    def _find(self, run_id: str, session: str, confirmed: bool) -> Run | Refusal:
        """Return the run if it exists, and either is the session's own or the request is confirmed."""
        run = self.store.run(run_id)
        if run is None:
            return _GONE
        if run.session != session and not confirmed:
            return Refusal(f"{run.name} was started by somebody else. Confirm that you want this.")
        return run

    def _queue_full(self) -> Refusal:
        return Refusal(
            f"{self._max_queue} runs are already waiting, which is the maximum. Wait for one to end, or cancel one."
        )

    # The thread.

    def _work(self) -> None:
        """Start and watch the workers. This thread lives as long as the manager, because workers die with it."""
        while not self._closed:
            try:
                self._update()
                self.queue_error = ""
            except Exception as error:  # such as a full disk; what cannot be recorded now is recorded later
                self.queue_error = f"The queue has stopped: {error}."
            self._changed.wait(_BUSY_POLL_S if self._workers else _IDLE_POLL_S)
            self._changed.clear()
        self._end_all()

    def _update(self) -> None:
        """Collect the workers that have ended, kill those whose stop timed out, and start the next ones."""
        if not self._lock.is_locked:
            try:
                self._lock.acquire()
            except Timeout:  # another server has it
                return
            self.store.record_all_exits(_SERVER_ENDED)
            self.store.remove_stray_files()
        stop_timed_out = self.store.stop_timed_out(self._timeouts_s)
        for worker in list(self._workers):
            if worker.run_id in stop_timed_out:
                worker.kill()
            if worker.has_ended:
                self.store.record_worker_exit(worker.run_id, worker.attempt, *worker.end())
                self._workers.remove(worker)
                with contextlib.suppress(OSError):  # the run may be deleted now; the next start removes what is left
                    self.store.remove_stray_checkpoints(worker.run_id)
        while len(self._workers) < self._max_workers and (next_run := self.store.start_next()):
            self._start(*next_run)

    def _start(self, run_id: str, attempt: int) -> None:
        try:
            self._workers.append(_Worker(self._command, self.store.folder, run_id, attempt))
        except OSError as error:
            self.store.record_worker_exit(run_id, attempt, "failed", f"Its process could not be started: {error}.")

    def _end_all(self) -> None:
        for worker in self._workers:
            worker.kill()
            worker.end()
            with contextlib.suppress(sqlite3.Error):  # then the next start records it
                self.store.record_worker_exit(worker.run_id, worker.attempt, "interrupted", _SERVER_ENDED)
        self._lock.release()


class _Worker:
    """A process that works on a run. Start it in a thread that lives longer than it."""

    def __init__(self, command: Sequence[str], folder: Path, run_id: str, attempt: int) -> None:
        self.run_id, self.attempt = run_id, attempt
        self._oom_kills = _oom_kills()
        self._process = ChildProcess([*command, str(folder), run_id, str(attempt)], stdout="inherit")

    @property
    def has_ended(self) -> bool:
        """Whether the process is no longer running."""
        return self._process.has_ended

    def kill(self) -> None:
        """Stop the process at once; :meth:`end` must follow."""
        self._process.kill()

    def end(self) -> tuple[State, str]:
        """Wait for the process; return state and message of its run, for the case that it has not recorded its end."""
        code = self._process.wait()
        if code == DISK_FULL_EXIT_CODE:
            return "failed", DISK_FULL_MESSAGE
        if code == -_SIGKILL and _oom_kills() > self._oom_kills:
            return "failed", "The system killed its process because memory ran out. Use a smaller batch or network."
        if code < 0:
            return "interrupted", f"Its process was killed from outside (signal {-code})."
        return "failed", f"Its process ended without a message (exit code {code})."


def _oom_kills() -> int:
    """Return how many processes Linux has killed because memory ran out; 0 on other systems."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text("ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0
