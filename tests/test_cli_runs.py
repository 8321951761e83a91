"""The commands that train and use weights: they do what the pages do, in the same store."""

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from explorer.cli import app
from explorer.data.datasets import load_test_images
from explorer.data.images import png
from explorer.runs.records import Run
from explorer.runs.store import Store
from explorer.share import to_json
from explorer.training.plan import Budget, DatasetChoice
from explorer.training.recipe import RECIPE
from tests.live.tiny_training import TINY

FAST = ("--data", "fashion_mnist", "--steps", "3", "--set", "batch_size=8")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a tiny network; runs go into an empty data directory."""
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "data"))
    path = tmp_path / "tiny.json"
    path.write_text(to_json(TINY), encoding="utf-8")
    return str(path)


def run(*arguments: str, code: int = 0) -> Result:
    """Run the command line in this process and check the exit code."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def stored_runs(tmp_path: Path) -> list[Run]:
    """Return the runs in the data directory."""
    with closing(Store(tmp_path / "data")) as store:
        return store.runs()


@pytest.mark.slow
def test_a_run_from_the_shell_is_in_the_store(tiny: str, tmp_path: Path) -> None:
    """JSON lines tell its progress, its losses and its result; the page reads the same run; its weights can be used."""
    lines = [
        json.loads(line)
        for line in run("train", tiny, *FAST, "--seed", "4", "--json", "--name", "a run").stdout.splitlines()
    ]
    (stored,) = stored_runs(tmp_path)
    assert ("a run", "finished", (4,), Budget(kind="steps", amount=3.0)) == (
        stored.name,
        stored.state,
        stored.plan.seeds,
        stored.plan.budget,
    )
    assert stored.plan.settings == RECIPE.replace(batch_size=8)
    assert {"progress", "train_loss", "test_accuracy", "result"} == {line["kind"] for line in lines}
    result = lines[-1]
    assert (result["run"], result["network"], result["seed"], result["step"]) == (stored.id, "tiny", 4, 3)
    assert result["images"] == 2_000
    evaluation = json.loads(run("evaluate", stored.id, "--json").stdout)
    assert evaluation["accuracy"] == pytest.approx(result["accuracy"], abs=0.01)  # of bfloat16, if the processor has it
    assert "test images (95 % interval" in run("evaluate", result["weights"]).stdout


@pytest.mark.slow
def test_a_race_from_the_shell(tiny: str, tmp_path: Path) -> None:
    """Networks of the same name get different ones; a line for each network and seed."""
    output = run("race", tiny, tiny, *FAST, "--seeds", "2").stdout
    assert ["tiny, seed 0", "tiny, seed 1", "tiny_2, seed 0", "tiny_2, seed 1"] == [
        line.partition(":")[0] for line in output.splitlines()
    ]
    assert [network.name for network in stored_runs(tmp_path)[0].plan.networks] == ["tiny", "tiny_2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "foo=1"), "--set foo=1: Extra inputs are not permitted. The settings are batch_size, optimiser"),
        (("--set", "label_smoothing=2"), "Label smoothing: 2.0 is out of range"),
        (("--steps", "3", "--epochs", "1"), "Give one budget: --seconds, --steps or --epochs."),
        (("--steps", "-1"), "Budget: -1 is out of range"),
        (("--data", "nowhere"), "The imported images are missing or damaged."),
        (("--seed", "-1"), "Seeds: enter whole numbers"),
    ],
)
def test_a_plan_that_cannot_run_is_explained(
    tiny: str, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """And nothing is queued."""
    assert message in run("train", tiny, *arguments, code=1).output
    assert stored_runs(tmp_path) == []


def test_a_race_needs_two_networks(tiny: str) -> None:
    """One is a wrong use of the command."""
    run("race", tiny, code=2)


@pytest.mark.slow
def test_predictions_of_image_files(tiny: str, tmp_path: Path) -> None:
    """The classes with the highest probabilities, by name, of a file that comes with the app."""
    test, _ = load_test_images(DatasetChoice(), tmp_path)
    path = tmp_path / "boot.png"
    path.write_bytes(png(test[0, 0]))
    assert f"{path}: Ankle boot" in run("predict", "mini_fashion_mnist", str(path)).stdout
    line = json.loads(run("predict", "mini_fashion_mnist", str(path), "--json", "--top", "2").stdout)
    assert "Ankle boot" == max(line["probabilities"], key=line["probabilities"].__getitem__)
    assert 2 == len(line["probabilities"])
    assert "missing or damaged" in run("predict", str(tmp_path / "no.safetensors"), str(path), code=1).output


def test_training_is_written_as_source(tiny: str, tmp_path: Path) -> None:
    """It has the settings and the steps of the command train, and its images; a wrong setting is explained."""
    images, source = tmp_path / "images.npz", tmp_path / "train.py"
    options = (*FAST, "--set", "small_images=0", "--seed", "4")
    run("training-source", tiny, *options, "--images", str(images), "-o", str(source))
    assert "SEED, STEPS, BATCH_SIZE = 4, 3, 8\n" in source.read_text("utf-8")
    with np.load(images) as arrays:
        assert arrays["train"].shape == (10_000, 1, 28, 28)
    assert "STEPS, BATCH_SIZE = 0, " in run("training-source", "mini", "--seconds", "5").stdout
    assert "nonsense" in run("training-source", tiny, "--set", "nonsense=1", code=1).output
