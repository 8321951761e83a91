"""The images that come with the app, and the split of one's own: right sizes, right labels, nothing in both parts."""

import gzip
import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from explorer.data import arrays, datasets
from explorer.data.arrays import DataError, read_idx, read_npz
from explorer.data.datasets import IDX_FILES, BUNDLED_FILE, SYSTEM_FOLDER, ImageSet, available_datasets, dataset_info, load, test_split
from explorer.data.scales import LARGEST, SHAPES, SMALLEST, draw, radii
from explorer.training.plan import DATASETS, DatasetChoice

CLOTHES = DatasetChoice(name="fashion_mnist")


def test_the_shipped_images_are_balanced(tmp_path: Path) -> None:
    """1,000 of each class to train on, 200 to test on; small enough to ship."""
    images = load(CLOTHES, tmp_path)
    assert [(name, 1_000, 200) for name in DATASETS["fashion_mnist"].classes] == list(images.counts())
    assert BUNDLED_FILE.stat().st_size < 6_000_000
    assert 10 == len(np.unique(images.train_labels[:64]))


def test_no_test_image_is_trained_on(tmp_path: Path) -> None:
    """Pixel by pixel, in every set that comes with the app."""
    for name in ("fashion_mnist", "scales"):
        images = load(DatasetChoice(name=name), tmp_path)
        assert set() == {image.tobytes() for image in images.train} & {image.tobytes() for image in images.test}


