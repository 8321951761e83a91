"""The datasets for training, as arrays. Free of torch, so that a page can show their images.

Test images are never among the training images: the datasets that come with the app have their own split, *Scales*
draws its test images from another seed, and an imported dataset without a split is split by seed, class by class.
"""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from explorer.data.array_types import AnyArray, Pixels
from explorer.data.arrays import DataError
from explorer.data.imported_names import read_names
from explorer.data.scales import draw
from explorer.paths import ASSETS
from explorer.training.plan import DATASETS, DataName, DatasetChoice, DatasetInfo

# The datasets that are files of the app: .npz with the arrays of an ImageSet. ``assets/datasets/make.py`` writes them.
BUNDLED_FILES: Mapping[DataName, Path] = {
    name: ASSETS / "datasets" / f"{name}.npz" for name in ("fashion_mnist", "fashion_mnist_full")
}
TEST_EVERY = 5  # every fifth image of a class is a test image, in a dataset without a split
_HOLD_OUT_SEED = 15  # of the draw of validation images

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class ImageSet:
    """A dataset: images N × C × H × W as uint8, and labels N as int64, for training and for testing."""

    info: DatasetInfo
    train: Pixels
    train_labels: Labels
    test: Pixels
    test_labels: Labels

    def counts(self) -> tuple[tuple[str, int, int], ...]:
        """Return each class with the number of its training images and of its test images."""
        return _counts(self.info.classes, self.train_labels, self.test_labels)


class ClassPreview(NamedTuple):
    """A class: the numbers of its training and test images, and its first training images, n × H × W × C."""

    name: str
    train: int
    test: int
    images: Pixels


def available_datasets(folder: Path) -> tuple[DatasetChoice, ...]:
    """Return all choices: the datasets that come with the app, and those imported into a data directory."""
    return (
        *(DatasetChoice(name=name) for name in DATASETS),
        *(DatasetChoice(name="own", upload=upload) for upload in imported_datasets(folder)),
    )


def imported_datasets(folder: Path) -> tuple[str, ...]:
    """Return the content hashes of the datasets imported into a data directory, the newest first."""
    files = sorted((folder / "datasets").glob("*.safetensors"), key=lambda path: -path.stat().st_mtime_ns)
    return tuple(path.stem for path in files)


def imported_dataset_path(upload: str, folder: Path) -> Path:
    """Return the path of an imported dataset. Raises DataError if ``upload`` is not a content hash."""
    if not (upload.isascii() and upload.isalnum()):
        raise DataError("There is no imported dataset with this name.")
    return folder / "datasets" / f"{upload}.safetensors"


def dataset_info(choice: DatasetChoice, folder: Path) -> DatasetInfo:
    """Return the description of a dataset, without reading its images. Raises DataError if it is missing.

    With ``validation_images``, those count as its test images, and the other training images as its training images.
    """
    info = _whole_dataset_info(choice, folder)
    if not choice.validation_images:
        return info
    return info.replace(train=info.train - choice.validation_images, test=choice.validation_images)


def _whole_dataset_info(choice: DatasetChoice, folder: Path) -> DatasetInfo:
    if choice.name != "own":
        return DATASETS[choice.name]
    try:
        with safe_open(imported_dataset_path(choice.upload, folder), framework="numpy") as file:
            info = DatasetInfo.model_validate_json((file.metadata() or {}).get("facts", ""))
    except (OSError, SafetensorError, ValidationError) as error:
        raise _missing_import() from error
    names = read_names(imported_dataset_path(choice.upload, folder))
    if names is None or len(names.classes) != len(info.classes):
        return info
    return info.replace(title=names.title, classes=names.classes)


def find_dataset(info: DatasetInfo, folder: Path) -> DatasetChoice | None:
    """Return the dataset with this description; None if there is none in the data directory, or no longer."""
    return next((choice for choice in available_datasets(folder) if dataset_info(choice, folder) == info), None)


def load(choice: DatasetChoice, folder: Path) -> ImageSet:
    """Read a dataset into memory. ``folder`` is the data directory. Raises DataError if it is missing or damaged."""
    images = _load_whole(choice, folder)
    return _hold_out(images, choice.validation_images) if choice.validation_images else images


def _hold_out(images: ImageSet, count: int) -> ImageSet:
    """Return the training images alone, of which ``count`` take the place of the test images."""
    total = len(images.train)
    if not 0 < count < total:
        raise DataError(f"{images.info.title}: {count:,} validation images of {total:,} training images leave none.")
    is_held_out = np.zeros(total, bool)
    is_held_out[np.random.Generator(np.random.PCG64(_HOLD_OUT_SEED)).permutation(total)[:count]] = True
    return ImageSet(
        images.info.replace(train=total - count, test=count),
        images.train[~is_held_out],
        images.train_labels[~is_held_out],
        images.train[is_held_out],
        images.train_labels[is_held_out],
    )


def _load_whole(choice: DatasetChoice, folder: Path) -> ImageSet:
    info = _whole_dataset_info(choice, folder)
    match choice.name:
        case "fashion_mnist" | "fashion_mnist_full":
            try:
                with _open_bundled(choice.name) as arrays:
                    return to_image_set(info, arrays)
            except (OSError, BadZipFile, zlib.error) as error:
                raise DataError(f"{info.title}: the file is missing or damaged. Install the app again.") from error
        case "scales":
            return _draw_scales(info, choice.seed)
        case "own":
            try:
                arrays = load_file(imported_dataset_path(choice.upload, folder))
            except (OSError, SafetensorError) as error:
                raise _missing_import() from error
            return _split(info, arrays, choice.seed)


