"""From an image to the network input, step by step; each step is an image that can be shown. Free of torch.

An input is C × H × W of float32, as the network's ``input_shape`` says. For one channel, colours become grey by their
luma (ITU-R BT.601, as Pillow computes it).
"""

from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from explorer.config import Frozen, GoogLeNetConfig
from explorer.data.array_types import Floats, Pixels
from explorer.errors import InputError

MAX_ASPECT = 8  # of an image that is cropped: resizing a longer one to the input's height would take too much memory
_FILTER = Image.Resampling.BILINEAR

StepCode = Literal["image", "grey_image", "grey", "inverted", "trimmed", "resized", "padded", "cropped", "normalised"]


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
        "The input of torchvision's pretrained GoogLeNet: its transform_input undoes ImageNet's normalisation.",
        (0.5,),
        (0.5,),
    ),
    "imagenet": Normalisation(
        "ImageNet's mean and standard deviation",
        "torchvision's transforms; for weights trained with them and without transform_input",
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    ),
    "none": Normalisation("none: values from 0 to 1", "", (0.0,), (1.0,)),
}


class PreprocessingStep(NamedTuple):
    """One step and the image after it, H × W (× 3) as uint8; ``low`` and ``high`` are the extremes of its values.

    Normalised values are shown from ``low`` (black) to ``high`` (white).
    """

    code: StepCode
    pixels: Pixels
    low: float
    high: float


class PreprocessedImage(NamedTuple):
    """The network input, C × H × W as float32, and the steps that led to it."""

    values: Floats
    steps: tuple[PreprocessingStep, ...]

    @property
    def input_pixels(self) -> Pixels:
        """The network input before normalisation, H × W (× 3)."""
        return self.steps[-2].pixels


def preprocess(pixels: Pixels, config: GoogLeNetConfig, preprocessing: Preprocessing) -> PreprocessedImage:
    """Turn an image, H × W × 3 as uint8, into the input of a network. The image is not changed.

    Raises InputError if the network takes neither grey nor colour images, or if the settings do not fit it.
    """
    check_preprocessing(config, preprocessing)
    channels, height, width = config.input_shape
    image = Image.fromarray(pixels)
    is_grey = bool((pixels == pixels[..., :1]).all())
    steps = [PreprocessingStep("grey_image" if is_grey else "image", pixels, float(pixels.min()), float(pixels.max()))]

    def add_step(code: StepCode) -> None:
        after = np.asarray(image)
        steps.append(PreprocessingStep(code, after, float(after.min()), float(after.max())))

    if channels == 1:
        image = image.convert("L")
        if not is_grey:
            add_step("grey")
    if preprocessing.invert:
        image = Image.eval(image, lambda value: 255 - value)
        add_step("inverted")
    if preprocessing.fit == "crop" and max(image.size) > MAX_ASPECT * min(image.size):
        side = MAX_ASPECT * min(image.size)
        image = _centred(image, (min(image.height, side), min(image.width, side)), preprocessing.background)
        add_step("trimmed")
    image = _resized(image, (height, width), preprocessing)
    add_step("resized")
    if image.size != (width, height):
        image = _centred(image, (height, width), preprocessing.background)
        add_step("padded" if preprocessing.fit == "pad" else "cropped")
    scaled = np.asarray(image, np.float32).reshape(height, width, channels) / np.float32(255)
    values = (scaled - _per_channel(preprocessing.mean)) / _per_channel(preprocessing.std)
    low, high = float(values.min()), float(values.max())
    steps.append(PreprocessingStep("normalised", _to_grey_levels(values), low, high))
    return PreprocessedImage(np.ascontiguousarray(values.transpose(2, 0, 1)), tuple(steps))


def to_image(values: Floats, preprocessing: Preprocessing) -> Pixels:
    """Undo the normalisation: return an input C × H × W as an image, H × W (× 3) of uint8, clipped to 0 to 255."""
    image = values.transpose(1, 2, 0) * _per_channel(preprocessing.std) + _per_channel(preprocessing.mean)
    pixels: Pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def check_preprocessing(config: GoogLeNetConfig, preprocessing: Preprocessing) -> None:
    """Raise InputError if the network takes neither grey nor colour images, or if the settings do not fit it."""
    channels = config.input_shape[0]
    if channels not in (1, 3):
        raise InputError(f"The network takes {channels:,} channels; an image has 1 (grey) or 3 (colour).")
    for name, values in (("mean", preprocessing.mean), ("standard deviation", preprocessing.std)):
        if len(values) not in (1, channels):
            raise InputError(f"The {name} has {len(values)} values; the network input has {channels} channels.")
        if not np.isfinite(values).all():
            raise InputError(f"The {name} must be a finite number.")
    if min(preprocessing.std) < 1e-3:
        raise InputError("The standard deviation must be at least 0.001.")
    if not 1 <= preprocessing.margin <= 4:
        raise InputError("The margin must be from 1 to 4.")
    if not 0 <= preprocessing.background <= 255:
        raise InputError("The padding value must be from 0 to 255.")


def _per_channel(values: tuple[float, ...]) -> Floats:
    return np.array(values, np.float32)


def _resized(image: Image.Image, size: tuple[int, int], preprocessing: Preprocessing) -> Image.Image:
    height, width = size
    if preprocessing.fit == "stretch":
        return image.resize((width, height), _FILTER)
    ratios = height / image.height, width / image.width
    if preprocessing.fit == "pad":
        ratio = min(ratios)
        return image.resize((max(1, round(image.width * ratio)), max(1, round(image.height * ratio))), _FILTER)
    target = height if ratios[0] > ratios[1] else width  # of the side that has to be enlarged most
    return image.resize(resized_size(image.size, round(target * preprocessing.margin), ratios[0] > ratios[1]), _FILTER)


def resized_size(size: tuple[int, int], new: int, is_height: bool) -> tuple[int, int]:
    """Return the width and height of a resized image whose height (or width) becomes ``new``.

    The other side is rounded down, as torchvision's ``Resize`` does: ``int(size * long / short)`` in
    ``transforms/functional.py``. Its filter for Pillow images is the same: Pillow's bilinear one, with antialiasing.
    """
    width, height = size
    return (int(new * width / height), new) if is_height else (new, int(new * height / width))


def _centred(image: Image.Image, size: tuple[int, int], background: int) -> Image.Image:
    """Crop the centre to H × W, or pad a smaller image to it. A half pixel is rounded as by ``CenterCrop``."""
    height, width = size
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    if left >= 0 and top >= 0:
        return image.crop((left, top, left + width, top + height))
    canvas = Image.new(image.mode, (width, height), (background,) * len(image.getbands()))
    canvas.paste(image, (-left, -top))
    return canvas


def _to_grey_levels(values: Floats) -> Pixels:
    """Map H × W × C values to 0 (the lowest) to 255 (the highest)."""
    low, high = values.min(), values.max()
    levels: Pixels = np.rint((values - low) / max(high - low, 1e-6) * 255).astype(np.uint8)
    return levels[:, :, 0] if levels.shape[2] == 1 else levels
