"""Images of a dataset as HTML: the pixels are those of the dataset, and names are escaped."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from explorer.training.events import Misclassification
from explorer.views.image_strips import ClassStrip, error_cards_html, strips_html

HOSTILE = "<script>alert('x')</script>"


def pngs(html: str) -> list[np.ndarray]:
    """Return the pixels of all images in an HTML text."""
    found = re.findall(r"data:image/png;base64,([^']+)'", html)
    return [np.asarray(Image.open(io.BytesIO(b64decode(source)))) for source in found]


def images(count: int, channels: int, side: int = 28) -> np.ndarray:
    """Return random images, n × H × W × C."""
    return np.random.Generator(np.random.PCG64(0)).integers(0, 256, (count, side, side, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_strip_holds_the_images_side_by_side(channels: int) -> None:
    """One PNG per class, its images side by side, with a grey column between two."""
    samples = images(3, channels)
    (strip,) = pngs(strips_html([ClassStrip("cat", 1_000, 200, samples)]))
    assert strip.shape[:2] == (28, 3 * 28 + 2)
    for number, image in enumerate(samples):
        found = strip[:, 29 * number : 29 * number + 28].reshape(image.shape)
        assert np.array_equal(found, image)
    assert (strip[:, 28] == 128).all()


def test_counts_and_sizes() -> None:
    """Each class has its counts; small images are enlarged by a whole number, large ones are not; in rem of 16 px."""
    html = strips_html([ClassStrip("cat", 1_000, 200, images(1, 1)), ClassStrip("dog", 5, 1, images(1, 3, 96))])
    assert "<th>cat</th><td>1,000</td><td>200</td>" in html
    assert "width:3.5rem;height:3.5rem" in html
    assert "width:6rem;height:6rem" in html


def test_misclassified_images_have_the_predicted_class_and_the_label() -> None:
    """One card each, in order, with a text alternative."""
    wrong = images(2, 1)
    html = error_cards_html(wrong, [Misclassification(4, 0, 1, 0.987), Misclassification(9, 1, 0, 0.5)], ("cat", "dog"))
    assert [np.array_equal(found, image[..., 0]) for found, image in zip(pngs(html), wrong, strict=True)] == [True] * 2
    assert "predicted <b>dog</b> 98.7\N{NO-BREAK SPACE}%<br>label cat" in html
    assert "alt='cat, classified as dog'" in html


def test_names_are_data() -> None:
    """A class with the name of a tag makes no tag."""
    html = strips_html([ClassStrip(HOSTILE, 1, 1, images(1, 1))])
    html += error_cards_html(images(1, 1), [Misclassification(0, 0, 1, 0.9)], (HOSTILE, "x' onerror='y"))
    assert "<script" not in html
    assert " onerror='" not in html
