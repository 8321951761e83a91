"""A bounded folder of files named by their content: pictures and weights on their way to the checking process.

Equal content has one file, so a path says what is in it and may be part of a request. What has not been used for
longest goes first when the folder is full. Any number of processes may use one folder. Free of torch.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MAX_BYTES = 512_000_000
FOLDER = "scratch"  # in the data directory


class ScratchError(OSError):
    """A file could not be kept; the message says why."""


class Scratch:
    """The folder, made at first use, that holds at most ``most`` bytes."""

    def __init__(self, folder: Path, most: int = MAX_BYTES) -> None:
        self.folder, self.most = folder, most

    def keep(self, content: bytes, suffix: str) -> Path:
        """Return the path of a file with this content, and see to it that there is one.

        Raises ScratchError when it cannot be written, or is larger than the whole folder may be.
        """
        path = self.folder / f"{hashlib.blake2b(content, digest_size=20).hexdigest()}{suffix}"
        if len(content) > self.most:
            raise ScratchError(f"The file is larger than {self.most:,} bytes, and cannot be kept.")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                self._make_room(len(content))
                self._write(path, content)
            path.touch()  # used just now
        except OSError as error:
            raise ScratchError(f"The file cannot be kept in {self.folder}: {error.strerror}.") from error
        return path

    def _write(self, path: Path, content: bytes) -> None:
        """Write it under another name first, so that nobody finds half a file."""
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise

    def _make_room(self, needed: int) -> None:
        files = sorted(self._files())
        held = sum(size for _, size, _ in files)
        for _, size, path in files:
            if held + needed <= self.most:
                return
            with suppress(OSError):
                path.unlink()
                held -= size

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each file was last used, its size, and its path."""
        for path in self.folder.iterdir():
            with suppress(OSError):  # another process may have removed it
                facts = path.stat()
                yield facts.st_mtime, facts.st_size, path
