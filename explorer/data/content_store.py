"""A bounded folder of files named by their content: pictures and weights on their way to the checking process.

Equal content has one file, so a path says what is in it and may be part of a request. What has not been used for
longest goes first when the folder is full. Any number of processes may use one folder. A file that grows has another
name until it is whole; what a process that was killed left half written goes with the next file. Free of torch.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from explorer.errors import UserError

MAX_BYTES = 512_000_000
FOLDER = "scratch"  # in the data directory
_PART = ".part"
_STALE_S = 120  # since anybody wrote to a part: its process has gone


class ContentStoreError(UserError, OSError):
    """A file could not be kept; the message says why."""


class ContentStore:
    """The folder, made at first use, that holds at most ``most`` bytes."""

    def __init__(self, folder: Path, most: int = MAX_BYTES) -> None:
        self.folder, self.most = folder, most

    def keep(self, content: bytes, suffix: str) -> Path:
        """Return the path of a file with this content, and see to it that there is one.

        Raises ScratchError when it cannot be written, or is larger than the whole folder may be.
        """
        path = self.folder / f"{hashlib.blake2b(content, digest_size=20).hexdigest()}{suffix}"
        if not self.holds(path):
            with self.growing(path, len(content)) as part:
                part.write(content)
        return path

    def holds(self, path: Path) -> bool:
        """Whether a file is there; then it was used just now."""
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unkept(error) from error
        return True

    @contextmanager
    def growing(self, path: Path, size: int) -> Iterator[BinaryIO]:
        """Give a file to write at most ``size`` bytes to, which is at ``path`` once the block has ended without error.

        Until then it has another name, so that nobody finds half a file. Raises ScratchError as :meth:`keep` does, also
        for an OSError in the block: to catch others is the block's affair.
        """
        if size > self.most:
            raise ContentStoreError(f"The file is larger than {self.most:,} bytes, and cannot be kept.")
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
                raise self._unkept(error) from error
            raise

    def _unkept(self, error: OSError) -> ContentStoreError:
        return ContentStoreError(f"The file cannot be kept in {self.folder}: {error.strerror}.")

    def _make_room(self, needed: int) -> None:
        self._sweep()
        files = sorted(self._files())
        held = sum(size for _, size, _ in files)
        for _, size, path in files:
            if held + needed <= self.most:
                return
            with suppress(OSError):
                path.unlink()
                held -= size

    def _sweep(self) -> None:
        """Remove what processes left half written."""
        for changed, _, path in self._files():
            if path.suffix == _PART and time.time() - changed > _STALE_S:
                with suppress(OSError):
                    path.unlink()

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each file was last used, its size, and its path."""
        for path in self.folder.iterdir():
            with suppress(OSError):  # another process may have removed it
                facts = path.stat()
                yield facts.st_mtime, facts.st_size, path
