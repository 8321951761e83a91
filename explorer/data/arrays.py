"""Read arrays from files that users upload: IDX and NumPy's ``.npz``. Headers are checked before any data is read.

Sources of the formats: http://yann.lecun.com/exdb/mnist (IDX: two zero bytes, the type, the number of dimensions, and
each dimension as a big-endian 32-bit number) and numpy.org/doc/stable/reference/generated/numpy.lib.format.html. An
array of Python objects is a pickle, which can run code: it is refused unread.
"""

import gzip
import sys
import zlib
from math import prod
from typing import IO, Any, NamedTuple, Protocol
from zipfile import BadZipFile, ZipFile

import numpy as np

from explorer.data.array_types import AnyArray, Pixels
from explorer.errors import UserError

MAX_BYTES = 400_000_000  # of all arrays in a file
MAX_DATASET_BYTES = 250_000_000  # of all images of a dataset, one byte per pixel and channel
MAX_ARRAYS = 16  # in an .npz file
_IDX_UNSIGNED_BYTE = 8
_VERSION = (1, 0)  # of the .npy format: its headers have at most 64 kB, those of later versions up to 4 GB


class DataError(UserError, ValueError):
    """Images or labels that cannot be used; the message says what is wrong and what would be right."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Header(NamedTuple):
    shape: tuple[int, ...]
    is_fortran_order: bool
    dtype: np.dtype[Any]


def is_gzip(head: bytes) -> bool:
    """Whether a file that begins like this is compressed by gzip."""
    return head.startswith(b"\x1f\x8b")


def is_idx(head: bytes) -> bool:
    """Whether a file that begins like this is IDX of unsigned bytes."""
    return len(head) >= 4 and head[:3] == bytes((0, 0, _IDX_UNSIGNED_BYTE)) and 1 <= head[3] <= 4


def read_idx(file: IO[bytes], name: str) -> Pixels:
    """Read an IDX file of unsigned bytes, gzipped or not. Raises DataError."""
    try:
        head = file.read(2)
        file.seek(0)
        return _read_idx(gzip.GzipFile(fileobj=file) if is_gzip(head) else file, name)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{name}: the file is damaged or truncated.") from error


def _read_idx(file: _Readable, name: str) -> Pixels:
    head = file.read(4)
    if not is_idx(head):
        raise DataError(f"{name}: this is not an IDX file of unsigned bytes.")
    shape = tuple(int.from_bytes(file.read(4), "big") for _ in range(head[3]))
    return _read_data(file, name, np.dtype(np.uint8), shape)


def read_npz(file: IO[bytes], name: str) -> dict[str, AnyArray]:
    """Read every array of an ``.npz`` file by its name. Raises DataError, also for arrays of Python objects."""
    try:
        with ZipFile(file) as archive:
            members = [info.filename for info in archive.infolist() if info.filename.endswith(".npy")]
            if len(members) > MAX_ARRAYS:
                raise DataError(f"{name}: it has {len(members):,} arrays; the limit is {MAX_ARRAYS}.")
            arrays: dict[str, AnyArray] = {}
            free_bytes = MAX_BYTES
            for member in members:
                key = member.removesuffix(".npy")
                with archive.open(member) as array_file:
                    arrays[key] = read_npy(array_file, f"{name}, {key}", free_bytes)
                free_bytes -= arrays[key].nbytes
            return arrays
    except (BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{name}: the file is damaged, encrypted or truncated.") from error


def read_npy(file: IO[bytes], name: str, max_bytes: int = MAX_BYTES) -> AnyArray:
    """Read an array of numbers or texts as NumPy saves it. Raises DataError, also for an array of Python objects."""
    shape, is_fortran_order, dtype = _read_npy_header(file, name)
    if dtype.hasobject or dtype.kind not in "biufUS":
        raise DataError(
            f"{name}: the array holds Python objects instead of numbers. Save images as uint8, and labels as numbers "
            "or with numpy.array(labels, dtype=str)."
        )
    values = _read_data(file, name, dtype, shape[::-1] if is_fortran_order else shape, max_bytes)
    return values.T if is_fortran_order else values


def _read_npy_header(file: IO[bytes], name: str) -> _Header:
    """Read the header, which is text in Python's syntax: a hostile one can make NumPy's parser raise anything."""
    try:
        if np.lib.format.read_magic(file) == _VERSION:
            header = _Header(*np.lib.format.read_array_header_1_0(file))
            if bool not in map(type, header.shape):  # NumPy accepts True as a size here, but not in reshape
                return header
    except Exception as error:
        raise DataError(f"{name}: this is not an array saved by NumPy.") from error
    raise DataError(f"{name}: this is not a plain array as NumPy saves it.")


def _read_data(
    file: _Readable, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], max_bytes: int = MAX_BYTES
) -> AnyArray:
    """Read as many bytes as the header says, after checking that they are at most ``max_bytes``."""
    size = prod(shape) * dtype.itemsize
    if size > max_bytes or min(shape, default=1) < 0:
        raise DataError(
            f"{name}: the array would take {abs(size) / 1e6:,.0f} MB; the limit for all arrays of a file is "
            f"{MAX_BYTES / 1e6:,.0f} MB."
        )
    if size == 0:
        raise DataError(f"{name}: the array is empty.")
    content = file.read(size)
    if len(content) < size:
        raise DataError(f"{name}: the file is truncated: it has {len(content):,} of {size:,} bytes.")
    if dtype.kind == "U":
        code_points = np.frombuffer(content, np.dtype("u4").newbyteorder(dtype.byteorder))
        if code_points.max() > sys.maxunicode:
            raise DataError(f"{name}: the array holds invalid characters.")
    return np.frombuffer(content, dtype).reshape(shape)


def drop_equal_channels(images: Pixels) -> Pixels:
    """Return N × 1 × H × W if all images are grey."""
    if images.shape[1] == 1:
        return images
    is_grey = (images[:, 0] == images[:, 1]).all() and (images[:, 0] == images[:, 2]).all()
    return images[:, :1] if is_grey else images


def check_dataset_size(size: int) -> None:
    """Raise DataError if a dataset's images take more than the limit; ``size`` is in bytes."""
    if size > MAX_DATASET_BYTES:
        raise DataError(
            f"The images would take {size / 1e6:,.0f} MB; the limit is {MAX_DATASET_BYTES / 1e6:,.0f} MB. "
            "Upload fewer images."
        )
