"""Files of images for tests: IDX, .npz, single images and zips of them."""

import io
import zipfile

import numpy as np
from PIL import Image


def idx(values: np.ndarray) -> bytes:
    """Return bytes as an IDX file."""
    return bytes((0, 0, 8, values.ndim)) + b"".join(n.to_bytes(4, "big") for n in values.shape) + values.tobytes()


def npz(**arrays: np.ndarray) -> io.BytesIO:
    """Return arrays as an .npz file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    file.seek(0)
    return file


def keras_arrays(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """Return arrays with the names that Keras uses."""
    generator = np.random.default_rng(0)
    return {
        "x_train": generator.integers(0, 256, (12, 10, 10), np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": generator.integers(0, 256, (6, 10, 10), np.uint8),
        "y_test": np.arange(6) % 3,
    } | changes


def image_file(seed: int, size: tuple[int, int] = (20, 30), kind: str = "PNG", mode: str = "RGB") -> bytes:
    """Return an image file with random colours."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def zip_file(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """Return a zip of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    file.seek(0)
    return file


def animals(count: int = 6) -> dict[str, bytes]:
    """Return a folder of images of cats and one of dogs."""
    return {
        f"{name}/{n}.png": image_file(n + 100 * (name == "dogs")) for n in range(count) for name in ("cats", "dogs")
    }
