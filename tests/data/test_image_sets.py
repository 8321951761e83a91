"""One row per kind of image set: the report says how it is read, or it is refused with a sentence; nothing between."""

import gzip
import io
import pickle
import re
import tarfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer.data.arrays import DataError
from explorer.data.import_report import ImportOptions, Upload
from explorer.data.imports import analyse_upload
from explorer.paths import ASSETS
from explorer.views.import_report import findings
from tests.data.files import animals, idx, image_file, keras_arrays, npz, zip_file
from tests.data.test_image_files import deep_colour

Files = list[Upload]
PIXELS = np.random.default_rng(2).integers(0, 256, (12, 10, 10), np.uint8)
COLOURS = np.random.default_rng(3).integers(0, 256, (12, 10, 10, 3), np.uint8)
LABELS = np.arange(12) % 3


def files(*contents: bytes, names: str = "set.zip") -> Files:
    """Return uploads of these contents; ``names`` are separated by spaces."""
    return [Upload(name, io.BytesIO(content)) for name, content in zip(names.split(), contents, strict=True)]


def zipped(entries: dict[str, bytes]) -> Files:
    """Return the upload of a zip."""
    return files(zip_file(entries).getvalue())


def arrays(name: str = "set.npz", **values: Any) -> Files:
    """Return the upload of an ``.npz`` file."""
    return files(npz(**values).getvalue(), names=name)


def tree(*folders: str, count: int = 4, kind: str = "png") -> dict[str, bytes]:
    """Return ``count`` different images in each of these folders."""
    return {
        f"{folder}/{number}.{kind}": image_file(100 * place + number)
        for place, folder in enumerate(folders)
        for number in range(count)
    }


def tarred(entries: dict[str, bytes], mode: str) -> Files:
    """Return the upload of a tar, compressed or not."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return files(file.getvalue(), names="set.tar")


def repack(names: list[str]) -> bytes:
    """Return a zip whose names have these bytes and no mark of their encoding."""
    marks = {name: f"{number:0{len(name.encode('gbk'))}d}" for number, name in enumerate(names)}
    content = zip_file({marks[name]: image_file(number) for number, name in enumerate(names)}).getvalue()
    for name, mark in marks.items():
        content = content.replace(mark.encode(), name.encode("gbk"))
    return content


def deep(highest: int) -> dict[str, bytes]:
    """Return two classes of grey images of 16 bits per pixel, with values from 0 to ``highest``."""
    entries = {}
    for number in range(8):
        file = io.BytesIO()
        values = np.random.default_rng(number).integers(0, highest + 1, (20, 20)).astype(np.uint16)
        values[0, 0] = highest
        Image.fromarray(values).save(file, "PNG" if number % 2 else "TIFF")
        entries[f"{'ab'[number // 4]}/{number}.{'png' if number % 2 else 'tif'}"] = file.getvalue()
    return entries


def formats() -> dict[str, bytes]:
    """Return two classes with an image of each format that is read."""
    kinds = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "bmp": "BMP", "webp": "WEBP", "tiff": "TIFF"}
    return {
        f"{name}/{number}.{suffix}": image_file(10 * place + number, kind=kind)
        for place, name in enumerate("ab")
        for number, (suffix, kind) in enumerate(kinds.items())
    }


def flat(count: int = 8) -> dict[str, bytes]:
    """Return images in one folder."""
    return {f"images/{number}.png": image_file(number) for number in range(count)}


def csv(text: str) -> bytes:
    """Return a CSV file with a row per image of :func:`flat`; ``{n}`` is its number, ``{c}`` cat or dog."""
    heading, row = text.split("\n")
    rows = [row.format(n=n, c=("cat", "dog")[n % 2], a=1 - n % 2, b=n % 2) for n in range(8)]
    return "\n".join([*([heading] if heading else []), *rows]).encode()


def cifar(kind: bytes = b"labels", protocol: int = 2, count: int = 6, seed: int = 0, **more: Any) -> bytes:
    """Return a batch as CIFAR's authors wrote it."""
    data = np.random.default_rng(seed).integers(0, 256, (count, 3072), np.uint8)
    batch = {b"data": data, kind: [n % 2 for n in range(count)], b"batch_label": b"batch"} | {
        key.encode(): value for key, value in more.items()
    }
    return pickle.dumps(batch, protocol)


