"""Results in sentences and tables, which claim no more than was measured; every accuracy has its interval."""

import numpy as np
import pytest

from explorer import PRESETS, summarize
from explorer.runs.records import Point
from explorer.runs.results import Comparison, FinalResult, SeedGroup, Training, compare
from explorer.training.events import Evaluated, ImageResults, TrainingSample
from explorer.training.plan import Budget, DatasetChoice, Settings
from explorer.views import palette
from explorer.views import results as words

AT = {"trainer": 0, "step": 10, "seconds": 1.0, "images": 640, "progress": 1.0}
IMAGES = 2_000


def evaluated(accuracy: float, images: int = IMAGES, sample: TrainingSample | None = None, shift: int = 0) -> Evaluated:
    """Return an evaluation with two classes; ``shift`` moves the misclassified images."""
    correct = round(accuracy * images / 2)
    rows = ((correct, images // 2 - correct), (images // 2 - correct, correct))
    bits = np.roll(np.arange(images) < 2 * correct, shift)
    results = ImageResults.pack("hash", bits.tolist())
    return Evaluated(
        **AT, loss=1.0, accuracy=accuracy, confusion=rows, final=True, results=results, training_sample=sample
    )


def accuracy_curve(*values: float) -> list[Point]:
    """Return test accuracies, one evaluation every ten steps."""
    return [Point(10 * n, n, 640 * n, value) for n, value in enumerate(values, 1)]


def test_an_accuracy_has_its_interval() -> None:
    """Wilson's of 1,800 of 2,000 is 88.6 to 91.2 %."""
    assert words.result_text(evaluated(0.9), [], 0.5) == (
        "**90.0 %** of 2,000 test images classified correctly (95 % interval 88.6 to 91.2 %, Wilson): "
        "40.0 percentage points better than guessing."
    )


def test_no_better_than_guessing() -> None:
    """A result within the error of guessing is not called better, unless there are enough images."""
    assert "no better than guessing, which gives 50.0 %" in words.result_text(evaluated(0.51), [], 1)
    assert "1.0 percentage point better than guessing" in words.result_text(evaluated(0.51, 200_000), [], 1)


def test_unequal_classes_are_compared_with_the_largest() -> None:
    """A network that always predicts the largest class has learned nothing of the images."""
    event = Evaluated(**AT, loss=1, accuracy=0.9, confusion=((900, 0), (100, 0)))
    assert "no better than always predicting the largest class, which gives 90.0 %" in words.result_text(event, [], 1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.2, 0.3, 0.5, 0.6, 0.7), "Still improving: 40.0 percentage points more than at step 20"),
        ((0.2, 0.69, 0.7, 0.7, 0.7), "No clear change since step 20."),
        ((0.2, 0.9, 0.8, 0.7, 0.7), "20.0 percentage points less than at step 20."),
        ((0.2, 0.7), ""),
    ],
)
def test_the_trend(values: tuple[float, ...], expected: str) -> None:
    """Only a difference that exceeds the error from the choice of images is called a change."""
    text = words.result_text(evaluated(values[-1]), accuracy_curve(*values), 0.5)
    assert expected in text
    assert ("step" in text) == bool(expected)


@pytest.mark.parametrize(
    ("correct", "epochs", "expected"),
    [
        (1_980, 1.0, "It overfits."),
        (1_980, 0.9, None),  # most training images were seen once at most
        (1_640, 3.0, "which is no clear difference."),
        (1_690, 3.0, "to +6.9)."),
    ],
)
def test_overfitting(correct: int, epochs: float, expected: str | None) -> None:
    """After an epoch, training images without dropout against test images, with the interval of the difference."""
    text = words.result_text(evaluated(0.8, sample=TrainingSample(2_000, correct)), [], epochs)
    if expected is None:
        assert "training" not in text
        return
    assert f"After {epochs} epochs **{correct / 20:.1f} %** of 2,000 training images classified correctly" in text
    assert text.endswith(expected)
    assert ("overfits" in text) == (correct == 1_980)


def test_the_confusion_matrix() -> None:
    """Rows are labels, columns predicted classes; the title names the network and its most frequent mistake."""
    event = Evaluated(**AT, loss=1, accuracy=0.5, confusion=((5, 1, 0), (0, 4, 2), (3, 0, 3)))
    chart = words.confusion_chart(event, ("cat", "dog", "emu"), "half, seed 1")
    heat, numbers = chart.figure.data
    assert [tuple(row) for row in heat.z] == list(event.confusion)
    assert (heat.x, heat.y) == (("cat", "dog", "emu"),) * 2
    assert chart.figure.layout.title.text == "half, seed 1, most frequent: emu as cat, 3 of 6"
    assert {"label": "dog", "predicted": "emu", "images": 2} in chart.data
    assert sum(row["images"] for row in chart.data) == 18
    assert numbers.text == tuple("510042303")


def test_numbers_in_cells_can_be_read() -> None:
    """Each has a contrast of AA with its cell, in both themes, because neither colour depends on the theme."""
    counts = tuple(tuple(10 * row + column for column in range(10)) for row in range(10))
    chart = words.confusion_chart(Evaluated(**AT, loss=1, accuracy=1, confusion=counts), list("abcdefghij"), "mini")
    colours = chart.figure.data[1].textfont.color
    values = [value for row in counts for value in row]
    for value, colour in zip(values, colours, strict=True):
        assert palette.contrast(colour, palette.scale(value / 99)) >= palette.READABLE


