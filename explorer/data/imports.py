"""Import a user's own images: a zip of class folders, IDX files, or an ``.npz``, checked, reduced and saved.

Nothing in an upload is trusted. The result is one safetensors file in the data directory, named by its content. The
server runs the import in a worker process (:mod:`explorer.jobs.image_imports`).
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from explorer.data.arrays import AnyArray, DataError, Pixels, is_gzip, is_idx, read_idx, read_npz
from explorer.data.class_names import unique_names
from explorer.data.datasets import Labels, draw_test_split, imported_dataset_path
from explorer.data.image_zip import (
    MAX_NAME,
    MIN_SIDE,
    LabelledImages,
    check_dataset_size,
    count_images,
    holds_arrays,
    printable,
    read_image_zip,
)
from explorer.training.plan import DatasetChoice, DatasetInfo

SIDES = (28, 32, 48, 64, 96)  # pixels to which the images of a zip can be reduced
MAX_FILE_BYTES = 200_000_000  # of one upload
MAX_CLASSES = 200
MAX_LABEL = 1_000_000_000
MIN_PER_CLASS = 2  # images
_CHUNK = 256  # images


class Upload(NamedTuple):
    """An uploaded file: its name on the user's machine, and its content to read and seek."""

    name: str
    file: IO[bytes]


class ImportedDataset(NamedTuple):
    """The result of an import: the new dataset, its description, and sentences on what was left out or changed."""

    dataset: DatasetChoice
    info: DatasetInfo
    notes: tuple[str, ...]


def import_images(uploads: Sequence[Upload], folder: Path, *, side: int = 32, title: str = "") -> ImportedDataset:
    """Read uploads and save them as a dataset in the data directory ``folder``. Raises DataError with what is wrong.

    Accepted are one zip of class folders (``cat/1.png``, or ``train/cat/1.png`` and ``test/cat/2.png``), one ``.npz``
    (``images`` and ``labels``, or Keras's ``x_train`` … ``y_test``), or IDX files in pairs. The images of a zip are
    cropped to a square and reduced to ``side``.
    """
    if side not in SIDES:
        raise DataError(f"Choose a size of {', '.join(map(str, SIDES))} pixels.")
    images = _check(_drop_duplicates(_read(check_uploads(uploads), side)))
    arrays, info = _to_arrays(images, printable(title) or printable(uploads[0].name))
    return ImportedDataset(DatasetChoice(name="own", upload=_save(arrays, info, folder)), info, images.notes)


def delete(upload: str, folder: Path) -> None:
    """Delete an imported dataset, if it exists."""
    imported_dataset_path(upload, folder).unlink(missing_ok=True)


def check_uploads(uploads: Sequence[Upload]) -> tuple[Upload, ...]:
    """Return the files with printable names. Raises DataError if there are too many, or if one is too large."""
    if not 1 <= len(uploads) <= 4:
        raise DataError("Upload one zip, one .npz, or two or four IDX files.")
    checked = tuple(Upload(printable(upload.name) or "file", upload.file) for upload in uploads)
    for name, file in checked:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size > MAX_FILE_BYTES:
            raise DataError(f"{name} has {size / 1e6:,.0f} MB; the limit is {MAX_FILE_BYTES / 1e6:,.0f} MB.")
    return checked


def _read(uploads: tuple[Upload, ...], side: int) -> LabelledImages:
    """Detect the format by the first bytes, whatever the names are, and read it."""
    heads = [upload.file.read(4) for upload in uploads]
    for upload in uploads:
        upload.file.seek(0)
    if all(is_idx(head) or is_gzip(head) for head in heads):
        return _from_idx(uploads)
    if len(uploads) == 1 and heads[0].startswith(b"PK"):
        name, file = uploads[0]
        return _from_npz(name, file) if holds_arrays(file, name) else read_image_zip(file, name, side)
    raise DataError(f"{uploads[0].name} is not a zip, an .npz or an IDX file. Upload a zip with a folder per class.")


# ── arrays ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Part(NamedTuple):
    """The images and labels of one part of the data, as they are in the file."""

    images: AnyArray
    labels: AnyArray


