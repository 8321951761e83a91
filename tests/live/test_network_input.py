"""Results carry the network input, so that the server preprocesses nothing."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.data.content_store import ContentStore
from explorer.data.images import png
from explorer.data.preprocessing import Preprocessing, preprocess
from explorer.data.weights import Network
from explorer.live import inference
from explorer.live.attribution import attribute
from explorer.live.feature_maps import feature_map
from explorer.live.inference import THUMBNAIL_SIDE, predict
from tests.small_network import SMALL

PIXELS = np.random.default_rng(0).integers(0, 256, (300, 450, 3), np.uint8)
PADDED = Preprocessing(fit="pad", invert=True, mean=(0.3,), std=(0.2,))
NETWORK = Network(config=SMALL, seed=1)
EXPECTED = preprocess(PIXELS, SMALL, PADDED)


@pytest.fixture
def image(tmp_path: Path) -> str:
    """Return the path of an image that needs all steps."""
    return str(ContentStore(tmp_path).add(png(PIXELS), ".png"))


def read(content: bytes) -> np.ndarray:
    """Return the pixels of a PNG file."""
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_prediction_for_one_image_has_its_steps(image: str) -> None:
    """With the sizes and extremes of the whole images, and small thumbnails."""
    steps = predict(NETWORK, [image], PADDED, device="cpu").steps
    assert [(step.code, step.low, step.high) for step in steps] == [
        (step.code, step.low, step.high) for step in EXPECTED.steps
    ]
    assert [step.size for step in steps] == [step.pixels.shape[:2] for step in EXPECTED.steps]
    assert max(max(read(step.png).shape[:2]) for step in steps) == THUMBNAIL_SIDE
    assert (read(steps[-2].png) == EXPECTED.input_pixels).all()


def test_a_prediction_for_several_images_has_no_steps(image: str) -> None:
    """A batch would carry too many."""
    assert predict(NETWORK, [image, image], PADDED, device="cpu").steps == ()


def test_maps_over_the_image_carry_the_network_input(image: str) -> None:
    """As it was before normalisation."""
    one = feature_map(NETWORK, [image], PADDED, device="cpu", path="stem.conv1", channel=0)
    *_, evidence = attribute(NETWORK, [image], PADDED, device="cpu", method="occlusion")
    for result in (one, evidence):
        assert (read(result.input_png) == EXPECTED.input_pixels).all()


def test_an_image_is_preprocessed_once_for_several_requests(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The requests of a page about one image follow each other."""
    calls: list[None] = []

    def count(*arguments: object) -> object:
        calls.append(None)
        return preprocess(*arguments)

    monkeypatch.setattr(inference, "preprocess", count)
    inference._preprocessed.cache_clear()
    predict(NETWORK, [image], PADDED, device="cpu")
    feature_map(NETWORK, [image], PADDED, device="cpu", path="stem.conv1", channel=0)
    assert len(calls) == 1
