"""The trained weights that come with the app have the documented accuracy, and the command makes them."""

from pathlib import Path

import pytest
import torch

from assets.weights.make import DATASET_NAMES, HERE, plan
from explorer.data.datasets import load
from explorer.data.weight_files import read_metadata
from explorer.live.batches import Batches
from explorer.live.weights import load_weights, restore_model
from explorer.training.plan import DATASETS

pytestmark = pytest.mark.slow

README = (HERE / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", DATASET_NAMES)
def test_they_reach_the_documented_accuracy(name: str) -> None:
    """On the test images, within half a percentage point of the file's metadata and the README's table."""
    path = HERE / f"{name}.safetensors"
    metadata, model = (
        read_metadata(path),
        restore_model(load_weights(path)).eval().to(memory_format=torch.channels_last),
    )
    batches = Batches(load(plan(name).data, Path()), torch.device("cpu"))
    assert [metadata.mean, metadata.std] == [tuple(batches.mean.tolist()), tuple(batches.std.tolist())]
    with torch.inference_mode():
        predicted = torch.cat([model(batches.standardize(part)).argmax(1) for part in batches.test.split(250)])
    accuracy = (predicted == batches.test_labels).float().mean().item()
    assert accuracy == pytest.approx(metadata.accuracy, abs=0.005)
    assert f"| {name}.safetensors | {100 * metadata.accuracy:.1f} % |" in README


@pytest.mark.parametrize("name", DATASET_NAMES)
def test_they_are_made_by_the_command(name: str) -> None:
    """Network, images, seed and steps are those of the plan; the file is small."""
    path, made_by = HERE / f"{name}.safetensors", plan(name)
    metadata = read_metadata(path)
    assert made_by.networks[0].config == load_weights(path).config
    assert (DATASETS[DATASET_NAMES[name]], 0, made_by.budget.amount) == (
        metadata.facts,
        metadata.seed,
        metadata.steps,
    )
    assert path.stat().st_size < 3_000_000
