"""The process that works on one run: ``python -m explorer.runs.worker FOLDER RUN ATTEMPT``, started by the manager.

It trains, records what happens, saves a checkpoint every few seconds and when it is asked to stop, and ends when its
server does. It has a low priority and a limit on its memory. Training itself knows nothing of all this: it is
something to iterate over for events, with a method ``save(folder)`` that may be called between any two of them.
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
from explorer.runs.records import DISK_FULL, FULL_DISK
from explorer.runs.store import Job, Store
from explorer.training.events import AnyEvent, Diverged

NICE = 15  # behind the server, and behind its checks
CHECKPOINT_S = 5.0

_OUT_OF_MEMORY = ("allocate memory", "not enough memory", "out of memory", "bad_alloc", "could not create a memory")


class Training(Iterable[AnyEvent], Protocol):
    """What a worker does. After the last event it is complete."""

    def save(self, folder: Path) -> Mapping[int, int]:
        """Write all that is needed to go on from here into an empty folder, and each lane's weights for use.

        Returns the step of each lane that was written: of all whose weights are numbers.
        """


Make = Callable[[Path, Job], Training]


def main(make: Make | None = None, checkpoint_s: float = CHECKPOINT_S) -> NoReturn:
    """Work on the run that the command line names. ``make`` makes the training, by default with PyTorch."""
    folder, run_id, attempt = sys.argv[1:]
    lower_priority(NICE)
    end_with_parent(watch_stdin=True)
    sys.exit(run_attempt(Path(folder), run_id, int(attempt), make or _training, checkpoint_s))


def run_attempt(folder: Path, run_id: str, attempt: int, make: Make, checkpoint_s: float = CHECKPOINT_S) -> int:
    """Work on a run, note how it ended, and return the exit code."""
    try:
        recorder = Recorder(Store(folder), run_id, attempt)
        try:
            work(recorder, make(folder, recorder.job), checkpoint_s)
        except (SupersededError, KeyboardInterrupt):
            raise
        except Exception as error:  # whatever PyTorch or the system may raise becomes a sentence
            recorder.end("failed", error_message(error, recorder.job.memory))
    except SupersededError:
        return 0
    except sqlite3.Error as error:
        if not _disk_is_full(error):
            raise
        return DISK_FULL
    return 0


def work(recorder: Recorder, training: Training, checkpoint_s: float = CHECKPOINT_S) -> None:
    """Train until the end, or until something else is wished, and record it."""
    saved, diverged = monotonic(), {}
    for event in training:
        recorder.add(event)
        if isinstance(event, Diverged):
            diverged[event.lane] = event
        if wish := recorder.requested_state():
            recorder.checkpoint(training.save)
            recorder.end(wish)
            return
        if monotonic() - saved > checkpoint_s:
            recorder.checkpoint(training.save)
            saved = monotonic()
    lanes = recorder.job.plan.trainers
    message = " ".join(event.message for event in diverged.values())
    if len(diverged) == len(lanes):
        recorder.end("failed", message)
    else:
        recorder.checkpoint(training.save)
        recorder.end("finished", message)


def error_message(error: Exception, memory: int) -> str:
    """Return what went wrong in a sentence. ``memory`` is what the process may use, in bytes.

    Our own exceptions say it themselves; of what was not foreseen the server's log keeps the details.
    """
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _OUT_OF_MEMORY):
        return f"Memory ran out: a run like this may use {memory / 1e6:,.0f} MB. Take a smaller batch or network."
    if _disk_is_full(error):
        return FULL_DISK
    if isinstance(error, UserError):
        return str(error)
    traceback.print_exception(error)
    return "Training failed in a way that was not foreseen; the server's log has the details."


def _disk_is_full(error: Exception) -> bool:
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def _training(folder: Path, job: Job) -> Training:
    """Load PyTorch, within limits, and what trains."""
    import torch

    from explorer.live.devices import resolve_device
    from explorer.live.training import train

    torch.set_num_threads(available_cores())
    if resolve_device(job.plan.settings.device).torch.type == "cpu":  # what a GPU's driver maps cannot be told
        cap_memory(job.memory)

    return train(job.plan, folder, job.checkpoint)


def cap_memory(most: int) -> None:
    """Let this process grow to ``most`` bytes, as resident memory, and no further. Linux only.

    What is refused beyond raises MemoryError, or PyTorch's kin of it. The limit is on data, not on addresses, as
    PyTorch reserves far more of these than it uses.
    """
    if sys.platform != "linux":
        return
    import resource

    sizes = dict(line.split(":\t") for line in Path("/proc/self/status").read_text("ascii").splitlines())
    data, resident = (int(sizes[name].split()[0]) * 1024 for name in ("VmData", "VmRSS"))
    limit = data + max(0, most - resident)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
