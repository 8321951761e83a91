"""The news of classes for pages that ask every few seconds, and who asked.

Two hundred pages cost one query in half a second: the version of a class is cached, and who is a member of it too.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection
from threading import Lock
from time import monotonic

from explorer.classroom.names import token_hash
from explorer.classroom.store import ClassStore

VERSION_S = 0.5  # how old an answer may be
MEMBER_S = 20  # after joining another class, or leaving, the old answer is given for so long at most
MAX_KNOWN = 4_096


class NewsCache:
    """Answers pages that ask for news, from any thread. ``now`` is a clock in seconds."""

    def __init__(self, store: ClassStore, now: Callable[[], float] = monotonic) -> None:
        self._store, self._now, self._lock = store, now, Lock()
        self._versions: dict[int, tuple[float, int]] = {}
        self._classes: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._present: set[str] = set()

    def version(self, token: str) -> int:
        """Return the version of the news for the member with a token; 0 for a member of no class that is open."""
        known = token_hash(token)
        classroom = self._class_of(token, known)
        if not classroom:
            return 0
        with self._lock:
            self._present.add(known)
            time, version = self._versions.get(classroom, (-VERSION_S, 0))
        if self._now() - time < VERSION_S:
            return version
        version = self._store.version(classroom)
        with self._lock:
            self._versions[classroom] = self._now(), version
        return version

    def _class_of(self, token: str, known: str) -> int:
        with self._lock:
            time, classroom = self._classes.get(known, (-float("inf"), 0))
        if self._now() - time < MEMBER_S and classroom:
            return classroom
        member = self._store.members.find(token)
        classroom = member.classroom if member else 0
        with self._lock:
            self._classes[known] = self._now(), classroom
            if len(self._classes) > MAX_KNOWN:
                self._classes.popitem(last=False)
        return classroom

    def take_present(self) -> Collection[str]:
        """Return the hashes of the tokens that have asked since the last call."""
        with self._lock:
            present, self._present = self._present, set()
        return present
