"""Import a user's own images: understand an upload, report on it, and save it as a dataset.

Nothing in an upload is trusted. The result is one safetensors file in the data directory, named by its content. The
server runs both the analysis and the import in a worker process (:mod:`explorer.jobs.image_imports`).
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

from explorer.data.array_types import AnyArray
from explorer.data.arrays import DataError
from explorer.data.class_names import unique_names
from explorer.data.datasets import BUNDLED_FILES, dataset_info, draw_test_split, imported_dataset_path
from explorer.data.image_archive import MIN_SIDE
from explorer.data.images import png
from explorer.data.import_report import (
    MAX_NAME,
    PARTS,
    SAMPLES,
    SIDES,
    ClassReport,
    ImportOptions,
    ImportReport,
    LabelledImages,
    LeftOut,
    Note,
    Upload,
    ValidationUse,
    printable,
)
from explorer.data.imported_names import DatasetNames, names_path, read_names, save_names
from explorer.data.upload_formats import check_uploads, read_uploads
from explorer.training.plan import DATASETS, DatasetChoice, DatasetInfo

MAX_CLASSES = 200
MIN_PER_CLASS = 2  # images
MAX_UNREADABLE = 0.1  # fraction of the images in an archive
_TRAIN, _VALIDATION, _TEST = range(len(PARTS))
_KNOWN = 50  # images of Fashion-MNIST, with their labels, that make a dataset Fashion-MNIST


class ImportedDataset(NamedTuple):
    """The result of an import: the new dataset and its description."""

    dataset: DatasetChoice
    info: DatasetInfo


class _Prepared(NamedTuple):
    """The images as they were understood, and those of them that the dataset would have, for training or testing."""

    understood: LabelledImages
    chosen: LabelledImages
    validation: ValidationUse
    problem: str


def analyse_upload(uploads: Sequence[Upload], options: ImportOptions | None = None) -> ImportReport:
    """Read uploads and report how they are understood; nothing is saved. Raises DataError if they cannot be read."""
    options = options or ImportOptions()
    prepared = _prepare(uploads, options)
    understood, chosen = prepared.understood, prepared.chosen
    is_test = _is_test(chosen)
    return ImportReport(
        title=_title(uploads, options),
        source=understood.source,
        shape=chosen.images.shape[1:],
        classes=_class_reports(understood, chosen.class_names),
        validation=prepared.validation,
        train=int((~is_test).sum()),
        test=int(is_test.sum()),
        left_out=chosen.left_out,
        notes=chosen.notes,
        problem=prepared.problem,
    )


def import_images(
    uploads: Sequence[Upload], folder: Path, options: ImportOptions | None = None, owner: str = ""
) -> ImportedDataset:
    """Read uploads and save them as a dataset in the data directory ``folder``. Raises DataError with what is wrong.

    ``owner`` is the session whose dataset it is.
    """
    options = options or ImportOptions()
    prepared = _prepare(uploads, options)
    if prepared.problem:
        raise DataError(prepared.problem)
    arrays, info = _to_arrays(prepared.chosen, _title(uploads, options))
    upload = _save(arrays, info, folder)
    save_names(imported_dataset_path(upload, folder), DatasetNames(title=info.title, classes=info.classes, owner=owner))
    return ImportedDataset(DatasetChoice(name="own", upload=upload), info)


def delete(upload: str, folder: Path) -> None:
    """Delete an imported dataset and its names, if it exists."""
    path = imported_dataset_path(upload, folder)
    path.unlink(missing_ok=True)
    names_path(path).unlink(missing_ok=True)


def rename(upload: str, folder: Path, title: str, classes: Sequence[str] = ()) -> None:
    """Give an imported dataset another title, and its classes other names if there is one for each.

    An empty name leaves the old one. Raises DataError if the dataset is missing or its names cannot be written.
    """
    path = imported_dataset_path(upload, folder)
    old = dataset_info(DatasetChoice(name="own", upload=upload), folder)
    chosen = classes if len(classes) == len(old.classes) else old.classes
    names = (printable(new.strip()) or before for new, before in zip(chosen, old.classes, strict=True))
    found = read_names(path)
    save_names(
        path,
        DatasetNames(
            title=printable(title.strip()) or old.title,
            classes=unique_names(names, MAX_NAME),
            owner=found.owner if found else "",
        ),
    )


def _title(uploads: Sequence[Upload], options: ImportOptions) -> str:
    return printable(options.title) or printable(uploads[0].name)


def _prepare(uploads: Sequence[Upload], options: ImportOptions) -> _Prepared:
    if options.side not in SIDES:
        raise DataError(f"Choose a size of {', '.join(map(str, SIDES))} pixels.")
    understood = _name_classes(_drop_duplicates(read_uploads(check_uploads(uploads), options)), options)
    has = [bool((understood.parts == part).any()) for part in range(len(PARTS))]
    validation: ValidationUse = options.validation or ("left_out" if has[_TEST] else "test")
    if not has[_VALIDATION]:
        validation = ""
    chosen = _use_validation(understood, validation)
    if len(np.unique(chosen.parts == _TEST)) < 2:
        chosen = chosen._replace(notes=(*chosen.notes, Note("no_split")))
    return _Prepared(understood, chosen, validation, _problem(chosen))


def _use_validation(images: LabelledImages, use: ValidationUse) -> LabelledImages:
    """Make validation images training or test images, or leave them out; all test images are training images if alone.

    Images for testing alone have no split either: loading draws one.
    """
    is_validation = images.parts == _VALIDATION
    if use == "left_out":
        return images.select(np.flatnonzero(~is_validation))
    parts = images.parts.copy()
    parts[is_validation] = _TEST if use == "test" else _TRAIN
    return images._replace(parts=parts)


def _is_test(images: LabelledImages) -> NDArray[np.bool_]:
    """Return which images are test images; without test images in the upload, those that loading will draw."""
    is_test: NDArray[np.bool_] = images.parts == _TEST
    if is_test.any() and not is_test.all():
        return is_test
    return draw_test_split(images.labels, 0) if len(images.labels) else is_test


# ── classes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _name_classes(images: LabelledImages, options: ImportOptions) -> LabelledImages:
    """Give the classes the names that a user chose, or Fashion-MNIST's if they are its images."""
    names = images.class_names
    if len(options.class_names) == len(names):
        chosen = (printable(new) or old for new, old in zip(options.class_names, names, strict=True))
        return images._replace(class_names=unique_names(chosen, MAX_NAME))
    if _is_fashion_mnist(images):
        return images._replace(class_names=DATASETS["fashion_mnist"].classes)
    return images