def test_no_misclassification() -> None:
    """A perfect matrix has no most frequent one."""
    title = words.confusion_chart(evaluated(1.0), ("cat", "dog"), "mini").figure.layout.title.text
    assert title == "mini: no misclassification"


def test_many_classes_have_no_numbers_in_the_cells() -> None:
    """They could not be read; the colours remain."""
    many = tuple(tuple(int(row == column) for column in range(40)) for row in range(40))
    event = Evaluated(**AT, loss=1, accuracy=1, confusion=many)
    (heat,) = words.confusion_chart(event, [f"c{n}" for n in range(40)], "mini").figure.data
    assert len(heat.z) == 40


def group(name: str, *evaluations: Evaluated) -> SeedGroup:
    """Return the results of a network, one per seed."""
    training = Training(PRESETS["mini"], DatasetChoice(), Settings(), Budget(), "hash")
    return SeedGroup(name, training, {seed: FinalResult("r0", seed, one) for seed, one in enumerate(evaluations)})


def seeds(name: str, *accuracies: float) -> SeedGroup:
    """Return the results of a network with these accuracies."""
    return group(name, *map(evaluated, accuracies))


def text_of(*groups: SeedGroup) -> str:
    """Return what a comparison says."""
    return words.comparison_text([group.name for group in groups], compare(groups))


def test_the_table_of_a_race() -> None:
    """Letters as in the chart, each accuracy with its interval, how many seeds ended, and the cost of each."""
    summaries = [summarize(PRESETS[name]) for name in ("mini", "half")]
    groups = [seeds("half", 0.9, 0.9, 0.9), seeds("mini", 0.8, 0.82)]
    first, second = words.race_rows(groups, (1, 0), summaries, {0: 10.0, 1: 70.0}, 3)
    assert (first["letter"], first["network"], first["test accuracy"], first["spread"]) == (
        "B",
        "half",
        "90.0 %",
        "± 0.0",
    )
    assert (second["letter"], second["spread"], second["seeds"], second["training time"]) == (
        "A",
        "± 1.4",
        "2 of 3",
        "10 s",
    )
    assert (first["95 % interval"], second["95 % interval"]) == ("88.7 to 91.3 %", "79.2 to 82.7 %")
    assert second["parameters"] == "378,658"
    assert "covers the choice of seeds and of test images; with fewer than 3 seeds only" in words.interval_note(groups)
    assert "of test images only (Wilson): for seeds it takes 3." in words.interval_note(groups[1:])


def test_a_difference_is_claimed_with_its_interval() -> None:
    """In numbers and words, the more accurate network first."""
    text = text_of(seeds("a", 0.8, 0.81, 0.8), seeds("b", 0.9, 0.91, 0.91))
    assert text.startswith("- **b is more accurate than a** by 10.3 percentage points (95 % interval +")
    assert text.endswith(", 3 seeds).")


def test_no_difference_is_claimed_within_the_interval() -> None:
    """It contains 0, and the text says so."""
    text = text_of(seeds("a", 0.8, 0.9, 0.85), seeds("b", 0.86, 0.84, 0.87))
    assert text.startswith("- **No difference shown between b and a**: 0.7 percentage points in favour of b, but the")
    assert "interval contains 0 (95 % interval −" in text


def test_nothing_is_claimed_of_two_seeds() -> None:
    """However large the difference; the two trainings themselves are compared, as what they are."""
    text = text_of(seeds("a_1", 0.6, 0.6), seeds("b", 0.9, 0.9))
    assert text.startswith("- **No claim about a\\_1 and b**: it takes at least 3 seeds that both have, not 2.")
    assert "Of these two trainings, that of b is more accurate by 30.0 percentage points (95 % interval +28." in text
    assert text.endswith("McNemar p < 0.001); other seeds may reverse it.")
    same = text_of(seeds("a", 0.9), group("b", evaluated(0.9, shift=7)))
    assert "These two trainings show no difference either: 0.0 percentage points (95 % interval −" in same


def test_what_cannot_be_compared_says_why() -> None:
    """Results of an older version, and results on other images."""
    old = evaluated(0.9).replace(results=None)
    assert "an older version of the app, which did not store which" in text_of(seeds("a", 0.9), group("b", old))
    other = seeds("b", 0.9)
    other = other._replace(training=other.training._replace(test_set="other"))
    assert "These results are of different test images." in text_of(seeds("a", 0.9), other)


def test_the_note_names_the_test() -> None:
    """With the correction for several pairs; without a comparison there is none."""
    three = [seeds(name, 0.8, 0.81, 0.82) for name in "abc"]
    note = words.comparison_note(compare(three), IMAGES)
    assert note.startswith(
        "Paired by seed and by 2,000 test images (crossed random effects), corrected for 3 pairs (Bonferroni)."
    )
    assert "at most 5 % of such comparisons would claim a difference" in note
    assert words.comparison_note(compare([seeds("a", 0.8), seeds("b", 0.8)]), IMAGES).startswith(
        "Paired by 2,000 test images (McNemar)."
    )
    assert words.comparison_note(Comparison(obstacle="not_stored"), IMAGES) == ""
