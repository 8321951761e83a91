"""The report on an upload in sentences and as a table: how it is understood, and what is left out."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from html import escape

from explorer.data.archives import ENCODINGS
from explorer.data.import_report import ClassReport, ImportReport, LabelSource, LeftOut, Note, ValidationUse
from explorer.views import formatting as fmt

VALIDATION_USES: Mapping[ValidationUse, str] = {
    "left_out": "leave them out",
    "train": "use them for training",
    "test": "use them for testing",
}
_SIDE = "2.5rem"  # of a sample on the screen; it grows with the text for a projector
_ROLES = {
    "class": "class",
    "train": "training images",
    "validation": "validation images",
    "test": "test images",
    "unknown_part": "neither training nor test images: left out",
}


def summary(report: ImportReport) -> str:
    """Return in a sentence what the dataset would be."""
    total = report.train + report.test
    classes = "1 class" if len(report.classes) == 1 else f"{len(report.classes):,} classes"
    return (
        f"{total:,} images in {classes}, {fmt.shape(report.shape)} each: {report.train:,} for "
        f"training and {report.test:,} for testing."
    )


def findings(report: ImportReport) -> Iterator[str]:
    """Yield a sentence for everything that was found out, changed or left out."""
    validation = sum(counts[1] for counts in (found.counts for found in report.classes))
    if report.validation == "left_out":
        yield f"{_images(validation)} for validation: left out, because there are test images too."
    elif report.validation:
        use = "training" if report.validation == "train" else "testing"
        yield f"{_images(validation)} for validation: used for {use}."
    yield from map(note_text, report.notes)
    if report.source.kind == "archive" and report.source.highest:
        yield (
            f"Files of 16 bits per pixel: the highest value is {report.source.highest:,}, so {report.source.bits} bits "
            "are scaled to 8."
        )
    yield from map(left_out_text, report.left_out)
    if report.source.encoding:
        yield f"Names are read as {ENCODINGS.get(report.source.encoding, report.source.encoding)}."


def note_text(note: Note) -> str:
    """Return a finding in a sentence."""
    match note.code:
        case "one_hot":
            return "Labels are one-hot: the class is the column with the 1."
        case "text_labels":
            return "Labels are texts: each different text is a class."
        case "signed":
            return "Values from −1 to 1 are scaled to 0 to 255."
        case "unit":
            return "Values from 0 to 1 are scaled to 0 to 255."
        case "deep":
            return "Values above 255 are scaled to 0 to 255."
        case "changed":
            count = "1 image was" if note.number == 1 else f"{note.number:,} images were"
            return f"{count} changed: {_CHANGES.get(note.value, note.value)}."
        case "labels_file":
            return f"Labels are from {note.value}."
        case "no_split":
            return (
                "There are no separate test images: a fifth of each class is drawn for testing, by the seed of the run."
            )
        case _:
            return note.value


_CHANGES = {
    "laid on white": "laid on white where transparent",
    "rotated": "rotated as the EXIF data says",
    "16 bits per channel": "16 bits per channel reduced to 8",
    "converted from CMYK": "converted from CMYK colours",
    "the first of": "only the first image of the file is used",
}


def left_out_text(left_out: LeftOut) -> str:
    """Return what is left out, and why, in a sentence."""
    count, example = left_out.number, left_out.example
    match left_out.code:
        case "unreadable":
            return f"{_images(count)} left out: cannot be read. {example}"
        case "equal" if example:
            return f"{_images(count)} left out: equal to another image, {example} of them with another label."
        case "equal":
            return f"{_images(count)} left out: equal to another image."
        case "no_class":
            return f"{_images(count)} left out: without a class, such as {example}."
        case "part":
            return f"{_images(count)} left out: beside the folders of training and test images, such as {example}."
        case "other_file":
            return f"{'1 file' if count == 1 else f'{count:,} files'} left out: not an image, such as {example}."
        case "array":
            return f"The array {example} is left out: it is not images with labels."
        case _:
            return example


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def label_source(source: LabelSource) -> str:
    """Return a title for something that can be the classes."""
    examples = ", ".join(source.examples) + (", …" if source.values > len(source.examples) else "")
    what = {"folder": f"folders of level {source.name}", "column": f"column {source.name}", "array": source.name}
    return f"{what[source.kind]}: {examples}" if examples else what[source.kind]


def tree_text(report: ImportReport) -> str:
    """Return the folders as lines of text, each with the number of images and its role."""
    lines = []
    for branch in report.source.tree:
        role = f"  → {_ROLES[branch.role]}" if branch.role else ""
        count = f"  {_images(branch.images)}" if branch.images else ""
        lines.append(f"{'    ' * branch.depth}{branch.name}{'/' if branch.images else ''}{count}{role}")
    return "\n".join(lines)


def classes_html(report: ImportReport) -> str:
    """Return a table: a row per class with the number of images of each part in the upload, and some of them."""
    has_validation = any(found.counts[1] for found in report.classes)
    columns = [0, 1, 2] if has_validation else [0, 2]
    has_split = any(found.counts[2] or found.counts[1] for found in report.classes)
    columns = columns if has_split else [0]
    headings = ["training" if has_split else "images", "validation", "test"]
    head = "".join(f"<td>{headings[column]}</td>" for column in columns)
    rows = "".join(_row(found, columns) for found in report.classes)
    return f"<table class='strips'><thead><tr><th>class</th>{head}<td></td></tr></thead><tbody>{rows}</tbody></table>"


def _row(found: ClassReport, columns: list[int]) -> str:
    counts = "".join(f"<td>{found.counts[column]:,}</td>" for column in columns)
    images = "".join(
        f"<img src='data:image/png;base64,{b64encode(png).decode('ascii')}' "
        f"alt='{escape(found.name)}, image {number}' style='display:inline-block;height:{_SIDE};margin-right:3px'>"
        for number, png in enumerate(found.samples, 1)
    )
    return f"<tr><th>{escape(found.name)}</th>{counts}<td>{images}</td></tr>"
