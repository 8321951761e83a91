"""The datasets: right sizes, right labels, and no image in both parts."""

import gzip
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from assets.datasets import make
from assets.datasets.make import SYSTEM_FOLDER
from explorer.data import datasets
from explorer.data.arrays import DataError
from explorer.data.datasets import (
    BUNDLED_FILES,
    dataset_info,
    draw_test_split,
    load,
    load_test_images,
    preview,
    to_npz,
)
from explorer.training.plan import DATASETS, DataName, DatasetChoice
from tests.data.files import idx

FASHION_MNIST = DatasetChoice(name="fashion_mnist")


@pytest.mark.parametrize(
    ("name", "train", "test", "megabytes"), [("fashion_mnist", 1_000, 200, 6), ("fashion_mnist_full", 6_000, 1_000, 31)]
)
def test_the_bundled_images_are_balanced(name: DataName, train: int, test: int, megabytes: int, tmp_path: Path) -> None:
    """All 70,000 images of Fashion-MNIST come with the app, and a sixth of them in a small file."""
    images = load(DatasetChoice(name=name), tmp_path)
    assert images.train.nbytes + images.test.nbytes == DATASETS[name].bytes
    assert {(train, test)} == {(row.train, row.test) for row in preview(DatasetChoice(name=name), tmp_path)}
    assert BUNDLED_FILES[name].stat().st_size < megabytes * 1_000_000
    assert 10 == len(np.unique(images.train_labels[:64]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion_mnist", "fashion_mnist_full", "scales"])
def test_no_test_image_is_trained_on(name: DataName, tmp_path: Path) -> None:
    """Pixel by pixel, in every dataset that comes with the app."""
    images = load(DatasetChoice(name=name), tmp_path)
    assert set() == {image.tobytes() for image in images.train} & {image.tobytes() for image in images.test}


@pytest.mark.slow
def test_the_small_part_is_the_beginning_of_the_whole(tmp_path: Path) -> None:
    """Of each class it has the first images, in their order."""
    small, full = (load(DatasetChoice(name=name), tmp_path) for name in ("fashion_mnist", "fashion_mnist_full"))
    for number in range(10):
        assert np.array_equal(small.test[small.test_labels == number], full.test[full.test_labels == number][:200])
        ours, whole = (part.train[part.train_labels == number] for part in (small, full))
        assert np.array_equal(ours, whole[:1_000])


@pytest.mark.slow
@pytest.mark.skipif(not SYSTEM_FOLDER.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_the_bundled_files_are_made_from_the_original(tmp_path: Path) -> None:
    """The script makes the same files, byte for byte."""
    make.main(SYSTEM_FOLDER, tmp_path)
    for path in BUNDLED_FILES.values():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_the_original_is_read_gzipped_or_not(tmp_path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte is not in .*\."):
        make.read_fashion_mnist(tmp_path)
    for part, name in make.IDX_FILES.items():
        values = np.arange(20) % 10 if part.endswith("labels") else np.ones((20, 28, 28))
        content = idx(values.astype(np.uint8))
        compressed = gzip.compress(content, mtime=0) if part == "train" else content
        (tmp_path / (f"{name}.gz" if part == "train" else name)).write_bytes(compressed)
    arrays = make.read_fashion_mnist(tmp_path)
    assert ((20, 1, 28, 28), (20,)) == (arrays["train"].shape, arrays["test_labels"].shape)


def test_a_damaged_file_of_the_app_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Truncated, or with other arrays than its description."""
    path = tmp_path / "fashion_mnist.npz"
    monkeypatch.setattr(datasets, "BUNDLED_FILES", {"fashion_mnist": path})
    path.write_bytes(BUNDLED_FILES["fashion_mnist"].read_bytes()[:1_000_000])
    with pytest.raises(DataError, match="missing or damaged"):
        load(FASHION_MNIST, tmp_path)
    np.savez_compressed(path, train=np.ones((9, 1, 28, 28), np.uint8))
    with pytest.raises(DataError, match="does not hold the expected arrays"):
        load(FASHION_MNIST, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion_mnist_full", "scales"])
def test_test_images_are_read_alone(name: DataName, tmp_path: Path) -> None:
    """They are those of the whole dataset."""
    images = load(DatasetChoice(name=name), tmp_path)
    test, labels = load_test_images(DatasetChoice(name=name), tmp_path)
    assert np.array_equal(images.test, test)
    assert np.array_equal(images.test_labels, labels)


def test_the_test_split_is_drawn_by_class_and_seed() -> None:
    """A fifth of each class, at least one."""
    labels = np.array([0] * 50 + [1] * 3 + [2] * 11)
    is_test = draw_test_split(labels, 0)
    assert [10, 1, 2] == np.bincount(labels[is_test]).tolist()
    assert (is_test == draw_test_split(labels, 0)).all()
    assert (is_test != draw_test_split(labels, 1)).any()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion_mnist_full", "scales"])
def test_a_preview_has_the_first_images_of_each_class(name: DataName, tmp_path: Path) -> None:
    """Channels last, and of no other class."""
    images = load(DatasetChoice(name=name), tmp_path)
    rows = preview(DatasetChoice(name=name), tmp_path, 3)
    assert images.info.classes == tuple(row.name for row in rows)
    assert [(row.train, row.test) for row in rows] == [
        (sum(images.train_labels == number), sum(images.test_labels == number)) for number in range(len(rows))
    ]
    for number, row in enumerate(rows):
        expected = images.train[images.train_labels == number][:3]
        assert np.array_equal(expected, row.images.transpose(0, 3, 1, 2))


def test_an_unknown_dataset_is_an_error(tmp_path: Path) -> None:
    """Also a hash that is a path."""
    for upload in ("ab12", "../secret", "", "a/b"):
        with pytest.raises(DataError):
            dataset_info(DatasetChoice(name="own", upload=upload), tmp_path)


def test_validation_images_are_training_images(tmp_path: Path) -> None:
    """They take the place of the test images, none of which is read, and are no longer trained on."""
    whole = load(DatasetChoice(), tmp_path)
    choice = DatasetChoice(validation_images=2_000)
    part = load(choice, tmp_path)
    assert dataset_info(choice, tmp_path) == part.info
    assert (8_000, 2_000) == (len(part.train), len(part.test)) == (part.info.train, part.info.test)
    train, held_out, test, everything = (
        {image.tobytes() for image in images} for images in (part.train, part.test, whole.test, whole.train)
    )
    assert train | held_out == everything
    assert not held_out & (test - everything)
    assert len(train & held_out) < 5  # the dataset has a few images twice
    assert np.array_equal(load_test_images(choice, tmp_path)[1], part.test_labels)


def test_validation_images_must_leave_training_images(tmp_path: Path) -> None:
    """As many validation images as there are training images are refused."""
    with pytest.raises(DataError, match="leave none"):
        load(DatasetChoice(validation_images=10_000), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "choice", [DatasetChoice(), DatasetChoice(validation_images=9_000), DatasetChoice(name="scales")]
)
def test_a_dataset_is_written_as_an_npz_file(choice: DatasetChoice, tmp_path: Path) -> None:
    """Its arrays are those that training reads."""
    images = load(choice, tmp_path)
    with np.load(BytesIO(to_npz(choice, tmp_path))) as arrays:
        for array in ("train", "train_labels", "test", "test_labels"):
            assert np.array_equal(getattr(images, array), arrays[array])
