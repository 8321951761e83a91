"""Images of a dataset as HTML: a strip per class, and misclassified images. A strip is one small PNG inside it."""

import io
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from PIL import Image

from explorer.training.events import Misclassification

_MAX_SIDE = 64  # of a small image on the screen, in pixels
_REM = 16  # pixels


class ClassStrip(NamedTuple):
    """A class with its numbers of training and test images, and some of its images, n × H × W × C bytes."""

    name: str
    train: int
    test: int
    images: np.ndarray


def strips_html(strips: Sequence[ClassStrip]) -> str:
    """Return a table: a row per class with its counts and a strip of its images."""
    rows = "".join(
        f"<tr><th>{escape(strip.name)}</th><td>{strip.train:,}</td><td>{strip.test:,}</td>"
        f"<td>{_image(_joined(strip.images), f'Training images of {strip.name}')}</td></tr>"
        for strip in strips
    )
    return (
        "<table class='strips'><thead><tr><th>class</th><td>training</td><td>test</td><td></td></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def error_cards_html(images: np.ndarray, mistakes: Sequence[Misclassification], classes: Sequence[str]) -> str:
    """Return misclassified images, n × H × W × C, each with the predicted class and the label."""
    cards = "".join(
        f"<figure>{_image(image, f'{classes[mistake.label]}, classified as {classes[mistake.predicted]}')}"
        f"<figcaption>predicted <b>{escape(classes[mistake.predicted])}</b> "
        f"{100 * mistake.probability:.1f}\N{NO-BREAK SPACE}%<br>"
        f"label {escape(classes[mistake.label])}</figcaption></figure>"
        for image, mistake in zip(images, mistakes, strict=True)
    )
    return f"<div class='mistakes'>{cards}</div>"


def _joined(images: np.ndarray) -> np.ndarray:
    """Lay n × H × W × C side by side, a grey column of pixels between two."""
    count, height, _, channels = images.shape
    gap = np.full((height, 1, channels), 128, np.uint8)
    parts = [part for image in images for part in (image, gap)][: 2 * count - 1]
    return np.concatenate(parts, axis=1)


def _image(pixels: np.ndarray, alt: str) -> str:
    """Return an image H × W × C as HTML, enlarged by a whole number so that its pixels stay square.

    Its size is in rem, so that it grows with the text for a projector.
    """
    height, width, channels = pixels.shape
    scale = max(1, _MAX_SIDE // height)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(file, "PNG")
    source = b64encode(file.getvalue()).decode("ascii")
    return (
        f"<img src='data:image/png;base64,{source}' alt='{escape(alt)}' "
        f"style='width:{scale * width / _REM:g}rem;height:{scale * height / _REM:g}rem'>"
    )
