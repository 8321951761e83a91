"""From an image to the network input: each step against its definition, and the image is not changed."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer import PRESETS, GoogLeNetConfig
from explorer.data.preprocessing import NORMALISATIONS, Preprocessing, preprocess, to_image
from explorer.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
PAPER, MINI = PRESETS["paper"], PRESETS["mini"]


def with_input(channels: int, height: int, width: int) -> GoogLeNetConfig:
    """Return a network with this input shape."""
    return PAPER.replace(input_shape=(channels, height, width))


def codes(config: GoogLeNetConfig, preprocessing: Preprocessing, pixels: np.ndarray = PIXELS) -> list[str]:
    """Return the codes of the steps."""
    return [step.code for step in preprocess(pixels, config, preprocessing).steps]


def test_an_image_of_the_right_size_is_only_normalised() -> None:
    """(value / 255 − mean) / deviation, channel by channel, as C × H × W."""
    preprocessing = Preprocessing(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
    values = preprocess(PIXELS, with_input(3, 60, 90), preprocessing).values
    assert (values.shape, values.dtype, values.flags.c_contiguous) == ((3, 60, 90), np.float32, True)
    for channel in range(3):
        expected = (PIXELS[:, :, channel] / 255 - preprocessing.mean[channel]) / preprocessing.std[channel]
        assert np.abs(values[channel] - expected).max() < 1e-5


def test_the_default_is_resize_crop_normalise() -> None:
    """As torchvision's Resize(256) and CenterCrop(224) do with Pillow."""
    prepared = preprocess(PIXELS, with_input(3, 28, 28), Preprocessing(margin=256 / 224))
    assert [step.code for step in prepared.steps] == ["image", "resized", "cropped", "normalised"]
    whole = Image.fromarray(PIXELS).resize((48, 32), Image.Resampling.BILINEAR)
    expected = np.asarray(whole.crop((10, 2, 38, 30)))
    assert np.array_equal(prepared.steps[2].pixels, expected)
    assert np.array_equal(prepared.input_pixels, expected)
    assert np.array_equal(prepared.steps[1].pixels, np.asarray(whole))


# Width and height of an image, ``size`` of torchvision's Resize, and the width and height it returns. Its rule, from
# torchvision 0.28 transforms/functional.py: short, long = sorted((width, height)); the long side becomes
# int(size * long / short), which rounds down.
RESIZED = [
    ((400, 266), 256, (384, 256)),
    ((266, 400), 256, (256, 384)),
    ((500, 375), 256, (341, 256)),
    ((375, 500), 256, (256, 341)),
    ((640, 480), 256, (341, 256)),
    ((1024, 683), 256, (383, 256)),
    ((1024, 768), 256, (341, 256)),
    ((1000, 999), 256, (256, 256)),
    ((999, 1000), 256, (256, 256)),
    ((512, 512), 256, (256, 256)),
    ((256, 256), 256, (256, 256)),
    ((257, 256), 256, (257, 256)),
    ((100, 61), 256, (419, 256)),
    ((61, 100), 256, (256, 419)),
    ((3, 2), 256, (384, 256)),
    ((800, 101), 256, (2027, 256)),
    ((33, 32), 28, (28, 28)),
    ((91, 47), 28, (54, 28)),
]


@pytest.mark.parametrize(("size", "new", "expected"), RESIZED)
def test_the_size_is_torchvisions(size: tuple[int, int], new: int, expected: tuple[int, int]) -> None:
    """The longer side is rounded down, never up."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    side = 224 if new == 256 else new
    step = preprocess(image, with_input(3, side, side), Preprocessing(margin=new / side)).steps[1]
    assert step.pixels.shape[:2] == expected[::-1]


def antialiased(pixels: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Resize one axis: each new pixel is the mean of the old ones, weighted by a triangle as wide as the scale.

    The weights are multiples of 2 to the power of −22, as in Pillow, which computes with whole numbers.
    """
    moved = np.moveaxis(pixels.astype(np.float64), axis, 0)
    scale = len(moved) / size
    reach = max(scale, 1.0)
    centres = (np.arange(size)[:, None] + 0.5) * scale
    distances = np.abs(np.arange(len(moved))[None] + 0.5 - centres) / reach
    weights = np.clip(1 - distances, 0, None)
    weights = np.floor(weights / weights.sum(axis=1, keepdims=True) * 2**22 + 0.5) / 2**22
    values = np.tensordot(weights, moved, axes=1)
    return np.moveaxis(np.floor(values + 0.5), 0, axis)


