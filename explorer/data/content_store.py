"""A folder of bounded size whose files are named by their content: images and weights for the worker processes.

Equal content has one file, so a path identifies its content and may be part of a request. When the folder is full, the
least recently used files are deleted. Any number of processes may use one folder. A file that is being written has a
temporary name; one left behind by a killed process is deleted when the next file is written. Free of torch.
"""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from explorer.errors import UserError

MAX_BYTES = 512_000_000
FOLDER = "scratch"  # in the data directory
_DIGEST_BYTES = 20
_NAME = re.compile(f"[0-9a-f]{{{2 * _DIGEST_BYTES}}}")
_PART = ".part"  # suffix of a file that is being written
_STALE_S = 120  # without a write, after which a part belongs to no living process


def is_named_by_content(path: Path) -> bool:
    """Whether a file has a name that :meth:`ContentStore.add` gives, so that its content never changes."""
    return bool(_NAME.fullmatch(path.stem))


class ContentStoreError(UserError, OSError):
    """A file cannot be written to the store."""


class _StoredFile(NamedTuple):
    used_at: float  # seconds since the epoch
    size: int
    path: Path


class ContentStore:
    """A folder, created at first use, with files of at most ``max_bytes`` in total."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder, self.max_bytes = folder, max_bytes

    def add(self, content: bytes, suffix: str) -> Path:
        """Return the path of a file with this content; write it if there is none.

        Raises ContentStoreError if it cannot be written or is larger than the store.
        """
        return self.add_pieces((content,), suffix)

    def add_pieces(self, pieces: Sequence[bytes | memoryview], suffix: str) -> Path:
        """Return the path of a file whose content comes in pieces of bytes, as :meth:`add` does."""
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        for piece in pieces:
            digest.update(piece)
        path = self.folder / f"{digest.hexdigest()}{suffix}"
        if not self.mark_used(path):
            with self.create(path, sum(map(len, pieces))) as file:
                file.writelines(pieces)
        return path

    def mark_used(self, path: Path) -> bool:
        """Mark a file as used now; return whether it exists."""
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._write_error(error) from error
        return True

    @contextmanager
    def create(self, path: Path, size: int) -> Iterator[BinaryIO]:
        """Open a file for at most ``size`` bytes that appears at ``path`` when the block ends without an error.

        Until then it has a temporary name, so that no process finds an incomplete file. Raises ContentStoreError as
        :meth:`add` does, also for an OSError in the block: catch other errors inside the block.
        """
        if size > self.max_bytes:
            raise ContentStoreError(f"The file is larger than {self.max_bytes:,} bytes and cannot be saved.")
        part = None
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(size)
            handle, part = tempfile.mkstemp(dir=self.folder, suffix=_PART)
            with os.fdopen(handle, "wb") as file:
                yield file
            Path(part).replace(path)
        except BaseException as error:
            if part:
                with suppress(OSError):
                    Path(part).unlink()
            if isinstance(error, OSError) and not isinstance(error, ContentStoreError):
                raise self._write_error(error) from error
            raise

    def _write_error(self, error: OSError) -> ContentStoreError:
        return ContentStoreError(f"The file cannot be saved in {self.folder}: {error.strerror}.")

    def _make_room(self, needed: int) -> None:
        """Delete the least recently used files until ``needed`` bytes are free."""
        self._delete_stale_parts()
        files = sorted(self._files())
        used = sum(file.size for file in files)
        for file in files:
            if used + needed <= self.max_bytes:
                return
            with suppress(OSError):
                file.path.unlink()
                used -= file.size

    def _delete_stale_parts(self) -> None:
        for file in self._files():
            if file.path.suffix == _PART and time.time() - file.used_at > _STALE_S:
                with suppress(OSError):
                    file.path.unlink()

    def _files(self) -> Iterator[_StoredFile]:
        for path in self.folder.iterdir():
            with suppress(OSError):  # another process may have deleted it
                status = path.stat()
                yield _StoredFile(status.st_mtime, status.st_size, path)
