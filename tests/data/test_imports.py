"""One's own images: what is good is kept by content; what is bad is told in a sentence, and leaves nothing behind."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.data import imports
from explorer.data.arrays import DataError
from explorer.data.datasets import available_datasets, dataset_info, imported_datasets, load
from explorer.data.imports import ImportedDataset, Upload, delete, import_images
from explorer.training.plan import DatasetChoice
from tests.data.test_datasets import idx, npz


def picture(seed: int, size: tuple[int, int] = (20, 30), kind: str = "PNG", mode: str = "RGB") -> bytes:
    """Return an image file of random colours."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """Return a zip of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    file.seek(0)
    return file


def animals(count: int = 6) -> dict[str, bytes]:
    """Return a folder of cats and one of dogs."""
    return {f"{name}/{n}.png": picture(n + 100 * (name == "dogs")) for n in range(count) for name in ("cats", "dogs")}


def taken(file: io.BytesIO, folder: Path, name: str = "animals.zip", **options: object) -> ImportedDataset:
    """Import one file."""
    return import_images([Upload(name, file)], folder, **options)


def test_a_zip_of_class_folders(tmp_path: Path) -> None:
    """Its folders are the classes; images become squares; a fifth is for testing, by seed, and nothing is in both."""
    made = taken(packed(animals(10)), tmp_path, side=28, title="Animals")
    assert ("Animals", (3, 28, 28), ("cats", "dogs"), 16, 4) == (
        made.info.title,
        made.info.shape,
        made.info.classes,
        made.info.train,
        made.info.test,
    )
    assert made.info == dataset_info(made.dataset, tmp_path)
    images, other = load(made.dataset, tmp_path), load(made.dataset.replace(seed=1), tmp_path)
    assert (("cats", 8, 2), ("dogs", 8, 2)) == images.counts() == other.counts()
    assert (images.test != other.test).any()
    assert 20 == len({image.tobytes() for image in (*images.train, *images.test)})
    assert made.dataset in available_datasets(tmp_path)


def test_the_same_images_are_kept_once(tmp_path: Path) -> None:
    """Named by content: imported twice they are one file. Deleting takes it away."""
    first, second = (taken(packed(animals()), tmp_path) for _ in range(2))
    assert first.dataset == second.dataset
    assert (first.dataset.upload,) == imported_datasets(tmp_path)
    delete(first.dataset.upload, tmp_path)
    delete(first.dataset.upload, tmp_path)
    assert () == imported_datasets(tmp_path)
    with pytest.raises(DataError, match="no longer there"):
        load(first.dataset, tmp_path)


def test_a_zip_with_its_own_split(tmp_path: Path) -> None:
    """Folders called train and test, under any folder, are taken at their word."""
    entries = {f"pets/train/{name}": content for name, content in animals(4).items()}
    entries |= {f"pets/test/{kind}/9.png": picture(n) for n, kind in ((901, "cats"), (902, "dogs"))}
    made = taken(packed(entries), tmp_path)
    assert (8, 2) == (made.info.train, made.info.test)
    assert (load(made.dataset, tmp_path).test == load(made.dataset.replace(seed=5), tmp_path).test).all()


def test_grey_images_stay_grey_and_other_formats_are_read(tmp_path: Path) -> None:
    """One channel where no image has a colour; JPEG, GIF and palette images too."""
    grey = {name: picture(n, mode="L") for n, name in enumerate(animals())}
    assert (1, 32, 32) == taken(packed(grey), tmp_path).info.shape
    mixed = animals() | {"cats/j.jpg": picture(1, (90, 40), "JPEG"), "dogs/g.gif": picture(2, (40, 40), "GIF")}
    mixed |= {"dogs/__MACOSX/x.png": b"?", "dogs/.hidden.png": b"?", "dogs/notes.txt": b"?", "dogs/": b""}
    made = taken(packed(mixed), tmp_path)
    assert 14 == made.info.train + made.info.test
    assert () == made.notes


