"""Read a zip of images in class folders, such as ``cat/1.png``, or ``train/cat/1.png`` and ``test/cat/2.png``.

Nothing in the zip is trusted: not the sizes it declares and not its names. Nothing is unpacked to disk, and only one
image at a time is unpacked in memory.
"""

import zlib
from pathlib import PurePosixPath
from time import monotonic
from typing import IO, Literal, NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from explorer.data.arrays import DataError, Pixels
from explorer.data.class_names import unique_names

MAX_ENTRIES = 50_000  # in a zip
MAX_IMAGE_BYTES = 20_000_000  # of one image, unpacked
MAX_PIXELS = 25_000_000  # of one image
MAX_DATASET_BYTES = 250_000_000  # of all images of a dataset, as arrays
MAX_SECONDS = 120  # of reading images: a small file can hold many that take long to decode
MAX_NAME = 40  # characters that are shown of a name
MIN_SIDE = 8  # pixels
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")
_ENTRY = b"PK\x01\x02"  # the signature of each entry in the directory of a zip
_PIECE = 1_000_000  # bytes

_Split = Literal["train", "test", ""]
_SPLITS: dict[str, _Split] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "val": "test",
    "valid": "test",
    "validation": "test",
}


class LabelledImages(NamedTuple):
    """Images N × C × H × W as uint8 with a class number each, and which are test images (None: there is no split)."""

    images: Pixels
    labels: NDArray[np.int64]
    is_test: NDArray[np.bool_] | None
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


class _Entry(NamedTuple):
    info: ZipInfo
    split: _Split
    folder: str  # the name of the class


def holds_arrays(file: IO[bytes], name: str) -> bool:
    """Whether a zip holds NumPy arrays only, as an ``.npz`` does. Raises DataError if it cannot be read."""
    entries = _count(_ENTRY, file)
    if entries > MAX_ENTRIES:
        raise DataError(f"{name}: there are {entries:,} files in the zip; the limit is {MAX_ENTRIES:,}.")
    try:
        with ZipFile(file) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError, NotImplementedError) as error:
        raise DataError(f"{name}: the zip is damaged or truncated.") from error
    file.seek(0)
    return bool(names) and all(name.endswith(".npy") for name in names)


def _count(signature: bytes, file: IO[bytes]) -> int:
    """Count how often a signature occurs in a file, and rewind the file."""
    found, end = 0, b""
    while piece := file.read(_PIECE):
        found += (end + piece).count(signature)
        end = piece[1 - len(signature) :]
    file.seek(0)
    return found