def _from_idx(uploads: tuple[Upload, ...]) -> LabelledImages:
    """Pair IDX files of images and labels; ``t10k`` or ``test`` in a name marks test images."""
    arrays: dict[tuple[str, str], Pixels] = {}
    for name, file in uploads:
        values = read_idx(file, name)
        part = "test" if "t10k" in name.lower() or "test" in name.lower() else "train"
        content = "labels" if values.ndim == 1 else "images"
        if (part, content) in arrays:
            raise DataError(f"{name}: there are two IDX files of {content} for the {part} part.")
        arrays[part, content] = values
    parts = {
        part: _Part(arrays[part, "images"], arrays[part, "labels"])
        for part in ("train", "test")
        if {(part, "images"), (part, "labels")} <= arrays.keys()
    }
    if 2 * len(parts) != len(arrays) or "train" not in parts:
        raise DataError("IDX files come in pairs: one with images and one with as many labels.")
    return _from_arrays(parts)


# The names of the arrays of images and of labels, for training and for testing.
_KEYS: tuple[Mapping[str, tuple[str, str]], ...] = (
    {"train": ("images", "labels")},
    {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")},
    {"train": ("train_images", "train_labels"), "test": ("test_images", "test_labels")},
)


def _from_npz(name: str, file: IO[bytes]) -> LabelledImages:
    arrays = read_npz(file, name)
    for keys in _KEYS:
        parts = {
            part: _Part(arrays[images], arrays[labels])
            for part, (images, labels) in keys.items()
            if {images, labels} <= arrays.keys()
        }
        if "train" in parts:
            return _from_arrays(parts, arrays.get("class_names"))
    names = ", ".join(map(printable, arrays)) or "no arrays"
    raise DataError(f"{name} holds {names}. Name the arrays images and labels, or x_train, y_train, x_test and y_test.")


def _from_arrays(parts: Mapping[str, _Part], class_names: AnyArray | None = None) -> LabelledImages:
    """Combine the parts. The classes are the different labels, in order."""
    images = {name: _to_images(part.images, name) for name, part in parts.items()}
    labels = {name: _to_labels(part.labels, len(images[name]), name) for name, part in parts.items()}
    if len({values.shape[1:] for values in images.values()}) > 1:
        raise DataError("The images for training and for testing have different sizes.")
    values, numbers = np.unique(np.concatenate(list(labels.values())), return_inverse=True)
    is_test = np.concatenate([np.full(len(images[name]), name == "test") for name in images])
    return LabelledImages(
        np.concatenate(list(images.values())),
        numbers,
        is_test if "test" in images else None,
        _class_names(values, class_names),
    )


def _to_images(values: AnyArray, part: str) -> Pixels:
    """Return N × H × W or N × H × W × C (or N × C × H × W) numbers as N × C × H × W bytes."""
    if values.ndim == 3:
        values = values[:, None]
    elif values.ndim == 4 and values.shape[-1] in (1, 3):
        values = values.transpose(0, 3, 1, 2)
    if values.ndim != 4 or values.shape[1] not in (1, 3):
        shape = "×".join(map(str, values.shape))
        raise DataError(f"The {part} images are {shape}. They should be N×H×W, N×H×W×1 or N×H×W×3.")
    check_dataset_size(values.size)
    if values.size == 0 or values.dtype.kind not in "uif":
        raise DataError(f"The {part} images hold no numbers.")
    if not np.isfinite(values).all():
        raise DataError(f"The {part} images hold values that are not finite (NaN or infinite).")
    low, high = values.min(), values.max()
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        return _to_bytes(values, 255)
    if low < 0 or high > 255:
        raise DataError(f"The {part} images have values from {low:g} to {high:g}. Store them as 0 to 255, or 0 to 1.")
    return _to_bytes(values, 1)


def _to_bytes(values: AnyArray, scale: int) -> Pixels:
    """Return numbers times ``scale`` as bytes, converted in chunks, so that there is no second copy of all of them."""
    converted = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), _CHUNK):
        converted[start : start + _CHUNK] = np.round(values[start : start + _CHUNK] * scale)
    return converted


def _to_labels(values: AnyArray, image_count: int, part: str) -> Labels:
    """Return the labels as N whole numbers."""
    values = values.reshape(len(values), -1) if values.ndim else values.reshape(1, -1)
    if values.shape != (image_count, 1):
        raise DataError(
            f"There are {image_count:,} {part} images and {values.size:,} labels. Each image needs one label."
        )
    if values.dtype.kind not in "uif" or (values != np.floor(values)).any() or (values < 0).any():
        raise DataError(f"The {part} labels are not all whole numbers from 0 on.")
    if (values.astype(np.float64) > MAX_LABEL).any():
        raise DataError(f"The {part} labels are too large to be class numbers.")
    return values[:, 0].astype(np.int64)


