"""Labelled images from arrays: IDX files in pairs, ``.npz`` and ``.npy`` files, and CIFAR's batches. Free of torch."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from explorer.data.array_types import AnyArray
from explorer.data.arrays import DataError, check_dataset_size, drop_equal_channels
from explorer.data.cifar import Batch
from explorer.data.class_names import unique_names
from explorer.data.images import bit_depth
from explorer.data.import_report import (
    MAX_NAME,
    PART_NAMES,
    PARTS,
    ImportOptions,
    LabelledImages,
    LabelSource,
    LeftOut,
    Note,
    Part,
    Source,
    SourceKind,
    printable,
)

MAX_LABEL = 1_000_000_000
_IMAGE_WORDS = ("images", "image", "x", "data", "imgs", "img", "pixels", "features")
_LABEL_WORDS = ("labels", "label", "y", "targets", "target", "classes")
_NAME_KEYS = ("class_names", "classes", "label_names", "names", "categories")
_CHUNK = 256  # images


class Arrays(NamedTuple):
    """The images and labels of one part of the data, as they are in the file."""

    images: AnyArray
    labels: AnyArray


def from_idx(arrays: Mapping[str, AnyArray]) -> LabelledImages:
    """Pair IDX files, by their names, of images and of labels; ``t10k`` or ``test`` in a name marks test images."""
    found: dict[tuple[Part, str], AnyArray] = {}
    for name, values in arrays.items():
        part = _part_of_file(name)
        content = "labels" if values.ndim == 1 else "images"
        if (part, content) in found:
            raise DataError(f"{printable(name)}: there are two IDX files of {content} for the {part} part.")
        found[part, content] = values
    pairs = {
        part: Arrays(found[part, "images"], found[part, "labels"])
        for part in PARTS
        if {(part, "images"), (part, "labels")} <= found.keys()
    }
    if 2 * len(pairs) != len(found) or "train" not in pairs:
        raise DataError("IDX files come in pairs: one with images and one with as many labels.")
    return _from_arrays(pairs, "idx")


def _part_of_file(name: str) -> Part:
    lower = name.lower()
    if "t10k" in lower or "test" in lower:
        return "test"
    return "validation" if "val" in lower else "train"


def from_named_arrays(name: str, arrays: Mapping[str, AnyArray], options: ImportOptions) -> LabelledImages:
    """Find images and labels of each part by the usual names, such as ``images`` or ``x_train``. Raises DataError."""
    found: dict[Part, dict[str, AnyArray]] = {part: {} for part in PARTS}
    class_names = None
    unknown: list[str] = []
    for key, values in arrays.items():
        part, role = _role(key)
        if key.lower() in _NAME_KEYS and values.dtype.kind in "US":
            class_names = values
        elif role and role not in found[part]:
            found[part][role] = values
        else:
            unknown.append(key)
    pairs = {part: Arrays(roles["images"], roles["labels"]) for part, roles in found.items() if len(roles) == 2}
    if "train" not in pairs and len(pairs) == 1:
        pairs = {"train": next(iter(pairs.values()))}
    if "train" not in pairs:
        names = ", ".join(map(printable, arrays)) or "no arrays"
        raise DataError(
            f"{printable(name)} holds {names}. Name the arrays images and labels, or x_train, y_train, x_test and "
            "y_test."
        )
    unpaired = [f"{part} {role}" for part, roles in found.items() if len(roles) == 1 for role in roles]
    images = _from_arrays(pairs, "arrays", class_names, options.bits)
    left_out = tuple(LeftOut("array", 1, printable(key)) for key in (*unknown, *unpaired))
    return images._replace(left_out=(*images.left_out, *left_out))


def _role(key: str) -> tuple[Part, str]:
    """Return the part and whether an array has images or labels, from the words of its name; empty if unknown."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[XY])(?=[a-z])", "_", key).lower())
    part: Part = next((PART_NAMES[word] for word in words if word in PART_NAMES), "train")
    if any(word in _LABEL_WORDS for word in words):
        return part, "labels"
    return part, "images" if any(word in _IMAGE_WORDS for word in words) else ""


