"""From a picture to the network's input: each step against its definition, and no picture is ever changed."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer import PRESETS, GoogLeNetConfig
from explorer.data.preprocessing import NORMALISATIONS, Preprocessing, preprocess, to_image
from explorer.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
PAPER, MINI = PRESETS["paper"], PRESETS["mini"]


def sized(channels: int, height: int, width: int) -> GoogLeNetConfig:
    """A network that takes such an input."""
    return PAPER.replace(input_shape=(channels, height, width))


def names(config: GoogLeNetConfig, how: Preprocessing, pixels: np.ndarray = PIXELS) -> list[str]:
    """The steps' names."""
    return [step.name for step in preprocess(pixels, config, how).steps]


def test_nothing_but_normalisation_is_left_of_a_picture_that_fits() -> None:
    """(value / 255 − mean) / deviation, channel by channel, as C × H × W."""
    how = Preprocessing(mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
    values = preprocess(PIXELS, sized(3, 60, 90), how).values
    assert (values.shape, values.dtype, values.flags.c_contiguous) == ((3, 60, 90), np.float32, True)
    for channel in range(3):
        expected = (PIXELS[:, :, channel] / 255 - how.mean[channel]) / how.std[channel]
        assert np.abs(values[channel] - expected).max() < 1e-5


def test_the_usual_way_is_resize_crop_normalise() -> None:
    """As torchvision's Resize(256) and CenterCrop(224) do with Pillow."""
    prepared = preprocess(PIXELS, sized(3, 28, 28), Preprocessing(margin=256 / 224))
    assert [step.name for step in prepared.steps] == ["picture", "resized", "cropped", "normalised"]
    whole = Image.fromarray(PIXELS).resize((48, 32), Image.Resampling.BILINEAR)
    expected = np.asarray(whole.crop((10, 2, 38, 30)))
    assert np.array_equal(prepared.steps[2].pixels, expected)
    assert np.array_equal(prepared.steps[1].pixels, np.asarray(whole))


def test_padding_shows_all_of_the_picture() -> None:
    """In the middle of its background."""
    step = preprocess(PIXELS, sized(3, 30, 30), Preprocessing(fit="pad", background=7)).steps[2]
    assert step.name == "padded"
    assert (step.pixels[:5] == 7).all()
    assert (step.pixels[25:] == 7).all()
    smaller = Image.fromarray(PIXELS).resize((30, 20), Image.Resampling.BILINEAR)
    assert np.array_equal(step.pixels[5:25], np.asarray(smaller))


def test_stretching_needs_no_crop() -> None:
    """Height and width are scaled by themselves."""
    assert names(sized(3, 20, 40), Preprocessing(fit="stretch")) == ["picture", "resized", "normalised"]


def test_one_channel_is_grey_and_can_be_inverted() -> None:
    """By luma, as BT.601 weighs the colours."""
    prepared = preprocess(PIXELS, sized(1, 60, 90), Preprocessing(invert=True, mean=(0.0,), std=(1.0,)))
    assert [step.name for step in prepared.steps] == ["picture", "grey", "inverted", "resized", "normalised"]
    luma = PIXELS @ np.array([0.299, 0.587, 0.114])
    assert np.abs(prepared.values[0] * 255 - (255 - luma)).max() <= 1


def test_the_normalisation_is_told_in_three_digits_with_a_true_minus() -> None:
    """As all numbers here; a mean below 0 stands in brackets."""
    black = np.zeros((60, 90, 3), np.uint8)
    black[0, 0] = 255
    for how, told in (
        (Preprocessing(mean=(0.2860405,), std=(0.3530242,)), "(value / 255 − 0.286) / 0.353: from −0.81 to 2.02"),
        (Preprocessing(mean=(-0.5,), std=(0.001,)), "(value / 255 − (−0.5)) / 0.001: from 500 to 1,500"),
        (
            Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
            "(value / 255 − (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225): from −2.12 to 2.64",
        ),
    ):
        assert told == preprocess(black, sized(3, 60, 90), how).steps[-1].about


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1024), (1024, 1), (28, 28), (3, 1000)])
@pytest.mark.parametrize("config", [PAPER, MINI], ids=["paper", "mini"])
def test_any_proportions_become_an_input(fit: str, shape: tuple[int, int], config: GoogLeNetConfig) -> None:
    """A line of pixels included; no step is much larger than what is needed."""
    prepared = preprocess(np.full((*shape, 3), 200, np.uint8), config, Preprocessing(fit=fit))
    assert prepared.values.shape == config.input_shape
    assert np.isfinite(prepared.values).all()
    side = max(config.input_shape[1:])
    assert all(step.pixels.size <= 9 * 3 * side * side for step in prepared.steps[1:] if step.name != "grey")


def test_each_step_is_a_picture_with_a_word() -> None:
    """Of bytes, H × W or H × W × 3; the normalised one spans black to white."""
    for config in (PAPER, MINI):
        steps = preprocess(PIXELS, config, Preprocessing(margin=1.2)).steps
        for step in steps:
            assert step.pixels.dtype == np.uint8
            assert step.pixels.ndim == 2 or step.pixels.shape[2] == 3
            assert step.about
        assert (steps[-1].pixels.min(), steps[-1].pixels.max()) == (0, 255)


def test_the_picture_is_not_changed() -> None:
    """It may be shared."""
    before = PIXELS.copy()
    preprocess(PIXELS, MINI, Preprocessing(invert=True, fit="pad"))
    assert np.array_equal(before, PIXELS)


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_a_picture_comes_back(name: str) -> None:
    """From the input, with every normalisation."""
    how = Preprocessing(mean=NORMALISATIONS[name].mean, std=NORMALISATIONS[name].std)
    assert np.array_equal(to_image(preprocess(PIXELS, sized(3, 60, 90), how).values, how), PIXELS)


def test_torchvisions_transform_input_is_the_normalisation_to_half() -> None:
    """Normalising as ImageNet and undoing it as torchvision's network does is (v − 0.5) / 0.5."""
    imagenet, half = NORMALISATIONS["imagenet"], NORMALISATIONS["half"]
    normalised = preprocess(PIXELS, sized(3, 60, 90), Preprocessing(mean=imagenet.mean, std=imagenet.std)).values
    undone = [
        normalised[channel] * (imagenet.std[channel] / 0.5) + (imagenet.mean[channel] - 0.5) / 0.5
        for channel in range(3)
    ]
    expected = preprocess(PIXELS, sized(3, 60, 90), Preprocessing(mean=half.mean, std=half.std)).values
    assert np.abs(np.stack(undone) - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("channels", "changes", "told"),
    [
        (5, {}, "takes 5 channels"),
        (2, {}, "takes 2 channels"),
        (3, {"mean": (0.1, 0.2)}, "mean has 2 values"),
        (1, {"std": (0.1, 0.2, 0.3)}, "deviation has 3 values"),
        (3, {"std": (0.0,)}, "at least 0.001"),
        (3, {"std": (-1.0,)}, "at least 0.001"),
        (3, {"mean": (float("nan"),)}, "made of numbers"),
        (3, {"std": (float("inf"),)}, "made of numbers"),
        (3, {"margin": 0.5}, "from 1 to 4"),
        (3, {"margin": float("nan")}, "from 1 to 4"),
        (3, {"background": 256}, "from 0 to 255"),
    ],
)
def test_settings_that_do_not_fit_are_said(channels: int, changes: dict[str, Any], told: str) -> None:
    """Each with its sentence."""
    with pytest.raises(InputError, match=told):
        preprocess(PIXELS, sized(channels, 30, 30), Preprocessing(**changes))
