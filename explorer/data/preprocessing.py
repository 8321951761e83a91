"""From a picture to the network's input, step by step, each step a picture that can be shown. Free of torch.

An input is C × H × W of float32, as the network's ``input_shape`` says. For one channel colours become grey by their
luma (ITU-R BT.601, as Pillow does it).
"""

from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from explorer.config import Frozen, GoogLeNetConfig
from explorer.errors import InputError
from explorer.views import formatting as fmt

MAX_ASPECT = 8  # of a picture that is scaled to fill the input: a long one would grow without end
_SMOOTH = Image.Resampling.BILINEAR


class Preprocessing(Frozen):
    """How an image becomes the network input, H × W.

    ``crop``: resize until the shorter side is ``margin`` times the input's, then crop the centre. ``pad``: resize until
    the whole image fits, with ``background`` (0 to 255) around it. ``stretch``: resize to H × W, ignoring the aspect
    ratio. ``invert`` turns black on white into white on black, as in Fashion-MNIST. Then the values, 0 to 1, are
    normalised to (value − ``mean``) / ``std``; both have one number for all channels or one per channel.
    """

    fit: Literal["crop", "pad", "stretch"] = "crop"
    margin: float = 1.0
    background: int = 0
    invert: bool = False
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)


class Normalisation(NamedTuple):
    """Mean and standard deviation by which values from 0 to 1 are normalised, per channel or one for all."""

    title: str
    source: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


NORMALISATIONS = {
    "half": Normalisation(
        "(v − 0.5) / 0.5",
        "What torchvision's pretrained GoogLeNet computes on: its transform_input undoes ImageNet's normalisation.",
        (0.5,),
        (0.5,),
    ),
    "imagenet": Normalisation(
        "ImageNet's mean and deviation",
        "torchvision's transforms; for weights trained with them and without transform_input",
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    ),
    "none": Normalisation("none: values from 0 to 1", "", (0.0,), (1.0,)),
}


class PreprocessingStep(NamedTuple):
    """What one step made: its name, what it did in words, and the picture after it, H × W (× 3) as uint8.

    Normalised values are shown from the least (black) to the greatest (white).
    """

    name: str
    about: str
    pixels: np.ndarray


class PreparedInput(NamedTuple):
    """The network's input, C × H × W as float32, and the steps that led to it."""

    values: np.ndarray
    steps: tuple[PreprocessingStep, ...]


def prepare(pixels: np.ndarray, config: GoogLeNetConfig, how: Preprocessing) -> PreparedInput:
    """Make the input of a network from a picture, H × W × 3 as uint8. The picture is not changed.

    Raises InputError where the network takes neither grey nor colour pictures, or the settings do not fit it.
    """
    check_preprocessing(config, how)
    channels, height, width = config.input_shape
    image = Image.fromarray(pixels)
    steps = [PreprocessingStep("picture", f"{image.height} × {image.width}, RGB, 0 to 255", pixels)]

    def note(name: str, about: str) -> None:
        steps.append(PreprocessingStep(name, about, np.asarray(image)))

    if channels == 1:
        image = image.convert("L")
        note("grey", "0.299 · red + 0.587 · green + 0.114 · blue")
    if how.invert:
        image = Image.eval(image, lambda value: 255 - value)
        note("inverted", "255 − value")
    if how.fit == "crop" and max(image.size) > MAX_ASPECT * min(image.size):
        side = MAX_ASPECT * min(image.size)
        image = _centred(image, (min(image.height, side), min(image.width, side)), how.background)
        note("cut", f"to {MAX_ASPECT} : 1, which is more than the network will see")
    image = _resized(image, (height, width), how)
    note("resized", f"to {image.height} × {image.width}")
    if image.size != (width, height):
        image = _centred(image, (height, width), how.background)
        note("padded" if how.fit == "pad" else "cropped", f"{height} × {width} around the centre")
    values = np.asarray(image, np.float32).reshape(height, width, channels) / np.float32(255)
    values = (values - np.float32(how.mean)) / np.float32(how.std)
    low, high = fmt.number(values.min()), fmt.number(values.max())
    about = f"(value / 255 − {_numbers(how.mean)}) / {_numbers(how.std)}: from {low} to {high}"
    steps.append(PreprocessingStep("normalised", about, _shown(values)))
    return PreparedInput(np.ascontiguousarray(values.transpose(2, 0, 1)), tuple(steps))


def to_image(values: np.ndarray, how: Preprocessing) -> np.ndarray:
    """Return the picture behind an input C × H × W: H × W × C as uint8, each value cut off where no picture has it."""
    picture = values.transpose(1, 2, 0) * np.float32(how.std) + np.float32(how.mean)
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def check_preprocessing(config: GoogLeNetConfig, how: Preprocessing) -> None:
    """Raise InputError where the network takes neither grey nor colour pictures, or the settings do not fit it."""
    channels = config.input_shape[0]
    if channels not in (1, 3):
        raise InputError(f"The network takes {channels:,} channels; a picture has 1 (grey) or 3 (colour).")
    for name, values in (("mean", how.mean), ("deviation", how.std)):
        if len(values) not in (1, channels):
            raise InputError(f"The {name} has {len(values)} values; the network's input has {channels} channels.")
        if not np.isfinite(values).all():
            raise InputError(f"The {name} must be made of numbers.")
    if min(how.std) < 1e-3:
        raise InputError("The deviation must be at least 0.001.")
    if not 1 <= how.margin <= 4:
        raise InputError("The margin must be from 1 to 4.")
    if not 0 <= how.background <= 255:
        raise InputError("The background must be from 0 to 255.")


def _resized(image: Image.Image, size: tuple[int, int], how: Preprocessing) -> Image.Image:
    height, width = size
    if how.fit == "stretch":
        return image.resize((width, height), _SMOOTH)
    ratios = height / image.height, width / image.width
    ratio = min(ratios) if how.fit == "pad" else max(ratios) * how.margin
    return image.resize((max(1, round(image.width * ratio)), max(1, round(image.height * ratio))), _SMOOTH)


def _centred(image: Image.Image, size: tuple[int, int], background: int) -> Image.Image:
    """Cut the centre out, or lay a smaller picture in the middle of the background."""
    height, width = size
    left, top = (image.width - width) // 2, (image.height - height) // 2
    if left >= 0 and top >= 0:
        return image.crop((left, top, left + width, top + height))
    whole = Image.new(image.mode, (width, height), (background,) * len(image.getbands()))
    whole.paste(image, (-left, -top))
    return whole


def _numbers(values: tuple[float, ...]) -> str:
    shown = ", ".join(map(fmt.number, values))
    return shown if len(values) == 1 and values[0] >= 0 else f"({shown})"


def _shown(values: np.ndarray) -> np.ndarray:
    least, most = values.min(), values.max()
    shades = np.rint((values - least) / max(most - least, 1e-6) * 255).astype(np.uint8)
    return shades[:, :, 0] if shades.shape[2] == 1 else shades
