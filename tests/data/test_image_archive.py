"""Archives of images in class folders: classes, parts and what is left out, and hostile archives."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from explorer.data import archives, arrays, image_archive
from explorer.data.datasets import available_datasets, dataset_info, load
from explorer.data.import_report import Upload
from explorer.data.imports import analyse_upload
from tests.data.files import animals, image_file, npz, zip_file
from tests.data.test_imports import check_refused, import_file


def test_a_zip_of_class_folders(tmp_path: Path) -> None:
    """Its folders are the classes; images become squares; a fifth are test images, drawn by seed."""
    result = import_file(zip_file(animals(10)), tmp_path, side=28, title="Animals")
    assert ("Animals", (3, 28, 28), ("cats", "dogs"), 16, 4) == (
        result.info.title,
        result.info.shape,
        result.info.classes,
        result.info.train,
        result.info.test,
    )
    assert result.info == dataset_info(result.dataset, tmp_path)
    images, other = load(result.dataset, tmp_path), load(result.dataset.replace(seed=1), tmp_path)
    assert (("cats", 8, 2), ("dogs", 8, 2)) == images.counts() == other.counts()
    assert (images.test != other.test).any()
    assert 20 == len({image.tobytes() for image in (*images.train, *images.test)})
    assert result.dataset in available_datasets(tmp_path)


def test_a_zip_with_its_own_split(tmp_path: Path) -> None:
    """Folders named train and test, inside any folder, are the split."""
    entries = {f"pets/train/{name}": content for name, content in animals(4).items()}
    entries |= {f"pets/test/{kind}/9.png": image_file(n) for n, kind in ((901, "cats"), (902, "dogs"))}
    result = import_file(zip_file(entries), tmp_path)
    assert (8, 2) == (result.info.train, result.info.test)
    assert (load(result.dataset, tmp_path).test == load(result.dataset.replace(seed=5), tmp_path).test).all()


def test_grey_images_stay_grey_and_other_formats_are_read(tmp_path: Path) -> None:
    """One channel if no image has a colour; also JPEG, GIF and palette images."""
    grey = {name: image_file(n, mode="L") for n, name in enumerate(animals())}
    assert (1, 32, 32) == import_file(zip_file(grey), tmp_path).info.shape
    mixed = animals() | {"cats/j.jpg": image_file(1, (90, 40), "JPEG"), "dogs/g.gif": image_file(2, (40, 40), "GIF")}
    mixed |= {"dogs/__MACOSX/x.png": b"?", "dogs/.hidden.png": b"?", "dogs/notes.txt": b"?", "dogs/": b""}
    result = import_file(zip_file(mixed), tmp_path)
    assert 14 == result.info.train + result.info.test


def test_a_few_bad_images_are_left_out_and_reported(tmp_path: Path) -> None:
    """Up to a tenth; and so are duplicates."""
    report = analyse_upload([Upload("x.zip", zip_file(animals(10) | {"cats/bad.png": b"not an image"}))])
    assert report.left_out[0][:2] == ("unreadable", 1)
    assert report.left_out[0].example.startswith("cats/bad.png: The file is not an image of a format that is read")
    report = analyse_upload([Upload("x.zip", zip_file(animals(10) | {"dogs/again.png": image_file(0)}))])
    assert report.left_out == (("equal", 1, "1"),)  # with another label
    assert report.train + report.test == 20


BAD_ZIPS = {
    "no image in the archive": {"readme.txt": b"x"},
    "are in no folder of a class": {"1.png": image_file(1), "2.png": image_file(2)},
    "only one class": {f"cats/{n}.png": image_file(n) for n in range(4)},
    "too few images": animals() | {"birds/1.png": image_file(77)},
    "6 of 12 images cannot be used": {name: b"x" if "cats" in name else c for name, c in animals().items()},
    "at least 8×8": {name: image_file(n, (3, 3)) for n, name in enumerate(animals())},
    "is a path out of the archive": animals() | {"../../cats/x.png": image_file(5)},
}


@pytest.mark.parametrize("message", BAD_ZIPS)
def test_bad_zips_are_refused(message: str, tmp_path: Path) -> None:
    """With a sentence, and nothing is saved."""
    check_refused(zip_file(BAD_ZIPS[message]), message, tmp_path)


@pytest.mark.parametrize("name", ["/etc/x.png", "..\\..\\x.png", "a/../../x.png", "C:/x.png", "\\\\host\\x.png"])
def test_paths_out_of_the_zip_are_refused(name: str, tmp_path: Path) -> None:
    """In the notation of any system; nothing is written outside the data directory."""
    (tmp_path / "data").mkdir()
    check_refused(zip_file(animals() | {name: image_file(5)}), "path out of the archive", tmp_path / "data")
    assert ["data"] == [path.name for path in tmp_path.iterdir()]


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    """Truncated, encrypted, or not a zip at all."""
    whole = zip_file(animals()).getvalue()
    check_refused(io.BytesIO(b"PK\x03\x04" + bytes(50)), "damaged", tmp_path)
    check_refused(io.BytesIO(whole[: len(whole) // 2]), "damaged", tmp_path)
    encrypted = bytearray(whole)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := whole.find(signature, start + 1)) >= 0:
            encrypted[start + flags] |= 1
    check_refused(io.BytesIO(bytes(encrypted)), "encrypted", tmp_path)


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few kB that declares this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(6_000, 6_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
def test_an_image_that_would_unpack_to_gigabytes_is_not_unpacked(size: tuple[int, int], tmp_path: Path) -> None:
    """Its size is checked first, and memory stays small."""
    tracemalloc.start()
    check_refused(zip_file({name: bomb(*size) for name in animals(2)}), "pixels; the limit|too large|damaged", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Files that unpack to many megabytes of zeros are refused by the sizes in the zip."""
    zeros = bytes(archives.MAX_ENTRY_BYTES + 1)
    bombs = zip_file({f"{kind}/{n}.png": zeros for kind in ("a", "b") for n in range(2)})
    assert len(bombs.getvalue()) < 200_000
    tracemalloc.start()
    check_refused(bombs, "the limit is 20 MB", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_zip_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of one colour compress a thousandfold, but each has to be decoded."""
    monkeypatch.setattr(image_archive, "MAX_SECONDS", -1)
    check_refused(zip_file(animals()), "took longer than", tmp_path)


def test_too_many_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the limit."""
    monkeypatch.setattr(archives, "MAX_ENTRIES", 10)
    check_refused(zip_file(animals(6)), "12 files in it; the limit is 10", tmp_path)
    monkeypatch.setattr(arrays, "MAX_DATASET_BYTES", 20_000)
    check_refused(zip_file(animals(5)), "Upload fewer images", tmp_path)


def test_a_zip_of_millions_of_entries_is_not_opened(tmp_path: Path) -> None:
    """Opening it would create an object of hundreds of bytes for each entry of 47 bytes."""
    entry = b"PK\x01\x02" + bytes(24) + b"\x01" + bytes(17) + b"a"
    count = 100_000
    end = (
        b"PK\x05\x06" + bytes(4) + 2 * struct.pack("<H", 0xFFFF) + struct.pack("<II", count * len(entry), 0) + bytes(2)
    )
    tracemalloc.start()
    check_refused(io.BytesIO(b"PK\x03\x04" + entry * count + end), "the limit is 50,000", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_zip_with_wrong_sizes_is_refused(tmp_path: Path) -> None:
    """Only as many bytes as the zip declares are unpacked."""
    content = zip_file({f"{kind}/{n}.png": bytes(30_000_000) for kind in "ab" for n in range(2)}).getvalue()
    wrong = content.replace(struct.pack("<I", 30_000_000), struct.pack("<I", 1_000))
    tracemalloc.start()
    check_refused(io.BytesIO(wrong), "cannot be used|damaged", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_names_are_made_printable_and_short(tmp_path: Path) -> None:
    """Of the dataset and of its classes."""
    folders = ("a\x07\u202e" + "x" * 90, "b")
    entries = {f"{name}/{n}.png": image_file(n + 50 * (name == "b")) for name in folders for n in range(5)}
    result = import_file(zip_file(entries), tmp_path, "pets\n<script>" + "y" * 99 + ".zip")
    for name in (result.info.title, *result.info.classes):
        assert name.isprintable()
        assert len(name) <= 40


def test_long_class_names_stay_different(tmp_path: Path) -> None:
    """In folders and in arrays; each class keeps its images."""
    names = [f"a bird of the family of the long names, {kind}" for kind in ("left", "right")]
    entries = {f"{kind}/{n}.png": image_file(n + 50 * place) for place, kind in enumerate(names) for n in range(5)}
    expected = ("a bird of the family of the long names,…", "a bird of the family of the long na… (2)")
    result = import_file(zip_file(entries), tmp_path)
    assert expected == result.info.classes
    assert [5, 5] == [sum(counts) for _, *counts in load(result.dataset, tmp_path).counts()]
    images = np.random.default_rng(1).integers(0, 256, (8, 28, 28), np.uint8)
    file = npz(images=images, labels=np.array([0, 1] * 4), class_names=np.array(names))
    assert expected == import_file(file, tmp_path, "x.npz").info.classes
