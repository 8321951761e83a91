"""A person's own images: a zip of class folders, IDX files, or an ``.npz``; judged, shrunk, and kept by content.

Nothing in an upload is believed: not its name, not the sizes it promises, not the names inside. Nothing of it is
unpacked to disk; what is kept is one safetensors file in the data directory, named for what is in it. The server lets
a process of its own do it (:mod:`explorer.jobs.image_imports`).
"""

import hashlib
import os
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import IO, NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from PIL import Image, ImageOps
from safetensors import SafetensorError
from safetensors.numpy import save_file

from explorer.data.arrays import DataError, is_gzip, is_idx, read_idx, read_npz
from explorer.data.class_names import unique_names
from explorer.data.datasets import imported_dataset_path, test_split
from explorer.training.plan import DatasetChoice, DatasetInfo

SIDES = (28, 32, 48, 64, 96)  # pixels that photographs are shrunk to
MAX_FILE_BYTES = 200_000_000  # of one upload
MAX_ENTRIES = 50_000  # in a zip
MAX_IMAGE_BYTES = 20_000_000  # of one image in a zip
MAX_PIXELS = 25_000_000  # of one image
MAX_DATASET_BYTES = 250_000_000  # of all images as they are kept
MAX_SECONDS = 120  # of reading images: a small file can hold many that take long to decode
MAX_CLASSES = 200
MAX_NAME = 40  # characters that are shown of a name
MAX_LABEL = 1_000_000_000
LEAST_SIDE = 8  # pixels
LEAST_PER_CLASS = 2
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
_ENTRY = b"PK\x01\x02"  # with which the zip format begins each entry of its table
_PIECE = 1_000_000
_CHUNK = 256  # images
_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
_SPLITS = {"train": "train", "training": "train", "test": "test", "val": "test", "valid": "test", "validation": "test"}


class Upload(NamedTuple):
    """A file as it was sent: what its sender calls it, and its bytes to read and seek."""

    name: str
    file: IO[bytes]


class ImportedDataset(NamedTuple):
    """What an import made: the data to train on, what is known of it, and sentences on what was left out or changed."""

    dataset: DatasetChoice
    info: DatasetInfo
    notes: tuple[str, ...]


class _Images(NamedTuple):
    """Images N × C × H × W as uint8 with a class number each, and whether each is for testing (None: not said)."""

    images: np.ndarray
    labels: np.ndarray
    tests: np.ndarray | None
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def import_images(uploads: Sequence[Upload], folder: Path, *, side: int = 32, title: str = "") -> ImportedDataset:
    """Read what was sent and keep it in the data directory ``folder``. Raises DataError with what is wrong.

    One zip of class folders (``cat/1.png``, or ``train/cat/1.png`` and ``test/cat/2.png``), one ``.npz`` (``images``
    and ``labels``, or Keras's ``x_train`` … ``y_test``), or IDX files in pairs. ``side`` is what the images of a zip
    are shrunk to, cropped to a square.
    """
    if side not in SIDES:
        raise DataError(f"Choose a size of {', '.join(map(str, SIDES))} pixels.")
    read = _checked(_read(check_uploads(uploads), side))
    parts, facts = _parts(read, _shown(title) or _shown(uploads[0].name))
    return ImportedDataset(DatasetChoice(name="own", upload=_kept(parts, facts, folder)), facts, read.notes)


def delete(upload: str, folder: Path) -> None:
    """Remove an imported set. One that is gone already is no error."""
    imported_dataset_path(upload, folder).unlink(missing_ok=True)


def check_uploads(uploads: Sequence[Upload]) -> tuple[Upload, ...]:
    """Return the files under names that can be shown. Raises DataError for too many, or one over the limit of size."""
    if not 1 <= len(uploads) <= 4:
        raise DataError("Send one zip, one .npz, or two or four IDX files.")
    named = tuple(Upload(_shown(upload.name) or "file", upload.file) for upload in uploads)
    for name, file in named:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size > MAX_FILE_BYTES:
            raise DataError(f"{name}: {size / 1e6:,.0f} MB; at most {MAX_FILE_BYTES / 1e6:,.0f} MB are taken.")
    return named


