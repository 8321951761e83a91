"""One row per kind of single image: it is read as an image of a size, with notes, or refused with a sentence.

Look inside and the import of training images use the same decoder; the second test holds them together.
"""

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from explorer.data.images import ImageError, decode
from explorer.data.import_report import Upload
from explorer.data.imports import analyse_upload
from tests.data.files import zip_file

PIXELS = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
RGB = Image.fromarray(PIXELS)
GREY16 = np.arange(600, dtype=np.uint16).reshape(20, 30)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def deep(factor: int, kind: str = "PNG", **options: Any) -> bytes:
    """Return a grey image of 16 bits per pixel, with values from 0 to 599 times ``factor``."""
    return encode(Image.fromarray(GREY16 * factor), kind, **options)


def turned(kind: str) -> bytes:
    """Return an image that its EXIF data turns by 90°."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(RGB, kind, exif=exif)


def deep_colour(factor: int, *, alpha: int = 0, grey: bool = False) -> bytes:
    """Return a PNG of 16 bits per channel, written by hand: Pillow does not write such files."""
    import struct
    import zlib

    values = deep_values(factor, alpha, grey)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2]]
    header = struct.pack(">IIBBBBB", 30, 20, 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def deep_values(factor: int, alpha: int = 0, grey: bool = False) -> np.ndarray:
    """Return 20 × 30 × channels of 16 bits: values up to 255 times ``factor``, and alpha everywhere, if not 0."""
    values = PIXELS[:, :, :1] if grey else PIXELS
    values = values.astype(np.uint16) * factor
    return np.concatenate([values, np.full((20, 30, 1), alpha, np.uint16)], 2) if alpha else values


def deep_tiff(factor: int, order: str) -> bytes:
    """Return an uncompressed TIFF of 16 bits per channel, written by hand, in an order of bytes."""
    import struct

    data = deep_values(factor).astype(f"{order}u2").tobytes()
    bits = struct.pack(f"{order}HHH", 16, 16, 16)
    tags = [(256, 3, 1, 30), (257, 3, 1, 20), (258, 3, 3, 8), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 14)]
    tags += [(277, 3, 1, 3), (278, 3, 1, 20), (279, 4, 1, len(data))]
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, kind, count)
        + (struct.pack(f"{order}HH", value, 0) if (kind, count) == (3, 1) else struct.pack(f"{order}I", value))
        for tag, kind, count, value in tags
    )
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 14 + len(data))
    return start + bits + data + struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", 0)


PALETTE = RGB.quantize(16)
MANY = {"save_all": True, "append_images": [Image.new("RGB", (30, 20), "blue")]}
RAW = encode(RGB, "TIFF", tiffinfo={254: 1})
WIDE, TALL = "30 × 20", "20 × 30"

# The content of the file; then the size as which it is read, with its notes, or the beginning of the sentence.
FILES: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "PNG": (encode(RGB, "PNG"), WIDE),
    "PNG, grey": (encode(RGB.convert("L"), "PNG"), WIDE),
    "PNG, palette": (encode(PALETTE, "PNG"), WIDE),
    "PNG, black and white": (encode(RGB.convert("1"), "PNG"), WIDE),
    "PNG, 16 bits": (deep(100), f"{WIDE}; 16 bits per pixel, the highest value 59,900: read as 16 bits and reduced"),
    "PNG, 14 of 16 bits": (deep(20), f"{WIDE}; 16 bits per pixel, the highest value 11,980: read as 14 bits"),
    "PNG, 12 of 16 bits": (deep(6), f"{WIDE}; 16 bits per pixel, the highest value 3,594: read as 12 bits"),
    "PNG, 10 of 16 bits": (deep(1), f"{WIDE}; 16 bits per pixel, the highest value 599: read as 10 bits"),
    "PNG, 16 bits per channel": (deep_colour(257), f"{WIDE}; 16 bits per channel reduced to 8"),
    "PNG, 12 of 16 bits per channel": (
        deep_colour(16),
        f"{WIDE}; 16 bits per channel, the highest value 4,080: read as 12 bits and reduced to 8",
    ),
    "PNG, 14 of 16 bits per channel, alpha": (
        deep_colour(64, alpha=0xFFFF),
        f"{WIDE}; 16 bits per channel, the highest value 16,320: read as 14 bits and reduced to 8",
    ),
    "PNG, 10 of 16 bits, grey with alpha": (
        deep_colour(4, alpha=0xFFFF, grey=True),
        f"{WIDE}; 16 bits per channel, the highest value 1,020: read as 10 bits and reduced to 8",
    ),
    "TIFF, 12 of 16 bits per channel, little-endian": (
        deep_tiff(16, "<"),
        f"{WIDE}; 16 bits per channel, the highest value 4,080: read as 12 bits and reduced to 8",
    ),
    "TIFF, 12 of 16 bits per channel, big-endian": (
        deep_tiff(16, ">"),
        f"{WIDE}; 16 bits per channel, the highest value 4,080: read as 12 bits and reduced to 8",
    ),
    "PNG, alpha": (encode(RGB.convert("RGBA"), "PNG"), WIDE),
    "PNG, transparent": (
        encode(Image.new("RGBA", (30, 20), (9, 9, 9, 0)), "PNG"),
        f"{WIDE}; laid on white where it is transparent",
    ),
    "PNG, grey with alpha": (
        encode(Image.new("LA", (30, 20), (9, 0)), "PNG"),
        f"{WIDE}; laid on white where it is transparent",
    ),
    "PNG, transparent palette": (encode(PALETTE, "PNG", transparency=0), f"{WIDE}; laid on white"),
    "PNG, animated": (encode(RGB, "PNG", **MANY), f"{WIDE}; the first of 2 images in the file"),
    "PNG, turned": (turned("PNG"), f"{TALL}; rotated as its EXIF data says"),
    "JPEG": (encode(RGB, "JPEG"), WIDE),
    "JPEG, grey": (encode(RGB.convert("L"), "JPEG"), WIDE),
    "JPEG, CMYK": (encode(RGB.convert("CMYK"), "JPEG"), f"{WIDE}; converted from CMYK, without its colour profile"),
    "JPEG, progressive": (encode(RGB, "JPEG", progressive=True), WIDE),
    "JPEG, turned": (turned("JPEG"), f"{TALL}; rotated as its EXIF data says"),
    "JPEG, large": (
        encode(Image.new("RGB", (3_000, 2_000)), "JPEG"),
        "1,024 × 683; reduced from 3,000 × 2,000 pixels",
    ),
    "WebP": (encode(RGB, "WEBP"), WIDE),
    "WebP, lossless with alpha": (
        encode(Image.new("RGBA", (30, 20), (9, 9, 9, 0)), "WEBP", lossless=True),
        f"{WIDE}; laid on white where it is transparent",
    ),
    "WebP, animated": (encode(RGB, "WEBP", **MANY), f"{WIDE}; the first of 2 images in the file"),
    "GIF": (encode(RGB, "GIF"), WIDE),
    "GIF, transparent": (encode(PALETTE, "GIF", transparency=0), f"{WIDE}; laid on white"),
    "GIF, animated": (encode(RGB, "GIF", **MANY), f"{WIDE}; the first of several images in the file"),
    "BMP": (encode(RGB, "BMP"), WIDE),
    "BMP, palette": (encode(PALETTE, "BMP"), WIDE),
    "TIFF": (encode(RGB, "TIFF"), WIDE),
    "TIFF, LZW": (encode(RGB, "TIFF", compression="tiff_lzw"), WIDE),
    "TIFF, deflate": (encode(RGB, "TIFF", compression="tiff_adobe_deflate"), WIDE),
    "TIFF, JPEG inside": (encode(RGB, "TIFF", compression="jpeg"), WIDE),
    "TIFF, CMYK": (encode(RGB.convert("CMYK"), "TIFF"), f"{WIDE}; converted from CMYK, without its colour profile"),
    "TIFF, alpha": (encode(Image.new("RGBA", (30, 20), (9, 9, 9, 0)), "TIFF"), f"{WIDE}; laid on white"),
    "TIFF, 12 of 16 bits": (deep(6, "TIFF"), f"{WIDE}; 16 bits per pixel, the highest value 3,594: read as 12 bits"),
    "TIFF, several pages": (encode(RGB, "TIFF", **MANY), f"{WIDE}; the first of several images in the file"),
    "TIFF, turned": (encode(RGB, "TIFF", tiffinfo={0x0112: 6}), f"{TALL}; rotated as its EXIF data says"),
    "TIFF, 32 bits": (
        encode(Image.fromarray(GREY16.astype(np.int32) * 1_000), "TIFF"),
        "The image holds values from 0 to 599,000. Save it with 8 or 16 bits per pixel.",
    ),
    "TIFF, floating-point": (
        encode(Image.fromarray(GREY16.astype(np.float32)), "TIFF"),
        "The image holds floating-point numbers. Save it with 8 or 16 bits per pixel.",
    ),
    "TIFF, Lab colours": (encode(Image.new("LAB", (30, 20)), "TIFF"), "The image has LAB colours"),
    "camera raw (DNG)": (RAW, "This is a camera's raw file"),
    "HEIC": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
        "This is a HEIC image, which cannot be read here. Save",
    ),
    "AVIF": (lambda: encode(RGB, "AVIF"), "This is an AVIF image, which cannot be read here. Save it as PNG or JPEG."),
    "JPEG 2000": (lambda: encode(RGB, "JPEG2000"), "This is a JPEG 2000 image"),
    "JPEG XL": (b"\xff\x0a" + bytes(99), "This is a JPEG XL image"),
    "SVG": (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "This is a drawing (SVG)"),
    "PDF": (b"%PDF-1.7\n", "This is a PDF document, which cannot be read here. Export the page as PNG."),
    "Photoshop": (b"8BPS\0\1" + bytes(99), "This is a Photoshop document"),
    "icon": (lambda: encode(RGB.resize((16, 16)), "ICO"), "This is an icon (ICO)"),
    "PPM": (encode(RGB, "PPM"), "This is a Netpbm image"),
    "TGA": (encode(RGB, "TGA", compression="tga_rle"), "This is a TGA image"),
    "DICOM": (bytes(128) + b"DICM" + bytes(99), "This is a DICOM file"),
    "OpenEXR": (b"v/1\x01" + bytes(99), "This is an OpenEXR image"),
    "array of NumPy": (b"\x93NUMPY\1\0" + bytes(99), "This is an array of NumPy"),
    "video": (b"\0\0\0\x18ftypisom\0\0\0\0isom" + bytes(99), "This is a video"),
    "web page": (b"<!DOCTYPE html><html>", "This is a web page, which cannot be read here. Download the image itself."),
    "zip": (zip_file({"a.png": b""}).getvalue(), "This is a zip, which cannot be read here. Unpack it"),
    "text": (b"not an image", "The file is not an image of a format that is read here: PNG, JPEG, WebP, GIF, BMP or"),
    "empty": (b"", "The file is not an image of a format that is read here"),
    "cut off": (encode(RGB, "PNG")[:300], "The image is damaged or truncated and cannot be read."),
}


def outcome(content: bytes) -> str:
    """Return the size and the notes of an image, or the sentence."""
    try:
        image = decode(content)
    except ImageError as error:
        return str(error)
    height, width, _ = image.pixels.shape
    return "; ".join([f"{width:,} × {height:,}", *image.notes])


@pytest.mark.parametrize("kind", FILES)
def test_each_kind_of_image_is_read_or_refused(kind: str) -> None:
    """With every change in a note, and the remedy in a sentence."""
    content, expected = FILES[kind]
    found = outcome(content() if callable(content) else content)
    assert found.startswith(expected)
    assert found == expected or expected not in (WIDE, TALL)
    assert found[0].isdigit() or found.endswith(".")


def test_the_table_is_complete() -> None:
    """It has at least forty kinds."""
    assert len(FILES) >= 40


@pytest.mark.parametrize("kind", [kind for kind, (_, expected) in FILES.items() if expected[0].isdigit()])
def test_an_import_decodes_as_look_inside_does(kind: str) -> None:
    """The same pixels, cropped to a square and reduced: the same depth, the same white under what is transparent."""
    content, _ = FILES[kind]
    assert isinstance(content, bytes)
    entries = {"a/0.png": content, "a/1.png": other(1), "b/2.png": other(2), "b/3.png": other(3)}
    report = analyse_upload([Upload("x.zip", zip_file(entries))])
    with Image.open(io.BytesIO(report.classes[0].samples[0])) as image:
        imported = np.asarray(image.convert("RGB")).astype(int)
    expected = ImageOps.fit(Image.fromarray(decode(content).pixels), (32, 32), Image.Resampling.BOX)
    assert np.abs(imported - np.asarray(expected)).max() <= 1


def other(seed: int) -> bytes:
    """Return another image, in colour."""
    return encode(Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)), "PNG")


@pytest.mark.parametrize("factor", [1, 4, 16, 64, 257])
@pytest.mark.parametrize("make", [deep_colour, partial(deep_tiff, order="<"), partial(deep_tiff, order=">")])
def test_colours_of_any_depth_are_those_of_8_bits(make: Callable[[int], bytes], factor: int) -> None:
    """8, 10, 12, 14 and 16 of 16 bits: the same pixels."""
    assert (decode(make(factor)).pixels == PIXELS).all()


def test_alpha_has_a_depth_of_its_own() -> None:
    """12 bits of it are opaque too; a transparent pixel is white whatever its depth."""
    assert (decode(deep_colour(16, alpha=0x0FFF)).pixels == PIXELS).all()
    assert (decode(deep_colour(16, alpha=1)).pixels > 250).all()