@pytest.mark.parametrize("size", [(400, 266), (266, 400), (301, 300), (90, 60), (641, 97)])
def test_the_input_is_torchvisions_tensor(size: tuple[int, int]) -> None:
    """Resize(256), CenterCrop(224), ToTensor and Normalize, computed independently: equal within 1e-6."""
    width, height = size
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    imagenet = NORMALISATIONS["imagenet"]
    found = preprocess(
        pixels, with_input(3, 224, 224), Preprocessing(margin=256 / 224, mean=imagenet.mean, std=imagenet.std)
    ).values
    short = min(size)
    wide, high = (256 if side == short else int(256 * side / short) for side in size)
    resized = antialiased(antialiased(pixels, 1, wide), 0, high)
    top, left = round((high - 224) / 2.0), round((wide - 224) / 2.0)
    cropped = resized[top : top + 224, left : left + 224]
    expected = (cropped / 255 - imagenet.mean) / imagenet.std
    assert np.abs(found - expected.transpose(2, 0, 1)).max() < 1e-6


def test_padding_keeps_the_whole_image() -> None:
    """In the middle of the background."""
    step = preprocess(PIXELS, with_input(3, 30, 30), Preprocessing(fit="pad", background=7)).steps[2]
    assert step.code == "padded"
    assert (step.pixels[:5] == 7).all()
    assert (step.pixels[25:] == 7).all()
    smaller = Image.fromarray(PIXELS).resize((30, 20), Image.Resampling.BILINEAR)
    assert np.array_equal(step.pixels[5:25], np.asarray(smaller))


def test_stretching_needs_no_crop() -> None:
    """Height and width are scaled separately."""
    assert codes(with_input(3, 20, 40), Preprocessing(fit="stretch")) == ["image", "resized", "normalised"]


def test_a_grey_image_is_called_so_and_needs_no_step_to_grey() -> None:
    """Its three channels are the same; the network input is that of the step."""
    grey = np.repeat(np.arange(48, dtype=np.uint8).reshape(6, 8, 1), 3, axis=2)
    assert "grey" not in codes(with_input(1, 6, 8), Preprocessing(fit="stretch"), grey)
    assert codes(with_input(3, 6, 8), Preprocessing(fit="stretch"), grey)[0] == "grey_image"


def test_one_channel_is_grey_and_can_be_inverted() -> None:
    """Grey is the luma of BT.601."""
    prepared = preprocess(PIXELS, with_input(1, 60, 90), Preprocessing(invert=True, mean=(0.0,), std=(1.0,)))
    assert [step.code for step in prepared.steps] == ["image", "grey", "inverted", "resized", "normalised"]
    luma = PIXELS @ np.array([0.299, 0.587, 0.114])
    assert np.abs(prepared.values[0] * 255 - (255 - luma)).max() <= 1


