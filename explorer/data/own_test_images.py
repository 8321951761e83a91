"""A user's own test images for a network: read as for an import, preprocessed as the network needs, and stored.

Labels are matched with the network's classes by their names, whatever their case. Images are stored as the network
input before normalisation, N × C × H × W bytes, in the content store.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from explorer.config import Frozen, GoogLeNetConfig
from explorer.data.array_types import AnyArray, Pixels
from explorer.data.arrays import DataError
from explorer.data.content_store import ContentStore
from explorer.data.datasets import load_test_images
from explorer.data.images import bit_depth, to_8_bits
from explorer.data.import_report import ImportOptions, LabelledImages, LeftOut, Note, Source, Upload, printable
from explorer.data.preprocessing import Preprocessing, preprocess
from explorer.data.upload_formats import check_uploads, read_uploads
from explorer.training.plan import DatasetChoice

MAX_IMAGES = 5_000  # of an upload
MAX_SAMPLE = 500  # of a dataset: enough for the distribution of its maximum softmax


class Classifier(Frozen):
    """What the images are for: the network, the names of its classes (empty if unknown), and its preprocessing."""

    config: GoogLeNetConfig
    class_names: tuple[str, ...]
    preprocessing: Preprocessing


class OwnTestImages(Frozen):
    """Stored test images: the path of their file, their number, and how the upload was understood.

    ``unknown`` are the classes in the upload that the network does not have, each with its number of images.
    """

    path: str
    images: int
    source: Source
    unknown: tuple[tuple[str, int], ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[Note, ...]


def store_test_images(
    uploads: Sequence[Upload], options: ImportOptions, classifier: Classifier, store: ContentStore
) -> OwnTestImages:
    """Read uploads, preprocess the images and store them. Raises DataError, or ContentStoreError if that fails."""

    def to_array(image: Image.Image) -> AnyArray:
        if image.mode == "F":
            image = to_8_bits(image, options.bits or bit_depth(int(np.asarray(image).max())))
        return _input(np.asarray(image.convert("RGB")), classifier)

    found = read_uploads(check_uploads(uploads), options, to_array)
    numbers = _match(found.class_names, classifier)
    labels = np.array([-1 if number is None else number for number in numbers])[found.labels]
    unknown = Counter(found.class_names[label] for label in found.labels[labels < 0])
    chosen = np.flatnonzero(labels >= 0)
    if not len(chosen):
        known = ", ".join(classifier.class_names[:5]) or f"{classifier.config.classes:,} classes without names"
        raise DataError(
            f"None of the classes in the upload ({', '.join(found.class_names[:3])}) is a class of the network. It has "
            f"{known}. Name the folders as its classes."
        )
    if len(chosen) > MAX_IMAGES:
        raise DataError(f"There are {len(chosen):,} images; the limit is {MAX_IMAGES:,}. Upload fewer images.")
    inputs = _inputs(found, chosen, classifier)
    content = save({"inputs": inputs, "labels": labels[chosen].astype(np.int64)})
    return OwnTestImages(
        path=str(store.add(content, ".safetensors")),
        images=len(chosen),
        source=found.source,
        unknown=tuple((printable(name), count) for name, count in unknown.most_common()),
        left_out=found.left_out,
        notes=found.notes,
    )


def load_inputs(path: str) -> tuple[Pixels, AnyArray]:
    """Return stored test images, N × C × H × W, and their labels. Raises DataError if they are no longer there."""
    try:
        arrays = load_file(path)
        return arrays["inputs"], arrays["labels"]
    except (OSError, SafetensorError, KeyError) as error:
        raise DataError("The test images are no longer there. Upload them again.") from error


def load_sample(dataset: DatasetChoice, folder: Path) -> tuple[Pixels, AnyArray]:
    """Return at most ``MAX_SAMPLE`` test images of a dataset, evenly spaced, and their labels. Raises DataError."""
    images, labels = load_test_images(dataset, folder)
    chosen = np.linspace(0, len(images) - 1, min(MAX_SAMPLE, len(images))).astype(int)
    return images[chosen], labels[chosen]


def network_input(pixels: Pixels, config: GoogLeNetConfig, preprocessing: Preprocessing) -> Pixels:
    """Return an image, H × W × 3 or H × W × 1, as the network input before normalisation, C × H × W."""
    colours = np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    values = preprocess(colours, config, preprocessing).input_pixels
    return values[None] if values.ndim == 2 else values.transpose(2, 0, 1)


def _inputs(found: LabelledImages, chosen: AnyArray, classifier: Classifier) -> Pixels:
    """Return the chosen images as network inputs. Image files already are, but for equal channels."""
    shape = classifier.config.input_shape
    images = found.images[chosen]
    if found.source.kind == "archive":
        return np.ascontiguousarray(np.broadcast_to(images, (len(images), *shape)))
    return np.stack([_input(image.transpose(1, 2, 0), classifier) for image in images])


def _input(pixels: Pixels, classifier: Classifier) -> Pixels:
    return network_input(pixels, classifier.config, classifier.preprocessing)


def _match(names: Sequence[str], classifier: Classifier) -> list[int | None]:
    """Return the network's class for each name; None if it has none.

    Names that are numbers, such as those of arrays without names, are class numbers.
    """
    by_name = {_simplify(name): number for number, name in enumerate(classifier.class_names)}
    matched = [by_name.get(_simplify(name)) for name in names]
    if any(number is not None for number in matched):
        return matched
    numbers = [re.fullmatch(r"(?:class )?0*(\d+)", name.strip()) for name in names]
    if not all(numbers):
        return matched
    values = [int(number[1]) for number in numbers if number]
    return [value if value < classifier.config.classes else None for value in values]


def _simplify(name: str) -> str:
    return re.sub(r"[\s_/-]+", " ", name).strip().casefold()