def _read(uploads: tuple[Upload, ...], side: int) -> _Images:
    """Tell by its first bytes what an upload is, whatever it is called."""
    heads = [upload.file.read(4) for upload in uploads]
    for upload in uploads:
        upload.file.seek(0)
    if all(is_idx(head) or is_gzip(head) for head in heads):
        return _from_idx(uploads)
    if len(uploads) == 1 and heads[0].startswith(b"PK"):
        (upload,) = uploads
        return _from_npz(upload) if _holds_arrays(upload) else _from_zip(upload, side)
    raise DataError(
        f"{uploads[0].name}: this is neither a zip, nor an .npz, nor IDX. Send a zip with a folder of images per class."
    )


def _holds_arrays(upload: Upload) -> bool:
    entries = _count(_ENTRY, upload.file)
    if entries > MAX_ENTRIES:
        raise DataError(f"{upload.name}: there are {entries:,} files in the zip. At most {MAX_ENTRIES:,} are read.")
    try:
        with ZipFile(upload.file) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError, NotImplementedError) as error:
        raise DataError(f"{upload.name}: the zip is damaged or cut off.") from error
    upload.file.seek(0)
    return bool(names) and all(name.endswith(".npy") for name in names)


def _count(sign: bytes, file: IO[bytes]) -> int:
    """Return how often a sign stands in a file, which is then at its beginning again."""
    found, end = 0, b""
    while piece := file.read(_PIECE):
        found += (end + piece).count(sign)
        end = piece[1 - len(sign) :]
    file.seek(0)
    return found


# Arrays


def _from_idx(uploads: tuple[Upload, ...]) -> _Images:
    """Pair IDX files of images with those of labels; what has ``t10k`` or ``test`` in its name is for testing."""
    arrays = [(name, read_idx(file, name)) for name, file in uploads]
    pairs: dict[str, dict[str, np.ndarray]] = {}
    for name, values in arrays:
        part = "test" if "t10k" in name.lower() or "test" in name.lower() else "train"
        what = "labels" if values.ndim == 1 else "images"
        if what in pairs.setdefault(part, {}):
            raise DataError(f"{name}: there are two IDX files of {what} for the {part} part.")
        pairs[part][what] = values
    if any(pair.keys() != {"images", "labels"} for pair in pairs.values()) or "train" not in pairs:
        raise DataError("IDX files come in pairs: one of images and one of as many labels.")
    return _from_arrays(pairs)


_KEYS = (
    ({"images": "images", "labels": "labels"}, {}),
    ({"images": "x_train", "labels": "y_train"}, {"images": "x_test", "labels": "y_test"}),
    (
        {"images": "train_images", "labels": "train_labels"},
        {"images": "test_images", "labels": "test_labels"},
    ),
)


def _from_npz(upload: Upload) -> _Images:
    arrays = read_npz(upload.file, upload.name)
    for train, test in _KEYS:
        if set(train.values()) <= arrays.keys():
            pairs = {"train": {what: arrays[key] for what, key in train.items()}}
            if test and set(test.values()) <= arrays.keys():
                pairs["test"] = {what: arrays[key] for what, key in test.items()}
            return _from_arrays(pairs, arrays.get("class_names"))
    there = ", ".join(map(_shown, arrays)) or "nothing"
    raise DataError(
        f"{upload.name}: it holds {there}. Name the arrays images and labels, or x_train, y_train, x_test and y_test."
    )


