"""Reading IDX and .npz files: arrays are read back, and damaged or hostile files are refused."""

import gzip
import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from explorer.data import arrays
from explorer.data.arrays import DataError, read_idx, read_npz
from tests.data.files import idx, npz


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0",
        b"\0\0\x08\x01\xff\xff\xff\xff",
        b"\0\0\x08\x04\0\0\0\0" + 12 * b"\xff",
        b"\0\0\x08\x01\0\0\0\0",
        b"\0\0\x08\x03" + 3 * b"\0\0\xff\xff" + b"12",
        b"\0\0\x08\x01\0\0\0\x05abc",
        gzip.compress(b"\0\0\x08\x01\0\0\0\x05abcde", mtime=0)[:-14],
    ],
)
def test_damaged_idx_is_refused(content: bytes) -> None:
    """Empty, of another type, with a wrong size, truncated: a sentence each."""
    with pytest.raises(DataError, match=r"^x: .*\.$"):
        read_idx(io.BytesIO(content), "x")


def test_a_gzip_bomb_is_not_unpacked() -> None:
    """Only as many bytes are unpacked as the header declares."""
    bomb = gzip.compress(idx(np.arange(5, dtype=np.uint8)) + bytes(50_000_000))
    assert [0, 1, 2, 3, 4] == read_idx(io.BytesIO(bomb), "x").tolist()


def test_arrays_are_read_back() -> None:
    """In C order and in Fortran order."""
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    found = read_npz(npz(a=values, b=np.asfortranarray(values), c=np.array(["x", "ä"])), "x")
    assert (found["a"] == values).all()
    assert (found["b"] == values).all()
    assert ["x", "ä"] == found["c"].tolist()


def test_pickled_objects_are_refused_unread(tmp_path: Path) -> None:
    """An array of objects is a pickle, and a pickle runs code: this one would create a file."""

    class Hostile:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    with pytest.raises(DataError, match="Python objects"):
        read_npz(npz(images=np.array([Hostile()], dtype=object)), "x")
    assert not (tmp_path / "ran").exists()


def test_an_array_that_declares_too_much_is_refused() -> None:
    """Before anything is allocated; also a negative size."""
    for shape in ((10**12,), (2**31, 2**31), (-5, 3)):
        header = io.BytesIO()
        npy.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("images.npy", header.getvalue() + b"123")
        with pytest.raises(DataError):
            read_npz(file, "x")


def npz_with_header(header: bytes, content: bytes = bytes(64), version: int = 1) -> io.BytesIO:
    """Return a compressed .npz file of one array with this header."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        length = len(header).to_bytes(2 if version == 1 else 4, "little")
        archive.writestr("images.npy", b"\x93NUMPY" + bytes((version, 0)) + length + header + content)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<U0', 'fortran_order': False, 'shape': (10,)}",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 10000000000000000000000000)}",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (0,)}",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, -1)}",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (True,)}",
        b"{'descr': '<U2', 'fortran_order': False, 'shape': (2,)}",
        b"{'descr': '>U2', 'fortran_order': False, 'shape': (2,)}",
        b"-" * 9_000 + b"1",
        b"[" * 9_000,
        bytes(900),
    ],
)
def test_hostile_headers_are_refused(header: bytes) -> None:
    """No elements, absurd sizes, invalid characters, text that breaks a parser: a sentence each."""
    with pytest.raises(DataError, match=r"^x, images: .*\.$"):
        read_npz(npz_with_header(header, b"\xff" * 64), "x")


def test_a_header_of_megabytes_is_not_read() -> None:
    """NumPy would read all of it before it checks its length."""
    bomb = npz_with_header(b" " * 30_000_000, version=2)
    tracemalloc.start()
    with pytest.raises(DataError, match="not a plain array"):
        read_npz(bomb, "x")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_the_limit_is_on_all_arrays_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two arrays below the limit may be above it together."""
    monkeypatch.setattr(arrays, "MAX_BYTES", 1_000_000)
    assert 2 == len(read_npz(npz(a=np.zeros(500_000, np.uint8), b=np.zeros(500_000, np.uint8)), "x"))
    with pytest.raises(DataError, match="limit for all arrays of a file is 1 MB"):
        read_npz(npz(a=np.zeros(600_000, np.uint8), b=np.zeros(600_000, np.uint8)), "x")


def test_damaged_npz_is_refused() -> None:
    """Truncated, with garbage in a member, or not a zip at all."""
    whole = npz(images=np.arange(2_000, dtype=np.uint8)).getvalue()
    for content in (b"", b"PK\x03\x04", whole[:100], whole[:-30], whole.replace(b"\x93NUMPY", b"\x93NUMPX")):
        if content == whole:
            continue
        with pytest.raises(DataError):
            read_npz(io.BytesIO(content), "x")
