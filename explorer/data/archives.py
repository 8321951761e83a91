"""Read zip and tar archives of users, within limits. Free of torch.

Nothing in an archive is trusted: not the sizes it declares and not its names. Nothing is unpacked to disk, and one file
at a time is unpacked in memory. A tar, which has no table of contents, is read twice from its start.
"""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from typing import IO, NamedTuple
from zipfile import BadZipFile, ZipFile

from explorer.data.arrays import DataError
from explorer.data.import_report import printable

MAX_ENTRIES = 50_000
MAX_ENTRY_BYTES = 20_000_000  # of one file, unpacked
MAX_TAR_BYTES = 2_000_000_000  # of a tar, unpacked: all of it has to be, to find what is in it
ENCODINGS = {  # of names in an archive that does not say which
    "utf-8": "UTF-8",
    "gb18030": "GBK (Simplified Chinese)",
    "big5": "Big5 (Traditional Chinese)",
    "cp932": "Shift JIS (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1252": "Windows-1252 (Western European)",
    "cp437": "IBM 437 (DOS)",
}
_DETECTED = ("utf-8", "gb18030", "cp437")  # the encodings that are tried, in this order
_DIRECTORY_ENTRY = b"PK\x01\x02"  # the signature of each entry in the directory of a zip
_PIECE = 1_000_000  # bytes
_COMPRESSED = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
_ERRORS = (
    *(BadZipFile, OSError, EOFError, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError),
    *(tarfile.TarError, ValueError),
)


class Entry(NamedTuple):
    """A file in an archive: its place there, its path, and its size as declared."""

    number: int
    path: PurePosixPath
    size: int


class Archive(NamedTuple):
    """The files of an archive, without hidden ones. ``encoding`` is that of its names; empty if there is no choice."""

    name: str
    file: IO[bytes]
    is_zip: bool
    entries: tuple[Entry, ...]
    encoding: str

    def read(self, entries: Iterable[Entry], max_bytes: int = MAX_ENTRY_BYTES) -> Iterator[tuple[Entry, bytes]]:
        """Yield entries with their contents, in the order of the archive. Raises DataError.

        An entry that is damaged, or has more than ``max_bytes``, has an empty content.
        """
        chosen = {entry.number: entry for entry in entries}
        self.file.seek(0)
        read = _read_zip if self.is_zip else _read_tar
        with _explain(self.name):
            yield from read(self.file, chosen, max_bytes)


def first_bytes(file: IO[bytes], count: int = 512) -> bytes:
    """Return how a file begins, decompressed if it is compressed, and rewind it."""
    head = read_decompressed(file, count)
    file.seek(0)
    return head


def read_decompressed(file: IO[bytes], max_bytes: int) -> bytes:
    """Return at most ``max_bytes`` of a file, decompressed if it is compressed; empty if it is damaged."""
    head = file.read(8)
    file.seek(0)
    reader = next((reader for signature, reader in _COMPRESSED if head.startswith(signature)), None)
    try:
        return (reader(file) if reader else file).read(max_bytes)
    except _ERRORS:
        return b""


def is_tar(head: bytes) -> bool:
    """Whether a decompressed file that begins like this is a tar."""
    return head[257:262] == b"ustar"


def open_archive(file: IO[bytes], name: str, encoding: str = "") -> Archive:
    """List the files in a zip or a tar. ``encoding`` is that of its names; empty to detect it. Raises DataError."""
    is_zip = file.read(2) == b"PK"
    file.seek(0)
    with _explain(name):
        found = _list_zip(file, name) if is_zip else _list_tar(file, name)
    unknown = [raw for raw, _ in found if isinstance(raw, bytes) and not raw.isascii()]
    used = (encoding or _detect(unknown)) if unknown else ""
    entries = []
    for number, (raw, size) in enumerate(found):
        text = raw if isinstance(raw, str) else raw.decode(used or "ascii", "replace")
        path = _safe_path(text, name)
        if not any(part.startswith((".", "__MACOSX")) for part in path.parts):
            entries.append(Entry(number, path, size))
    return Archive(name, file, is_zip, tuple(entries), used)


def _detect(names: list[bytes]) -> str:
    """Return the first encoding that fits all names."""
    for encoding in _DETECTED:
        try:
            b"\n".join(names).decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return _DETECTED[-1]


def _list_zip(file: IO[bytes], name: str) -> list[tuple[str | bytes, int]]:
    _check_count(_count(_DIRECTORY_ENTRY, file), name)
    with ZipFile(file) as archive:
        return [
            (info.filename if info.flag_bits & 0x800 else info.orig_filename.encode("cp437"), info.file_size)
            for info in archive.infolist()
            if not info.is_dir()
        ]


def _read_zip(file: IO[bytes], chosen: dict[int, Entry], max_bytes: int) -> Iterator[tuple[Entry, bytes]]:
    with ZipFile(file) as archive:
        for number, info in enumerate(info for info in archive.infolist() if not info.is_dir()):
            if number in chosen:
                content = b""
                if info.file_size <= max_bytes:
                    with suppress(BadZipFile, zlib.error), archive.open(info) as entry:
                        content = entry.read(info.file_size)
                yield chosen[number], content


def _list_tar(file: IO[bytes], name: str) -> list[tuple[str | bytes, int]]:
    found: list[tuple[str | bytes, int]] = []
    free_bytes = MAX_TAR_BYTES
    with _open_tar(file) as archive:
        for member in archive:
            free_bytes -= member.size
            if free_bytes < 0:
                raise DataError(
                    f"{name}: unpacked it would have more than {MAX_TAR_BYTES / 1e6:,.0f} MB. Pack fewer images."
                )
            if member.isreg():
                found.append((member.name.encode("utf-8", "surrogateescape"), member.size))
                _check_count(len(found), name)
    return found


def _read_tar(file: IO[bytes], chosen: dict[int, Entry], max_bytes: int) -> Iterator[tuple[Entry, bytes]]:
    with _open_tar(file) as archive:
        for number, member in enumerate(member for member in archive if member.isreg()):
            if number in chosen:
                entry = archive.extractfile(member) if member.size <= max_bytes else None
                yield chosen[number], entry.read() if entry else b""


def _open_tar(file: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="r|*", encoding="utf-8", errors="surrogateescape")


def _check_count(count: int, name: str) -> None:
    if count > MAX_ENTRIES:
        raise DataError(f"{name}: there are {count:,} files in it; the limit is {MAX_ENTRIES:,}.")


def _count(signature: bytes, file: IO[bytes]) -> int:
    """Count how often a signature occurs in a file, and rewind the file."""
    found, end = 0, b""
    while piece := file.read(_PIECE):
        found += (end + piece).count(signature)
        end = piece[1 - len(signature) :]
    file.seek(0)
    return found


def _safe_path(entry: str, name: str) -> PurePosixPath:
    """Return the path of an entry. Nothing is written there, but a path out of the archive is a sign of a hostile file.

    Raises DataError for one.
    """
    path = PurePosixPath(entry.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in entry.split("/", maxsplit=1)[0] or "\0" in entry:
        raise DataError(
            f"{name}: “{printable(entry)}” is a path out of the archive. Pack the folders with plain names."
        )
    return path


@contextmanager
def _explain(name: str) -> Iterator[None]:
    """Turn the errors of a damaged archive into a sentence."""
    try:
        yield
    except DataError:
        raise
    except _ERRORS as error:
        raise DataError(f"{name}: the archive is damaged, encrypted or truncated.") from error
