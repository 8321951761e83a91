"""Importing a user's own images: arrays and IDX files, checks, and what is saved."""

import io
from pathlib import Path

import numpy as np
import pytest

from explorer.data import imports, upload_formats
from explorer.data.arrays import DataError
from explorer.data.datasets import dataset_info, imported_datasets, load
from explorer.data.import_report import ImportOptions, Upload
from explorer.data.imports import ImportedDataset, delete, import_images
from explorer.training.plan import DatasetChoice
from tests.data.files import animals, idx, keras_arrays, npz, zip_file


def import_file(file: io.BytesIO, folder: Path, name: str = "animals.zip", **options: object) -> ImportedDataset:
    """Import one file."""
    return import_images([Upload(name, file)], folder, ImportOptions(**options))


def check_refused(file: io.BytesIO, message: str, folder: Path, name: str = "animals.zip") -> None:
    """Check that an import is refused with a sentence and leaves no file."""
    with pytest.raises(DataError, match=message) as error:
        import_file(file, folder, name)
    assert str(error.value).endswith(".")
    assert [] == [path for path in folder.rglob("*") if path.is_file()]


def test_the_same_images_are_saved_once(tmp_path: Path) -> None:
    """The file is named by its content. It can be deleted, also twice."""
    first, second = (import_file(zip_file(animals()), tmp_path) for _ in range(2))
    assert first.dataset == second.dataset
    assert (first.dataset.upload,) == imported_datasets(tmp_path)
    delete(first.dataset.upload, tmp_path)
    delete(first.dataset.upload, tmp_path)
    assert () == imported_datasets(tmp_path)
    assert [] == list((tmp_path / "datasets").iterdir())
    with pytest.raises(DataError, match="missing or damaged"):
        load(first.dataset, tmp_path)


def test_arrays_by_their_usual_names(tmp_path: Path) -> None:
    """Keras's four arrays, or images and labels; bytes or 0 to 1, grey or in colour, with or without class names."""
    result = import_file(npz(**keras_arrays()), tmp_path, "mnist.npz")
    assert (12, 6, (1, 10, 10), ("class 0", "class 1", "class 2")) == (
        result.info.train,
        result.info.test,
        result.info.shape,
        result.info.classes,
    )
    assert (load(result.dataset, tmp_path).train[:, 0] == keras_arrays()["x_train"]).all()
    colour = np.random.default_rng(0).random((20, 8, 8, 3), np.float32)
    names = np.array(["no", "yes"])
    result = import_file(npz(images=colour, labels=np.arange(20)[:, None] % 2, class_names=names), tmp_path, "x")
    assert ((3, 8, 8), ("no", "yes")) == (result.info.shape, result.info.classes)
    first = np.round(255 * colour[0].transpose(2, 0, 1))
    images = load(result.dataset, tmp_path)
    assert first.astype(np.uint8).tobytes() in {image.tobytes() for image in (*images.train, *images.test)}


def test_idx_files_in_pairs(tmp_path: Path) -> None:
    """Two files, or four with t10k in the names of those for testing."""
    values = keras_arrays()
    uploads = [
        Upload(name, io.BytesIO(idx(values[key].astype(np.uint8))))
        for name, key in (
            ("train-images", "x_train"),
            ("train-labels", "y_train"),
            ("t10k-images", "x_test"),
            ("t10k-labels", "y_test"),
        )
    ]
    result = import_images(uploads, tmp_path)
    assert (12, 6) == (result.info.train, result.info.test)
    result = import_images([upload for upload in uploads if "train" in upload.name], tmp_path)
    assert (9, 3) == (result.info.train, result.info.test)
    with pytest.raises(DataError, match="in pairs"):
        import_images(uploads[:1], tmp_path)
    with pytest.raises(DataError, match="two IDX files of images"):
        import_images([uploads[0], Upload("again", io.BytesIO(idx(values["x_train"])))], tmp_path)


