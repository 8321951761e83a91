"""The process that works on one run: ``python -m explorer.runs.worker FOLDER RUN ATTEMPT``, started by the manager.

It trains, records the events, saves a checkpoint every few seconds and before it stops on request, and ends when its
server ends. It has a low priority and a limit on its memory. The training itself is only an iterable of events, with a
method ``save(folder)`` that may be called between any two of them.
"""

import errno
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic
from typing import NoReturn, Protocol

from explorer.errors import UserError
from explorer.jobs.process import available_cores, end_with_parent, lower_priority
from explorer.runs.recorder import Recorder, SupersededError
from explorer.runs.records import DISK_FULL_EXIT_CODE, DISK_FULL_MESSAGE
from explorer.runs.store import Job, Store
from explorer.training.events import AnyEvent, Diverged

if sys.platform == "linux":
    import resource

NICE = 15  # a lower priority than the server and its other child processes
CHECKPOINT_INTERVAL_S = 5.0

_OUT_OF_MEMORY = ("allocate memory", "not enough memory", "out of memory", "bad_alloc", "could not create a memory")


class Training(Iterable[AnyEvent], Protocol):
    """The events of a run, in order; after the last one the run is complete."""

    def save(self, folder: Path) -> Mapping[int, int]:
        """Write each trainer's weights, and all that is needed to resume, into an empty folder.

        Returns the step of each trainer that was written: those that have not diverged.
        """


MakeTraining = Callable[[Path, Job], Training]


def main(make: MakeTraining | None = None, checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S) -> NoReturn:
    """Work on the run that the command line names. ``make`` returns the training, by default PyTorch's."""
    folder, run_id, attempt = sys.argv[1:]
    lower_priority(NICE)
    end_with_parent(watch_stdin=True)
    sys.exit(run_attempt(Path(folder), run_id, int(attempt), make or _start_training, checkpoint_interval_s))


def run_attempt(
    folder: Path, run_id: str, attempt: int, make: MakeTraining, checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S
) -> int:
    """Work on a run, record how it ended, and return the exit code."""
    try:
        recorder = Recorder(Store(folder), run_id, attempt)
        try:
            train_and_record(recorder, make(folder, recorder.job), checkpoint_interval_s)
        except (SupersededError, KeyboardInterrupt):
            raise
        except Exception as error:  # PyTorch and the system may raise anything; the reader gets a sentence
            recorder.end("failed", error_message(error, recorder.job.memory))
    except SupersededError:
        return 0
    except sqlite3.Error as error:
        if not _disk_is_full(error):
            raise
        return DISK_FULL_EXIT_CODE
    return 0


def train_and_record(
    recorder: Recorder, training: Training, checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S
) -> None:
    """Train until the end, or until a stop is requested, and record the events."""
    saved_at, diverged = monotonic(), dict[int, Diverged]()
    for event in training:
        recorder.add(event)
        if isinstance(event, Diverged):
            diverged[event.trainer] = event
        if state := recorder.requested_state():
            recorder.checkpoint(training.save)
            recorder.end(state)
            return
        if monotonic() - saved_at > checkpoint_interval_s:
            recorder.checkpoint(training.save)
            saved_at = monotonic()
    message = " ".join(event.message for event in diverged.values())
    if len(diverged) == len(recorder.job.plan.trainers):
        recorder.end("failed", message)
    else:
        recorder.checkpoint(training.save)
        recorder.end("finished", message)


def error_message(error: Exception, memory: int) -> str:
    """Return what went wrong in a sentence. ``memory`` is the limit of the process in bytes.

    A UserError has its own sentence; the details of an unexpected exception are printed to the server's log.
    """
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _OUT_OF_MEMORY):
        return f"Memory ran out: a run like this may use {memory / 1e6:,.0f} MB. Use a smaller batch or network."
    if _disk_is_full(error):
        return DISK_FULL_MESSAGE
    if isinstance(error, UserError):
        return str(error)
    traceback.print_exception(error)
    return "Training failed with an unexpected error; the server's log has the details."


def _disk_is_full(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _start_training(folder: Path, job: Job) -> Training:
    """Load PyTorch, set the limits, and return the training."""
    import torch

    from explorer.live.devices import resolve_device
    from explorer.live.training import train

    torch.set_num_threads(min(torch.get_num_threads(), available_cores()))  # OMP_NUM_THREADS sets the first
    if resolve_device(job.plan.settings.device).torch.type == "cpu":  # how much a GPU's driver maps is unknown
        limit_memory(job.memory)

    return train(job.plan, folder, job.checkpoint)


def limit_memory(resident_bytes: int) -> None:
    """Limit the resident memory of this process. Linux only.

    Beyond it, Python raises MemoryError and PyTorch a RuntimeError. The limit is on the data segment and not on the
    address space, because PyTorch reserves far more addresses than it uses.
    """
    if sys.platform != "linux":
        return
    sizes = dict(line.split(":\t") for line in Path("/proc/self/status").read_text("ascii").splitlines())
    data, resident = (int(sizes[name].split()[0]) * 1024 for name in ("VmData", "VmRSS"))
    limit = data + max(0, resident_bytes - resident)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
