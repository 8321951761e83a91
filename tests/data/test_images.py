"""Decoding images: a hundred hostile files become an image or a sentence, quickly and in little memory."""

import io
import json
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explorer.data.images import MAX_SCANS, ImageError, decode, png, thumbnail

ROOT = Path(__file__).parents[2]
LIMIT_S = 1.0  # of CPU time, so that a busy machine does not count
LIMIT_MB = 250
ORIENTATION = 0x0112  # the number of the EXIF tag


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Return random pixels."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    """Return pixels that JPEG hardly changes."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = rows * 255 // max(height - 1, 1), columns * 255 // max(width - 1, 1)
    return np.stack([red, green, np.full_like(red, 90)], axis=2).astype(np.uint8)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def rgb(height: int, width: int) -> Image.Image:
    """Return a smooth image."""
    return Image.fromarray(smooth(height, width))


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """Return a PNG file that declares this size, with any chunks."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def progressive(scans: int) -> bytes:
    """Return a progressive JPEG whose last scan is repeated."""
    content = encode(rgb(64, 64), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * scans + content[-2:]


def hostile() -> Iterator[tuple[str, bytes]]:
    """Yield more than a hundred files, each with a name."""
    zeros = zlib.compress(b"\0" * 50_000_000, 9)
    good = {
        "png": encode(rgb(40, 60), "PNG"),
        "jpeg": encode(rgb(40, 60), "JPEG"),
        "webp": encode(rgb(40, 60), "WEBP"),
        "gif": encode(rgb(40, 60), "GIF"),
        "bmp": encode(rgb(40, 60), "BMP"),
        "tiff": encode(rgb(40, 60), "TIFF"),
        "lzw": encode(rgb(40, 60), "TIFF", compression="tiff_lzw"),
        "deflate": encode(rgb(40, 60), "TIFF", compression="tiff_adobe_deflate"),
        "tiff of JPEG": encode(rgb(40, 60), "TIFF", compression="jpeg"),
    }
    yield from {
        "empty": b"",
        "one byte": b"\x89",
        "text": b"This is not an image.",
        "html": b"<svg xmlns='http://www.w3.org/2000/svg' width='1e9' height='1e9'/>",
        "zip": b"PK\x03\x04" + b"\0" * 100,
        "pickle": b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n(S'true'\ntR.",
        "TIFF bomb": encode(Image.new("1", (20_000, 20_000)), "TIFF", compression="group4"),
        "4,096 × 4,096 TIFF of 16 bits": encode(
            Image.fromarray(np.zeros((4_096, 4_096), np.uint16)), "TIFF", compression="tiff_adobe_deflate"
        ),
        "GIF of a million frames": encode(rgb(4, 4), "GIF")[:-1]
        + b"\x2c"
        + bytes(9)
        + b"\x02\x02\x4c\x01\x00" * 1_000_000,
        "GIF of a large canvas": encode(rgb(4, 4), "GIF").replace(struct.pack("<HH", 4, 4), b"\xff\xff\xff\xff"),
        "ico": encode(rgb(16, 16), "ICO"),
        "ppm": encode(rgb(8, 8), "PPM"),
        "tga": encode(rgb(8, 8), "TGA"),
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
        "too many bytes": b"\x89PNG\r\n\x1a\n" + b"\0" * 20_000_000,
        "bomb, 100,000 × 100,000": png_of(100_000, 100_000, chunk(b"IDAT", zeros)),
        "bomb, 20,000 × 20,000": png_of(20_000, 20_000, chunk(b"IDAT", zeros)),
        "bomb, 5,000 × 5,000": png_of(5_000, 5_000, chunk(b"IDAT", zeros)),
        "no size": png_of(0, 0, chunk(b"IDAT", zeros)),
        "largest size": png_of(2**31 - 1, 2**31 - 1),
        "text bomb": png_of(4, 4, chunk(b"zTXt", b"a\0\0" + zeros), chunk(b"IDAT", zlib.compress(b"\0" * 52))),
        "colour profile bomb": png_of(
            4, 4, chunk(b"iCCP", b"a\0\0" + zeros), chunk(b"IDAT", zlib.compress(b"\0" * 52))
        ),
        "international text bomb": png_of(4, 4, chunk(b"iTXt", b"a\0\1\0\0\0" + zeros), chunk(b"IDAT", b"")),
        "no pixels": png_of(40, 40),
        "more pixels than declared": png_of(4, 4, chunk(b"IDAT", zeros)),
        "unknown colour": png_of(4, 4, chunk(b"IDAT", zlib.compress(b"\0" * 52)), colour=7),
        "palette missing": png_of(4, 4, chunk(b"IDAT", zlib.compress(b"\0" * 20)), colour=3),
        "JPEG of many scans": progressive(500),
        "JPEG with a size of 65,535": good["jpeg"].replace(
            struct.pack(">HH", 40, 60), struct.pack(">HH", 65_500, 65_500)
        ),
        "broken EXIF": encode(rgb(8, 8), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        "an orientation that does not exist": oriented(99),
        "1 × 1": encode(rgb(1, 1), "PNG"),
        "20,000 × 1": encode(rgb(1, 20_000), "PNG"),
        "1 × 20,000": encode(rgb(20_000, 1), "JPEG"),
        "16,383 × 1 WebP": encode(rgb(1, 16_383), "WEBP"),
        "4,096 × 4,096": encode(Image.new("RGB", (4_096, 4_096), "red"), "PNG"),
        "4,096 × 4,096 with alpha": encode(Image.new("RGBA", (4_096, 4_096), (9, 9, 9, 9)), "PNG"),
        "7,000 × 7,000 JPEG": encode(Image.new("RGB", (7_000, 7_000), "red"), "JPEG"),
        "4,096 × 4,096 WebP": encode(Image.new("RGB", (4_096, 4_096), "red"), "WEBP"),
        "WebP of 16,383 × 16,383": encode(Image.new("RGB", (16_383, 2_000), "red"), "WEBP", method=0),
        "a thousand frames": encode(
            rgb(4, 4), "PNG", save_all=True, append_images=[Image.fromarray(noise(4, 4, seed=n)) for n in range(999)]
        ),
        "animated WebP": encode(rgb(32, 32), "WEBP", save_all=True, append_images=[rgb(32, 32).rotate(90)] * 20),
    }.items()
    rng = random.Random(0)
    for kind, content in good.items():
        for place in (8, 20, len(content) // 2, len(content) - 12, len(content) - 1):
            yield f"{kind} cut off at {place}", content[:place]
        for number in range(15):
            changed = bytearray(content)
            for _ in range(8):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            yield f"{kind} changed, {number}", bytes(changed)


def oriented(orientation: int) -> bytes:
    """Return a JPEG file with this orientation in its EXIF data."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(rgb(32, 48), "JPEG", exif=exif)