BAD_ARRAYS = [
    (keras_arrays(y_train=np.arange(11) % 3), "12 train images and 11 labels"),
    (keras_arrays(y_train=np.arange(12) % 3 - 1), "whole numbers from 0"),
    (keras_arrays(y_train=np.arange(12) / 2), "whole numbers from 0"),
    (keras_arrays(y_train=np.full(12, np.nan)), "whole numbers from 0"),
    (keras_arrays(y_train=np.full(12, 10**12)), "too large"),
    (keras_arrays(y_train=np.zeros(12, int), y_test=np.zeros(6, int)), "only one class"),
    (keras_arrays(y_test=np.arange(6) % 3 + 3), "none for training"),
    (keras_arrays(y_train=np.array(["a"] * 12)), "of different types"),
    (keras_arrays(x_train=np.zeros((12, 3, 3), np.uint8), x_test=np.zeros((6, 3, 3), np.uint8)), "Use 8 to 96"),
    (keras_arrays(x_train=np.zeros((12, 12, 12), np.uint8)), "different sizes"),
    (keras_arrays(x_train=np.zeros((12, 100), np.uint8)), r"Save them as images.reshape\(-1, 10, 10\)"),
    (keras_arrays(x_train=np.zeros((12, 50), np.uint8)), "should be N×H×W"),
    (keras_arrays(x_train=np.full((12, 10, 10), np.nan)), "not finite"),
    (keras_arrays(x_train=np.full((12, 10, 10), 70_000)), "to 70000"),
    (keras_arrays(x_train=np.zeros((0, 10, 10))), "is empty"),
    (keras_arrays(y_train=np.zeros(0, int)), "is empty"),
    (keras_arrays(x_train=np.zeros((12, 10, 10), bool)), "hold no numbers"),
    ({"pictures": np.zeros((3, 8, 8))}, "x.npz holds pictures"),
    ({"images": np.array([{}, {}])}, "Python objects"),
]


@pytest.mark.parametrize(("arrays", "message"), BAD_ARRAYS, ids=[message for _, message in BAD_ARRAYS])
def test_bad_arrays_are_refused(arrays: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    """With a sentence, and nothing is saved."""
    check_refused(npz(**arrays), message, tmp_path, "x.npz")


def test_labels_of_half_precision_are_labels(tmp_path: Path) -> None:
    """The limit on class numbers is larger than the largest number of 16 bits."""
    result = import_file(npz(**keras_arrays(y_train=(np.arange(12) % 3).astype(np.float16))), tmp_path, "x.npz")
    assert 3 == len(result.info.classes)


def test_a_full_disk_is_an_error_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No incomplete file stays."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(imports.os, "fsync", full)
    check_refused(zip_file(animals()), "No space left on device", tmp_path)


def test_another_size_is_refused(tmp_path: Path) -> None:
    """The message lists the sizes."""
    with pytest.raises(DataError, match="28, 32, 48, 64, 96"):
        import_file(zip_file(animals()), tmp_path, side=1_000)


def test_a_damaged_dataset_is_an_error(tmp_path: Path) -> None:
    """The file in the data directory is truncated."""
    result = import_file(zip_file(animals()), tmp_path)
    (file,) = (tmp_path / "datasets").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-10])
    for read in (dataset_info, load):
        with pytest.raises(DataError, match="damaged"):
            read(DatasetChoice(name="own", upload=result.dataset.upload), tmp_path)


def test_files_that_are_too_large_or_too_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the limit."""
    monkeypatch.setattr(upload_formats, "MAX_FILE_BYTES", 1_000)
    check_refused(zip_file(animals(5)), "the limit is 0 MB", tmp_path)
    uploads = [Upload(str(number), zip_file(animals(1))) for number in range(9)]
    with pytest.raises(DataError, match="at most 8 files"):
        import_images(uploads, tmp_path)


@pytest.mark.parametrize("content", [b"\0\1", b"plain text", b"\xff" * 600])
def test_another_format_is_refused(content: bytes, tmp_path: Path) -> None:
    """The message names the formats."""
    check_refused(io.BytesIO(content), r"is not an archive \(zip, tar\), an .npz, an IDX file", tmp_path)
