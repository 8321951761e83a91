"""Pictures that people bring, made into plain RGB pictures of a bounded size. Free of torch.

Only PNG, JPEG and WebP are opened, never larger than the limits, and one at a time, so that many readers' pictures
together need no more memory than one. Whatever was done to a picture is said in words.
"""

import io
import threading
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image

from explorer.errors import InputError

MAX_BYTES = 20_000_000
MAX_PIXELS = 16_777_216  # that are decoded: 4096 × 4096
MAX_JPEG_PIXELS = 50_331_648  # in the file of a JPEG, which can be decoded at a fraction of its size
MAX_SIDE = 1_024  # of the picture that is kept
MAX_SCANS = 64  # of a progressive JPEG; cameras write about ten, and each is a pass over the whole picture
FORMATS = ("PNG", "JPEG", "WEBP")
_START_OF_SCAN = b"\xff\xda"
_ORIENTATION = 0x0112  # EXIF's number of it, and what makes each of its values upright
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_one_at_a_time = threading.Lock()


class ImageError(InputError):
    """A file that cannot be shown; the message says why."""


class DecodedImage(NamedTuple):
    """An RGB picture, H × W × 3 as uint8, and what was done to the file to get it."""

    pixels: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def png(self) -> bytes:
        """The picture as a PNG file."""
        return png(self.pixels)


def decode(content: bytes) -> DecodedImage:
    """Read a PNG, JPEG or WebP file. Raises ImageError with the reason for anything else.

    The picture is turned as its EXIF data says; of an animation it is the first frame; what is transparent stands on
    white; 16 bits become 8. It is reduced until no side is longer than ``MAX_SIDE``.
    """
    if len(content) > MAX_BYTES:
        raise ImageError(f"The file has {len(content):,} bytes; at most {MAX_BYTES:,} are read.")
    if content[:2] == b"\xff\xd8" and content.count(_START_OF_SCAN) > MAX_SCANS:
        raise ImageError(f"The JPEG file is drawn in more than {MAX_SCANS} passes, and is not read.")
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about sizes, which are judged below, and about damaged metadata
        try:
            with Image.open(io.BytesIO(content), formats=FORMATS) as file:
                return _picture(file)
        except ImageError:
            raise
        except MemoryError:
            raise ImageError("The picture needs more memory than there is.") from None
        except Image.UnidentifiedImageError:
            raise ImageError("The file is no PNG, JPEG or WebP picture.") from None
        except Image.DecompressionBombError:
            raise ImageError(f"The picture is too large; at most {MAX_PIXELS:,} pixels are read.") from None
        except Exception:  # Pillow raises whatever a damaged file makes go wrong
            raise ImageError("The picture is damaged or cut off, and cannot be read.") from None


def png(pixels: np.ndarray) -> bytes:
    """Return grey (H × W) or RGB (H × W × 3) pixels, uint8, as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _picture(file: Image.Image) -> DecodedImage:
    notes = []
    if (frames := getattr(file, "n_frames", 1)) > 1:
        notes.append(f"the first of {frames:,} pictures in the file")
    width, height = file.size
    file.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded at a half, a quarter or an eighth where that is enough
    _judge_size(width * height, file)
    file.load()
    image = _plain(file, notes)
    if max(width, height) > MAX_SIDE:
        image.thumbnail((MAX_SIDE, MAX_SIDE))
        notes.append(f"reduced from {width:,} × {height:,} pixels")
    turn = _TURNS.get(file.getexif().get(_ORIENTATION))
    if turn is not None:
        image = image.transpose(turn)
        notes.append("turned upright, as its EXIF data says")
    return DecodedImage(np.asarray(_on_white(image, notes)), tuple(notes))


def _judge_size(in_file: int, file: Image.Image) -> None:
    """Refuse a picture before a pixel of it is decoded."""
    whole = file.info.get("progressive") or file.format not in ("JPEG", "MPO")
    most = MAX_PIXELS if whole else MAX_JPEG_PIXELS
    if in_file > most or file.width * file.height > MAX_PIXELS:
        raise ImageError(f"The picture has {in_file:,} pixels; at most {most:,} are read of such a file.")


def _plain(image: Image.Image, notes: list[str]) -> Image.Image:
    """Make it grey or RGB of 8 bits, with or without alpha: what can be reduced without a loss of colours."""
    if image.mode == "I;16":
        notes.append("16 bits per pixel reduced to 8")
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode == "CMYK":
        notes.append("converted from CMYK, without its colour profile")
    if image.mode in ("L", "LA", "RGB", "RGBA") and not image.has_transparency_data:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _on_white(image: Image.Image, notes: list[str]) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    if image.getchannel("A").getextrema()[0] < 255:
        notes.append("laid on white where it is transparent")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB")
