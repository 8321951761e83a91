"""The evaluation of a network on test images in sentences, and what its maximum softmax says about other images."""

from collections.abc import Iterator, Sequence
from statistics import mean

from explorer.data.own_test_images import OwnTestImages
from explorer.jobs.inspection import Evaluation
from explorer.training.events import Misclassification
from explorer.views import formatting as fmt
from explorer.views.import_report import left_out_text, note_text
from explorer.views.look_inside import probability
from explorer.views.results import accuracy_text

_SHOWN_CLASSES = 3


def result_text(found: Evaluation) -> str:
    """Return the accuracy with its interval, and the maximum softmax of right and of wrong predictions."""
    images, correct = len(found.labels), found.correct
    sentences = [f"{accuracy_text(correct, images)}."]
    by_outcome: dict[bool, list[float]] = {True: [], False: []}
    for label, predicted, confidence in zip(found.labels, found.predicted, found.confidences, strict=True):
        by_outcome[label == predicted].append(confidence)
    means = [
        f"{probability(mean(values))} where the prediction is {'correct' if outcome else 'wrong'}"
        for outcome, values in by_outcome.items()
        if values
    ]
    sentences.append(f"The maximum softmax is on average {' and '.join(means)}.")
    return " ".join(sentences)


def most_confident_mistakes(found: Evaluation, count: int) -> tuple[Misclassification, ...]:
    """Return the wrong predictions with the highest probabilities, the highest first."""
    wrong = [
        Misclassification(number, label, predicted, confidence)
        for number, (label, predicted, confidence) in enumerate(
            zip(found.labels, found.predicted, found.confidences, strict=True)
        )
        if label != predicted
    ]
    return tuple(sorted(wrong, key=lambda mistake: -mistake.probability)[:count])


def upload_findings(images: OwnTestImages) -> Iterator[str]:
    """Yield a sentence for everything that was changed or left out of an upload of test images."""
    if images.unknown:
        count = sum(number for _, number in images.unknown)
        names = ", ".join(name for name, _ in images.unknown[:_SHOWN_CLASSES])
        more = ", …" if len(images.unknown) > _SHOWN_CLASSES else ""
        what = "1 image" if count == 1 else f"{count:,} images"
        yield f"{what} left out: of classes that the network does not have ({names}{more})."
    yield from (note_text(note) for note in images.notes if note.code != "no_split")
    yield from map(left_out_text, images.left_out)


def known_classes_text(class_names: Sequence[str], classes: int) -> str:
    """Return, as Markdown, what a network answers to an image of something that it has not learned."""
    shown = ", ".join(map(fmt.markdown, class_names[:_SHOWN_CLASSES]))
    names = f" ({shown}{', …' if classes > _SHOWN_CLASSES else ''})" if shown else ""
    return (
        f"This network knows {classes:,} classes{names}. It gives one of them to every image, also to an image of "
        "something else."
    )


def comparison_text(confidence: float, found: Evaluation, dataset: str) -> str:
    """Compare, as Markdown, the maximum softmax of an image with those of a dataset's test images."""
    lower = sum(value < confidence for value in found.confidences) / len(found.confidences)
    return (
        f"The maximum softmax of this image, {probability(confidence)}, is higher than that of {100 * lower:.0f} % of "
        f"{len(found.confidences):,} test images of {fmt.markdown(dataset)}. A high value does not show that the image "
        "is of one of the classes."
    )