def _from_arrays(pairs: Mapping[str, Mapping[str, np.ndarray]], class_names: np.ndarray | None = None) -> _Images:
    """Put the parts together. Classes are the different labels, in order."""
    images = {part: _as_images(pair["images"], part) for part, pair in pairs.items()}
    labels = {part: _as_labels(pair["labels"], len(images[part]), part) for part, pair in pairs.items()}
    if len({values.shape[1:] for values in images.values()}) > 1:
        raise DataError("The images for training and for testing are of different sizes.")
    values, numbers = np.unique(np.concatenate(list(labels.values())), return_inverse=True)
    tests = np.concatenate([np.full(len(images[part]), part == "test") for part in images])
    return _Images(
        np.concatenate(list(images.values())),
        numbers,
        tests if "test" in images else None,
        _class_names(values, class_names),
    )


def _as_images(values: np.ndarray, part: str) -> np.ndarray:
    """Return N × H × W or N × H × W × C (or N × C × H × W) numbers as N × C × H × W bytes."""
    if values.ndim == 3:
        values = values[:, None]
    elif values.ndim == 4 and values.shape[-1] in (1, 3):
        values = values.transpose(0, 3, 1, 2)
    if values.ndim != 4 or values.shape[1] not in (1, 3):
        shape = "×".join(map(str, values.shape))
        raise DataError(f"The {part} images are {shape}. They should be N×H×W, N×H×W×1 or N×H×W×3.")
    if values.size > MAX_DATASET_BYTES:
        raise DataError(_too_large(values.size))
    if values.size == 0 or values.dtype.kind not in "uif":
        raise DataError(f"The {part} images hold no numbers.")
    if not np.isfinite(values).all():
        raise DataError(f"The {part} images hold values that are no numbers (NaN or infinite).")
    low, high = values.min(), values.max()
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        return _as_bytes(values, 255)
    if low < 0 or high > 255:
        raise DataError(f"The {part} images have values from {low:g} to {high:g}. Store them as 0 to 255, or 0 to 1.")
    return _as_bytes(values, 1)


def _as_bytes(values: np.ndarray, scale: int) -> np.ndarray:
    """Return numbers times ``scale`` as bytes, some images at a time: the whole set has no second copy."""
    made = np.empty(values.shape, np.uint8)
    for at in range(0, len(values), _CHUNK):
        made[at : at + _CHUNK] = np.round(values[at : at + _CHUNK] * scale)
    return made


def _as_labels(values: np.ndarray, images: int, part: str) -> np.ndarray:
    """Return the labels as N whole numbers."""
    values = values.reshape(len(values), -1) if values.ndim else values.reshape(1, -1)
    if values.shape != (images, 1):
        raise DataError(f"There are {images:,} {part} images and {values.size:,} labels. Each image needs one label.")
    if values.dtype.kind not in "uif" or (values != np.floor(values)).any() or (values < 0).any():
        raise DataError(f"The {part} labels are not all whole numbers from 0 on.")
    if (values.astype(np.float64) > MAX_LABEL).any():
        raise DataError(f"The {part} labels are too large to be class numbers.")
    return values[:, 0].astype(np.int64)


def _class_names(values: np.ndarray, names: np.ndarray | None) -> tuple[str, ...]:
    """Return what the classes are called: by the names that came along, if they are one per label from 0."""
    if names is not None and names.ndim == 1 and names.dtype.kind == "U" and values.max() < len(names):
        told = [str(names[value]).strip() for value in values]
        if all(told):
            return unique_names(told, MAX_NAME)
    return tuple(f"class {value}" for value in values)


# A zip of folders