def _is_fashion_mnist(images: LabelledImages) -> bool:
    """Whether enough of the images are in the Fashion-MNIST that comes with the app, with the same labels."""
    info = DATASETS["fashion_mnist"]
    expected = tuple(f"class {number}" for number in range(len(info.classes)))
    if images.images.shape[1:] != info.shape or images.class_names != expected:
        return False
    with np.load(BUNDLED_FILES["fashion_mnist"]) as known:
        pairs = {
            (image.tobytes(), int(label))
            for part in ("train", "test")
            for image, label in zip(known[part], known[f"{part}_labels"], strict=True)
        }
    found = 0
    for image, label in zip(images.images, images.labels, strict=True):
        found += (image.tobytes(), int(label)) in pairs
        if found >= _KNOWN:
            return True
    return False


def _class_reports(images: LabelledImages, names: Sequence[str]) -> tuple[ClassReport, ...]:
    """Return each class with the number of its images in each part, and its first images."""
    reports = []
    for number, name in enumerate(names[:MAX_CLASSES]):
        indices = np.flatnonzero(images.labels == number)
        counts = np.bincount(images.parts[indices], minlength=len(PARTS)).tolist()
        samples = tuple(_png(images.images[index]) for index in indices[:SAMPLES])
        reports.append(ClassReport(name=name, counts=tuple(counts), samples=samples))
    return tuple(reports)


def _png(image: AnyArray) -> bytes:
    return png(np.ascontiguousarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0)))


# ── checks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _problem(images: LabelledImages) -> str:
    """Return why the images cannot be a dataset, in a sentence with the remedy; empty if they can."""
    unreadable = sum(left_out.number for left_out in images.left_out if left_out.code == "unreadable")
    if unreadable > MAX_UNREADABLE * (unreadable + len(images.images)):
        example = next(left_out.example for left_out in images.left_out if left_out.code == "unreadable")
        return f"{unreadable:,} of {unreadable + len(images.images):,} images cannot be used. {example}"
    height, width = images.images.shape[2:]
    if min(height, width) < MIN_SIDE or max(height, width) > SIDES[-1]:
        return f"The images are {height}×{width} pixels. Use {MIN_SIDE} to {SIDES[-1]} along each side."
    names = images.class_names
    if len(names) < 2:
        return "There is only one class. Upload images of at least two classes."
    if len(names) > MAX_CLASSES:
        return f"There are {len(names):,} classes; the limit is {MAX_CLASSES}."
    counts = np.bincount(images.labels, minlength=len(names))
    if counts.min() < MIN_PER_CLASS:
        return (
            f"Class {names[counts.argmin()]} has too few images: {counts.min()}, and each class needs at least "
            f"{MIN_PER_CLASS}."
        )
    trained = np.bincount(images.labels[~_is_test(images)], minlength=len(names))
    if trained.min() == 0:
        return f"Class {names[trained.argmin()]} has images for testing but none for training."
    return ""


def _drop_duplicates(images: LabelledImages) -> LabelledImages:
    """Keep one of several equal images, so that no test image is also trained on; test images come first."""
    count = len(images.images)
    order = np.argsort(-images.parts, kind="stable")
    first: dict[bytes, int] = {}
    others = 0
    for index in order.tolist():
        first_index = first.setdefault(hashlib.sha256(images.images[index].tobytes()).digest(), index)
        others += images.labels[first_index] != images.labels[index]
    if len(first) == count:
        return images
    example = f"{others:,}" if others else ""
    return images.select(np.array(sorted(first.values())), LeftOut("equal", count - len(first), example))


# ── saving ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _to_arrays(images: LabelledImages, title: str) -> tuple[dict[str, AnyArray], DatasetInfo]:
    """Return the arrays to save and their description. Without test images, loading splits them."""
    labels, is_test = images.labels, _is_test(images)
    if Note("no_split") in images.notes:
        arrays: dict[str, AnyArray] = {"train": np.ascontiguousarray(images.images), "train_labels": labels}
    else:
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
