"""A server for tests, to be killed: ``python -m tests.runs.server FOLDER`` goes on with whatever can go on."""

import sys
import time
from pathlib import Path

from explorer.runs.manager import Manager
from explorer.runs.records import RESUMABLE
from explorer.runs.store import Store
from tests.runs.actor import COMMAND

if __name__ == "__main__":
    store = Store(Path(sys.argv[1]))
    manager = Manager(store, COMMAND)
    print("serving", flush=True)
    while True:
        for run in store.runs(RESUMABLE):
            manager.resume(run.id, run.session)
        time.sleep(0.01)
