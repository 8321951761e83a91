"""The trained weights that come with the app, used the way the page uses them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.data.content_store import ContentStore
from explorer.data.datasets import load
from explorer.data.images import png
from explorer.data.weight_files import describe
from explorer.live.inference import predict
from explorer.live.weights import load_weights, restore_model
from explorer.training.plan import DatasetChoice

WEIGHTS = Path(__file__).parents[1] / "assets" / "weights"
SETS = {"mini_fashion_mnist": "fashion_mnist", "mini_scales": "scales"}
FILES = sorted(WEIGHTS.glob("*.safetensors"))


def test_the_files_are_those_that_are_spoken_of() -> None:
    """One per set of images."""
    assert {path.stem for path in FILES} == set(SETS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_picture_that_goes_the_pages_way_gets_the_same_answer(path: Path, tmp_path: Path) -> None:
    """As a PNG file, prepared as the weights say, by the network as it is kept; most of the answers are right."""
    found, images = describe(path), load(DatasetChoice(name=SETS[path.stem]), tmp_path)
    how, first = found.preprocessing, images.test[:64]
    mean, std = (torch.tensor(values)[:, None, None] for values in (how.mean, how.std))
    with torch.inference_mode():
        said = restore_model(load_weights(path)).eval()((torch.tensor(first) / 255 - mean) / std).argmax(1).tolist()
    shown = first.transpose(0, 2, 3, 1)
    pixels = np.broadcast_to(shown, (*shown.shape[:3], 3))
    paths = [str(ContentStore(tmp_path).keep(png(np.ascontiguousarray(each)), ".png")) for each in pixels]
    predictions = predict(found.network, paths, how, device="cpu", top=1).predictions
    assert [prediction.main.classes[0] for prediction in predictions] == said
    assert (np.array(said) == images.test_labels[:64]).mean() > 0.7
