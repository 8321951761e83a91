"""CIFAR's batches are read without running anything in them, whatever a pickle asks for."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.data.arrays import DataError
from explorer.data.cifar import is_pickle, read_batches


def batch(protocol: int = 2, **more: Any) -> bytes:
    """Return a batch of four images."""
    data = np.arange(4 * 3072, dtype=np.uint32).astype(np.uint8).reshape(4, 3072)
    return pickle.dumps({b"data": data, b"labels": [0, 1, 0, 1]} | {key.encode(): more[key] for key in more}, protocol)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_batch_is_read_in_every_protocol(protocol: int) -> None:
    """The images are planes of red, green and blue."""
    content = batch(protocol)
    assert is_pickle(content[:8])
    (found,), _ = read_batches({"data_batch_1": content})
    assert found.images.shape == (4, 3, 32, 32)
    assert (found.images.reshape(4, -1) == np.arange(4 * 3072, dtype=np.uint32).astype(np.uint8).reshape(4, 3072)).all()
    assert found.labels["labels"].tolist() == [0, 1, 0, 1]


class Call:
    """An object whose pickle calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.parts = function, arguments

    def __reduce__(self) -> Any:
        return self.parts


def test_no_function_in_a_pickle_runs(tmp_path: Path) -> None:
    """Neither Python's nor NumPy's; the file that they would create is not there."""
    mark = tmp_path / "mark"
    for call in (
        Call(os.mkdir, str(mark)),
        Call(eval, f"open({str(mark)!r}, 'w')"),
        Call(getattr, "text", "encode"),
        Call(np.save, str(mark), np.zeros(1)),
        Call(pickle.loads, b""),
    ):
        for content in (pickle.dumps({b"data": call}), batch(extra=call)):
            with pytest.raises(DataError, match="A pickle can run code, so only CIFAR's batches are read"):
                read_batches({"x": content})
    assert not mark.exists()
    pickle.loads(pickle.dumps(Call(os.mkdir, str(mark))))
    assert mark.exists(), "Python's own reader would have run it"


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04.",
        b"\x80\x04]\x94.",
        b"\x80\x02cnumpy\ndtype\n(S'i8'\ntR.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00tR.",
        b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00bz2tR.",
        b"\x80\x02c_codecs\nencode\n}X\x08\x00\x00\x00__code__K\x01sb.",
        b"(dp0\nS'data'\nP1\ns.",
        batch()[:-100],
        batch(2, data=np.zeros((4, 10), np.uint8)),
        batch(2, labels=[1, 2]),
        batch(2, labels=[10**30] * 4),
    ],
)
def test_anything_else_is_refused_with_a_sentence(content: bytes) -> None:
    """An array that is incomplete, of other sizes, or is none; labels that are none."""
    with pytest.raises(DataError) as error:
        read_batches({"x": content})
    assert str(error.value).endswith(".")
