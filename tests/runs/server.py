"""A server for tests, which they kill: ``python -m tests.runs.server FOLDER`` resumes every run that can resume."""

import sys
import time
from pathlib import Path

from explorer.runs.manager import Manager
from explorer.runs.records import RESUMABLE
from explorer.runs.store import Store
from tests.runs.fake_worker import COMMAND

if __name__ == "__main__":
    store = Store(Path(sys.argv[1]))
    manager = Manager(store, COMMAND)
    print("serving", flush=True)
    while True:
        for run in store.runs(RESUMABLE):
            manager.resume(run.id, run.session)
        time.sleep(0.01)