# Decodes every file of a folder, then the largest ones in threads; prints the CPU time and the outcome by name, and by
# how many MB the process grew at most.
DECODE = """
import json, resource, sys, threading
from pathlib import Path
from time import process_time
from explorer.data.images import MAX_SIDE, ImageError, decode

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def outcome(path):
    try:
        pixels = decode(path.read_bytes()).pixels
        good = pixels.dtype == "uint8" and pixels.ndim == 3 and 1 <= max(pixels.shape[:2]) <= MAX_SIDE
        return "image" if good else "invalid"
    except ImageError as error:
        return str(error)

paths, found, before = sorted(Path(sys.argv[1]).iterdir()), {}, megabytes()
for path in paths:
    started = process_time()
    result = outcome(path)
    found[path.name] = process_time() - started, result
large = [path for path in paths if path.name.startswith("4,096")] * 2
threads = [threading.Thread(target=outcome, args=(path,)) for path in large]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps({"found": found, "growth": megabytes() - before}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems use other units for the size of a process")
def test_hostile_files_become_an_image_or_a_sentence(tmp_path: Path) -> None:
    """Each within a second of CPU time, and in the memory of one large image, also in threads."""
    for name, content in hostile():
        (tmp_path / name).write_bytes(content)
    run = subprocess.run(
        [sys.executable, "-c", DECODE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    output = json.loads(run.stdout)
    assert len(output["found"]) >= 100
    assert {} == {name: found for name, found in output["found"].items() if found[0] > LIMIT_S}
    assert {} == {name: found for name, found in output["found"].items() if found[1] != "image" and found[1][-1] != "."}
    assert {"image"} == {
        found[1] for name, found in output["found"].items() if name.startswith(("1 ×", "20,000 × 1", "4,096"))
    }
    assert output["growth"] < LIMIT_MB


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_plain_image_is_not_changed(kind: str) -> None:
    """And has no notes."""
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(kind, {})
    image = decode(encode(rgb(40, 60), kind, **options))
    assert image.notes == ()
    assert np.abs(image.pixels.astype(int) - smooth(40, 60)).max() <= (12 if kind == "JPEG" else 0)


UPRIGHT = {  # by EXIF's orientation: how the stored pixels become the image (CIPA DC-008, tag 274)
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_exif_orientation_is_applied(orientation: int, kind: str) -> None:
    """All eight orientations, in every format; a note says so unless nothing was done."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(kind, {})
    image = decode(encode(rgb(32, 48), kind, exif=exif, **options))
    expected = UPRIGHT[orientation](smooth(32, 48)).astype(int)
    assert image.pixels.shape == expected.shape
    assert np.abs(image.pixels - expected).max() <= (12 if kind == "JPEG" else 0)
    assert image.notes == (("rotated as its EXIF data says",) if orientation > 1 else ())


