"""Decode uploaded images to plain RGB images of a bounded size. Free of torch.

Only PNG, JPEG and WebP are opened, up to the limits below, and one at a time, so that the images of many users together
need no more memory than one. The notes of a decoded image list what was changed.
"""

import io
import threading
import warnings
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from explorer.data.arrays import Pixels
from explorer.errors import InputError

MAX_BYTES = 20_000_000
MAX_PIXELS = 16_777_216  # that are decoded: 4096 × 4096
MAX_JPEG_PIXELS = 50_331_648  # in the file of a JPEG, which can be decoded at a fraction of its size
MAX_SIDE = 1_024  # of the decoded image
MAX_SCANS = 64  # of a progressive JPEG; cameras write about ten, and each is a pass over the whole image
FORMATS = ("PNG", "JPEG", "WEBP")
_START_OF_SCAN = b"\xff\xda"
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


def decode(content: bytes) -> DecodedImage:
    """Decode a PNG, JPEG or WebP file. Raises ImageError with the reason for anything else.

    The image is rotated as its EXIF data says; of an animation it is the first frame; transparent pixels are laid on
    white; 16 bits become 8. It is reduced until no side is longer than ``MAX_SIDE``.
    """
    if len(content) > MAX_BYTES:
        raise ImageError(f"The file has {len(content):,} bytes; the limit is {MAX_BYTES:,}.")
    if content[:2] == b"\xff\xd8" and content.count(_START_OF_SCAN) > MAX_SCANS:
        raise ImageError(f"The JPEG file has more than {MAX_SCANS} scans. Save it with fewer.")
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about sizes, which are checked below, and about damaged metadata
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as file:
                return _decode(file)
        except ImageError:
            raise
        except MemoryError:
            raise ImageError("There is not enough memory to decode the image.") from None
        except UnidentifiedImageError:
            raise ImageError("The file is not a PNG, JPEG or WebP image.") from None
        except Image.DecompressionBombError:
            raise ImageError(f"The image is too large; the limit is {MAX_PIXELS:,} pixels.") from None
        except Exception:  # a damaged file can make Pillow raise anything
            raise ImageError("The image is damaged or truncated and cannot be read.") from None


def png(pixels: Pixels) -> bytes:
    """Return grey (H × W) or RGB (H × W × 3) pixels, uint8, as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def thumbnail(pixels: Pixels, side: int) -> Pixels:
    """Return the pixels reduced until no side is longer than ``side``; unchanged if that is already so."""
    if max(pixels.shape[:2]) <= side:
        return pixels
    image = Image.fromarray(pixels)
    image.thumbnail((side, side))
    return np.asarray(image)


def _decode(file: Image.Image) -> DecodedImage:
    notes: list[str] = []
    if (frames := getattr(file, "n_frames", 1)) > 1:
        notes.append(f"the first of {frames:,} images in the file")
    width, height = file.size
    file.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded at 1/2, 1/4 or 1/8 if that is enough
    _check_size(width * height, file)
    file.load()
    image = _convert(file, notes)
    if max(width, height) > MAX_SIDE:
        image.thumbnail((MAX_SIDE, MAX_SIDE))
        notes.append(f"reduced from {width:,} × {height:,} pixels")
    if 2 <= image.getexif().get(ExifTags.Base.Orientation, 1) <= 8:
        image = ImageOps.exif_transpose(image)
        notes.append("rotated as its EXIF data says")
    return DecodedImage(np.asarray(_flatten(image, notes)), tuple(notes))


def _check_size(pixels_in_file: int, file: Image.Image) -> None:
    """Raise ImageError before a pixel of a large image is decoded."""
    is_fully_decoded = file.info.get("progressive") or file.format not in ("JPEG", "MPO")
    limit = MAX_PIXELS if is_fully_decoded else MAX_JPEG_PIXELS
    if pixels_in_file > limit or file.width * file.height > MAX_PIXELS:
        raise ImageError(f"The image has {pixels_in_file:,} pixels; the limit for such a file is {limit:,}.")


def _convert(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return a grey or RGB image of 8 bits, with or without alpha: modes that can be reduced without losing colours."""
    if image.mode == "I;16":
        notes.append("16 bits per pixel reduced to 8")
        exif = image.getexif()
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        image.info["exif"] = exif.tobytes()
    if image.mode == "CMYK":
        notes.append("converted from CMYK, without its colour profile")
    if image.mode in ("L", "LA", "RGB", "RGBA") and not image.has_transparency_data:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _flatten(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return an RGB image; transparent pixels become white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    if image.getchannel("A").getextrema() != (255, 255):
        notes.append("laid on white where it is transparent")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")
