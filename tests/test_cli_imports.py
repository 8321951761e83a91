"""The command that imports: the pages find what it imported."""

import io
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner, Result

from explorer.cli import app
from explorer.data.datasets import available_datasets, dataset_info, imported_dataset_path
from explorer.data.imported_names import COMMAND_LINE, read_names
from explorer.data.weight_files import expected_shapes, read_weights_info
from explorer.paths import ASSETS
from explorer.presets import PRESETS
from tests.data.files import animals, zip_file

ROOT = ASSETS.parent
UPLOAD_LIMIT = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["server"]["maxUploadSize"] << 20

pytestmark = pytest.mark.slow


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data directory."""
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str, code: int = 0) -> Result:
    """Run the command in this process and check the exit code."""
    result = CliRunner().invoke(app, ("import", *arguments))
    assert result.exit_code == code, result.output
    return result


def test_images_are_reported_and_imported(data: Path, tmp_path: Path) -> None:
    """The report alone keeps nothing; an import is in the list of the page, with the title and whose it is."""
    pets = tmp_path / "pets.zip"
    pets.write_bytes(zip_file(animals()).getvalue())
    before = available_datasets(data)
    report = run(str(pets), "--report").stdout
    assert "images in 2 classes, 3 × 32 × 32 each" in report
    assert "Classes: cats: " in report
    assert available_datasets(data) == before
    line = json.loads(run(str(pets), "--title", "Pets", "--side", "28", "--json").stdout)
    (added,) = set(available_datasets(data)) - set(before)
    assert line["data"] == added.upload
    assert (dataset_info(added, data).title, dataset_info(added, data).shape) == ("Pets", (3, 28, 28))
    names = read_names(imported_dataset_path(added.upload, data))
    assert names
    assert names.owner == COMMAND_LINE


def test_an_archive_over_the_limit_of_an_upload_is_imported(data: Path, tmp_path: Path) -> None:
    """A zip of 69 MB, which the page would not take; every image in it is read."""
    path = tmp_path / "large.zip"
    count, side = 32, 850
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(count):
            pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "BMP")
            archive.writestr(f"{'ab'[number % 2]}/{number}.bmp", file.getvalue())
    assert path.stat().st_size > UPLOAD_LIMIT
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "import", str(path), "--json"], cwd=ROOT, capture_output=True, check=True
    )
    line = json.loads(done.stdout)
    assert (line["report"]["train"] + line["report"]["test"], line["report"]["shape"]) == (count, [3, 32, 32])
    assert [one.upload for one in available_datasets(data) if one.name == "own"] == [line["data"]]


def test_weights_are_imported(data: Path, tmp_path: Path) -> None:
    """They are a file of the app, and the command prints the address that opens them."""
    path = ASSETS / "weights" / "mini_fashion_mnist.safetensors"
    line = json.loads(run(str(path), "--json").stdout)
    assert read_weights_info(line["weights"]).network.config.classes == 10
    assert line["token"] == f"kept_{Path(line['weights']).stem}"
    assert re.search(r"/look_inside\?weights=kept_[0-9a-f]{40}\n", run(str(path)).stdout)
    assert "one file at a time" in run(str(path), str(path), code=1).output
    wrong = tmp_path / "wrong.pth"
    wrong.write_bytes(b"GGUF")
    assert "a GGUF file of a language model" in run(str(wrong), code=1).output


def test_weights_over_the_limit_of_an_upload_are_imported(data: Path, tmp_path: Path) -> None:
    """In double precision, which the app keeps as single precision in a file of its own."""
    path = tmp_path / "large.safetensors"
    save_file({name: np.zeros(shape) for name, shape in expected_shapes(PRESETS["paper"]).items()}, path)
    assert path.stat().st_size > UPLOAD_LIMIT
    line = json.loads(run(str(path), "--network", "paper", "--json").stdout)
    assert read_weights_info(line["weights"]).network.config == PRESETS["paper"]
    assert path.stat().st_size / Path(line["weights"]).stat().st_size == pytest.approx(2, abs=0.01)


def test_what_does_not_fit_is_named_with_the_remedy(data: Path, tmp_path: Path) -> None:
    """The first tensor of weights of another network; a file over the limit, which is not read."""
    path = tmp_path / "mini.safetensors"
    state = load_file(ASSETS / "weights" / "mini_fashion_mnist.safetensors")
    save_file(state, path)
    output = run(str(path), "--network", "half", code=1).output
    assert "The first is stem.conv1, conv.weight: 32 × 3 × 7 × 7 in the network, 16 × 1 × 3 × 3 in the file." in output
    assert "Name the preset of the weights with --network." in output
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate(201_000_000)
    output = run(str(large), code=1).output
    assert "large.zip has 201 MB; the limit is 200 MB. Use fewer or smaller images." in output


def test_a_refusal_is_explained(data: Path, tmp_path: Path) -> None:
    """With the sentence of the page, and exit code 1."""
    text = tmp_path / "notes.txt"
    text.write_text("no images")
    assert "is not an archive" in run(str(text), code=1).output
    assert "No such file" in run(str(tmp_path / "missing.zip"), code=1).output
