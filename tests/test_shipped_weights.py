"""The trained weights that come with the app are as good as their files say, also the way the page uses them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.live.datasets import load
from explorer.live.devices import resolve_device
from explorer.live.images import png
from explorer.live.inference import live_network, predict
from explorer.live.scratch import Scratch
from explorer.live.weight_files import describe
from explorer.plan import Data

WEIGHTS = Path(__file__).parents[1] / "assets" / "weights"
SETS = {"mini_fashion_mnist": "fashion_mnist", "mini_scales": "scales"}
FILES = sorted(WEIGHTS.glob("*.safetensors"))


def test_the_files_are_those_that_are_spoken_of() -> None:
    """One per set of images."""
    assert {path.stem for path in FILES} == set(SETS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_accuracy_is_what_the_file_says(path: Path, tmp_path: Path) -> None:
    """On all test images, within half a point; a picture that goes the page's way gets the same answer."""
    found, images = describe(path), load(Data(name=SETS[path.stem]), tmp_path)
    assert found.training.facts == images.facts
    how = found.preprocessing
    mean, std = (torch.tensor(values)[:, None, None] for values in (how.mean, how.std))
    model = live_network(found.network, resolve_device("cpu"))
    with torch.inference_mode():
        said = torch.cat(
            [model((batch / 255 - mean) / std).argmax(1) for batch in torch.tensor(images.test).split(250)]
        )
    accuracy = (said.numpy() == images.test_labels).mean()
    assert accuracy == pytest.approx(found.training.accuracy, abs=0.005)
    shown = images.test[:16].transpose(0, 2, 3, 1)
    pixels = np.broadcast_to(shown, (*shown.shape[:3], 3)) if shown.shape[3] == 1 else shown
    paths = [str(Scratch(tmp_path).keep(png(np.ascontiguousarray(each)), ".png")) for each in pixels]
    predictions = predict(found.network, paths, how, device="cpu", top=1).predictions
    assert [prediction.main.classes[0] for prediction in predictions] == said[:16].tolist()
