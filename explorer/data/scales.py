"""*Scales*: synthetic colour images whose classes are shapes of very different sizes.

A shape is 5 to 28 pixels wide, at a random place, rotated a little, in a bright colour on a dark one. So a class can be
recognized by its form only, and at many scales: what parallel 1×1, 3×3 and 5×5 branches are meant for
(arXiv:1409.4842, section 4: "visual information should be processed at various scales").
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from explorer.data.array_types import Floats, Pixels

SIDE = 32  # pixels
MIN_RADIUS, MAX_RADIUS = 2.5, 14.0  # half the width of a shape, in pixels
MAX_ROTATION = np.pi / 4  # in both directions
_CHUNK = 1_000  # images that are drawn at once

# Each returns how far inside a shape of radius 1 a point (u, v) is; negative outside.
_Distance = Callable[[Floats, Floats], Floats]


def _disc(u: Floats, v: Floats) -> Floats:
    return 1 - np.hypot(u, v)


def _ring(u: Floats, v: Floats) -> Floats:
    return 0.22 - np.abs(np.hypot(u, v) - 0.78)


def _square(u: Floats, v: Floats) -> Floats:
    return 0.8 - np.maximum(np.abs(u), np.abs(v))


def _frame(u: Floats, v: Floats) -> Floats:
    return 0.2 - np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.65)


def _triangle(u: Floats, v: Floats) -> Floats:
    distance: Floats = 0.5 - np.maximum(-v, 0.5 * v + 0.866 * np.abs(u))
    return distance


def _cross(u: Floats, v: Floats) -> Floats:
    thin, long = np.minimum(np.abs(u), np.abs(v)), np.maximum(np.abs(u), np.abs(v))
    distance: Floats = np.minimum(0.25 - thin, 1 - long)
    return distance


def _star(u: Floats, v: Floats) -> Floats:
    distance: Floats = 0.62 + 0.36 * np.cos(5 * np.arctan2(u, v)) - np.hypot(u, v)
    return distance


def _bars(u: Floats, v: Floats) -> Floats:
    stripes = 0.2 - np.abs(np.abs(u) - 0.55)
    return np.minimum(stripes, 0.85 - np.abs(v))


SHAPES: Mapping[str, _Distance] = {
    "disc": _disc,
    "ring": _ring,
    "square": _square,
    "frame": _frame,
    "triangle": _triangle,
    "cross": _cross,
    "star": _star,
    "bars": _bars,
}


def draw(count: int, seed: int) -> tuple[Pixels, NDArray[np.int64]]:
    """Return ``count`` images, N × 3 × 32 × 32 of uint8, and their labels: all classes equally often, in random order.

    The same seed gives the same images on every machine.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    labels = generator.permutation(np.arange(count) % len(SHAPES))
    images = np.empty((count, 3, SIDE, SIDE), np.uint8)
    for start in range(0, count, _CHUNK):
        images[start : start + _CHUNK] = _draw_chunk(labels[start : start + _CHUNK], generator)
    return images, labels


def random_radii(count: int, generator: np.random.Generator) -> Floats:
    """Return radii in pixels with a log-uniform distribution: each ratio of sizes is equally frequent."""
    return np.exp(generator.uniform(np.log(MIN_RADIUS), np.log(MAX_RADIUS), count)).astype(np.float32)


def _draw_chunk(labels: NDArray[np.int64], generator: np.random.Generator) -> Pixels:
    """Return one image per label."""
    radii = random_radii(len(labels), generator)
    coverage = _coverage(labels, radii, generator)[:, None]  # N × 1 × H × W, 0 to 1
    background, shape = _colours(len(labels), generator)
    shading = _shading(len(labels), generator)
    images = background * (1 - coverage) + shape * coverage + shading
    images += generator.normal(0, 0.04, images.shape).astype(np.float32)
    return (255 * images.clip(0, 1)).round().astype(np.uint8)


def _coverage(labels: NDArray[np.int64], radii: Floats, generator: np.random.Generator) -> Floats:
    """Return the fraction of each pixel that its shape covers: N × H × W."""
    max_offset = np.maximum(SIDE / 2 - radii, 0) / 2 + 1  # of the shape's centre from the image's
    angles = generator.uniform(-MAX_ROTATION, MAX_ROTATION, len(labels))
    centres = generator.uniform(-1, 1, (2, len(labels))) * max_offset
    positions = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    y = positions[None, :, None] - centres[0, :, None, None]
    x = positions[None, None, :] - centres[1, :, None, None]
    cos, sin = (np.asarray(f(angles), np.float32)[:, None, None] for f in (np.cos, np.sin))
    scale = radii[:, None, None]
    u, v = (cos * x + sin * y) / scale, (cos * y - sin * x) / scale
    coverage = np.empty(u.shape, np.float32)
    for number, distance in enumerate(SHAPES.values()):
        chosen = labels == number
        coverage[chosen] = (distance(u[chosen], v[chosen]) * scale[chosen] + 0.5).clip(0, 1)  # edges are 1 pixel wide
    return coverage


def _colours(count: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the colours of background (dark) and shape (bright), N × 3 × 1 × 1 each, 0 to 1."""
    background = generator.uniform(0.05, 0.4, (count, 3, 1, 1))
    shape = generator.uniform(0.6, 1, (count, 3, 1, 1))
    return background.astype(np.float32), shape.astype(np.float32)


def _shading(count: int, generator: np.random.Generator) -> Floats:
    """Return a weak linear gradient of brightness per image: N × 1 × H × W."""
    slopes = generator.uniform(-0.1, 0.1, (2, count)).astype(np.float32)
    positions = np.linspace(-1, 1, SIDE, dtype=np.float32)
    vertical = slopes[0, :, None, None] * positions[None, :, None]
    horizontal = slopes[1, :, None, None] * positions[None, None, :]
    return (vertical + horizontal)[:, None]
