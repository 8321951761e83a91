"""Weights are evaluated on the test images of a dataset."""

from pathlib import Path

import pytest

from explorer.data.weight_files import WeightsMetadata, read_weights_info
from explorer.errors import InputError
from explorer.live.accuracy import count_correct_images
from explorer.live.batches import Batches
from explorer.live.trainer import Trainer
from explorer.training.plan import Settings
from tests.live.tiny_training import CPU, TINY, images


def test_saved_weights_classify_as_the_trainer_does(tmp_path: Path) -> None:
    """As many images correctly; images of another kind are refused."""
    batches = Batches(images(), CPU)
    trainer = Trainer(TINY, batches, Settings(batch_size=16), seed=0)
    for _ in range(12):
        trainer.step(0.3)
    expected = sum(trainer.evaluate().correct)
    mean, std = (tuple(values.tolist()) for values in (batches.mean, batches.std))
    metadata = WeightsMetadata(name="a", facts=images().info, mean=mean, std=std, seed=0, steps=12, seconds=0.0)
    trainer.save(tmp_path, 0, metadata)
    weights = read_weights_info(tmp_path / "lane0.weights.safetensors")
    assert expected == count_correct_images(weights, images(), "cpu")
    other = images()
    wrong = weights._replace(network=weights.network.model_copy(update={"config": TINY.replace(classes=4)}))
    with pytest.raises(InputError, match="4 classes"):
        count_correct_images(wrong, other)