@pytest.mark.skipif(not SYSTEM_FOLDER.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_the_shipped_images_are_made_from_all_of_them(tmp_path: Path) -> None:
    """The script gives the file that ships, byte for byte; and all of them can be chosen."""
    from assets.datasets.make import main

    main(SYSTEM_FOLDER, tmp_path / "made.npz")
    assert BUNDLED_FILE.read_bytes() == (tmp_path / "made.npz").read_bytes()
    assert (60_000, 1, 28, 28) == load(DatasetChoice(name="fashion_mnist_full"), tmp_path).train.shape


def idx(values: np.ndarray) -> bytes:
    """Return bytes as an IDX file."""
    return bytes((0, 0, 8, values.ndim)) + b"".join(n.to_bytes(4, "big") for n in values.shape) + values.tobytes()


def test_all_of_fashion_mnist_is_offered_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the data directory, gzipped or not; without it a sentence says where to put it; half of it is damaged."""
    monkeypatch.setattr(datasets, "SYSTEM", tmp_path / "nowhere")
    full = DatasetChoice(name="fashion_mnist_full")
    assert full not in available_datasets(tmp_path)
    with pytest.raises(DataError, match="Put its four IDX files into"):
        load(full, tmp_path)
    (tmp_path / "fashion-mnist").mkdir()
    monkeypatch.setattr(datasets, "FACTS", {"fashion_mnist_full": DATASETS["fashion_mnist"].replace(train=20, test=10)})
    for part, name in IDX_FILES.items():
        count = 20 if part.startswith("train") else 10
        values = np.arange(count) % 10 if part.endswith("labels") else np.ones((count, 28, 28))
        content = idx(values.astype(np.uint8))
        packed = gzip.compress(content, mtime=0) if part == "train" else content
        (tmp_path / "fashion-mnist" / (f"{name}.gz" if part == "train" else name)).write_bytes(packed)
    assert full in available_datasets(tmp_path)
    images = load(full, tmp_path)
    assert ((20, 1, 28, 28), (10, 1, 28, 28)) == (images.train.shape, images.test.shape)
    (tmp_path / "fashion-mnist" / IDX_FILES["test"]).write_bytes(idx(np.ones((9, 28, 28), np.uint8)))
    with pytest.raises(DataError, match="does not hold what it should"):
        load(full, tmp_path)


def test_scales_are_drawn_alike_from_a_seed() -> None:
    """The same seed gives the same images, another one others; every class is as frequent."""
    images, labels = draw(80, 3)
    again, _ = draw(80, 3)
    assert ((80, 3, 32, 32), np.uint8) == (images.shape, images.dtype)
    assert (images == again).all()
    assert (images != draw(80, 4)[0]).any()
    assert [10] * len(SHAPES) == np.bincount(labels).tolist()


def test_scales_vary_in_scale_alike_in_every_class() -> None:
    """Sizes spread over more than two octaves and say nothing of the class; a larger shape covers more pixels."""
    drawn = radii(4_000, np.random.default_rng(0))
    assert drawn.min() >= SMALLEST
    assert drawn.max() <= LARGEST
    octaves = np.log2(drawn / SMALLEST)
    assert [4_000 / 4] * 4 == pytest.approx(np.histogram(octaves, 4)[0], rel=0.1)
    fine = np.linspace(-16, 16, 257)
    for inside in SHAPES.values():
        small, large = ((inside(*np.meshgrid(*2 * [fine / size])) > 0).sum() for size in (4, 12))
        assert large == pytest.approx(9 * small, rel=0.1)


def test_each_shape_of_scales_is_another_one() -> None:
    """Drawn at the same place and size, no two are the same, and none is empty or fills the picture."""
    at = np.meshgrid(*2 * [np.linspace(-1.3, 1.3, 40)])
    drawn = [inside(*at) > 0 for inside in SHAPES.values()]
    for number, one in enumerate(drawn):
        assert 0.05 < one.mean() < 0.7
        for other in drawn[:number]:
            assert (one != other).mean() > 0.03


def test_testing_is_held_back_by_class_and_seed() -> None:
    """A fifth of each class, at least one, drawn by the seed."""
    labels = np.array([0] * 50 + [1] * 3 + [2] * 11)
    held = test_split(labels, 0)
    assert [10, 1, 2] == np.bincount(labels[held]).tolist()
    assert (held == test_split(labels, 0)).all()
    assert (held != test_split(labels, 1)).any()


def test_a_preview_shows_some_of_each_class() -> None:
    """As pictures, channels last, of that class and no other."""
    labels = np.array([1, 0, 1, 1])
    train = labels[:, None, None, None].astype(np.uint8) * np.ones((1, 3, 8, 8), np.uint8)
    known = DATASETS["scales"].replace(shape=(3, 8, 8), classes=("a", "b"), train=4, test=4)
    images = ImageSet(known, train, labels, train, labels)
    (a, zeros), (b, ones) = images.preview(2)
    assert ("a", "b") == (a, b)
    assert ((1, 8, 8, 3), (2, 8, 8, 3)) == (zeros.shape, ones.shape)
    assert (0, 1) == (zeros.max(), ones.min())
    assert (("a", 1, 1), ("b", 3, 3)) == images.counts()


def test_an_unknown_set_is_told(tmp_path: Path) -> None:
    """Also a hash that leads elsewhere."""
    for upload in ("ab12", "../secret", "", "a/b"):
        with pytest.raises(DataError):
            dataset_info(DatasetChoice(name="own", upload=upload), tmp_path)


# Files that nobody vouches for


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
    """Empty, of another type, promising what is not there, cut off: a sentence each."""
    with pytest.raises(DataError, match=r"^x: .*\.$"):
        read_idx(io.BytesIO(content), "x")


def test_a_gzip_bomb_is_read_no_further_than_its_head_promises() -> None:
    """A file that unpacks without end costs no more than the array that it says it is."""
    bomb = gzip.compress(idx(np.arange(5, dtype=np.uint8)) + bytes(50_000_000))
    assert [0, 1, 2, 3, 4] == read_idx(io.BytesIO(bomb), "x").tolist()


def npz(**arrays: np.ndarray) -> io.BytesIO:
    """Return arrays as an .npz file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    file.seek(0)
    return file


def test_arrays_load_back() -> None:
    """In both orders of memory."""
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    found = read_npz(npz(a=values, b=np.asfortranarray(values), c=np.array(["x", "ä"])), "x")
    assert (found["a"] == values).all()
    assert (found["b"] == values).all()
    assert ["x", "ä"] == found["c"].tolist()


def test_pickled_objects_are_refused_unread(tmp_path: Path) -> None:
    """An array of objects is a pickle, and a pickle runs code: this one would make a file."""

    class Hostile:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    with pytest.raises(DataError, match="Python objects"):
        read_npz(npz(images=np.array([Hostile()], dtype=object)), "x")
    assert not (tmp_path / "ran").exists()


def test_an_array_that_promises_too_much_is_refused() -> None:
    """Before anything of that size is allocated, and also where the promise is negative or absurd."""
    for shape in ((10**12,), (2**31, 2**31), (-5, 3)):
        head = io.BytesIO()
        npy.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("images.npy", head.getvalue() + b"123")
        with pytest.raises(DataError):
            read_npz(file, "x")


def with_head(head: bytes, content: bytes = bytes(64), version: int = 1) -> io.BytesIO:
    """Return an .npz file of one array with this head, packed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        length = len(head).to_bytes(2 if version == 1 else 4, "little")
        archive.writestr("images.npy", b"\x93NUMPY" + bytes((version, 0)) + length + head + content)
    file.seek(0)
    return file


@pytest.mark.parametrize(
    "head",
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
def test_heads_that_were_made_to_harm_are_refused(head: bytes) -> None:
    """No elements, absurd numbers of them, signs that no text has, text that breaks a parser: a sentence each."""
    with pytest.raises(DataError, match=r"^x, images: .*\.$"):
        read_npz(with_head(head, b"\xff" * 64), "x")


def test_a_head_that_unpacks_to_gigabytes_is_not_read() -> None:
    """NumPy would read all of it before it looks at its length."""
    bomb = with_head(b" " * 30_000_000, version=2)
    tracemalloc.start()
    with pytest.raises(DataError, match="no plain array"):
        read_npz(bomb, "x")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_the_limit_is_on_all_arrays_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many arrays that unpack to the limit each would take many times as much."""
    monkeypatch.setattr(arrays, "MAX_BYTES", 1_000_000)
    assert 2 == len(read_npz(npz(a=np.zeros(500_000, np.uint8), b=np.zeros(500_000, np.uint8)), "x"))
    with pytest.raises(DataError, match="all together may take 1 MB"):
        read_npz(npz(a=np.zeros(600_000, np.uint8), b=np.zeros(600_000, np.uint8)), "x")


def test_damaged_npz_is_refused() -> None:
    """Cut off, garbage in a member, or no zip at all."""
    whole = npz(images=np.arange(2_000, dtype=np.uint8)).getvalue()
    for content in (b"", b"PK\x03\x04", whole[:100], whole[:-30], whole.replace(b"\x93NUMPY", b"\x93NUMPX")):
        if content == whole:
            continue
        with pytest.raises(DataError):
            read_npz(io.BytesIO(content), "x")