def test_the_orientation_is_applied_to_reduced_and_16_bit_images() -> None:
    """Also when the image is converted before."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    large = decode(encode(rgb(500, 2_000), "JPEG", exif=exif))
    assert large.pixels.shape == (1_024, 256, 3)
    deep = decode(encode(Image.fromarray(np.full((8, 16), 0x8000, np.uint16)), "PNG", exif=exif))
    assert deep.pixels.shape == (16, 8, 3)
    assert deep.notes == (
        "rotated as its EXIF data says",
        "16 bits per pixel, the highest value 32,768: read as 16 bits and reduced to 8",
    )


def test_an_animation_becomes_its_first_frame() -> None:
    """With a note."""
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "lime")]
    for kind in ("PNG", "WEBP"):
        image = decode(encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=100))
        assert image.notes == ("the first of 3 images in the file",)
        assert image.pixels[8, 8].argmax() == 0


@pytest.mark.parametrize(
    ("source", "kind", "pixel", "note"),
    [
        (Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG", (255, 255, 255), "CMYK"),
        (Image.fromarray(np.full((8, 8), 0x8000, np.uint16)), "PNG", (128, 128, 128), "16 bits"),
        (Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG", (255, 255, 255), "white"),
        (Image.new("RGBA", (8, 8), (255, 0, 0, 255)), "PNG", (255, 0, 0), ""),
        (Image.new("LA", (8, 8), (0, 51)), "PNG", (204, 204, 204), "white"),
        (Image.new("P", (8, 8), 0), "PNG", (0, 0, 0), ""),
        (Image.new("1", (8, 8), 1), "PNG", (255, 255, 255), ""),
        (Image.new("L", (8, 8), 77), "JPEG", (77, 77, 77), ""),
    ],
    ids=["CMYK", "16 bits", "transparent", "opaque", "grey with alpha", "palette", "black and white", "grey"],
)
def test_every_mode_becomes_rgb(source: Image.Image, kind: str, pixel: tuple[int, ...], note: str) -> None:
    """A note says what is lost."""
    image = decode(encode(source, kind))
    assert image.pixels.shape == (8, 8, 3)
    assert np.abs(image.pixels[4, 4].astype(int) - pixel).max() <= 1
    assert note in " ".join(image.notes)
    assert bool(image.notes) == bool(note)


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    """Like any other transparent pixel."""
    source = Image.new("P", (8, 8), 1)
    source.putpalette([255, 0, 0, 0, 0, 255])
    image = decode(encode(source, "PNG", transparency=1))
    assert tuple(image.pixels[4, 4]) == (255, 255, 255)
    assert "white" in image.notes[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_large_image_is_reduced(kind: str) -> None:
    """Its aspect ratio stays, and a note has its size."""
    image = decode(encode(rgb(1_200, 3_000), kind))
    assert image.pixels.shape == (410, 1_024, 3)
    assert image.notes == ("reduced from 3,000 × 1,200 pixels",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"text", "not an image of a format that is read here: PNG, JPEG, WebP, GIF, BMP or TIFF"),
        (png_of(20_000, 20_000), "400,000,000 pixels|too large"),
        (png_of(4_097, 4_096), "16,781,312 pixels; the limit for such a file is 16,777,216"),
        (progressive(500), f"more than {MAX_SCANS} scans"),
        (b"\0" * 20_000_001, "20,000,001 bytes"),
        (encode(rgb(40, 60), "PNG")[:90], "damaged or truncated"),
    ],
    ids=["text", "bomb", "too many pixels", "scans", "bytes", "cut off"],
)
def test_other_files_are_refused(content: bytes, message: str) -> None:
    """With the reason, and the limit if there is one."""
    with pytest.raises(ImageError, match=message):
        decode(content)


def test_a_png_has_the_same_pixels(tmp_path: Path) -> None:
    """Grey and colour."""
    for pixels in (noise(5, 7), noise(5, 7)[:, :, 0]):
        path = tmp_path / "x.png"
        path.write_bytes(png(pixels))
        assert np.array_equal(np.asarray(Image.open(path)), pixels)


def test_a_thumbnail_is_reduced_only_if_it_is_larger() -> None:
    """Its aspect ratio stays."""
    assert thumbnail(noise(100, 50), 40).shape == (40, 20, 3)
    small = noise(30, 40)
    assert thumbnail(small, 40) is small