def read_image_zip(file: IO[bytes], name: str, side: int) -> LabelledImages:
    """Read all images in a zip, cropped to a square and reduced to ``side``. Raises DataError with what is wrong.

    Up to a tenth of the images may be unreadable: they are left out, with a note.
    """
    try:
        with ZipFile(file) as archive:
            entries = _entries(archive, name)
            return _read_entries(archive, entries, side)
    except (BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{name}: the zip is damaged, encrypted or truncated.") from error


def _read_entries(archive: ZipFile, entries: list[_Entry], side: int) -> LabelledImages:
    folders = sorted({entry.folder for entry in entries})
    numbers = {folder: number for number, folder in enumerate(folders)}
    check_dataset_size(len(entries) * 3 * side * side)
    images = np.empty((len(entries), 3, side, side), np.uint8)
    readable: list[_Entry] = []
    errors: list[str] = []
    started = monotonic()
    for entry in entries:
        if monotonic() - started > MAX_SECONDS:
            raise DataError(
                f"Reading the images took longer than {MAX_SECONDS} seconds. Upload fewer or smaller images."
            )
        try:
            images[len(readable)] = _read_image(archive, entry.info, side)
            readable.append(entry)
        except DataError as error:
            errors.append(str(error))
    if 10 * len(errors) > len(entries):
        raise DataError(f"{len(errors):,} of {len(entries):,} images cannot be used. {errors[0]}")
    is_test = np.array([entry.split == "test" for entry in readable])
    return LabelledImages(
        _drop_equal_channels(images[: len(readable)]),
        np.array([numbers[entry.folder] for entry in readable]),
        is_test if is_test.any() and not is_test.all() else None,
        unique_names((folder.strip() or "class" for folder in folders), MAX_NAME),
        (f"{count_images(len(errors))} left out. {errors[0]}",) if errors else (),
    )


def _entries(archive: ZipFile, name: str) -> list[_Entry]:
    """Return every image, sorted by its path."""
    images = []
    for info in archive.infolist():
        path = _safe_path(info.filename, name)
        is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        if not (info.is_dir() or is_hidden) and path.suffix.lower() in _SUFFIXES:
            images.append((info, path))
    if not images:
        raise DataError(f"{name}: there is no image in the zip. Pack one folder of PNG or JPEG images per class.")
    if any(len(path.parts) < 2 for _, path in images):
        raise DataError(f"{name}: some images are in no folder. Put each into the folder of its class.")
    return sorted(
        (_Entry(info, _split(path), path.parts[-2]) for info, path in images), key=lambda entry: entry.info.filename
    )


def _safe_path(entry: str, name: str) -> PurePosixPath:
    """Return the path of an entry. Nothing is written there, but a path out of the zip is a sign of a hostile file."""
    path = PurePosixPath(entry.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in entry.split("/", maxsplit=1)[0] or "\0" in entry:
        raise DataError(f"{name}: “{printable(entry)}” is a path out of the zip. Pack the folders with plain names.")
    return path


def _split(path: PurePosixPath) -> _Split:
    """Return the split that the folder above the class folder names."""
    return _SPLITS.get(path.parts[-3].lower(), "") if len(path.parts) > 2 else ""


def _read_image(archive: ZipFile, info: ZipInfo, side: int) -> Pixels:
    """Return one image as 3 × side × side bytes. Raises DataError if it is unreadable, too large or too small."""
    name = printable(info.filename)
    if info.file_size > MAX_IMAGE_BYTES:
        raise DataError(
            f"{name} has {info.file_size / 1e6:,.0f} MB unpacked; the limit is {MAX_IMAGE_BYTES / 1e6:,.0f} MB."
        )
    try:
        with archive.open(info) as file, Image.open(file, formats=FORMATS) as image:
            _check_size(image.size, name)
            image.draft("RGB", (2 * side, 2 * side))  # a JPEG can be decoded at a fraction of its size
            upright = ImageOps.exif_transpose(image).convert("RGB")
        square = ImageOps.fit(upright, (side, side), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} is not a readable image ({', '.join(FORMATS)}).") from error
    return np.asarray(square).transpose(2, 0, 1)


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise DataError(f"{name} is {width:,}×{height:,}; the limit is {MAX_PIXELS / 1e6:,.0f} million pixels.")
    if min(size) < MIN_SIDE:
        raise DataError(f"{name} is {width}×{height} pixels. Use images of at least {MIN_SIDE}×{MIN_SIDE}.")


def _drop_equal_channels(images: Pixels) -> Pixels:
    """Return N × 1 × H × W if all images are grey."""
    is_grey = (images[:, 0] == images[:, 1]).all() and (images[:, 0] == images[:, 2]).all()
    return images[:, :1] if is_grey else images


def check_dataset_size(size: int) -> None:
    """Raise DataError if a dataset's images take more than the limit; ``size`` is in bytes."""
    if size > MAX_DATASET_BYTES:
        raise DataError(
            f"The images would take {size / 1e6:,.0f} MB; the limit is {MAX_DATASET_BYTES / 1e6:,.0f} MB. "
            "Upload fewer images."
        )


def printable(text: str) -> str:
    """Return a name that came with the images, fit to be shown: printable and not too long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:MAX_NAME]).strip()


def count_images(count: int) -> str:
    """Return the beginning of a note about some images: ``1 image was`` or ``2 images were``."""
    return "1 image was" if count == 1 else f"{count:,} images were"
