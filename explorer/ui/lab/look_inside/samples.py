"""The pictures that come with the app: test images of the sets that networks are trained on here, and photographs."""

from functools import lru_cache
from typing import NamedTuple

from explorer.data.datasets import load
from explorer.data.images import decode, png
from explorer.settings import ASSETS, data_folder
from explorer.training.plan import DATASETS, DatasetChoice

PHOTOGRAPHS = {
    "chelsea": ("A cat", "Stéfan van der Walt, CC0"),
    "coffee": ("Espresso", "Rachel Michetti, CC0"),
    "rocket": ("A rocket", "SpaceX, public domain"),
    "astronaut": ("An astronaut", "NASA, public domain"),
}
EACH = 2  # of a class
_FOLDER = ASSETS / "samples"


class Sample(NamedTuple):
    """A picture as a PNG file, what it is called, where it is from, and its class in its own set, where it has one."""

    name: str
    png: bytes
    credit: str
    truth: str = ""


@lru_cache(maxsize=4)
def samples(kind: str) -> tuple[Sample, ...]:
    """Return the samples of a kind: ``fashion_mnist``, ``scales`` or ``photographs``."""
    return _photographs() if kind == "photographs" else _test_images(kind)


def _photographs() -> tuple[Sample, ...]:

    return tuple(
        Sample(title, decode((_FOLDER / f"{name}.jpg").read_bytes()).png, credit)
        for name, (title, credit) in PHOTOGRAPHS.items()
    )


def _test_images(name: str) -> tuple[Sample, ...]:
    """Take the first test images of each class: no network trained here has seen them."""
    import numpy as np

    images, facts = load(DatasetChoice(name=name), data_folder()), DATASETS[name]
    found = []
    for number, title in enumerate(facts.classes):
        for place in np.flatnonzero(images.test_labels == number)[:EACH]:
            pixels = np.ascontiguousarray(images.test[place].transpose(1, 2, 0))
            grey = pixels.shape[2] == 1
            credit = f"{facts.title}, a test image. {facts.source}"
            found.append(Sample(title, png(pixels[:, :, 0] if grey else pixels), credit, title))
    return tuple(found)
