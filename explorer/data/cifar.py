"""Read the batches of CIFAR-10 and CIFAR-100 without running any code in them. Free of torch.

Source of the format: https://www.cs.toronto.edu/~kriz/cifar.html. A batch is a pickle of a dictionary with ``data``,
N × 3072 bytes, and ``labels``, or ``fine_labels`` and ``coarse_labels``. A pickle can call any function that it names;
here each name is replaced by a function of ours that stores plain data, and any other name ends the reading.
"""

import io
import pickle
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from explorer.data.array_types import AnyArray, Pixels
from explorer.data.arrays import DataError

SIDE = 32  # pixels of an image
LABELS = ("labels", "fine_labels", "coarse_labels")
NAMES = {"labels": "label_names", "fine_labels": "fine_label_names", "coarse_labels": "coarse_label_names"}


class Batch(NamedTuple):
    """A file of CIFAR: images N × 3 × 32 × 32, labels by their kind, and whether they are for testing."""

    images: Pixels
    labels: Mapping[str, AnyArray]
    is_test: bool


def is_pickle(head: bytes) -> bool:
    """Whether a file that begins like this is a pickle."""
    return (len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5) or head.startswith((b"(dp", b"(lp", b"}q"))


def read_batches(files: Mapping[str, bytes]) -> tuple[list[Batch], dict[str, tuple[str, ...]]]:
    """Return the batches in files, and the names of the classes by the kind of label. Raises DataError."""
    batches: list[Batch] = []
    names: dict[str, tuple[str, ...]] = {}
    for name, content in files.items():
        found = _load(content, name)
        if "data" in found:
            batches.append(_to_batch(found, name))
        for kind, key in NAMES.items():
            if isinstance(found.get(key), list):
                names[kind] = tuple(_text(value) for value in found[key])
    if not batches:
        raise DataError(f"{next(iter(files))}: there is no batch of CIFAR in it.")
    return batches, names


def _load(content: bytes, name: str) -> dict[str, Any]:
    """Return the dictionary in a pickle, with text as keys."""
    try:
        found = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except MemoryError:
        raise
    except Exception as error:  # a hostile pickle can make the reader raise anything
        reason = str(error) if isinstance(error, pickle.UnpicklingError) else "it is damaged or truncated"
        raise DataError(
            f"{name}: this pickle cannot be read: {reason[:120]}. A pickle can run code, so only CIFAR's batches are "
            "read. Save the arrays with numpy.savez(images=…, labels=…)."
        ) from error
    if not isinstance(found, dict):
        raise DataError(
            f"{name}: this pickle is not a batch of CIFAR. Save the arrays with numpy.savez(images=…, labels=…)."
        )
    return {_text(key): value for key, value in found.items()}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _to_batch(found: Mapping[str, Any], name: str) -> Batch:
    try:
        data = found["data"].values()
    except Exception:  # whatever a hostile pickle put there
        data = np.zeros(0)
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3 * SIDE * SIDE:
        raise DataError(f"{name}: its images are not N×{3 * SIDE * SIDE} bytes, as CIFAR's are.")
    labels = {kind: np.array(found[kind]) for kind in LABELS if isinstance(found.get(kind), list)}
    if not labels or any(values.dtype.kind != "i" or len(values) != len(data) for values in labels.values()):
        raise DataError(f"{name}: it does not have one label for each image.")
    is_test = "test" in name.lower() or "test" in _text(found.get("batch_label", ""))
    return Batch(data.reshape(-1, 3, SIDE, SIDE), labels, is_test)


class _Type:
    """A type of numbers; its state is of no use here."""

    def __init__(self, code: object = "", *_: object) -> None:
        self.code = _text(code)

    def __setstate__(self, state: object) -> None:
        pass


class _Array:
    """An array, as a pickle describes it."""

    def __init__(self, *_: object) -> None:
        self.state: Sequence[Any] = ()

    def __setstate__(self, state: Sequence[Any]) -> None:
        self.state = state

    def values(self) -> AnyArray:
        """Return the array. Raises ValueError for one that is not of plain numbers."""
        _, shape, dtype, is_fortran_order, content = self.state
        kind = np.dtype(dtype.code)
        if kind.hasobject or not isinstance(content, bytes) or len(content) != prod(shape) * kind.itemsize:
            raise ValueError("an array is incomplete")
        flat = np.frombuffer(content, kind)
        return flat.reshape(shape[::-1]).T if is_fortran_order else flat.reshape(shape)


def _from_buffer(content: bytes | bytearray, dtype: object, shape: object, order: object) -> _Array:
    """Return an array as NumPy writes it into a pickle of protocol 5."""
    array = _Array()
    array.state = (1, shape, dtype, order == "F", bytes(content))
    return array


def _encode(text: str, encoding: str) -> bytes:
    """Return the bytes that Python 3 writes into a pickle of protocol 2 as text."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it names the encoding {encoding[:20]}")
    return text.encode("latin1")


_REPLACEMENTS: Mapping[tuple[str, str], Callable[..., object]] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    """Imports nothing: a name becomes a function of this module, or ends the reading."""

    def find_class(self, module: str, name: str) -> Any:
        """Return our replacement of a function."""
        if (module, name) not in _REPLACEMENTS:
            raise pickle.UnpicklingError(f"it names {module[:40]}.{name[:40]}")
        return _REPLACEMENTS[module, name]

    def persistent_load(self, pid: object) -> Any:
        """Refuse references to other files."""
        raise pickle.UnpicklingError("it refers to another file")
