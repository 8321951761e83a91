"""*Scales*: synthetic colour images whose classes are shapes, and whose nuisance is how large a shape is.

The same shape is 5 to 28 pixels wide, wherever it lies, somewhat turned, in any bright colour on any dark one. So a
class can only be told by form, and at many scales: what parallel 1×1, 3×3 and 5×5 branches are meant for
(arXiv:1409.4842, section 4: "visual information should be processed at various scales").
"""

from collections.abc import Callable

import numpy as np

SIDE = 32  # pixels
SMALLEST, LARGEST = 2.5, 14.0  # half the width of a shape, in pixels
TURN = np.pi / 4  # to either side
_CHUNK = 1_000

# Each tells how far inside the shape a point is, for a shape of half-width 1; negative outside. Points turn with it.
_Inside = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _disc(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return 1 - np.hypot(u, v)


def _ring(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return 0.22 - np.abs(np.hypot(u, v) - 0.78)


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return 0.8 - np.maximum(np.abs(u), np.abs(v))


def _frame(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return 0.2 - np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.65)


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return 0.5 - np.maximum(-v, 0.5 * v + 0.866 * np.abs(u))


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    thin, long = np.minimum(np.abs(u), np.abs(v)), np.maximum(np.abs(u), np.abs(v))
    return np.minimum(0.25 - thin, 1 - long)


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return 0.62 + 0.36 * np.cos(5 * np.arctan2(u, v)) - np.hypot(u, v)


def _bars(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    stripes = 0.2 - np.abs(np.abs(u) - 0.55)
    return np.minimum(stripes, 0.85 - np.abs(v))


SHAPES: dict[str, _Inside] = {
    "disc": _disc,
    "ring": _ring,
    "square": _square,
    "frame": _frame,
    "triangle": _triangle,
    "cross": _cross,
    "star": _star,
    "bars": _bars,
}


def draw(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``count`` images, N × 3 × 32 × 32 of uint8, and their labels; all classes equally often, in random order.

    The same seed gives the same images everywhere.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    labels = generator.permutation(np.arange(count) % len(SHAPES))
    images = np.empty((count, 3, SIDE, SIDE), np.uint8)
    for start in range(0, count, _CHUNK):
        images[start : start + _CHUNK] = _drawn(labels[start : start + _CHUNK], generator)
    return images, labels


def radii(count: int, generator: np.random.Generator) -> np.ndarray:
    """Return half-widths in pixels, as many small ones as large ones by ratio (log-uniform)."""
    return np.exp(generator.uniform(np.log(SMALLEST), np.log(LARGEST), count)).astype(np.float32)


def _drawn(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return one image per label."""
    radius = radii(len(labels), generator)
    inside = _coverage(labels, radius, generator)[:, None]  # N × 1 × H × W, 0 to 1
    back, shape = _colours(len(labels), generator)
    shade = _shade(len(labels), generator)
    picture = back * (1 - inside) + shape * inside + shade
    picture += generator.normal(0, 0.04, picture.shape).astype(np.float32)
    return (255 * picture.clip(0, 1)).round().astype(np.uint8)


def _coverage(labels: np.ndarray, radius: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return how much of each pixel its shape covers: N × H × W."""
    room = np.maximum(SIDE / 2 - radius, 0) / 2 + 1  # how far the middle may lie from the picture's
    turn = generator.uniform(-TURN, TURN, len(labels))
    middle = generator.uniform(-1, 1, (2, len(labels))) * room
    at = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2
    y, x = (at[None, :, None] - middle[0, :, None, None]), (at[None, None, :] - middle[1, :, None, None])
    cos, sin = (np.asarray(f(turn), np.float32)[:, None, None] for f in (np.cos, np.sin))
    size = radius[:, None, None]
    u, v = (cos * x + sin * y) / size, (cos * y - sin * x) / size
    covered = np.empty(u.shape, np.float32)
    for number, inside in enumerate(SHAPES.values()):
        mine = labels == number
        covered[mine] = (inside(u[mine], v[mine]) * size[mine] + 0.5).clip(0, 1)  # an edge is one pixel wide
    return covered


def _colours(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return colours of background and shape, N × 3 × 1 × 1 each, in 0 to 1: dark behind bright."""
    back = generator.uniform(0.05, 0.4, (count, 3, 1, 1))
    shape = generator.uniform(0.6, 1, (count, 3, 1, 1))
    return back.astype(np.float32), shape.astype(np.float32)


def _shade(count: int, generator: np.random.Generator) -> np.ndarray:
    """Return a gentle slope of light across each picture: N × 1 × H × W."""
    slope = generator.uniform(-0.1, 0.1, (2, count)).astype(np.float32)
    at = np.linspace(-1, 1, SIDE, dtype=np.float32)
    return (slope[0, :, None, None] * at[None, :, None] + slope[1, :, None, None] * at[None, None, :])[:, None]
