"""An import in a worker process: the same result, little memory in the server, and no harm if the process fails."""

import io
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import psutil
import pytest

from explorer.data.arrays import DataError
from explorer.data.datasets import dataset_info, imported_datasets, load
from explorer.data.import_report import ImportOptions, Upload
from explorer.data.imports import analyse_upload, import_images
from explorer.jobs import image_imports
from explorer.jobs.image_imports import analyse_in_worker, import_in_worker
from tests.data.files import animals, keras_arrays, npz, zip_file

pytestmark = pytest.mark.slow


def files(folder: Path) -> list[Path]:
    """Return all files in a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def replace_worker(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Run this code as the worker."""
    monkeypatch.setattr(image_imports, "COMMAND", (sys.executable, "-c", code))


def test_the_result_is_that_of_the_import(tmp_path: Path) -> None:
    """The same report, dataset and description, and the same file; the analysis saves nothing."""
    zipped = zip_file(animals(10) | {"cats/bad.png": b"not an image"})
    options = ImportOptions(side=28, title="Pets")
    report = analyse_in_worker([Upload("pets.zip", zipped)], tmp_path / "apart", options)
    assert report == analyse_upload([Upload("pets.zip", zipped)], options)
    assert report.left_out
    assert report.classes[0].samples[0].startswith(b"\x89PNG")
    assert [] == files(tmp_path)
    result = import_in_worker([Upload("pets.zip", zipped)], tmp_path / "apart", options, "me")
    assert result == import_images([Upload("pets.zip", zipped)], tmp_path / "here", options)
    assert result.info == dataset_info(result.dataset, tmp_path / "apart")
    assert (load(result.dataset, tmp_path / "apart").train == load(result.dataset, tmp_path / "here").train).all()
    names = {f"{result.dataset.upload}{suffix}" for suffix in (".safetensors", ".json")}
    assert names == {path.name for path in files(tmp_path / "apart")}


def test_the_errors_are_those_of_the_import(tmp_path: Path) -> None:
    """And nothing is saved."""
    for name, content, message in (
        ("a.zip", b"no images", "is not an archive"),
        ("b.zip", zip_file({"1.png": b"x"}).getvalue(), "are in no folder"),
    ):
        with pytest.raises(DataError, match=message):
            import_in_worker([Upload(name, io.BytesIO(content))], tmp_path, ImportOptions())
    assert [] == files(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="The data directory cannot be written to"):
        import_in_worker([Upload("c.zip", zip_file(animals()))], tmp_path / "file", ImportOptions())


def test_the_server_passes_the_files_on_in_pieces(tmp_path: Path) -> None:
    """A dataset of 30 MB takes less than 5 MB of memory."""
    images = np.random.default_rng(0).integers(0, 256, (10_000, 1, 32, 32, 3), np.uint8)[:, 0]
    upload = Upload("x.npz", npz(images=images, labels=np.arange(10_000) % 2))
    del images
    tracemalloc.start()
    result = import_in_worker([upload], tmp_path, ImportOptions())
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert (8_000, 2_000) == (result.info.train, result.info.test)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_memory_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to do."""
    replace_worker(
        monkeypatch,
        "import sys; from explorer.jobs import image_imports as i; i.MEMORY_BYTES = 20_000_000; i.main(*sys.argv[1:])",
    )
    images = np.zeros((40_000, 32, 32), np.uint8)
    with pytest.raises(DataError, match=r"needs more than 20 MB .* Upload fewer or smaller images"):
        import_in_worker([Upload("x.npz", npz(images=images, labels=np.arange(40_000) % 2))], tmp_path, ImportOptions())
    assert [] == files(tmp_path)
    replace_worker(
        monkeypatch,
        "import sys; from explorer.jobs import image_imports as i; i.MEMORY_BYTES = 100_000_000; i.main(*sys.argv[1:])",
    )
    assert import_in_worker([Upload("x.npz", npz(**keras_arrays()))], tmp_path, ImportOptions()).info.train == 12


def test_a_worker_that_dies_or_takes_too_long_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before it has read all its input; the next import works."""
    large = Upload("large.zip", io.BytesIO(bytes(10_000_000)))
    replace_worker(monkeypatch, "import sys; sys.exit(3)")
    with pytest.raises(DataError, match=r"ended without a result \(exit code 3\), and nothing was saved"):
        import_in_worker([large], tmp_path, ImportOptions())
    replace_worker(monkeypatch, "import time; time.sleep(1000)")
    monkeypatch.setattr(image_imports, "TIMEOUT_S", 0.2)
    with pytest.raises(DataError, match=r"longer than 0\.2 seconds and was stopped"):
        import_in_worker([large], tmp_path, ImportOptions())
    assert [] == [child for child in psutil.Process().children() if image_imports.COMMAND[-1] in child.cmdline()]
    monkeypatch.undo()
    result = import_in_worker([Upload("pets.zip", zip_file(animals()))], tmp_path, ImportOptions())
    assert (result.dataset.upload,) == imported_datasets(tmp_path)
