"""A worker of studies without PyTorch: ``python -m tests.search.fake_worker FOLDER STUDY WORKER``."""

import sys
import time
from pathlib import Path

from explorer.jobs.process import end_with_parent
from explorer.search.runner import Runner
from explorer.search.store import StudyStore
from explorer.training.plan import Plan
from tests.search.studies import make_train

TRAINING_S = 0.15


def pause(plan: Plan) -> None:
    """Take a moment, so that a kill can hit a training."""
    time.sleep(TRAINING_S)


if __name__ == "__main__":
    end_with_parent(watch_stdin=True)
    folder, study_id, worker = sys.argv[1:]
    Runner(StudyStore(Path(folder)), study_id, worker, make_train(pause)).run()
