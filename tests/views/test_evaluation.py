"""An evaluation in sentences: accuracy with its interval, the most confident mistakes, and images of something else."""

from explorer.data.import_report import LeftOut, Note, Source
from explorer.data.own_test_images import OwnTestImages
from explorer.jobs.inspection import Evaluation
from explorer.views.evaluation import (
    comparison_text,
    known_classes_text,
    most_confident_mistakes,
    result_text,
    upload_findings,
)

FOUND = Evaluation(labels=(0, 1, 2, 2), predicted=(0, 2, 1, 2), confidences=(0.9, 0.5, 0.8, 0.7))


def test_the_result_has_its_interval_and_the_softmax_of_right_and_wrong() -> None:
    """One sentence each."""
    text = result_text(FOUND)
    assert text.startswith("**50.0 %** of 4 test images classified correctly (95 % interval")
    assert "on average 80.0 % where the prediction is correct and 65.0 % where the prediction is wrong." in text
    perfect = Evaluation(labels=(1,), predicted=(1,), confidences=(1.0,))
    assert "wrong" not in result_text(perfect)


def test_the_most_confident_mistake_is_first() -> None:
    """With label, predicted class and probability."""
    assert [tuple(mistake) for mistake in most_confident_mistakes(FOUND, 9)] == [(2, 2, 1, 0.8), (1, 1, 2, 0.5)]
    assert len(most_confident_mistakes(FOUND, 1)) == 1


def test_what_is_left_out_of_an_upload_is_said() -> None:
    """Classes that the network does not have, and whatever an import leaves out; not that there is no split."""
    images = OwnTestImages(
        path="",
        images=4,
        source=Source("archive"),
        unknown=(("cat", 3), ("dog", 1)),
        left_out=(LeftOut("other_file", 1, "x.txt"),),
        notes=(Note("no_split"),),
    )
    assert list(upload_findings(images)) == [
        "4 images left out: of classes that the network does not have (cat, dog).",
        "1 file left out: not an image, such as x.txt.",
    ]


def test_a_network_knows_its_classes_alone() -> None:
    """With the names that are known, and the confidence compared with that of test images."""
    assert known_classes_text(("a", "b", "c", "d"), 4).startswith("This network knows 4 classes (a, b, c, …). It gives")
    assert r"\[x\](y)" in known_classes_text(("[x](y)",), 1), "a name is text"
    assert known_classes_text((), 7).startswith("This network knows 7 classes. It gives")
    text = comparison_text(0.75, FOUND, "Clothes")
    assert text.startswith("The maximum softmax of this image, 75.0 %, is higher than that of 50 % of 4 test images of")
    assert text.endswith("A high value does not show that the image is of one of the classes.")