def test_the_normalised_step_has_the_extremes_of_the_values() -> None:
    """From black to white."""
    black = np.zeros((60, 90, 3), np.uint8)
    black[0, 0] = 255
    step = preprocess(black, with_input(3, 60, 90), Preprocessing(mean=(-0.5,), std=(0.001,))).steps[-1]
    assert (step.low, step.high) == pytest.approx((500, 1_500))


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1024), (1024, 1), (28, 28), (3, 1000)])
@pytest.mark.parametrize("config", [PAPER, MINI], ids=["paper", "mini"])
def test_any_aspect_ratio_becomes_an_input(fit: str, shape: tuple[int, int], config: GoogLeNetConfig) -> None:
    """Also a line of pixels; no step is much larger than needed."""
    prepared = preprocess(np.full((*shape, 3), 200, np.uint8), config, Preprocessing(fit=fit))
    assert prepared.values.shape == config.input_shape
    assert np.isfinite(prepared.values).all()
    side = max(config.input_shape[1:])
    assert all(step.pixels.size <= 9 * 3 * side * side for step in prepared.steps[1:] if step.code != "grey")


def test_each_step_is_an_image_with_its_extremes() -> None:
    """Of bytes, H × W or H × W × 3; the normalised one ranges from black to white."""
    for config in (PAPER, MINI):
        steps = preprocess(PIXELS, config, Preprocessing(margin=1.2)).steps
        for step in steps:
            assert step.pixels.dtype == np.uint8
            assert step.pixels.ndim == 2 or step.pixels.shape[2] == 3
        for step in steps[:-1]:
            assert (step.low, step.high) == (step.pixels.min(), step.pixels.max())
        assert (steps[-1].pixels.min(), steps[-1].pixels.max()) == (0, 255)


def test_the_image_is_not_changed() -> None:
    """It may be shared."""
    before = PIXELS.copy()
    preprocess(PIXELS, MINI, Preprocessing(invert=True, fit="pad"))
    assert np.array_equal(before, PIXELS)


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_to_image_undoes_the_normalisation(name: str) -> None:
    """Exactly, for every normalisation."""
    preprocessing = Preprocessing(mean=NORMALISATIONS[name].mean, std=NORMALISATIONS[name].std)
    for channels, pixels in ((3, PIXELS), (1, np.asarray(Image.fromarray(PIXELS).convert("L")))):
        if len(preprocessing.mean) in (1, channels):
            values = preprocess(PIXELS, with_input(channels, 60, 90), preprocessing).values
            assert np.array_equal(to_image(values, preprocessing), pixels)


def test_torchvisions_transform_input_is_the_normalisation_to_half() -> None:
    """Normalising as ImageNet and undoing it as torchvision's network does is (v − 0.5) / 0.5."""
    imagenet, half = NORMALISATIONS["imagenet"], NORMALISATIONS["half"]
    normalised = preprocess(PIXELS, with_input(3, 60, 90), Preprocessing(mean=imagenet.mean, std=imagenet.std)).values
    undone = [
        normalised[channel] * (imagenet.std[channel] / 0.5) + (imagenet.mean[channel] - 0.5) / 0.5
        for channel in range(3)
    ]
    expected = preprocess(PIXELS, with_input(3, 60, 90), Preprocessing(mean=half.mean, std=half.std)).values
    assert np.abs(np.stack(undone) - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("channels", "changes", "message"),
    [
        (5, {}, "takes 5 channels"),
        (2, {}, "takes 2 channels"),
        (3, {"mean": (0.1, 0.2)}, "mean has 2 values"),
        (1, {"std": (0.1, 0.2, 0.3)}, "standard deviation has 3 values"),
        (3, {"std": (0.0,)}, "at least 0.001"),
        (3, {"std": (-1.0,)}, "at least 0.001"),
        (3, {"mean": (float("nan"),)}, "a finite number"),
        (3, {"std": (float("inf"),)}, "a finite number"),
        (3, {"margin": 0.5}, "from 1 to 4"),
        (3, {"margin": float("nan")}, "from 1 to 4"),
        (3, {"background": 256}, "from 0 to 255"),
    ],
)
def test_unsuitable_settings_are_refused(channels: int, changes: dict[str, Any], message: str) -> None:
    """With a sentence each."""
    with pytest.raises(InputError, match=message):
        preprocess(PIXELS, with_input(channels, 30, 30), Preprocessing(**changes))
