"""Images of a set as HTML: the pixels that are shown are the set's, and names are escaped."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from explorer.training.events import Misclassification
from explorer.views.image_strips import ClassStrip, error_cards_html, strips_html

HOSTILE = "<script>alert('x')</script>"


def pictures(html: str) -> list[np.ndarray]:
    """Return the pixels of all pictures in an HTML text."""
    found = re.findall(r"data:image/png;base64,([^']+)'", html)
    return [np.asarray(Image.open(io.BytesIO(b64decode(source)))) for source in found]


def images(count: int, channels: int, side: int = 28) -> np.ndarray:
    """Return random images, n × H × W × C."""
    return np.random.Generator(np.random.PCG64(0)).integers(0, 256, (count, side, side, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_strip_holds_the_images_side_by_side(channels: int) -> None:
    """One picture per class, an image after another, a column of grey between two."""
    some = images(3, channels)
    (strip,) = pictures(strips_html([ClassStrip("cat", 1_000, 200, some)]))
    assert strip.shape[:2] == (28, 3 * 28 + 2)
    for number, image in enumerate(some):
        shown = strip[:, 29 * number : 29 * number + 28].reshape(image.shape)
        assert np.array_equal(shown, image)
    assert (strip[:, 28] == 128).all()


def test_counts_and_sizes() -> None:
    """Each class has its counts; small images are enlarged by a whole number, large ones are not."""
    html = strips_html([ClassStrip("cat", 1_000, 200, images(1, 1)), ClassStrip("dog", 5, 1, images(1, 3, 96))])
    assert "<th>cat</th><td>1,000</td><td>200</td>" in html
    assert "width='56' height='56'" in html
    assert "width='96' height='96'" in html


def test_mistakes_say_what_was_said_and_what_it_is() -> None:
    """A picture each, in order, with its text for those who cannot see it."""
    some = images(2, 1)
    html = error_cards_html(some, [Misclassification(4, 0, 1, 0.987), Misclassification(9, 1, 0, 0.5)], ("cat", "dog"))
    assert [np.array_equal(shown, image[..., 0]) for shown, image in zip(pictures(html), some, strict=True)] == [
        True
    ] * 2
    assert "predicted <b>dog</b> 98.7 %<br>label cat" in html
    assert "alt='cat, classified as dog'" in html


def test_names_are_data() -> None:
    """A class that is called like a tag makes none."""
    html = strips_html([ClassStrip(HOSTILE, 1, 1, images(1, 1))])
    html += error_cards_html(images(1, 1), [Misclassification(0, 0, 1, 0.9)], (HOSTILE, "x' onerror='y"))
    assert "<script" not in html
    assert " onerror='" not in html