def from_cifar(
    batches: Sequence[Batch], names: Mapping[str, tuple[str, ...]], options: ImportOptions
) -> LabelledImages:
    """Combine CIFAR's batches. CIFAR-100 has fine and coarse labels; the fine ones are the classes unless chosen."""
    kinds = [kind for kind in batches[0].labels if all(kind in batch.labels for batch in batches)]
    if not kinds:
        raise DataError("The batches have different kinds of labels. Upload those of one dataset.")
    sources = tuple(
        LabelSource(f"array {kind}", "array", kind, len(names.get(kind, ())), names.get(kind, ())[:3]) for kind in kinds
    )
    kind = options.classes_from.removeprefix("array ")
    kind = kind if kind in kinds else kinds[0]
    train = [batch for batch in batches if not batch.is_test]
    test = [batch for batch in batches if batch.is_test]
    pairs: dict[Part, Arrays] = {"train": _join(train or test, kind)}
    if train and test:
        pairs["test"] = _join(test, kind)
    class_names = np.array(names[kind]) if kind in names else None
    images = _from_arrays(pairs, "cifar", class_names)
    source = images.source._replace(label_sources=sources if len(sources) > 1 else (), classes_from=f"array {kind}")
    return images._replace(source=source)


def _join(batches: Sequence[Batch], kind: str) -> Arrays:
    images = [batch.images for batch in batches]
    labels = np.concatenate([batch.labels[kind] for batch in batches])
    return Arrays(np.concatenate(images) if len(images) > 1 else images[0], labels)


# ── from arrays to images and labels ───────────────────────────────────────────────────────────────────────────────


def _from_arrays(
    pairs: Mapping[Part, Arrays], kind: SourceKind, class_names: AnyArray | None = None, bits: int = 0
) -> LabelledImages:
    """Combine the parts. The classes are the different labels, in order."""
    notes: dict[Note, None] = {}
    scale = _scale({part: arrays.images for part, arrays in pairs.items()}, bits)
    if scale.note:
        notes[scale.note] = None
    images = {part: _to_bytes(_check_shape(arrays.images, part), scale) for part, arrays in pairs.items()}
    if len({values.shape[1:] for values in images.values()}) > 1:
        raise DataError("The images for training and for testing have different sizes.")
    labels = {part: _to_labels(arrays.labels, len(images[part]), part, notes) for part, arrays in pairs.items()}
    if len({values.dtype.kind for values in labels.values()}) > 1:
        raise DataError("The labels for training and for testing are of different types.")
    values, numbers = np.unique(np.concatenate(list(labels.values())), return_inverse=True)
    parts = np.concatenate([np.full(len(images[part]), PARTS.index(part)) for part in images])
    channels_alike = drop_equal_channels(np.concatenate([images.pop(part) for part in list(images)]))
    source = Source(kind, highest=scale.highest, bits=scale.bits)
    return LabelledImages(
        channels_alike, numbers.reshape(-1), parts, _class_names(values, class_names), source, notes=tuple(notes)
    )


class _Scale(NamedTuple):
    """How numbers become bytes: (value + ``offset``) · ``factor``."""

    offset: float = 0
    factor: float = 1
    note: Note | None = None
    highest: int = 0
    bits: int = 0


def _scale(arrays: Mapping[Part, AnyArray], bits: int) -> _Scale:
    """Choose the scale for all parts together, from the range of their numbers. Raises DataError."""
    for part, values in arrays.items():
        if values.size == 0 or values.dtype.kind not in "uif":
            raise DataError(f"The {part} images hold no numbers.")
        if not np.isfinite(values).all():
            raise DataError(f"The {part} images hold values that are not finite (NaN or infinite).")
    low, high = min(values.min() for values in arrays.values()), max(values.max() for values in arrays.values())
    is_float = any(values.dtype.kind == "f" for values in arrays.values())
    if is_float and low >= 0 and high <= 1:
        return _Scale(0, 255, Note("unit"))
    if is_float and -1 <= low < 0 and high <= 1:
        return _Scale(1, 127.5, Note("signed"))
    if low >= 0 and high <= 255:
        return _Scale()
    if low >= 0 and high <= 0xFFFF and not is_float:
        depth = bits or bit_depth(int(high))
        return _Scale(0, 1 / (1 << (depth - 8)), Note("deep"), int(high), depth)
    raise DataError(
        f"The images have values from {low:g} to {high:g}. Store them as 0 to 255, as 0 to 1 or as −1 to 1, before any "
        "other normalisation."
    )


