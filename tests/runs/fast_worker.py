"""The real worker with short intervals, for tests: ``python -m tests.runs.fast_worker FOLDER RUN ATTEMPT``."""

import sys
from importlib import import_module

from explorer.runs import worker

COMMAND = (sys.executable, "-m", "tests.runs.fast_worker")
SHORTER = {  # what makes the evaluations of a run short
    "explorer.live.training.EVALUATIONS": 4,
    "explorer.live.trainer.CALIBRATION_BATCHES": 1,
    "explorer.live.training.INTERIM_TEST_IMAGES": 64,
    "explorer.live.trainer.INTERIM_TEST_IMAGES": 64,
}

if __name__ == "__main__":
    worker.available_cores = lambda: 1
    for path, value in SHORTER.items():
        module, _, name = path.rpartition(".")
        setattr(import_module(module), name, value)
    worker.main(checkpoint_interval_s=0.1)
