"""An import in a process of its own: the same answer, none of it in the server, and no harm whatever becomes of it."""

import io
import os
import sys
import tracemalloc
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from explorer.data.arrays import DataError
from explorer.data.datasets import dataset_info, imported_datasets, load
from explorer.data.imports import Upload, import_images
from explorer.jobs import image_imports
from explorer.jobs.image_imports import import_in_child
from tests.data.test_datasets import npz
from tests.data.test_imports import animals, keras, packed


def files(folder: Path) -> list[Path]:
    """Return all files in a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def reader(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the process do something else."""
    monkeypatch.setattr(image_imports, "COMMAND", (sys.executable, "-c", code))


def test_it_makes_what_the_import_makes(tmp_path: Path) -> None:
    """Data, facts and notes of a zip and of several files, and the very same file."""
    zipped = packed(animals(10) | {"cats/bad.png": b"not an image"})
    made = import_in_child([Upload("pets.zip", zipped)], tmp_path / "apart", side=28, title="Pets")
    assert made == import_images([Upload("pets.zip", zipped)], tmp_path / "here", side=28, title="Pets")
    assert made.notes
    assert made.info == dataset_info(made.dataset, tmp_path / "apart")
    assert (load(made.dataset, tmp_path / "apart").train == load(made.dataset, tmp_path / "here").train).all()
    assert [f"{made.dataset.upload}.safetensors"] == [path.name for path in files(tmp_path / "apart")]


def test_what_is_wrong_is_told_as_by_the_import(tmp_path: Path) -> None:
    """And nothing is kept."""
    for name, content, told in (
        ("a.zip", b"no images", "neither a zip"),
        ("b.zip", packed({"1.png": b"x"}).getvalue(), "lie in no folder"),
    ):
        with pytest.raises(DataError, match=told):
            import_in_child([Upload(name, io.BytesIO(content))], tmp_path)
    assert [] == files(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="The data directory cannot be written to"):
        import_in_child([Upload("c.zip", packed(animals()))], tmp_path / "file")


def test_the_server_holds_none_of_it(tmp_path: Path) -> None:
    """A set of 30 MB passes in pieces."""
    images = np.random.default_rng(0).integers(0, 256, (10_000, 1, 32, 32, 3), np.uint8)[:, 0]
    upload = Upload("x.npz", npz(images=images, labels=np.arange(10_000) % 2))
    del images
    tracemalloc.start()
    made = import_in_child([upload], tmp_path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert (8_000, 2_000) == (made.info.train, made.info.test)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_memory_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a sentence, with what to do."""
    reader(
        monkeypatch,
        "import sys; from explorer.jobs import image_imports as i; i.MEMORY_BYTES = 20_000_000; i.main(*sys.argv[1:])",
    )
    images = np.zeros((40_000, 32, 32), np.uint8)
    with pytest.raises(DataError, match=r"needs more than 20 MB .* Upload fewer or smaller images"):
        import_in_child([Upload("x.npz", npz(images=images, labels=np.arange(40_000) % 2))], tmp_path)
    assert [] == files(tmp_path)
    reader(
        monkeypatch,
        "import sys; from explorer.jobs import image_imports as i; i.MEMORY_BYTES = 100_000_000; i.main(*sys.argv[1:])",
    )
    assert import_in_child([Upload("x.npz", npz(**keras()))], tmp_path).info.train == 12


def test_a_process_that_dies_or_takes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it has read all, too; the next import goes on as ever."""
    large = Upload("large.zip", io.BytesIO(bytes(10_000_000)))
    reader(monkeypatch, "import sys; sys.exit(3)")
    with pytest.raises(DataError, match=r"ended without a result \(exit code 3\), and nothing was saved"):
        import_in_child([large], tmp_path)
    mark = tmp_path / "pid"
    reader(monkeypatch, f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    monkeypatch.setattr(image_imports, "TIMEOUT_S", 1.0)
    started = monotonic()
    with pytest.raises(DataError, match="longer than 1 seconds and was stopped"):
        import_in_child([large], tmp_path)
    assert monotonic() - started < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    monkeypatch.undo()
    made = import_in_child([Upload("pets.zip", packed(animals()))], tmp_path)
    assert (made.dataset.upload,) == imported_datasets(tmp_path)
