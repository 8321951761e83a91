"""What an import of images finds in an upload, and the choices that change how it is understood. Free of torch.

The report is shown before anything is saved. It holds codes and values; :mod:`explorer.views.import_report` makes the
sentences.
"""

from typing import IO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from explorer.config import Frozen
from explorer.data.array_types import Pixels

SIDES = (28, 32, 48, 64, 96)  # pixels to which image files can be reduced
PARTS: tuple["Part", ...] = ("train", "validation", "test")
MAX_NAME = 40  # characters that are shown of a name
SAMPLES = 6  # images of a class in the report

Part = Literal["train", "validation", "test"]
Role = Literal["", "class", "train", "validation", "test", "unknown_part"]
ValidationUse = Literal["", "train", "test", "left_out"]
LeftOutCode = Literal["unreadable", "equal", "no_class", "part", "other_file", "array"]
SourceKind = Literal["archive", "arrays", "idx", "cifar"]
NoteCode = Literal["one_hot", "text_labels", "signed", "unit", "deep", "changed", "labels_file", "no_split"]


PART_NAMES: dict[str, Part] = {
    **dict.fromkeys(("train", "training", "trainset", "train_set", "train_images", "训练集", "训练"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "验证集", "验证"), "validation"),
    **dict.fromkeys(("test", "testing", "testset", "test_set", "test_images", "测试集", "测试"), "test"),
}


class Upload(NamedTuple):
    """An uploaded file: its name on the user's machine, and its content to read and seek."""

    name: str
    file: IO[bytes]


class ImportOptions(Frozen):
    """The choices of a user. An empty one leaves it to the import, whose report says what it is.

    ``side``: pixels to which image files are reduced. ``classes_from``: the key of a :class:`LabelSource`.
    ``validation``: what becomes of validation images. ``encoding``: of the names in an archive. ``bits``: the depth of
    files with more than 8 bits. ``class_names``: other names, in the order of the report.
    """

    side: int = 32
    title: str = ""
    classes_from: str = ""
    validation: ValidationUse = ""
    encoding: str = ""
    bits: int = 0
    class_names: tuple[str, ...] = ()


class Placed(NamedTuple):
    """An image as its folders are understood. ``part`` is empty if there are no parts, None if it is in none of them.

    ``name`` is that of its class; None if it is in no class folder.
    """

    part: Part | str | None
    name: str | None


class LabelSource(NamedTuple):
    """Something in the upload that can be the classes: a level of folders, a column of a CSV file, or an array.

    ``name`` is the number of the level, from 1, or the name of the column or array. ``values`` is how many different
    ones it has; ``examples`` are some of them.
    """

    key: str
    kind: Literal["folder", "column", "array"]
    name: str
    values: int
    examples: tuple[str, ...]


class Branch(NamedTuple):
    """A folder of the upload: its depth, its name, how many images are in it, and as what it is understood."""

    depth: int
    name: str
    images: int
    role: Role


class LeftOut(NamedTuple):
    """How many images or files are not imported, why, and an example: a name, or the sentence of its error."""

    code: LeftOutCode
    number: int
    example: str = ""


class Note(NamedTuple):
    """Something that the import found out or changed, with a value and a number of images for its sentence."""

    code: NoteCode
    value: str = ""
    number: int = 0


class Source(NamedTuple):
    """Where images come from and how that was understood."""

    kind: SourceKind
    tree: tuple[Branch, ...] = ()
    label_sources: tuple[LabelSource, ...] = ()
    classes_from: str = ""
    encoding: str = ""  # of names; empty if no name leaves a choice
    highest: int = 0  # of the values with more than 8 bits
    bits: int = 0


class LabelledImages(NamedTuple):
    """Images N × C × H × W as uint8, each with a class number and the index of its part in ``PARTS``."""

    images: Pixels
    labels: NDArray[np.int64]
    parts: NDArray[np.int64]
    class_names: tuple[str, ...]
    source: Source
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Note, ...] = ()

    def select(self, indices: NDArray[np.int64], *left_out: LeftOut) -> "LabelledImages":
        """Return some of the images; ``left_out`` says why the others are not among them."""
        return self._replace(
            images=self.images[indices],
            labels=self.labels[indices],
            parts=self.parts[indices],
            left_out=(*self.left_out, *left_out),
        )


class ClassReport(Frozen):
    """A class: its name, how many images of each part it has, and some of its images as PNG files."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    name: str
    counts: tuple[int, int, int]
    samples: tuple[bytes, ...]


class ImportReport(Frozen):
    """An upload as it is understood. ``train`` and ``test`` count the images of the dataset that it would become.

    ``shape`` is C × H × W of one image. ``validation`` is what becomes of validation images; empty if there are none.
    ``problem`` is the sentence on why it cannot be imported with these choices; empty if it can.
    """

    title: str
    source: Source
    shape: tuple[int, int, int]
    classes: tuple[ClassReport, ...]
    validation: ValidationUse
    train: int
    test: int
    left_out: tuple[LeftOut, ...]
    notes: tuple[Note, ...]
    problem: str = ""


def printable(text: str) -> str:
    """Return a name that came with the images, fit to be shown: printable and not too long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:MAX_NAME]).strip()
