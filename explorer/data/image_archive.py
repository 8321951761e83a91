"""Read an archive of images: their labels from class folders or from a CSV file, and their parts. Free of torch."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import PurePosixPath
from time import monotonic
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from explorer.data import images as image_files
from explorer.data.archives import MAX_ENTRY_BYTES, Archive, Entry
from explorer.data.array_types import AnyArray, Pixels
from explorer.data.arrays import DataError, check_dataset_size, drop_equal_channels
from explorer.data.class_names import unique_names
from explorer.data.folders import draw_tree, understand_folders
from explorer.data.import_report import (
    MAX_NAME,
    PARTS,
    ImportOptions,
    LabelledImages,
    LabelSource,
    LeftOut,
    Note,
    Placed,
    Source,
    printable,
)
from explorer.data.label_files import SUFFIXES as LABEL_SUFFIXES
from explorer.data.label_files import read_label_files

MAX_SECONDS = 120  # of reading images: a small file can hold many that take long to decode
MIN_SIDE = 8  # pixels
MAX_LABEL_FILES = 8
_OTHER_IMAGES = (  # they are listed as images, so that the report says why they cannot be read
    *(".heic", ".heif", ".avif", ".jp2", ".jxl", ".svg", ".psd", ".ppm", ".pgm", ".tga", ".ico", ".dcm", ".exr"),
    *(".dng", ".nef", ".cr2", ".arw", ".fits"),
)
_CHANGES = ("laid on white", "rotated", "16 bits per channel", "converted from CMYK", "the first of")  # notes to count

ToArray = Callable[[Image.Image], AnyArray]


class _Understood(NamedTuple):
    """Where each image belongs, and how that was found out."""

    images: Sequence[Placed]
    source: Source
    notes: tuple[Note, ...]


def read_image_archive(archive: Archive, options: ImportOptions, to_array: ToArray | None = None) -> LabelledImages:
    """Read all images in an archive. Raises DataError with what is wrong.

    ``to_array`` turns an image into C × H × W; by default it is cropped to a square and reduced to ``options.side``.
    Its mode is L, RGB or F, which holds values of more than 8 bits; an array of those has the type uint16.
    """
    entries = [entry for entry in archive.entries if _is_image(entry.path)]
    if not entries:
        raise DataError(
            f"{archive.name}: there is no image in the archive. Pack one folder of PNG or JPEG images per class."
        )
    understood = _understand(archive, entries, options)
    chosen = [
        (entry, placed)
        for entry, placed in zip(entries, understood.images, strict=True)
        if placed.name is not None and placed.part is not None
    ]
    if not chosen:
        raise DataError(
            f"{archive.name}: the images are in no folder of a class, and no CSV file in the archive lists them. Put "
            "each into the folder of its class."
        )
    found = _read(archive, [entry for entry, _ in chosen], options.bits, to_array or partial(_square, options.side))
    placed = [chosen[index][1] for index in found.readable]
    names = sorted({one.name or "" for _, one in chosen})
    parts = [PARTS.index(one.part) if one.part in PARTS else 0 for one in placed]
    return LabelledImages(
        found.images,
        np.array([names.index(one.name or "") for one in placed], np.int64),
        np.array(parts, np.int64),
        unique_names((name.strip() or "class" for name in names), MAX_NAME),
        understood.source._replace(highest=found.highest, bits=found.bits),
        (*_left_out(archive, entries, understood), *found.left_out),
        (*understood.notes, *found.notes),
    )


def _is_image(path: PurePosixPath) -> bool:
    return path.suffix.lower() in (*image_files.SUFFIXES, *_OTHER_IMAGES)


def _understand(archive: Archive, entries: Sequence[Entry], options: ImportOptions) -> _Understood:
    """Take the labels from the folders; from a CSV file if the folders are not classes, or if a user chose it."""
    paths = [entry.path for entry in entries]
    folders = understand_folders(paths, options.classes_from)
    label_files = [entry for entry in archive.entries if entry.path.suffix.lower() in LABEL_SUFFIXES]
    labels = None
    if label_files and len(label_files) <= MAX_LABEL_FILES:
        contents = {str(entry.path): content for entry, content in archive.read(label_files)}
        labels = read_label_files(contents, paths, options.classes_from)
    tree = draw_tree(paths, folders.level, folders.part_level)
    sources: tuple[LabelSource, ...] = folders.levels + (labels.columns if labels else ())
    source = Source("archive", tree, sources, encoding=archive.encoding)
    is_column = options.classes_from.startswith("column ") or not folders.levels
    if labels and is_column:
        tree = tuple(branch._replace(role="") if branch.role == "class" else branch for branch in tree)
        placed = [
            label if label.part else label._replace(part=folder.part)
            for label, folder in zip(labels.images, folders.images, strict=True)
        ]
        note = Note("labels_file", f"{labels.file}, {labels.column.name}")
        return _Understood(placed, source._replace(tree=tree, classes_from=labels.column.key), (note,))
    key = f"folder {folders.level + 1}" if folders.level is not None else ""
    return _Understood(folders.images, source._replace(classes_from=key), ())


def _left_out(archive: Archive, entries: Sequence[Entry], understood: _Understood) -> Iterable[LeftOut]:
    """Yield why files of the archive are not read at all."""
    placed = list(zip(entries, understood.images, strict=True))
    without_part = [entry.path for entry, one in placed if one.part is None]
    if without_part:
        yield LeftOut("part", len(without_part), printable(str(without_part[0])))
    without_class = [entry.path for entry, one in placed if one.part is not None and one.name is None]
    if without_class:
        yield LeftOut("no_class", len(without_class), printable(str(without_class[0])))
    numbers = {entry.number for entry in entries}
    others = [entry.path for entry in archive.entries if entry.number not in numbers]
    if others:
        yield LeftOut("other_file", len(others), printable(str(others[0])))


# ── reading the images ─────────────────────────────────────────────────────────────────────────────────────────────


class _Read(NamedTuple):
    """The images that are readable, with their places among the entries, and what is to be reported."""

    images: Pixels
    readable: list[int]
    highest: int
    bits: int
    left_out: tuple[LeftOut, ...]
    notes: tuple[Note, ...]


def _read(archive: Archive, entries: Sequence[Entry], bits: int, to_array: ToArray) -> _Read:
    """Decode the entries. Those of more than 8 bits get the depth of the highest value of all, or ``bits``."""
    shape = to_array(Image.new("RGB", (MIN_SIDE, MIN_SIDE))).shape
    check_dataset_size(len(entries) * int(np.prod(shape)))
    places = {entry.number: place for place, entry in enumerate(entries)}
    images = np.empty((len(entries), *shape), np.uint8)
    deep: dict[int, NDArray[np.uint16]] = {}
    readable: list[int] = []
    errors: list[str] = []
    highest = 0
    changes: Counter[str] = Counter()
    started = monotonic()
    for entry, content in archive.read(entries):
        if monotonic() - started > MAX_SECONDS:
            raise DataError(
                f"Reading the images took longer than {MAX_SECONDS} seconds. Upload fewer or smaller images."
            )
        try:
            opened = _open(entry, content)
        except DataError as error:
            errors.append(str(error))
            continue
        place = places[entry.number]
        values = to_array(opened.image)
        if opened.highest and values.dtype == np.uint8:  # colours, scaled by their own depth
            values = values.astype(np.uint16) << (image_files.bit_depth(opened.highest) - 8)
        if values.dtype == np.uint16:
            deep[place], highest = values, max(highest, opened.highest)
        else:
            images[place] = values
        readable.append(place)
        changes.update(_change(note) for note in opened.notes)
    readable.sort()
    bits = bits or image_files.bit_depth(highest)
    for place, values in deep.items():
        images[place] = np.minimum(values >> max(bits - 8, 0), 255)
    notes = tuple(Note("changed", change, count) for change, count in changes.items() if change)
    left_out = (LeftOut("unreadable", len(errors), errors[0]),) if errors else ()
    return _Read(drop_equal_channels(images[readable]), readable, highest, bits if deep else 0, left_out, notes)


def _open(entry: Entry, content: bytes) -> image_files.OpenedImage:
    """Decode an entry. Raises DataError with its name and the reason."""
    name = printable(str(entry.path))
    if entry.size > MAX_ENTRY_BYTES:
        raise DataError(
            f"{name} has {entry.size / 1e6:,.0f} MB unpacked; the limit is {MAX_ENTRY_BYTES / 1e6:,.0f} MB."
        )
    try:
        opened = image_files.open_image(content)
    except image_files.ImageError as error:
        raise DataError(f"{name}: {error}") from error
    if min(opened.image.size) < MIN_SIDE:
        width, height = opened.image.size
        raise DataError(f"{name} is {width}×{height} pixels. Use images of at least {MIN_SIDE}×{MIN_SIDE}.")
    return opened


def _change(note: str) -> str:
    """Return the kind of change that a note on one image is about; empty if it does not matter here."""
    return next((change for change in _CHANGES if note.startswith(change)), "")


def _square(side: int, image: Image.Image) -> AnyArray:
    """Crop an image to a square in its centre and reduce it: 3 × side × side, or 1 × side × side of over 8 bits."""
    square = np.asarray(ImageOps.fit(image, (side, side), Image.Resampling.BOX))
    if image.mode == "F":
        return square.astype(np.uint16)[None]
    return np.broadcast_to(square, (3, side, side)) if image.mode == "L" else square.transpose(2, 0, 1)
