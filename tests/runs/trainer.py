"""The real worker for tests, in more of a hurry: ``python -m tests.runs.trainer FOLDER RUN ATTEMPT``."""

import sys

from explorer.runs import worker

COMMAND = (sys.executable, "-m", "tests.runs.trainer")

if __name__ == "__main__":
    from explorer.live import training

    worker.NICE = 0  # tests shall not wait for a busy machine to become idle
    worker.available_cores = lambda: 1
    training.SAMPLE, training.EVALUATIONS, training.CALIBRATION = 64, 4, 1
    worker.main(checkpoint_s=0.1)