def test_a_few_bad_images_are_left_out_and_told(tmp_path: Path) -> None:
    """Up to a tenth; and images that are there twice are kept once."""
    made = taken(packed(animals(10) | {"cats/bad.png": b"not an image"}), tmp_path)
    assert (
        "1 image was left out. cats/bad.png is no image that can be read (PNG, JPEG, GIF, BMP, WEBP).",
    ) == made.notes
    made = taken(packed(animals(10) | {"dogs/again.png": picture(0)}), tmp_path)
    assert ("1 image was there more than once and is kept once.",) == made.notes
    assert 20 == made.info.train + made.info.test


def keras(**changed: np.ndarray) -> dict[str, np.ndarray]:
    """Return arrays as Keras names them."""
    generator = np.random.default_rng(0)
    return {
        "x_train": generator.integers(0, 256, (12, 10, 10), np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": generator.integers(0, 256, (6, 10, 10), np.uint8),
        "y_test": np.arange(6) % 3,
    } | changed


def test_arrays_by_their_usual_names(tmp_path: Path) -> None:
    """Keras's four, or images and labels, as bytes or as 0 to 1, grey or in colour, with or without class names."""
    made = taken(npz(**keras()), tmp_path, "mnist.npz")
    assert (12, 6, (1, 10, 10), ("class 0", "class 1", "class 2")) == (
        made.info.train,
        made.info.test,
        made.info.shape,
        made.info.classes,
    )
    assert (load(made.dataset, tmp_path).train[:, 0] == keras()["x_train"]).all()
    colour = np.random.default_rng(0).random((20, 8, 8, 3), np.float32)
    names = np.array(["no", "yes"])
    made = taken(npz(images=colour, labels=np.arange(20)[:, None] % 2, class_names=names), tmp_path, "x")
    assert ((3, 8, 8), ("no", "yes")) == (made.info.shape, made.info.classes)
    first = np.round(255 * colour[0].transpose(2, 0, 1))
    images = load(made.dataset, tmp_path)
    assert first.astype(np.uint8).tobytes() in {image.tobytes() for image in (*images.train, *images.test)}


def test_idx_files_in_pairs(tmp_path: Path) -> None:
    """Two, or four with t10k in the names of those for testing."""
    values = keras()
    uploads = [
        Upload(name, io.BytesIO(idx(values[key].astype(np.uint8))))
        for name, key in (
            ("train-images", "x_train"),
            ("train-labels", "y_train"),
            ("t10k-images", "x_test"),
            ("t10k-labels", "y_test"),
        )
    ]
    made = import_images(uploads, tmp_path)
    assert (12, 6) == (made.info.train, made.info.test)
    made = import_images([upload for upload in uploads if "train" in upload.name], tmp_path)
    assert (9, 3) == (made.info.train, made.info.test)
    with pytest.raises(DataError, match="in pairs"):
        import_images(uploads[:1], tmp_path)
    with pytest.raises(DataError, match="two IDX files of images"):
        import_images([uploads[0], Upload("again", io.BytesIO(idx(values["x_train"])))], tmp_path)


BAD_ARRAYS = [
    (keras(y_train=np.arange(11) % 3), "12 train images and 11 labels"),
    (keras(y_train=np.arange(12) % 3 - 1), "whole numbers from 0"),
    (keras(y_train=np.arange(12) / 2), "whole numbers from 0"),
    (keras(y_train=np.full(12, np.nan)), "whole numbers from 0"),
    (keras(y_train=np.full(12, 10**12)), "too large"),
    (keras(y_train=np.zeros(12, int), y_test=np.zeros(6, int)), "one class only"),
    (keras(y_test=np.arange(6) % 3 + 3), "none for training"),
    (keras(y_train=np.array(["a"] * 12)), "whole numbers from 0"),
    (keras(x_train=np.zeros((12, 3, 3), np.uint8), x_test=np.zeros((6, 3, 3), np.uint8)), "Use 8 to 96"),
    (keras(x_train=np.zeros((12, 12, 12), np.uint8)), "different sizes"),
    (keras(x_train=np.zeros((12, 100), np.uint8)), "should be N×H×W"),
    (keras(x_train=np.full((12, 10, 10), np.nan)), "no numbers"),
    (keras(x_train=np.full((12, 10, 10), 300)), "from 300 to 300"),
    (keras(x_train=np.zeros((0, 10, 10))), "is empty"),
    (keras(y_train=np.zeros(0, int)), "is empty"),
    (keras(x_train=np.zeros((12, 10, 10), bool)), "hold no numbers"),
    ({"pictures": np.zeros((3, 8, 8))}, "it holds pictures"),
    ({"images": np.array([{}, {}])}, "Python objects"),
]


@pytest.mark.parametrize(("arrays", "told"), BAD_ARRAYS, ids=[told for _, told in BAD_ARRAYS])
def test_bad_arrays_are_refused(arrays: dict[str, np.ndarray], told: str, tmp_path: Path) -> None:
    """In a sentence, and nothing is kept."""
    refused(npz(**arrays), told, tmp_path, "x.npz")


def refused(file: io.BytesIO, told: str, folder: Path, name: str = "animals.zip") -> None:
    """Check that an import is refused in a sentence and leaves no file."""
    with pytest.raises(DataError, match=told) as caught:
        taken(file, folder, name)
    assert str(caught.value).endswith(".")
    assert [] == [path for path in folder.rglob("*") if path.is_file()]


BAD_ZIPS = {
    "no image in the zip": {"readme.txt": b"x"},
    "lie in no folder": {"1.png": picture(1), "2.png": picture(2)},
    "one class only": {f"cats/{n}.png": picture(n) for n in range(4)},
    "too few images": animals() | {"birds/1.png": picture(77)},
    "6 of 12 images cannot be used": {name: b"x" if "cats" in name else c for name, c in animals().items()},
    "at least 8×8": {name: picture(n, (3, 3)) for n, name in enumerate(animals())},
    "leads out of the zip": animals() | {"../../cats/x.png": picture(5)},
}


@pytest.mark.parametrize("told", BAD_ZIPS)
def test_bad_zips_are_refused(told: str, tmp_path: Path) -> None:
    """In a sentence, and nothing is kept."""
    refused(packed(BAD_ZIPS[told]), told, tmp_path)


@pytest.mark.parametrize("name", ["/etc/x.png", "..\\..\\x.png", "a/../../x.png", "C:/x.png", "\\\\host\\x.png"])
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    """Whatever the system's way to write them; nothing is written beside the data directory either."""
    (tmp_path / "data").mkdir()
    refused(packed(animals() | {name: picture(5)}), "leads out", tmp_path / "data")
    assert ["data"] == [path.name for path in tmp_path.iterdir()]


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    """Cut off, with a bad checksum, encrypted, or no zip at all."""
    whole = packed(animals()).getvalue()
    refused(io.BytesIO(b""), "neither a zip", tmp_path)
    refused(io.BytesIO(b"PK\x03\x04" + bytes(50)), "damaged", tmp_path)
    refused(io.BytesIO(whole[: len(whole) // 2]), "damaged", tmp_path)
    encrypted = bytearray(whole)
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := whole.find(sign, start + 1)) >= 0:
            encrypted[start + at] |= 1
    refused(io.BytesIO(bytes(encrypted)), "encrypted", tmp_path)


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few kB that says it is this large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(6_000, 6_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)])
def test_an_image_that_would_unpack_to_gigabytes_is_not_unpacked(size: tuple[int, int], tmp_path: Path) -> None:
    """Its size is read first; memory stays as it is."""
    tracemalloc.start()
    refused(packed({name: bomb(*size) for name in animals(2)}), "pixels are read|no image that can be read", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Files of hundreds of MB of zeros, and tens of thousands of files, are refused by what the zip says of them."""
    zeros = bytes(imports.MAX_IMAGE_BYTES + 1)
    bombs = packed({f"{kind}/{n}.png": zeros for kind in ("a", "b") for n in range(2)})
    assert len(bombs.getvalue()) < 200_000
    tracemalloc.start()
    refused(bombs, "at most 20 are read", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_zip_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of one colour pack a thousandfold, and each is to be decoded."""
    monkeypatch.setattr(imports, "MAX_SECONDS", -1)
    refused(packed(animals()), "took longer than", tmp_path)


def test_too_many_files_or_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each limit is named."""
    monkeypatch.setattr(imports, "MAX_ENTRIES", 10)
    refused(packed(animals(6)), "At most 10 are read", tmp_path)
    monkeypatch.setattr(imports, "MAX_SET_BYTES", 20_000)
    refused(packed(animals(5)), "Send fewer", tmp_path)
    monkeypatch.setattr(imports, "MAX_FILE_BYTES", 1_000)
    refused(packed(animals(5)), "at most 0 MB are taken", tmp_path)


def test_a_zip_of_millions_of_entries_is_not_opened(tmp_path: Path) -> None:
    """To open one is to make an object of each entry; 47 bytes of the file become some hundred of memory."""
    entry = b"PK\x01\x02" + bytes(24) + b"\x01" + bytes(17) + b"a"
    count = 100_000
    end = (
        b"PK\x05\x06" + bytes(4) + 2 * struct.pack("<H", 0xFFFF) + struct.pack("<II", count * len(entry), 0) + bytes(2)
    )
    tracemalloc.start()
    refused(io.BytesIO(b"PK\x03\x04" + entry * count + end), "At most 50,000 are read", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_labels_of_half_precision_are_labels(tmp_path: Path) -> None:
    """The limit on class numbers is beyond what 16 bits can hold."""
    made = taken(npz(**keras(y_train=(np.arange(12) % 3).astype(np.float16))), tmp_path, "x.npz")
    assert 3 == len(made.info.classes)


def test_a_zip_that_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    """What a file promises to unpack to is all that is read of it."""
    content = packed({f"{kind}/{n}.png": bytes(30_000_000) for kind in "ab" for n in range(2)}).getvalue()
    lying = content.replace(struct.pack("<I", 30_000_000), struct.pack("<I", 1_000))
    tracemalloc.start()
    refused(io.BytesIO(lying), "cannot be used|damaged", tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_names_that_come_along_are_made_plain(tmp_path: Path) -> None:
    """Control signs and great lengths do not reach the screen."""
    entries = {
        f"{kind}/{n}.png": picture(n + 50 * (kind == "b")) for kind in ("a\x07\u202e" + "x" * 90, "b") for n in range(5)
    }
    made = taken(packed(entries), tmp_path, "pets\n<script>" + "y" * 99 + ".zip")
    for name in (made.info.title, *made.info.classes):
        assert name.isprintable()
        assert len(name) <= 40


def test_classes_whose_long_names_begin_alike_stay_apart(tmp_path: Path) -> None:
    """In folders as in arrays; each keeps its images."""
    alike = [f"a bird of the family of the long names, {kind}" for kind in ("left", "right")]
    entries = {f"{kind}/{n}.png": picture(n + 50 * place) for place, kind in enumerate(alike) for n in range(5)}
    shown = ("a bird of the family of the long names,…", "a bird of the family of the long na… (2)")
    made = taken(packed(entries), tmp_path)
    assert shown == made.info.classes
    assert [5, 5] == [sum(counts) for _, *counts in load(made.dataset, tmp_path).counts()]
    images = np.random.default_rng(1).integers(0, 256, (8, 28, 28), np.uint8)
    file = npz(images=images, labels=np.array([0, 1] * 4), class_names=np.array(alike))
    assert shown == taken(file, tmp_path, "x.npz").info.classes


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half of a file stays behind."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(imports.os, "fsync", full)
    refused(packed(animals()), "No space left on device", tmp_path)


def test_a_size_that_is_not_offered_is_refused(tmp_path: Path) -> None:
    """The sizes on offer are named."""
    with pytest.raises(DataError, match="28, 32, 48, 64, 96"):
        taken(packed(animals()), tmp_path, side=1_000)


def test_a_damaged_import_is_told(tmp_path: Path) -> None:
    """When the file in the data directory was cut off."""
    made = taken(packed(animals()), tmp_path)
    (file,) = (tmp_path / "datasets").iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    for ask in (dataset_info, load):
        with pytest.raises(DataError, match="damaged"):
            ask(DatasetChoice(name="own", upload=made.dataset.upload), tmp_path)
