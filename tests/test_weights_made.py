"""The trained weights that come with the app do what is written beside them, and are those of the command."""

from pathlib import Path

import pytest
import torch

from assets.weights.make import HERE, SETS, plan
from explorer.data.datasets import load
from explorer.data.metadata import read_metadata
from explorer.live.batches import Batches
from explorer.live.weights import load_weights, restore_model
from explorer.training.plan import DATASETS

README = (HERE / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", SETS)
def test_they_reach_the_accuracy_that_is_told(name: str) -> None:
    """On the test images, within half a point of what the file and the table beside it say."""
    path = HERE / f"{name}.safetensors"
    told, model = read_metadata(path), restore_model(load_weights(path)).eval().to(memory_format=torch.channels_last)
    batches = Batches(load(plan(name).data, Path()), torch.device("cpu"))
    assert [told.mean, told.std] == [tuple(batches.mean.tolist()), tuple(batches.deviation.tolist())]
    with torch.inference_mode():
        said = torch.cat([model(batches.standardised(part)).argmax(1) for part in batches.test.split(250)])
    accuracy = (said == batches.test_labels).float().mean().item()
    assert accuracy == pytest.approx(told.accuracy, abs=0.005)
    assert f"| {name}.safetensors | {100 * told.accuracy:.1f} % |" in README


@pytest.mark.parametrize("name", SETS)
def test_they_are_those_of_the_command(name: str) -> None:
    """Network, images, seed and steps are the plan's; the file is small."""
    path, asked = HERE / f"{name}.safetensors", plan(name)
    told = read_metadata(path)
    assert asked.entrants[0].config == load_weights(path).config
    assert (DATASETS[SETS[name]], 0, asked.budget.amount) == (told.facts, told.seed, told.steps)
    assert path.stat().st_size < 3_000_000
