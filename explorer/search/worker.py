"""A worker of studies: ``python -m explorer.search.worker FOLDER STUDY WORKER``, started by the manager.

It trains on one core, has a low priority and a limit on its memory, and ends when its manager ends. The address of the
database comes from the environment, not from the command line, because other users see command lines.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn

os.environ["OMP_NUM_THREADS"] = "1"  # before PyTorch is loaded

import torch

from explorer.jobs.process import end_with_parent, lower_priority
from explorer.live.devices import resolve_device
from explorer.live.trials import TableTrainer
from explorer.runs.worker import NICE, limit_memory
from explorer.search.runner import Runner
from explorer.search.storage import StudyError
from explorer.search.store import StudyStore
from explorer.training.validation import memory_limit

STORAGE_EXIT_CODE = 3  # the storage cannot be used; the message is on standard error


def work(folder: Path, study_id: str, worker: str) -> None:
    """Work on a study until it ends or is stopped. Raises StudyError."""
    torch.set_num_threads(1)
    store = StudyStore(folder)
    if resolve_device(store.head(study_id).spec.settings.device).torch.type == "cpu":
        limit_memory(memory_limit())
    Runner(store, study_id, worker, TableTrainer(folder)).run()


def main() -> NoReturn:
    """Work on the study that the command line names."""
    folder, study_id, worker = sys.argv[1:]
    lower_priority(NICE)
    end_with_parent(watch_stdin=True)
    try:
        work(Path(folder), study_id, worker)
    except StudyError as error:
        print(error, file=sys.stderr)
        sys.exit(STORAGE_EXIT_CODE)
    sys.exit(0)


if __name__ == "__main__":
    main()
