"""The datasets: right sizes, right labels, and no image in both parts."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from explorer.data import datasets
from explorer.data.arrays import DataError
from explorer.data.datasets import (
    BUNDLED_FILE,
    IDX_FILES,
    SYSTEM_FOLDER,
    ImageSet,
    available_datasets,
    dataset_info,
    draw_test_split,
    load,
    read_fashion_mnist,
)
from explorer.training.plan import DATASETS, DatasetChoice
from tests.data.files import idx

FASHION_MNIST = DatasetChoice(name="fashion_mnist")


def test_the_bundled_images_are_balanced(tmp_path: Path) -> None:
    """1,000 training images and 200 test images per class, in a small file."""
    images = load(FASHION_MNIST, tmp_path)
    assert [(name, 1_000, 200) for name in DATASETS["fashion_mnist"].classes] == list(images.counts())
    assert BUNDLED_FILE.stat().st_size < 6_000_000
    assert 10 == len(np.unique(images.train_labels[:64]))


def test_no_test_image_is_trained_on(tmp_path: Path) -> None:
    """Pixel by pixel, in every dataset that comes with the app."""
    for name in ("fashion_mnist", "scales"):
        images = load(DatasetChoice(name=name), tmp_path)
        assert set() == {image.tobytes() for image in images.train} & {image.tobytes() for image in images.test}


@pytest.mark.skipif(not SYSTEM_FOLDER.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_the_bundled_file_is_made_from_the_full_dataset(tmp_path: Path) -> None:
    """The script makes the same file, byte for byte; and the full dataset can be chosen."""
    from assets.datasets.make import main

    main(SYSTEM_FOLDER, tmp_path / "made.npz")
    assert BUNDLED_FILE.read_bytes() == (tmp_path / "made.npz").read_bytes()
    assert (60_000, 1, 28, 28) == load(DatasetChoice(name="fashion_mnist_full"), tmp_path).train.shape


def test_the_full_fashion_mnist_is_available_if_its_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the data directory, gzipped or not. If they are missing, a sentence says where to put them."""
    monkeypatch.setattr(datasets, "SYSTEM_FOLDER", tmp_path / "nowhere")
    full = DatasetChoice(name="fashion_mnist_full")
    assert full not in available_datasets(tmp_path)
    with pytest.raises(DataError, match="Put its four IDX files into"):
        load(full, tmp_path)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte is not in .*\."):
        read_fashion_mnist(tmp_path)
    (tmp_path / "fashion-mnist").mkdir()
    info = DATASETS["fashion_mnist"].replace(train=20, test=10)
    monkeypatch.setattr(datasets, "DATASETS", {"fashion_mnist_full": info})
    for part, name in IDX_FILES.items():
        count = 20 if part.startswith("train") else 10
        values = np.arange(count) % 10 if part.endswith("labels") else np.ones((count, 28, 28))
        content = idx(values.astype(np.uint8))
        compressed = gzip.compress(content, mtime=0) if part == "train" else content
        (tmp_path / "fashion-mnist" / (f"{name}.gz" if part == "train" else name)).write_bytes(compressed)
    assert full in available_datasets(tmp_path)
    images = load(full, tmp_path)
    assert ((20, 1, 28, 28), (10, 1, 28, 28)) == (images.train.shape, images.test.shape)
    (tmp_path / "fashion-mnist" / IDX_FILES["test"]).write_bytes(idx(np.ones((9, 28, 28), np.uint8)))
    with pytest.raises(DataError, match="does not hold the expected arrays"):
        load(full, tmp_path)


def test_the_test_split_is_drawn_by_class_and_seed() -> None:
    """A fifth of each class, at least one."""
    labels = np.array([0] * 50 + [1] * 3 + [2] * 11)
    is_test = draw_test_split(labels, 0)
    assert [10, 1, 2] == np.bincount(labels[is_test]).tolist()
    assert (is_test == draw_test_split(labels, 0)).all()
    assert (is_test != draw_test_split(labels, 1)).any()


def test_a_preview_has_images_of_each_class() -> None:
    """Channels last, and of no other class."""
    labels = np.array([1, 0, 1, 1])
    train = labels[:, None, None, None].astype(np.uint8) * np.ones((1, 3, 8, 8), np.uint8)
    info = DATASETS["scales"].replace(shape=(3, 8, 8), classes=("a", "b"), train=4, test=4)
    images = ImageSet(info, train, labels, train, labels)
    (a, zeros), (b, ones) = images.preview(2)
    assert ("a", "b") == (a, b)
    assert ((1, 8, 8, 3), (2, 8, 8, 3)) == (zeros.shape, ones.shape)
    assert (0, 1) == (zeros.max(), ones.min())
    assert (("a", 1, 1), ("b", 3, 3)) == images.counts()


def test_an_unknown_dataset_is_an_error(tmp_path: Path) -> None:
    """Also a hash that is a path."""
    for upload in ("ab12", "../secret", "", "a/b"):
        with pytest.raises(DataError):
            dataset_info(DatasetChoice(name="own", upload=upload), tmp_path)
