"""The real worker with short intervals, for tests: ``python -m tests.runs.fast_worker FOLDER RUN ATTEMPT``."""

import sys

from explorer.runs import worker

COMMAND = (sys.executable, "-m", "tests.runs.fast_worker")

if __name__ == "__main__":
    from explorer.live import trainer, training

    worker.available_cores = lambda: 1
    training.EVALUATIONS, trainer.CALIBRATION_BATCHES = 4, 1
    training.INTERIM_TEST_IMAGES = trainer.INTERIM_TEST_IMAGES = 64
    worker.main(checkpoint_interval_s=0.1)
