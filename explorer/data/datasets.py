"""The images that networks are trained on, as arrays. Free of torch, so that a page can show them.

Test images are never among the training images: the sets that come with the app keep their own split, *Scales* draws
its test images from another seed, and an imported set without one of its own is split by seed, class by class.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from explorer.data.arrays import DataError, read_idx, read_npz
from explorer.data.scales import draw
from explorer.settings import ASSETS
from explorer.training.plan import DATASETS, DatasetChoice, DatasetInfo

BUNDLED_FILE = ASSETS / "datasets" / "fashion_mnist.npz"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # where Debian's package dataset-fashion-mnist puts it
IDX_FILES = {
    "train": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}
TEST_EVERY = 5  # one image in so many is kept for testing where a set names none


@dataclass(frozen=True)
class ImageSet:
    """Images N × C × H × W as uint8, labels N as int64, and what is known of them."""

    info: DatasetInfo
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    def counts(self) -> tuple[tuple[str, int, int], ...]:
        """Return every class with the number of its training and of its test images."""
        names = self.info.classes
        counted = (
            np.bincount(labels, minlength=len(names)).tolist() for labels in (self.train_labels, self.test_labels)
        )
        return tuple(zip(names, *counted, strict=True))

    def preview(self, count: int = 8) -> tuple[tuple[str, np.ndarray], ...]:
        """Return every class with its first training images, at most ``each``: n × H × W × C."""
        return tuple(
            (name, self.train[np.flatnonzero(self.train_labels == number)[:count]].transpose(0, 2, 3, 1))
            for number, name in enumerate(self.info.classes)
        )


def available_datasets(folder: Path) -> tuple[DatasetChoice, ...]:
    """Return what can be chosen: the sets that come with the app, all of Fashion-MNIST where found, and imports."""
    names = [name for name in DATASETS if name != "fashion_mnist_full" or _idx_folder(folder)]
    return (
        *(DatasetChoice(name=name) for name in names),
        *(DatasetChoice(name="own", upload=upload) for upload in imported_datasets(folder)),
    )


def imported_datasets(folder: Path) -> tuple[str, ...]:
    """Return the content hashes of the sets imported into a data directory, the newest first."""
    files = sorted((folder / "datasets").glob("*.safetensors"), key=lambda path: -path.stat().st_mtime_ns)
    return tuple(path.stem for path in files)


def imported_dataset_path(upload: str, folder: Path) -> Path:
    """Return where an imported set lies. Raises DataError for what is no content hash."""
    if not (upload.isascii() and upload.isalnum()):
        raise DataError("That is no imported set.")
    return folder / "datasets" / f"{upload}.safetensors"


def dataset_info(data: DatasetChoice, folder: Path) -> DatasetInfo:
    """Return what is known of a set, without reading its images. Raises DataError when it is not there."""
    if data.name != "own":
        return DATASETS[data.name]
    try:
        with safe_open(imported_dataset_path(data.upload, folder), framework="numpy") as file:
            return DatasetInfo.model_validate_json((file.metadata() or {}).get("facts", ""))
    except (OSError, SafetensorError, ValidationError) as error:
        raise DataError("The imported images are no longer there, or are damaged. Import them again.") from error


def load(data: DatasetChoice, folder: Path) -> ImageSet:
    """Read a set into memory. ``folder`` is the data directory. Raises DataError when it is not there or damaged."""
    known = dataset_info(data, folder)
    match data.name:
        case "fashion_mnist":
            with BUNDLED_FILE.open("rb") as file:
                return to_image_set(known, read_npz(file, BUNDLED_FILE.name))
        case "fashion_mnist_full":
            return to_image_set(known, _full(folder))
        case "scales":
            return _scales(known, data.seed)
    try:
        return _own(known, load_file(imported_dataset_path(data.upload, folder)), data.seed)
    except (OSError, SafetensorError) as error:
        raise DataError("The imported images are no longer there, or are damaged. Import them again.") from error


def to_image_set(known: DatasetInfo, arrays: dict[str, np.ndarray]) -> ImageSet:
    """Put arrays together and hold them against what is known of them. Raises DataError where they disagree."""
    try:
        whole = ImageSet(known, **arrays)
        right = (
            whole.train.shape == (known.train, *known.shape)
            and whole.test.shape == (known.test, *known.shape)
            and whole.train_labels.shape == (known.train,)
            and whole.test_labels.shape == (known.test,)
            and whole.train.dtype == whole.test.dtype == np.uint8
            and all(labels.min() >= 0 and labels.max() < len(known.classes) for labels in _labels(whole))
        )
    except (TypeError, AttributeError):
        right = False
    if not right:
        raise DataError(f"{known.title}: the file does not hold what it should. Install it again.")
    return ImageSet(
        known, whole.train, whole.train_labels.astype(np.int64), whole.test, whole.test_labels.astype(np.int64)
    )


def _labels(images: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    return images.train_labels, images.test_labels


def _idx_folder(folder: Path) -> Path | None:
    """Return where all four files of Fashion-MNIST lie, gzipped or not: in the data directory or the system's."""
    for place in (folder / "fashion-mnist", SYSTEM_FOLDER):
        if all(_idx_file(place, name) for name in IDX_FILES.values()):
            return place
    return None


def _idx_file(place: Path, name: str) -> Path | None:
    return next((path for path in (place / name, place / f"{name}.gz") if path.is_file()), None)


def _full(folder: Path) -> dict[str, np.ndarray]:
    place = _idx_folder(folder)
    if place is None:
        raise DataError(
            f"All of Fashion-MNIST is not on this machine. Put its four IDX files into {folder / 'fashion-mnist'}, "
            "or install Debian's package dataset-fashion-mnist."
        )
    return read_fashion_mnist(place)


def read_fashion_mnist(place: Path) -> dict[str, np.ndarray]:
    """Read the four IDX files in a folder as the arrays of an ImageSet. Raises DataError for a damaged one."""
    arrays = {}
    for part, name in IDX_FILES.items():
        with _idx_file(place, name).open("rb") as file:
            values = read_idx(file, name)
        arrays[part] = values if part.endswith("labels") else values[:, None]
    return arrays


def _scales(known: DatasetInfo, seed: int) -> ImageSet:
    """Draw training and test images from seeds that no other set of images uses."""
    train, train_labels = draw(known.train, 2 * seed)
    test, test_labels = draw(known.test, 2 * seed + 1)
    return ImageSet(known, train, train_labels, test, test_labels)


def _own(known: DatasetInfo, arrays: dict[str, np.ndarray], seed: int) -> ImageSet:
    if "test" in arrays:
        return to_image_set(known, arrays)
    held = test_split(arrays["train_labels"], seed)
    train, labels = arrays["train"], arrays["train_labels"]
    parts = {"train": train[~held], "train_labels": labels[~held], "test": train[held], "test_labels": labels[held]}
    return to_image_set(known, parts)


def test_image_count(images: int) -> int:
    """Return how many of a class's images are kept for testing: a fifth, but at least one."""
    return max(1, images // TEST_EVERY)


def test_split(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return which images are for testing, as N booleans: of each class its share, drawn by seed."""
    generator = np.random.Generator(np.random.PCG64(seed))
    held = np.zeros(len(labels), bool)
    for number in np.unique(labels):
        mine = generator.permutation(np.flatnonzero(labels == number))
        held[mine[: test_image_count(len(mine))]] = True
    return held