def _class_names(values: Labels, names: AnyArray | None) -> tuple[str, ...]:
    """Return the names in the file if there is one for each label from 0; otherwise ``class`` and the label."""
    if names is not None and names.ndim == 1 and names.dtype.kind == "U" and values.max() < len(names):
        chosen = [str(names[value]).strip() for value in values]
        if all(chosen):
            return unique_names(chosen, MAX_NAME)
    return tuple(f"class {value}" for value in values)


# ── checks, and saving ─────────────────────────────────────────────────────────────────────────────────────────────


def _check(images: LabelledImages) -> LabelledImages:
    """Return the images. Raises DataError if their size, or the number of classes or of images per class, is wrong."""
    height, width = images.images.shape[2:]
    if min(height, width) < MIN_SIDE or max(height, width) > SIDES[-1]:
        raise DataError(f"The images are {height}×{width} pixels. Use {MIN_SIDE} to {SIDES[-1]} along each side.")
    names = images.class_names
    if len(names) < 2:
        raise DataError("There is only one class. Upload images of at least two classes.")
    if len(names) > MAX_CLASSES:
        raise DataError(f"There are {len(names):,} classes; the limit is {MAX_CLASSES}.")
    counts = np.bincount(images.labels, minlength=len(names))
    if counts.min() < MIN_PER_CLASS:
        raise DataError(f"Class {names[counts.argmin()]} has too few images: each needs at least {MIN_PER_CLASS}.")
    if images.is_test is not None and len(np.unique(images.labels[~images.is_test])) < len(names):
        raise DataError("A class has images for testing but none for training.")
    return images


def _drop_duplicates(images: LabelledImages) -> LabelledImages:
    """Keep one of several equal images, so that no test image is also trained on; test images come first."""
    count = len(images.images)
    order = np.arange(count) if images.is_test is None else np.argsort(~images.is_test, kind="stable")
    first: dict[bytes, int] = {}
    for index in order.tolist():
        first.setdefault(hashlib.sha256(images.images[index].tobytes()).digest(), index)
    if len(first) == count:
        return images
    chosen = np.array(sorted(first.values()))
    duplicates = count - len(chosen)
    note = f"{count_images(duplicates)} left out: equal to another image."
    return images._replace(
        images=images.images[chosen],
        labels=images.labels[chosen],
        is_test=None if images.is_test is None else images.is_test[chosen],
        notes=(*images.notes, note),
    )


def _to_arrays(images: LabelledImages, title: str) -> tuple[dict[str, AnyArray], DatasetInfo]:
    """Return the arrays to save and their description. Without test images, loading splits them."""
    labels = images.labels.astype(np.int64)
    if images.is_test is None:
        is_test = draw_test_split(labels, 0)
        arrays: dict[str, AnyArray] = {"train": np.ascontiguousarray(images.images), "train_labels": labels}
    else:
        is_test = images.is_test
        arrays = {
            "train": np.ascontiguousarray(images.images[~is_test]),
            "train_labels": labels[~is_test],
            "test": np.ascontiguousarray(images.images[is_test]),
            "test_labels": labels[is_test],
        }
    _, channels, height, width = images.images.shape
    info = DatasetInfo(
        title=title,
        source="imported",
        shape=(channels, height, width),
        classes=images.class_names,
        train=int((~is_test).sum()),
        test=int(is_test.sum()),
    )
    return arrays, info


def _save(arrays: dict[str, AnyArray], info: DatasetInfo, folder: Path) -> str:
    """Write the complete file or nothing, and return the content hash that names it."""
    try:
        target = folder / "datasets"
        target.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=target, suffix=".part")
        os.close(handle)
        try:
            save_file(arrays, part, {"facts": info.model_dump_json()})
            with open(part, "rb+") as file:
                os.fsync(file.fileno())
                upload = hashlib.file_digest(file, "sha256").hexdigest()[:16]
            Path(part).replace(imported_dataset_path(upload, folder))  # Windows renames closed files only
        except BaseException:
            Path(part).unlink()
            raise
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"The images could not be saved in the data directory ({reason}).") from error
    return upload