def _check_shape(values: AnyArray, part: str) -> AnyArray:
    """Return N × H × W or N × H × W × C (or N × C × H × W) numbers as N × C × H × W. Raises DataError."""
    shape = "×".join(map(str, values.shape))
    if values.ndim == 2 and (hint := _reshape_hint(values.shape[1])):
        raise DataError(f"The {part} images are {shape}: each is a row of pixels. Save them as {hint}.")
    if values.ndim == 3:
        values = values[:, None]
    elif values.ndim == 4 and values.shape[-1] in (1, 3, 4):
        values = values.transpose(0, 3, 1, 2)
    if values.ndim != 4 or values.shape[1] not in (1, 3, 4):
        raise DataError(f"The {part} images are {shape}. They should be N×H×W, N×H×W×1 or N×H×W×3.")
    check_dataset_size(values.size)
    return values


def _reshape_hint(length: int) -> str:
    """Return how to write rows of so many numbers as images; empty if they cannot be squares."""
    for channels, form in ((1, "images.reshape(-1, {0}, {0})"), (3, "images.reshape(-1, 3, {0}, {0})")):
        side = round((length / channels) ** 0.5)
        if length == channels * side * side and side >= 8:
            return form.format(side)
    return ""


def _to_bytes(values: AnyArray, scale: _Scale) -> NDArray[np.uint8]:
    """Return numbers as bytes, converted in chunks, so that there is no second copy of all. Alpha is laid on white."""
    count, channels, height, width = values.shape
    if values.dtype == np.uint8 and channels < 4:
        return values
    converted = np.empty((count, min(channels, 3), height, width), np.uint8)
    for start in range(0, count, _CHUNK):
        chunk = values[start : start + _CHUNK]
        if scale.offset or scale.factor != 1 or chunk.dtype != np.uint8:
            chunk = np.clip(np.round((chunk + scale.offset) * scale.factor), 0, 255)
        if channels == 4:
            alpha = chunk[:, 3:] / 255
            chunk = np.round(chunk[:, :3] * alpha + 255 * (1 - alpha))
        converted[start : start + _CHUNK] = chunk
    return converted


def _to_labels(values: AnyArray, image_count: int, part: str, notes: dict[Note, None]) -> AnyArray:
    """Return the labels as N whole numbers, or N texts; one-hot rows become the number of their column."""
    values = values.reshape(len(values), -1) if values.ndim else values.reshape(1, -1)
    if len(values) != image_count or values.shape[1] == 0:
        raise DataError(
            f"There are {image_count:,} {part} images and {len(values):,} labels. Each image needs one label."
        )
    if values.shape[1] > 1:
        values = _from_one_hot(values, part)
        notes[Note("one_hot")] = None
    if values.dtype.kind in "US":
        notes[Note("text_labels")] = None
        return np.array([_text(value) for value in values[:, 0]])
    if values.dtype.kind not in "uif" or (values != np.floor(values)).any() or (values < 0).any():
        raise DataError(f"The {part} labels are not all whole numbers from 0 on, nor texts, nor one-hot.")
    if (values.astype(np.float64) > MAX_LABEL).any():
        raise DataError(f"The {part} labels are too large to be class numbers.")
    return values[:, 0].astype(np.int64)


def _from_one_hot(values: AnyArray, part: str) -> AnyArray:
    """Return the column of the only 1 in each row, as N × 1. Raises DataError for other rows."""
    is_binary = values.dtype.kind in "uifb" and ((values == 0) | (values == 1)).all()
    if not is_binary:
        raise DataError(f"Each of the {part} labels has {values.shape[1]:,} values. Save one class number per image.")
    if (values.astype(np.int64).sum(axis=1) != 1).any():
        raise DataError(
            f"Some of the {part} labels name several classes, or none. A network here learns one class per image."
        )
    columns: AnyArray = values.argmax(axis=1)[:, None]
    return columns


def _text(value: object) -> str:
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip() or "class"


def _class_names(values: AnyArray, names: AnyArray | None) -> tuple[str, ...]:
    """Return labels that are texts; the names in the file if there is one for each label; else ``class`` and it."""
    if values.dtype.kind == "U":
        return unique_names(map(str, values), MAX_NAME)
    if names is not None and names.ndim == 1 and values.max() < len(names):
        chosen = [_text(names[value]) for value in values]
        return unique_names(chosen, MAX_NAME)
    return tuple(f"class {value}" for value in values)