class Trap:
    """An object whose pickle would run code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit",)


META = pickle.dumps({b"label_names": [b"airplane", b"cat"]}, 2)
BUNDLED = ASSETS / "datasets" / "fashion_mnist.npz"


def fashion() -> Files:
    """Return a part of Fashion-MNIST as IDX files without names of classes."""
    with np.load(BUNDLED) as known:
        images, labels = known["train"][:200, 0], known["train_labels"][:200].astype(np.uint8)
    return files(idx(images), gzip.compress(idx(labels)), names="train-images train-labels")


# The files; then how the report reads them: sizes, classes, counts for training and testing, findings; or a sentence.
READ: dict[str, tuple[Callable[[], Files], str]] = {
    "zip of class folders": (lambda: zipped(animals(10)), "3×32×32 cats,dogs 16+4 no separate test images"),
    "zip in a folder": (lambda: zipped(tree("pets/cat", "pets/dog")), "3×32×32 cat,dog 6+2"),
    "zip, train and test": (lambda: zipped(tree("train/a", "train/b", "test/a", "test/b")), "3×32×32 a,b 8+8"),
    "zip, train and val": (
        lambda: zipped(tree("train/a", "train/b", "val/a", "val/b")),
        "3×32×32 a,b 8+8 8 images for validation: used for testing.",
    ),
    "zip, Train, Val and Test": (
        lambda: zipped(tree("x/Train/a", "x/Train/b", "x/Val/a", "x/Val/b", "x/Test/a", "x/Test/b")),
        "3×32×32 a,b 8+8 8 images for validation: left out",
    ),
    "zip, parts below the classes": (
        lambda: zipped(tree("a/train", "b/train", "a/test", "b/test")),
        "3×32×32 a,b 8+8",
    ),
    "zip, batches below the classes": (
        lambda: zipped(tree("circle/batch0", "circle/batch1", "square/batch0", "square/batch1")),
        "3×32×32 circle,square 14+2",
    ),
    "zip, test images without classes": (
        lambda: zipped(tree("train/a", "train/b") | tree("test")),
        "3×32×32 a,b 6+2 4 images left out: without a class, such as test/0.png.",
    ),
    "zip, a folder beside train and test": (
        lambda: zipped(tree("train/a", "train/b", "test/a", "test/b", "extra/a")),
        "3×32×32 a,b 8+8 4 images left out: beside the folders of training and test images",
    ),
    "zip, other files": (
        lambda: zipped(tree("a", "b") | {"readme.txt": b"x", "a/Thumbs.db": b"y"}),
        "3×32×32 a,b 6+2 2 files left out: not an image, such as readme.txt.",
    ),
    "zip, all formats": (lambda: zipped(formats()), "3×32×32 a,b 10+2"),
    "zip, names in GBK": (
        lambda: files(repack([f"{c}/{n}.png" for c in "猫狗" for n in range(4)])),
        "3×32×32 狗,猫 6+2 Names are read as GBK",
    ),
    "zip, names in UTF-8": (lambda: zipped(tree("猫", "狗")), "3×32×32 狗,猫 6+2"),
    "zip, 12 of 16 bits": (
        lambda: zipped(deep(4_095)),
        "1×32×32 a,b 6+2 the highest value is 4,095, so 12 bits are scaled to 8.",
    ),
    "zip, 12 of 16 bits per channel": (
        lambda: zipped({f"{'ab'[n % 2]}/{n}.png": deep_colour(n) for n in (1, 2, 3, 4, 6, 8, 11, 16)}),
        "3×32×32 a,b 6+2 the highest value is 4,080, so 12 bits are scaled to 8.",
    ),
    "zip, 16 bits": (lambda: zipped(deep(65_535)), "1×32×32 a,b 6+2 the highest value is 65,535, so 16 bits"),
    "zip, equal images": (
        lambda: zipped(tree("a", "b") | {"a/again.png": image_file(0)}),
        "3×32×32 a,b 6+2 1 image left out: equal to another image.",
    ),
    "zip, labels in a CSV": (
        lambda: zipped(flat() | {"labels.csv": csv("filename,label\n{n}.png,{c}")}),
        "3×32×32 cat,dog 6+2 Labels are from labels.csv, label.",
    ),
    "zip, labels by number of image": (
        lambda: zipped(flat() | {"labels.csv": csv("id,breed\n{n},{c}")}),
        "3×32×32 cat,dog 6+2 Labels are from labels.csv, breed.",
    ),
    "zip, a CSV without headings": (
        lambda: zipped(flat() | {"labels.csv": csv("\nimages/{n}.png;{c}")}),
        "3×32×32 cat,dog 6+2 Labels are from labels.csv, 2.",
    ),
    "zip, one-hot columns in a CSV": (
        lambda: zipped(flat() | {"truth.csv": csv("image,cat,dog\n{n},{a}.0,{b}.0")}),
        "3×32×32 cat,dog 6+2 Labels are from truth.csv, one-hot columns.",
    ),
    "tar": (lambda: tarred(tree("a", "b"), "w"), "3×32×32 a,b 6+2"),
    "tar.gz": (lambda: tarred(tree("a", "b"), "w:gz"), "3×32×32 a,b 6+2"),
    "tar.xz": (lambda: tarred(tree("train/a", "train/b", "test/a", "test/b"), "w:xz"), "3×32×32 a,b 8+8"),
    "npz, Keras's names": (lambda: arrays(**keras_arrays()), "1×10×10 class 0,class 1,class 2 12+6"),
    "npz, images and labels": (lambda: arrays(images=PIXELS, labels=LABELS), "1×10×10 class 0,class 1,class 2 9+3"),
    "npz with val_images": (
        lambda: arrays(
            train_images=PIXELS,
            train_labels=LABELS[:, None],
            val_images=255 - PIXELS,
            val_labels=LABELS[:, None],
            test_images=PIXELS[::-1] // 2,
            test_labels=LABELS[::-1, None],
        ),
        "1×10×10 class 0,class 1,class 2 12+12 12 images for validation: left out",
    ),
    "npz, one-hot labels": (
        lambda: arrays(images=PIXELS, labels=np.eye(3)[LABELS]),
        "1×10×10 class 0,class 1,class 2 9+3 Labels are one-hot",
    ),
    "npz, labels as text": (
        lambda: arrays(images=PIXELS, labels=np.array(["cat", "dog", "owl"])[LABELS]),
        "1×10×10 cat,dog,owl 9+3 Labels are texts",
    ),
    "npz, labels as bytes": (
        lambda: arrays(images=PIXELS, labels=np.array([b"cat", b"dog", b"owl"])[LABELS]),
        "1×10×10 cat,dog,owl 9+3 Labels are texts",
    ),
    "npz, class names": (
        lambda: arrays(images=PIXELS, labels=LABELS, class_names=np.array(["x", "y", "z"])),
        "1×10×10 x,y,z 9+3",
    ),
    "npz, values from −1 to 1": (
        lambda: arrays(images=PIXELS / 127.5 - 1, labels=LABELS),
        "1×10×10 class 0,class 1,class 2 9+3 Values from −1 to 1 are scaled",
    ),
    "npz, values from 0 to 1": (
        lambda: arrays(images=COLOURS / 255, labels=LABELS),
        "3×10×10 class 0,class 1,class 2 9+3 Values from 0 to 1 are scaled",
    ),
    "npz, 12 of 16 bits": (
        lambda: arrays(images=PIXELS.astype(np.uint16) * 16, labels=LABELS),
        "1×10×10 class 0,class 1,class 2 9+3 Values above 255 are scaled",
    ),
    "npz, channels first": (
        lambda: arrays(images=COLOURS.transpose(0, 3, 1, 2), labels=LABELS),
        "3×10×10 class 0,class 1,class 2 9+3",
    ),
    "npz, alpha": (
        lambda: arrays(images=np.concatenate([COLOURS, COLOURS[..., :1]], axis=3), labels=LABELS),
        "3×10×10 class 0,class 1,class 2 9+3",
    ),
    "npz, another array": (
        lambda: arrays(images=PIXELS, labels=LABELS, mean=np.zeros(3)),
        "1×10×10 class 0,class 1,class 2 9+3 The array mean is left out",
    ),
    "two npy files": (
        lambda: files(npy(PIXELS), npy(LABELS), names="images.npy labels.npy"),
        "1×10×10 class 0,class 1,class 2 9+3",
    ),
    "IDX files": (
        lambda: files(idx(PIXELS), idx(LABELS.astype(np.uint8)), names="images labels"),
        "1×10×10 class 0,class 1,class 2 9+3",
    ),
    "Fashion-MNIST's IDX files": (
        fashion,
        "1×28×28 T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot 164+36",
    ),
    "CIFAR-10's archive": (
        lambda: tarred(
            {"c/data_batch_1": cifar(seed=1), "c/test_batch": cifar(seed=2), "c/batches.meta": META}, "w:gz"
        ),
        "3×32×32 airplane,cat 6+6",
    ),
    "CIFAR-10's batches": (
        lambda: files(cifar(seed=1), cifar(seed=2), META, names="data_batch_1 test_batch batches.meta"),
        "3×32×32 airplane,cat 6+6",
    ),
    "CIFAR-100's archive": (
        lambda: tarred(
            {
                "c/train": cifar(b"fine_labels", seed=1, coarse_labels=[0, 0, 1, 1, 0, 1]),
                "c/test": cifar(b"fine_labels", seed=2, coarse_labels=[0, 0, 1, 1, 0, 1]),
                "c/meta": pickle.dumps({b"fine_label_names": [b"apple", b"bear"]}, 2),
            },
            "w:gz",
        ),
        "3×32×32 apple,bear 6+6",
    ),
    "CIFAR's batch in protocol 4": (lambda: files(cifar(protocol=4), names="batch"), "3×32×32 class 0,class 1 4+2"),
}
REFUSED: dict[str, tuple[Callable[[], Files], str]] = {
    "zip of HEIC": (
        lambda: zipped(
            {f"{c}/{n}.heic": b"\0\0\0\x18ftypheic\0\0\0\0" + bytes([n]) * 99 for c in "ab" for n in range(4)}
        ),
        "8 of 8 images cannot be used. a/0.heic: This is a HEIC image, which cannot be read here. Save it as JPEG",
    ),
    "zip without images": (lambda: zipped({"a.txt": b"x"}), "set.zip: there is no image in the archive. Pack one"),
    "zip without folders": (
        lambda: zipped({f"{n}.png": image_file(n) for n in range(4)}),
        "set.zip: the images are in no folder of a class, and no CSV file in the archive lists them.",
    ),
    "zip of one class": (lambda: zipped(tree("cat")), "There is only one class. Upload images of at least two"),
    "zip, an image of a class": (
        lambda: zipped(tree("a", "b") | {"c/0.png": image_file(999)}),
        "Class c has too few images: 1, and each class needs at least 2.",
    ),
    "zip, damaged": (
        lambda: files(b"PK\x03\x04" + bytes(99)),
        "set.zip: the archive is damaged, encrypted or truncated.",
    ),
    "tar.gz, truncated": (
        lambda: files(tarred(tree("a", "b"), "w:gz")[0].file.read()[:3_000], names="set.tgz"),
        "set.tgz: the archive is damaged, encrypted or truncated.",
    ),
    "RAR": (
        lambda: files(b"Rar!\x1a\x07" + bytes(99)),
        "set.zip is a RAR archive, which cannot be imported. Unpack it",
    ),
    "7z": (lambda: files(b"7z\xbc\xaf\x27\x1c" + bytes(99)), "set.zip is a 7z archive"),
    "HDF5": (
        lambda: files(b"\x89HDF\r\n\x1a\n" + bytes(99)),
        "set.zip is an HDF5 file, which cannot be imported. Read it",
    ),
    "MATLAB": (lambda: files(b"MATLAB 5.0 MAT-file" + bytes(200)), "set.zip is a MATLAB file"),
    "Parquet": (lambda: files(b"PAR1" + bytes(99)), "set.zip is a Parquet file"),
    "a single image": (
        lambda: files(image_file(1)),
        "set.zip is a single image, which cannot be imported. Upload a zip",
    ),
    "CSV of pixels": (
        lambda: files(b"label,pixel1,pixel2,pixel3\n" + b"1,0,0,0\n" * 99),
        "set.zip is a table of text. Pixels in a CSV file are not read: save them with numpy.savez",
    ),
    "empty file": (lambda: files(b""), "set.zip is empty or damaged."),
    "text": (lambda: files(b"some text"), "set.zip is not an archive (zip, tar), an .npz, an IDX file or a batch"),
    "pickle that runs code": (
        lambda: files(pickle.dumps({b"data": Trap()})),
        "set.zip: this pickle cannot be read: it names builtins.exec. A pickle can run code, so only CIFAR's",
    ),
    "pickle of something else": (
        lambda: files(pickle.dumps(([1], [2]))),
        "set.zip: this pickle is not a batch of CIFAR. Save the arrays with numpy.savez",
    ),
    "npz of Python objects": (
        lambda: arrays(images=PIXELS, labels=np.array(["a", None] * 6, object)),
        "set.npz, labels: the array holds Python objects instead of numbers. Save images as uint8, and labels",
    ),
    "npz, normalised values": (
        lambda: arrays(images=PIXELS / 50 - 2, labels=LABELS),
        "The images have values from -2 to 3.1. Store them as 0 to 255, as 0 to 1 or as −1 to 1, before any other",
    ),
    "npz, rows of pixels": (
        lambda: arrays(images=PIXELS.reshape(12, 100), labels=LABELS),
        "The train images are 12×100: each is a row of pixels. Save them as images.reshape(-1, 10, 10).",
    ),
    "npz, several labels per image": (
        lambda: arrays(images=PIXELS, labels=np.ones((12, 4), int)),
        "Some of the train labels name several classes, or none. A network here learns one class per image.",
    ),
    "npz, other names": (
        lambda: arrays(a=PIXELS, b=LABELS),
        "set.npz holds a, b. Name the arrays images and labels, or x_train, y_train, x_test and y_test.",
    ),
    "npz, large images": (
        lambda: arrays(images=np.random.default_rng(0).integers(0, 255, (4, 128, 128), np.uint8), labels=[0, 0, 1, 1]),
        "The images are 128×128 pixels. Use 8 to 96 along each side.",
    ),
    "one IDX file": (
        lambda: files(idx(PIXELS)),
        "IDX files come in pairs: one with images and one with as many labels.",
    ),
    "an archive and an array": (
        lambda: files(zip_file(animals()).getvalue(), npy(PIXELS), names="a.zip b.npy"),
        "These files do not belong together. Upload one archive or one .npz alone, or IDX files in pairs.",
    ),
}


def npy(values: np.ndarray) -> bytes:
    """Return an array as an ``.npy`` file."""
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


@pytest.mark.parametrize("kind", READ)
def test_a_set_is_read_as_the_report_says(kind: str) -> None:
    """Sizes, classes, counts and findings."""
    make, expected = READ[kind]
    report = analyse_upload(make())
    assert report.problem == ""
    shape = "×".join(map(str, report.shape))
    classes = ",".join(found.name for found in report.classes)
    found = f"{shape} {classes} {report.train}+{report.test}"
    sentences = list(findings(report))
    reading, sentence = re.fullmatch(r"(\d×\d+×\d+ .+? \d+\+\d+) ?(.*)", expected).groups()
    assert found == reading
    assert not sentence or any(sentence in one for one in sentences), sentences
    assert all(found.samples for found in report.classes)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_set_is_refused_with_a_sentence(kind: str) -> None:
    """It says what is wrong and what to do."""
    make, expected = REFUSED[kind]
    try:
        found = analyse_upload(make()).problem
    except DataError as error:
        found = str(error)
    assert found.startswith(expected)
    assert found.endswith(".")


def test_the_table_is_complete() -> None:
    """It has at least forty kinds."""
    assert len(READ) + len(REFUSED) >= 40


def test_choices_change_how_a_set_is_read() -> None:
    """The level of the classes, what validation images are, the encoding, the depth, the names."""
    make, _ = READ["zip, batches below the classes"]
    first = analyse_upload(make())
    assert [source.key for source in first.source.label_sources] == ["folder 1", "folder 2"]
    second = analyse_upload(make(), ImportOptions(classes_from="folder 2"))
    assert [found.name for found in second.classes] == ["batch0", "batch1"]
    make, _ = READ["zip, Train, Val and Test"]
    assert analyse_upload(make(), ImportOptions(validation="train")).train == 16
    assert analyse_upload(make(), ImportOptions(validation="test")).test == 16
    make, _ = READ["zip, names in GBK"]
    assert [found.name for found in analyse_upload(make(), ImportOptions(encoding="big5")).classes] != ["狗", "猫"]
    make, _ = READ["zip, 12 of 16 bits"]
    report = analyse_upload(make(), ImportOptions(bits=16))
    assert report.source.bits == 16
    assert brightest(report) < 17 < 200 < brightest(analyse_upload(make()))
    names = ImportOptions(class_names=("round", "angular"), title="Shapes")
    report = analyse_upload(READ["zip, batches below the classes"][0](), names)
    assert (report.title, [found.name for found in report.classes]) == ("Shapes", ["round", "angular"])
    make, _ = READ["CIFAR-100's archive"]
    assert analyse_upload(make(), ImportOptions(classes_from="array coarse_labels")).source.classes_from.endswith(
        "coarse_labels"
    )


def brightest(report: Any) -> int:
    """Return the highest value in the samples of a report."""
    return max(
        int(np.asarray(Image.open(io.BytesIO(sample))).max()) for found in report.classes for sample in found.samples
    )
