"""Arrays from files that nobody vouches for: IDX and NumPy's ``.npz``, judged by their heads before they are read.

Sources of the formats: http://yann.lecun.com/exdb/mnist (IDX: two zero bytes, the type, the number of dimensions, and
each dimension as a big-endian 32-bit number) and numpy.org/doc/stable/reference/generated/numpy.lib.format.html. An
array of Python objects is a pickle, which can run code: it is refused unread.
"""

import gzip
import sys
import zlib
from math import prod
from typing import IO, Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from explorer.errors import UserError

MAX_BYTES = 400_000_000  # of all arrays in a file
_IDX_UNSIGNED_BYTE = 8
_VERSION = (1, 0)  # of the format: its heads have at most 64 kB, those of later ones, for tables, up to 4 GB


class DataError(UserError, ValueError):
    """Images that cannot be used; the message says what is wrong and what would be right."""


def is_gzip(head: bytes) -> bool:
    """Say whether a file that begins like this is compressed by gzip."""
    return head.startswith(b"\x1f\x8b")


def is_idx(head: bytes) -> bool:
    """Say whether a file that begins like this is IDX of unsigned bytes."""
    return len(head) >= 4 and head[:3] == bytes((0, 0, _IDX_UNSIGNED_BYTE)) and 1 <= head[3] <= 4


def read_idx(file: IO[bytes], name: str) -> np.ndarray:
    """Read an IDX file of unsigned bytes, gzipped or not. Raises DataError."""
    try:
        head = file.read(2)
        file.seek(0)
        return _read_idx(gzip.GzipFile(fileobj=file) if is_gzip(head) else file, name)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: the file is damaged or cut off.") from error


def _read_idx(file: IO[bytes], name: str) -> np.ndarray:
    head = file.read(4)
    if not is_idx(head):
        raise DataError(f"{name}: this is no IDX file of unsigned bytes.")
    shape = tuple(int.from_bytes(file.read(4), "big") for _ in range(head[3]))
    return _read_numbers(file, name, np.dtype(np.uint8), shape)


def read_npz(file: IO[bytes], name: str) -> dict[str, np.ndarray]:
    """Read every array of an ``.npz`` file by its name. Raises DataError, also for arrays of Python objects."""
    try:
        with ZipFile(file) as archive:
            members = [info.filename for info in archive.infolist() if info.filename.endswith(".npy")]
            if len(members) > 16:
                raise DataError(f"{name}: there are {len(members):,} arrays. At most 16 are read.")
            arrays, room = {}, MAX_BYTES
            for member in members:
                arrays[member[:-4]] = _read_npy(archive, member, f"{name}, {member[:-4]}", room)
                room -= arrays[member[:-4]].nbytes
            return arrays
    except (BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{name}: the file is damaged, encrypted or cut off.") from error


def _read_npy(archive: ZipFile, member: str, name: str, room: int) -> np.ndarray:
    with archive.open(member) as file:
        shape, fortran, dtype = _npy_head(file, name)
        if dtype.hasobject or dtype.kind not in "biufU":
            raise DataError(f"{name}: the array holds Python objects, not numbers. Save it as uint8.")
        values = _read_numbers(file, name, dtype, shape[::-1] if fortran else shape, room)
        return values.T if fortran else values


def _npy_head(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the head, which is text in Python's syntax: NumPy's parser can be made to raise anything."""
    try:
        if np.lib.format.read_magic(file) == _VERSION:
            head = np.lib.format.read_array_header_1_0(file)
            if bool not in map(type, head[0]):  # True counts as a size there, but not in reshape
                return head
    except Exception as error:
        raise DataError(f"{name}: this is no array that NumPy saved.") from error
    raise DataError(f"{name}: this is no plain array as NumPy saves it.")


def _read_numbers(
    file: IO[bytes], name: str, dtype: np.dtype[Any], shape: tuple[int, ...], room: int = MAX_BYTES
) -> np.ndarray:
    """Read as many bytes as the head promises, and no more than there is ``room`` for, whatever it promises."""
    size = prod(shape) * dtype.itemsize
    if size > room or min(shape, default=1) < 0:
        raise DataError(
            f"{name}: the array would take {abs(size) / 1e6:,.0f} MB; all together may take {MAX_BYTES / 1e6:,.0f} MB."
        )
    if size == 0:
        raise DataError(f"{name}: the array is empty.")
    content = file.read(size)
    if len(content) < size:
        raise DataError(f"{name}: the file is cut off: {len(content):,} of {size:,} bytes are there.")
    if (
        dtype.kind == "U"
        and np.frombuffer(content, np.dtype("u4").newbyteorder(dtype.byteorder)).max() > sys.maxunicode
    ):
        raise DataError(f"{name}: the array holds signs that no text has.")
    return np.frombuffer(content, dtype).reshape(shape)
