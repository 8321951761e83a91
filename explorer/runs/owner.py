"""One server at a time starts workers in a data directory. The mark goes with its process, however it ends."""

import sqlite3
from pathlib import Path


class Ownership:
    """The right to start workers in a data directory: an exclusive lock that SQLite holds, on every platform alike."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "server.lock"
        self._lock: sqlite3.Connection | None = None

    def take(self) -> bool:
        """Return whether it is ours, after trying to take it where it is not."""
        if self._lock is None:
            lock = sqlite3.connect(self._file, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                lock.execute("PRAGMA journal_mode = OFF")  # nothing is ever written: no file beside it
                lock.execute("BEGIN EXCLUSIVE")
                self._lock = lock
            except sqlite3.OperationalError:  # another one holds it
                lock.close()
        return self._lock is not None

    def give_back(self) -> None:
        """Let another server have it."""
        if self._lock:
            self._lock.close()
            self._lock = None
