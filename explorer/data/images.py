"""Decode image files to plain images of 8 bits and of a bounded size. The one decoder of the app; free of torch.

The formats in ``FORMATS`` are opened, up to the limits below, and one at a time, so that the images of many users
together need no more memory than one. The notes of a decoded image list what was changed.
"""

import io
import threading
import warnings
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from explorer.data.array_types import Pixels
from explorer.data.image_kinds import describe_other_kind
from explorer.errors import InputError

MAX_BYTES = 20_000_000
MAX_PIXELS = 16_777_216  # that are decoded: 4096 × 4096
MAX_JPEG_PIXELS = 50_331_648  # in the file of a JPEG, which can be decoded at a fraction of its size
MAX_SIDE = 1_024  # of the decoded image
MAX_SCANS = 64  # of a progressive JPEG; cameras write about ten, and each is a pass over the whole image
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
FORMATS_TEXT = "PNG, JPEG, WebP, GIF, BMP or TIFF"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
BIT_DEPTHS = (8, 10, 12, 14, 16)  # of cameras, scanners and microscopes

_START_OF_SCAN = b"\xff\xda"
_ORIENTATIONS = {  # EXIF's, as the operation that makes the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DNG_VERSION, _SUBFILE_TYPE, _REDUCED = 50_706, 254, 1  # tags of a TIFF, and what marks a thumbnail
_one_at_a_time = threading.Lock()


class ImageError(InputError):
    """A file cannot be decoded as an image."""


class DecodedImage(NamedTuple):
    """An RGB image, H × W × 3 as uint8, and what was changed to get it from the file."""

    pixels: Pixels
    notes: tuple[str, ...] = ()

    @property
    def png(self) -> bytes:
        """The image as a PNG file."""
        return png(self.pixels)


class OpenedImage(NamedTuple):
    """An upright image without alpha, and what was changed to get it from the file.

    Its mode is L or RGB; or F, with grey values from 0 to 65,535, for a file of more than 8 bits per pixel. ``highest``
    is the highest value of a file with more than 8 bits, colours included, which are scaled to 8 bits by
    :func:`bit_depth`; otherwise it is 0.
    """

    image: Image.Image
    highest: int
    notes: tuple[str, ...]


def decode(content: bytes) -> DecodedImage:
    """Decode a file of one of the formats. Raises ImageError with the reason for anything else.

    The image is rotated as its EXIF data says; of several images in a file it is the first; transparent pixels are
    laid on white; more than 8 bits become 8. It is reduced until no side is longer than ``MAX_SIDE``.
    """
    opened = open_image(content)
    image, notes = opened.image, list(opened.notes)
    if image.mode == "F":
        bits = bit_depth(opened.highest)
        notes.append(f"16 bits per pixel, the highest value {opened.highest:,}: read as {bits} bits and reduced to 8")
        image = to_8_bits(image, bits)
    return DecodedImage(np.asarray(image.convert("RGB")), tuple(notes))


def open_image(content: bytes, max_side: int = MAX_SIDE) -> OpenedImage:
    """Decode a file, reduced until no side is longer than ``max_side``. Raises ImageError with the reason."""
    if len(content) > MAX_BYTES:
        raise ImageError(f"The file has {len(content):,} bytes; the limit is {MAX_BYTES:,}.")
    if content[:2] == b"\xff\xd8" and content.count(_START_OF_SCAN) > MAX_SCANS:
        raise ImageError(f"The JPEG file has more than {MAX_SCANS} scans. Save it with fewer.")
    if other := describe_other_kind(content[:256]):
        raise ImageError(other)
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about sizes, which are checked below, and about damaged metadata
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as file:
                return _open(file, content, max_side)
        except ImageError:
            raise
        except MemoryError:
            raise ImageError("There is not enough memory to decode the image.") from None
        except UnidentifiedImageError:
            raise ImageError(f"The file is not an image of a format that is read here: {FORMATS_TEXT}.") from None
        except Image.DecompressionBombError:
            raise ImageError(f"The image is too large; the limit is {MAX_PIXELS:,} pixels.") from None
        except Exception:  # a damaged file can make Pillow raise anything
            raise ImageError("The image is damaged or truncated and cannot be read.") from None


def bit_depth(highest: int) -> int:
    """Return the depth that images with this highest value probably have: the smallest usual one that holds it."""
    return next(bits for bits in BIT_DEPTHS if highest < 1 << bits)


def to_8_bits(image: Image.Image, bits: int) -> Image.Image:
    """Return a grey image of mode F, with values of so many bits, as one of 8 bits; higher values become white."""
    values = np.asarray(image) * (1 / (1 << (bits - 8)))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def png(pixels: Pixels) -> bytes:
    """Return grey (H × W) or RGB (H × W × 3) pixels, uint8, as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def thumbnail(pixels: Pixels, side: int) -> Pixels:
    """Return the pixels reduced until no side is longer than ``side``; unchanged if that is already so."""
    if max(pixels.shape[:2]) <= side:
        return pixels
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2:] == (1,) else pixels)
    image.thumbnail((side, side))
    return np.asarray(image).reshape(image.height, image.width, *pixels.shape[2:])


def _open(file: Image.Image, content: bytes, max_side: int) -> OpenedImage:
    notes: list[str] = []
    _check_raw(file)
    if getattr(file, "is_animated", False):
        # To count the images of a GIF or a TIFF, all of them would have to be read.
        count = f"{file.n_frames:,}" if file.format in ("PNG", "WEBP") else "several"  # type: ignore[attr-defined]  # Pillow sets it with is_animated
        notes.append(f"the first of {count} images in the file")
    width, height = file.size
    file.draft("RGB", (max_side, max_side))  # a JPEG is decoded at 1/2, 1/4 or 1/8 if that is enough
    _check_size(width * height, file)
    is_deep = ";16" in _raw_mode(file)
    orientation = file.getexif().get(ExifTags.Base.Orientation, 1)
    file.load()
    orientations = orientation, file.getexif().get(ExifTags.Base.Orientation, 1)  # a TIFF is upright when loaded
    deep_content = content if is_deep and not file.mode.startswith("I") else b""
    image, highest = _convert(file, deep_content, notes)
    if max(width, height) > max_side:
        image.thumbnail((max_side, max_side))
        notes.append(f"reduced from {width:,} × {height:,} pixels")
    if orientations[1] in _ORIENTATIONS:
        image = image.transpose(_ORIENTATIONS[orientations[1]])
    if any(found in _ORIENTATIONS for found in orientations):
        notes.append("rotated as its EXIF data says")
    return OpenedImage(_flatten(image, notes), highest, tuple(notes))


def _check_raw(file: Image.Image) -> None:
    """Raise ImageError for a camera's raw file: a TIFF whose first image is a thumbnail."""
    tags = getattr(file, "tag_v2", {})
    if file.format == "TIFF" and (_DNG_VERSION in tags or tags.get(_SUBFILE_TYPE, 0) & _REDUCED):
        raise ImageError("This is a camera's raw file, which cannot be read here. Develop it and save it as PNG.")


def _check_size(pixels_in_file: int, file: Image.Image) -> None:
    """Raise ImageError before a pixel of a large image is decoded."""
    is_fully_decoded = file.info.get("progressive") or file.format not in ("JPEG", "MPO")
    limit = MAX_PIXELS if is_fully_decoded else MAX_JPEG_PIXELS
    if pixels_in_file > limit or file.width * file.height > MAX_PIXELS:
        raise ImageError(f"The image has {pixels_in_file:,} pixels; the limit for such a file is {limit:,}.")


def _convert(image: Image.Image, deep_content: bytes, notes: list[str]) -> tuple[Image.Image, int]:
    """Return an image that can be reduced without losing colours, and its highest value if it has over 8 bits.

    Its mode is L, LA, RGB, RGBA or F. ``deep_content`` is the file if its channels have more than 8 bits.
    """
    if image.mode.startswith("I"):
        return _grey_levels(image)
    if image.mode == "F":
        raise ImageError("The image holds floating-point numbers. Save it with 8 or 16 bits per pixel.")
    if image.mode in ("LAB", "HSV"):
        raise ImageError(f"The image has {image.mode} colours, which cannot be read here. Save it with RGB colours.")
    highest = 0
    if deep_content:
        image, highest = _scale_channels(image, deep_content)
        bits = bit_depth(highest)
        read = "" if bits == 16 else f", the highest value {highest:,}: read as {bits} bits and"
        notes.append(f"16 bits per channel{read} reduced to 8")
    if image.mode == "CMYK":
        notes.append("converted from CMYK, without its colour profile")
    if image.mode in ("L", "LA", "RGB", "RGBA") and not image.has_transparency_data:
        return image, highest
    return image.convert("RGBA" if image.has_transparency_data else "RGB"), highest


def _grey_levels(image: Image.Image) -> tuple[Image.Image, int]:
    """Return an image of whole numbers as one of mode F, and its highest value. A transparent value becomes white."""
    values = np.asarray(image)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 0xFFFF:
        raise ImageError(f"The image holds values from {low:,} to {high:,}. Save it with 8 or 16 bits per pixel.")
    grey = values.astype(np.float32)
    if isinstance(transparent := image.info.get("transparency"), int):
        grey[values == transparent] = (1 << bit_depth(high)) - 1
    return Image.fromarray(grey), high


def _scale_channels(image: Image.Image, content: bytes) -> tuple[Image.Image, int]:
    """Return a colour image of 16 bits per channel with 8 bits of its real depth, and the highest value of its colours.

    Pillow keeps the upper 8 bits of a channel; of an image with 12 bits these would be nearly black.
    """
    alpha = len(image.getbands()) - 1 if image.mode in ("LA", "RGBA") else None
    low = _lower_bytes(content, image.mode)
    channels = [
        np.asarray(upper, np.uint16) << 8 | np.asarray(lower, np.uint16)
        for upper, lower in zip(image.split(), low, strict=True)
    ]
    highest = max(int(values.max()) for place, values in enumerate(channels) if place != alpha)
    depths = [bit_depth(int(values.max()) if place == alpha else highest) for place, values in enumerate(channels)]
    scaled = [
        Image.fromarray((values >> (bits - 8)).astype(np.uint8)) for values, bits in zip(channels, depths, strict=True)
    ]
    return Image.merge(image.mode, scaled), highest


def _lower_bytes(content: bytes, mode: str) -> tuple[Image.Image, ...]:
    """Return the lower 8 bits of each channel: what Pillow decodes in the other order of the bytes."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as file:
        raw_mode = _raw_mode(file)
        is_grey = raw_mode.startswith("LA")  # opened as RGBA; there is one order of its bytes only: L, L, A, A
        other = "RGBA" if is_grey else f"{mode};16{'L' if raw_mode.endswith('B') else 'B'}"
        file.tile = [
            tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other) for tile in file.tile
        ]
        file.load()
        channels = file.split()
        return (*(channels[1],) * 3, channels[3]) if is_grey else channels


def _raw_mode(file: Image.Image) -> str:
    """Return the order of bits and bytes in a file, the first argument of its decoder; empty without one."""
    arguments = file.tile[0].args if file.tile else ""  # type: ignore[attr-defined]  # of all files that are opened
    return arguments if isinstance(arguments, str) else str(arguments[0])


def _flatten(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return an image of mode L, RGB or F; transparent pixels become white."""
    if not image.has_transparency_data or image.mode == "F":
        return image if image.mode in ("L", "RGB", "F") else image.convert("RGB")
    if image.getchannel("A").getextrema() != (255, 255):
        notes.append("laid on white where it is transparent")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")
