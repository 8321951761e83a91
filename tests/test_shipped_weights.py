"""The trained weights that come with the app, used as the page uses them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.data.content_store import ContentStore
from explorer.data.datasets import load
from explorer.data.images import png
from explorer.data.weight_files import read_weights_info
from explorer.live.inference import predict
from explorer.live.weights import load_weights, restore_model
from explorer.training.plan import DatasetChoice

WEIGHTS = Path(__file__).parents[1] / "assets" / "weights"
DATASET_NAMES = {"mini_fashion_mnist": "fashion_mnist", "mini_scales": "scales"}
FILES = sorted(WEIGHTS.glob("*.safetensors"))


def test_there_is_a_file_for_each_dataset() -> None:
    """And no other file."""
    assert {path.stem for path in FILES} == set(DATASET_NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_image_file_gives_the_same_prediction(path: Path, tmp_path: Path) -> None:
    """A PNG file, preprocessed as the metadata says, is classified like its pixels; most predictions are correct."""
    weights, images = read_weights_info(path), load(DatasetChoice(name=DATASET_NAMES[path.stem]), tmp_path)
    preprocessing, first = weights.preprocessing, images.test[:64]
    mean, std = (torch.tensor(values)[:, None, None] for values in (preprocessing.mean, preprocessing.std))
    with torch.inference_mode():
        predicted = (
            restore_model(load_weights(path)).eval()((torch.tensor(first) / 255 - mean) / std).argmax(1).tolist()
        )
    images_last = first.transpose(0, 2, 3, 1)
    pixels = np.broadcast_to(images_last, (*images_last.shape[:3], 3))
    paths = [str(ContentStore(tmp_path).add(png(np.ascontiguousarray(each)), ".png")) for each in pixels]
    predictions = predict(weights.network, paths, preprocessing, device="cpu", top=1).predictions
    assert [prediction.main.classes[0] for prediction in predictions] == predicted
    assert (np.array(predicted) == images.test_labels[:64]).mean() > 0.7