def _from_zip(upload: Upload, side: int) -> _Images:
    """Read and shrink the images in a zip, one after another, so that no more than one is ever unpacked."""
    try:
        with ZipFile(upload.file) as archive:
            entries = _entries(archive, upload.name)
            folders = sorted({folder for _, _, folder in entries})
            numbers = {folder: number for number, folder in enumerate(folders)}
            if len(entries) * 3 * side * side > MAX_DATASET_BYTES:
                raise DataError(_too_large(len(entries) * 3 * side * side))
            images = np.empty((len(entries), 3, side, side), np.uint8)
            kept, bad, started = [], [], monotonic()
            for entry in entries:
                if monotonic() - started > MAX_SECONDS:
                    raise DataError(
                        f"Reading the images took longer than {MAX_SECONDS} seconds. Send fewer, or smaller."
                    )
                try:
                    images[len(kept)] = _shrunk(archive, entry[0], side)
                    kept.append(entry)
                except DataError as error:
                    bad.append(str(error))
    except (BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{upload.name}: the zip is damaged, encrypted or cut off.") from error
    if 10 * len(bad) > len(entries):
        raise DataError(f"{len(bad):,} of {len(entries):,} images cannot be used. {bad[0]}")
    left_out = (f"{_were(len(bad))} left out. {bad[0]}",) if bad else ()
    tests = np.array([split == "test" for _, split, _ in kept])
    return _Images(
        _grey_where_all_are(images[: len(kept)]),
        np.array([numbers[folder] for _, _, folder in kept]),
        tests if tests.any() and not tests.all() else None,
        unique_names((folder.strip() or "class" for folder in folders), MAX_NAME),
        left_out,
    )


def _entries(archive: ZipFile, name: str) -> list[tuple[ZipInfo, str, str]]:
    """Return every image with its split (train, test or nothing) and the folder that it lies in, which is its class."""
    found = []
    for info in archive.infolist():
        path = _safe_path(info.filename, name)
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        if not (info.is_dir() or hidden) and path.suffix.lower() in _SUFFIXES:
            found.append((info, path))
    if not found:
        raise DataError(f"{name}: there is no image in the zip. Pack one folder of PNG or JPEG images per class.")
    if any(len(path.parts) < 2 for _, path in found):
        raise DataError(f"{name}: some images lie in no folder. Put each into the folder of its class.")
    return sorted(((info, _split(path), path.parts[-2]) for info, path in found), key=lambda e: e[0].filename)


def _safe_path(entry: str, name: str) -> PurePosixPath:
    """Return the path of an entry. Nothing is written there; a name that would lead elsewhere is a warning sign."""
    path = PurePosixPath(entry.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in entry.split("/", maxsplit=1)[0] or "\0" in entry:
        raise DataError(f"{name}: “{_shown(entry)}” leads out of the zip. Pack the folders anew, with plain names.")
    return path


def _split(path: PurePosixPath) -> str:
    """Return ``train`` or ``test`` where the folder above the class says so."""
    return _SPLITS.get(path.parts[-3].lower(), "") if len(path.parts) > 2 else ""


def _shrunk(archive: ZipFile, info: ZipInfo, side: int) -> np.ndarray:
    """Return one image as 3 × side × side bytes. Raises DataError when it is none, or too large or too small."""
    name = _shown(info.filename)
    if info.file_size > MAX_IMAGE_BYTES:
        raise DataError(
            f"{name} is unpacked {info.file_size / 1e6:,.0f} MB; at most {MAX_IMAGE_BYTES / 1e6:,.0f} are read."
        )
    try:
        with archive.open(info) as file, Image.open(file, formats=FORMATS) as image:
            _check_size(image.size, name)
            image.draft("RGB", (2 * side, 2 * side))  # a JPEG can be decoded smaller
            upright = ImageOps.exif_transpose(image).convert("RGB")
        square = ImageOps.fit(upright, (side, side), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} is no image that can be read ({', '.join(FORMATS)}).") from error
    return np.asarray(square).transpose(2, 0, 1)


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise DataError(f"{name} is {width:,}×{height:,}; at most {MAX_PIXELS / 1e6:,.0f} million pixels are read.")
    if min(size) < LEAST_SIDE:
        raise DataError(f"{name} is {width}×{height} pixels. Use images of at least {LEAST_SIDE}×{LEAST_SIDE}.")


def _grey_where_all_are(images: np.ndarray) -> np.ndarray:
    """Return N × 1 × H × W where no image has a colour."""
    grey = (images[:, 0] == images[:, 1]).all() and (images[:, 0] == images[:, 2]).all()
    return images[:, :1] if grey else images


# What is kept


def _checked(read: _Images) -> _Images:
    """Judge the whole: sizes, classes, and images that are there twice."""
    height, width = read.images.shape[2:]
    if min(height, width) < LEAST_SIDE or max(height, width) > SIDES[-1]:
        raise DataError(f"The images are {height}×{width} pixels. Use {LEAST_SIDE} to {SIDES[-1]} along each side.")
    read = _each_once(read)
    if len(read.classes) < 2:
        raise DataError("There is one class only, and nothing to tell apart. Give at least two.")
    if len(read.classes) > MAX_CLASSES:
        raise DataError(f"There are {len(read.classes):,} classes. At most {MAX_CLASSES} can be told apart here.")
    counts = np.bincount(read.labels, minlength=len(read.classes))
    if counts.min() < LEAST_PER_CLASS:
        raise DataError(
            f"Class {read.classes[counts.argmin()]} has too few images: give each at least {LEAST_PER_CLASS}."
        )
    if read.tests is not None and len(np.unique(read.labels[~read.tests])) < len(read.classes):
        raise DataError("Some class has images for testing, but none for training.")
    return read


def _each_once(read: _Images) -> _Images:
    """Leave an image out that is there again, so that no test image is also trained on; those for testing stay."""
    rank = np.argsort(~read.tests, kind="stable") if read.tests is not None else np.arange(len(read.images))
    seen: dict[bytes, int] = {}
    for at in rank.tolist():
        seen.setdefault(hashlib.sha256(read.images[at].tobytes()).digest(), at)
    kept = np.array(sorted(seen.values()))
    if len(kept) == len(read.images):
        return read
    twice = len(read.images) - len(kept)
    note = f"{_were(twice)} there more than once and {'is' if twice == 1 else 'are'} kept once."
    tests = read.tests[kept] if read.tests is not None else None
    return _Images(read.images[kept], read.labels[kept], tests, read.classes, (*read.notes, note))


def _parts(read: _Images, title: str) -> tuple[dict[str, np.ndarray], DatasetInfo]:
    """Return the arrays to keep and what is known of them. Where no part is for testing, loading splits them."""
    held = read.tests if read.tests is not None else test_split(read.labels, 0)
    images, labels = np.ascontiguousarray(read.images), read.labels.astype(np.int64)
    parts = {"train": images, "train_labels": labels}
    if read.tests is not None:
        parts = {
            "train": images[~held],
            "train_labels": labels[~held],
            "test": images[held],
            "test_labels": labels[held],
        }
    known = DatasetInfo(
        title=title,
        source="imported",
        shape=read.images.shape[1:],
        classes=read.classes,
        train=int((~held).sum()),
        test=int(held.sum()),
    )
    return parts, known


def _kept(parts: dict[str, np.ndarray], facts: DatasetInfo, folder: Path) -> str:
    """Write the file whole or not at all, and return the content hash that it is named for."""
    try:
        place = folder / "datasets"
        place.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=place, suffix=".part")
        os.close(handle)
        try:
            save_file(parts, part, {"facts": facts.model_dump_json()})
            with open(part, "rb+") as file:
                os.fsync(file.fileno())
                upload = hashlib.file_digest(file, "sha256").hexdigest()[:16]
            Path(part).replace(imported_dataset_path(upload, folder))  # Windows renames only what is closed
        except BaseException:
            Path(part).unlink()
            raise
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"The images could not be kept in the data directory ({reason}).") from error
    return upload


def _shown(text: str) -> str:
    """Return a name that came with the images as it can be shown: printable, not too long."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:MAX_NAME]).strip()


def _were(images: int) -> str:
    return "1 image was" if images == 1 else f"{images:,} images were"


def _too_large(size: int) -> str:
    return (
        f"The images would take {size / 1e6:,.0f} MB; at most {MAX_DATASET_BYTES / 1e6:,.0f} MB are kept. Send fewer."
    )