def to_npz(choice: DatasetChoice, folder: Path) -> bytes:
    """Return a dataset as the contents of an .npz file with the arrays of an ImageSet. Raises DataError as load."""
    if choice.name in BUNDLED_FILES and not choice.validation_images:
        try:
            return BUNDLED_FILES[choice.name].read_bytes()
        except OSError as error:
            raise DataError(f"{DATASETS[choice.name].title}: the file is missing. Install the app again.") from error
    images, file = load(choice, folder), BytesIO()
    np.savez_compressed(
        file,
        train=images.train,
        train_labels=images.train_labels,
        test=images.test,
        test_labels=images.test_labels,
    )
    return file.getvalue()


def load_test_images(choice: DatasetChoice, folder: Path) -> tuple[Pixels, Labels]:
    """Return the test images of a dataset and their labels. The training images of a bundled file stay unread."""
    if choice.name in BUNDLED_FILES and not choice.validation_images:
        with _open_bundled(choice.name) as arrays:
            return arrays["test"], arrays["test_labels"].astype(np.int64)
    images = load(choice, folder)
    return images.test, images.test_labels


def preview(choice: DatasetChoice, folder: Path, count: int = 8) -> tuple[ClassPreview, ...]:
    """Return each class of a dataset with at most ``count`` images. Of a bundled file it reads few training images."""
    classes = dataset_info(choice, folder).classes
    if choice.name in BUNDLED_FILES:
        with _open_bundled(choice.name) as arrays:
            labels = arrays["train_labels"], arrays["test_labels"]
        first = _first_of_each_class(labels[0], len(classes), count)
        images = _read_rows(BUNDLED_FILES[choice.name], "train", 1 + max(int(chosen.max()) for chosen in first))
    else:
        dataset = load(choice, folder)
        labels, images = (dataset.train_labels, dataset.test_labels), dataset.train
        first = _first_of_each_class(labels[0], len(classes), count)
    counts = _counts(classes, *labels)
    return tuple(
        ClassPreview(*count, images[chosen].transpose(0, 2, 3, 1)) for count, chosen in zip(counts, first, strict=True)
    )


def _counts(classes: tuple[str, ...], train: AnyArray, test: AnyArray) -> tuple[tuple[str, int, int], ...]:
    counts = (np.bincount(labels, minlength=len(classes)).tolist() for labels in (train, test))
    return tuple(zip(classes, *counts, strict=True))


def _first_of_each_class(labels: AnyArray, classes: int, count: int) -> list[NDArray[np.intp]]:
    return [np.flatnonzero(labels == number)[:count] for number in range(classes)]


@contextmanager
def _open_bundled(name: DataName) -> Iterator[Mapping[str, AnyArray]]:
    """Open a file that comes with the app. Its arrays are read when they are asked for."""
    with BUNDLED_FILES[name].open("rb") as file, np.load(file) as arrays:
        yield arrays


def _read_rows(path: Path, array: str, rows: int) -> Pixels:
    """Return the first rows of an array of bytes in an .npz file, without reading the rest."""
    with ZipFile(path) as archive, archive.open(f"{array}.npy") as file:
        np.lib.format.read_magic(file)
        shape, _, _ = np.lib.format.read_array_header_1_0(file)
        return np.frombuffer(file.read(rows * prod(shape[1:])), np.uint8).reshape(rows, *shape[1:])


def _missing_import() -> DataError:
    return DataError("The imported images are missing or damaged. Import them again.")


def to_image_set(info: DatasetInfo, arrays: Mapping[str, AnyArray]) -> ImageSet:
    """Make an ImageSet from its arrays. Raises DataError if they do not match the description."""
    try:
        images = ImageSet(info, **arrays)
        is_valid = (
            images.train.shape == (info.train, *info.shape)
            and images.test.shape == (info.test, *info.shape)
            and images.train_labels.shape == (info.train,)
            and images.test_labels.shape == (info.test,)
            and images.train.dtype == images.test.dtype == np.uint8
            and all(
                labels.min() >= 0 and labels.max() < len(info.classes)
                for labels in (images.train_labels, images.test_labels)
            )
        )
    except (TypeError, AttributeError):
        is_valid = False
    if not is_valid:
        raise DataError(f"{info.title}: the file does not hold the expected arrays. Install it again.")
    return ImageSet(
        info, images.train, images.train_labels.astype(np.int64), images.test, images.test_labels.astype(np.int64)
    )


def _draw_scales(info: DatasetInfo, seed: int) -> ImageSet:
    """Draw training and test images from two seeds that no other ``seed`` uses."""
    train, train_labels = draw(info.train, 2 * seed)
    test, test_labels = draw(info.test, 2 * seed + 1)
    return ImageSet(info, train, train_labels, test, test_labels)


def _split(info: DatasetInfo, arrays: Mapping[str, AnyArray], seed: int) -> ImageSet:
    if "test" in arrays:
        return to_image_set(info, arrays)
    images, labels = arrays["train"], arrays["train_labels"]
    is_test = draw_test_split(labels, seed)
    parts = {
        "train": images[~is_test],
        "train_labels": labels[~is_test],
        "test": images[is_test],
        "test_labels": labels[is_test],
    }
    return to_image_set(info, parts)


def count_test_images(images: int) -> int:
    """Return how many of a class's images are test images: a fifth, but at least one."""
    return max(1, images // TEST_EVERY)


def draw_test_split(labels: Labels, seed: int) -> NDArray[np.bool_]:
    """Return which images are test images, as N booleans: of each class its fraction, drawn by seed."""
    generator = np.random.Generator(np.random.PCG64(seed))
    is_test = np.zeros(len(labels), bool)
    for number in np.unique(labels):
        indices = generator.permutation(np.flatnonzero(labels == number))
        is_test[indices[: count_test_images(len(indices))]] = True
    return is_test
