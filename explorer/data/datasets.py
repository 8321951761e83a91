"""The datasets for training, as arrays. Free of torch, so that a page can show their images.

Test images are never among the training images: the datasets that come with the app have their own split, *Scales*
draws its test images from another seed, and an imported dataset without a split is split by seed, class by class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from explorer.data.arrays import AnyArray, DataError, Pixels, read_idx, read_npz
from explorer.data.imported_names import read_names
from explorer.data.scales import draw
from explorer.paths import ASSETS
from explorer.training.plan import DATASETS, DatasetChoice, DatasetInfo

BUNDLED_FILE = ASSETS / "datasets" / "fashion_mnist.npz"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # of Debian's package dataset-fashion-mnist
IDX_FILES = {
    "train": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
TEST_EVERY = 5  # every fifth image of a class is a test image, in a dataset without a split

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
        names = self.info.classes
        counts = (
            np.bincount(labels, minlength=len(names)).tolist() for labels in (self.train_labels, self.test_labels)
        )
        return tuple(zip(names, *counts, strict=True))

    def preview(self, count: int = 8) -> tuple[tuple[str, Pixels], ...]:
        """Return each class with its first training images, at most ``count``: n × H × W × C."""
        return tuple(
            (name, self.train[np.flatnonzero(self.train_labels == number)[:count]].transpose(0, 2, 3, 1))
            for number, name in enumerate(self.info.classes)
        )


def available_datasets(folder: Path) -> tuple[DatasetChoice, ...]:
    """Return all choices: the datasets that come with the app, the full Fashion-MNIST if it is there, and imports."""
    names = [name for name in DATASETS if name != "fashion_mnist_full" or _fashion_mnist_folder(folder)]
    return (
        *(DatasetChoice(name=name) for name in names),
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
    """Return the description of a dataset, without reading its images. Raises DataError if it is missing."""
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


def load(choice: DatasetChoice, folder: Path) -> ImageSet:
    """Read a dataset into memory. ``folder`` is the data directory. Raises DataError if it is missing or damaged."""
    info = dataset_info(choice, folder)
    match choice.name:
        case "fashion_mnist":
            with BUNDLED_FILE.open("rb") as file:
                return to_image_set(info, read_npz(file, BUNDLED_FILE.name))
        case "fashion_mnist_full":
            return to_image_set(info, _load_fashion_mnist(folder))
        case "scales":
            return _draw_scales(info, choice.seed)
        case "own":
            try:
                arrays = load_file(imported_dataset_path(choice.upload, folder))
            except (OSError, SafetensorError) as error:
                raise _missing_import() from error
            return _split(info, arrays, choice.seed)


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


def _fashion_mnist_folder(folder: Path) -> Path | None:
    """Return the folder with the four IDX files of Fashion-MNIST, in the data directory or the system; None if missing.

    The files may be gzipped.
    """
    for candidate in (folder / "fashion-mnist", SYSTEM_FOLDER):
        if all(_idx_file(candidate, name) for name in IDX_FILES.values()):
            return candidate
    return None


def _idx_file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _load_fashion_mnist(folder: Path) -> dict[str, Pixels]:
    idx_folder = _fashion_mnist_folder(folder)
    if idx_folder is None:
        raise DataError(
            f"The full Fashion-MNIST is not on this machine. Put its four IDX files into {folder / 'fashion-mnist'}, "
            "or install Debian's package dataset-fashion-mnist."
        )
    return read_fashion_mnist(idx_folder)


def read_fashion_mnist(folder: Path) -> dict[str, Pixels]:
    """Read the four IDX files in a folder as an ImageSet's arrays. Raises DataError if a file is missing or damaged."""
    arrays = {}
    for part, name in IDX_FILES.items():
        path = _idx_file(folder, name)
        if path is None:
            raise DataError(f"{name} is not in {folder}.")
        with path.open("rb") as file:
            values = read_idx(file, name)
        arrays[part] = values if part.endswith("labels") else values[:, None]
    return arrays


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
