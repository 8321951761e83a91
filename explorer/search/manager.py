"""The server's side of studies: child processes that work on those that should run here. Never loads torch.

Studies and their states are in the storage, so they outlive the server. Of the servers with one data directory, the
one that holds the lock starts the workers; a study in a shared database is worked on by every machine that was asked
to. One thread here starts and watches the workers.
"""

import atexit
import contextlib
import os
import secrets
import socket
import sys
import threading
from collections.abc import Sequence
from time import monotonic

from filelock import FileLock, Timeout

from explorer.jobs.process import ChildProcess
from explorer.search.records import StudyRecord
from explorer.search.repeats import release_trial
from explorer.search.samplers import SeededSampler, make_pruner
from explorer.search.storage import StudyError
from explorer.search.store import StudyStore

WORKER_COMMAND = (sys.executable, "-m", "explorer.search.worker")
MAX_WORKERS = 64
STOP_TIMEOUT_S = 5.0  # a worker whose study was paused or stopped has this long to end
_POLL_S = 0.3
_QUICK_S, _MAX_QUICK_ENDS = 20.0, 4  # a study fails when its workers end so quickly so often


class StudyManager:
    """Keeps workers for the studies that run. One per server; safe from any thread."""

    def __init__(self, store: StudyStore, command: Sequence[str] = WORKER_COMMAND) -> None:
        self.store = store
        self._command = command
        self.error = ""  # a sentence for the reader while studies cannot be worked on
        self._lock = FileLock(store.folder / "studies.lock", blocking=False, fallback_to_soft=False)
        self._workers: list[_Worker] = []  # only the thread uses it
        self._quick_ends: dict[str, int] = {}
        self._stop_requested: dict[str, float] = {}
        self._changed, self._closed = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name="studies", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Kill the workers. Their trials are repeated when the study runs again."""
        atexit.unregister(self.close)
        self._closed = True
        self._changed.set()
        self._thread.join()

    def wake(self) -> None:
        """Let the thread read the studies' states now."""
        self._changed.set()

    @property
    def is_working(self) -> bool:
        """Whether this server is the one that starts workers."""
        return self._lock.is_locked

    def _work(self) -> None:
        while not self._closed:
            try:
                self._update()
                self.error = ""
            except Exception as error:  # such as a database that is away; the next round tries again
                self.error = str(error) if isinstance(error, StudyError) else f"Studies cannot be read: {error}."
            self._changed.wait(_POLL_S)
            self._changed.clear()
        for worker in self._workers:
            worker.process.kill()
            self._end(worker)
        self._lock.release()

    def _update(self) -> None:
        if not self._lock.is_locked:
            try:
                self._lock.acquire()
            except Timeout:  # another server has it
                return
        active = {record.id: record for record in self.store.heads() if record.is_active}
        for worker in list(self._workers):
            if worker.process.has_ended:
                self._workers.remove(worker)
                self._end(worker)
            elif worker.study_id not in active:
                requested = self._stop_requested.setdefault(worker.name, monotonic())
                if monotonic() - requested > STOP_TIMEOUT_S:
                    worker.process.kill()
        for study_id, record in active.items():
            present = sum(worker.study_id == study_id for worker in self._workers)
            for _ in range(min(record.workers, MAX_WORKERS) - present):
                self._workers.append(_Worker(self._command, self.store, study_id))

    def _end(self, worker: "_Worker") -> None:
        """Clean up after a worker: what it left running is repeated, and a study without luck fails."""
        code = worker.process.wait()
        self._stop_requested.pop(worker.name, None)
        if code == 0:
            self._quick_ends.pop(worker.study_id, None)
            return
        with contextlib.suppress(StudyError):
            record = self.store.record(worker.study_id)
            self._release(record, worker.name)
            if self._closed or code < 0 or monotonic() - worker.started > _QUICK_S:  # killed from outside
                return
            ends = self._quick_ends.get(worker.study_id, 0) + 1
            self._quick_ends[worker.study_id] = ends
            if ends >= _MAX_QUICK_ENDS and record.is_active:
                self._quick_ends.pop(worker.study_id)
                message = f"Its workers ended at once (exit code {code}). The server's log has the details."
                self.store.set_state(worker.study_id, "failed", message)

    def _release(self, record: StudyRecord, name: str) -> None:
        for arm in {trial.arm for trial in record.trials if trial.worker == name and trial.state == "running"}:
            study = self.store.open_arm(
                record.id, arm, record.round, SeededSampler("random", 0), make_pruner("none", 1)
            )
            for trial in study.get_trials(deepcopy=False):
                if trial.user_attrs.get("worker") == name and not trial.state.is_finished():
                    release_trial(study, trial.number)


class _Worker:
    """A process that works on a study. Start it in a thread that lives longer than it."""

    def __init__(self, command: Sequence[str], store: StudyStore, study_id: str) -> None:
        self.study_id = study_id
        self.name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}"
        self.started = monotonic()
        self.process = ChildProcess([*command, str(store.folder), study_id, self.name], stdout="inherit")
