"""Evaluating a network on many images: the same predictions as one by one, for stored images and for a dataset."""

import io
from pathlib import Path

import numpy as np
import pytest

from explorer.data.content_store import ContentStore
from explorer.data.import_report import ImportOptions, Upload
from explorer.data.own_test_images import Classifier, load_inputs, load_sample, store_test_images
from explorer.data.weight_files import WeightsInfo, WeightsMetadata, read_weights_info
from explorer.errors import InputError
from explorer.jobs.inspection import Evaluation
from explorer.live.batches import Batches
from explorer.live.evaluation import count_correct_images, evaluate
from explorer.live.inference import predict
from explorer.live.trainer import Trainer
from explorer.paths import ASSETS
from explorer.training.plan import DATASETS, DatasetChoice, Settings
from tests.data.files import npz, zip_file
from tests.live.tiny_training import CPU, TINY, images

FASHION = DatasetChoice(name="fashion_mnist")


def weights() -> WeightsInfo:
    """Return the weights that come with the app."""
    return read_weights_info(ASSETS / "weights" / "mini_fashion_mnist.safetensors")


def clothes(count: int = 20) -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    """Return test images of Fashion-MNIST as files in folders of their classes, and as arrays."""
    from explorer.data.images import png

    images, labels = (values[:count] for values in load_sample(FASHION, Path()))
    names = DATASETS["fashion_mnist"].classes
    files = {f"{names[label].replace('/', '_')}/{n:03}.png": png(images[n, 0]) for n, label in enumerate(labels)}
    return files, images, labels


@pytest.mark.slow
def test_stored_images_are_classified_as_one_by_one(tmp_path: Path) -> None:
    """With the same preprocessing; the labels are matched by the names of the folders, whatever their case."""
    info, (files, _, labels) = weights(), clothes()
    classifier = Classifier(config=info.network.config, class_names=info.class_names, preprocessing=info.preprocessing)
    upload = Upload("x.zip", zip_file({name.upper(): content for name, content in files.items()}))
    stored = store_test_images([upload], ImportOptions(), classifier, ContentStore(tmp_path))
    *progress, found = evaluate(info.network, info.preprocessing, "cpu", stored=stored.path)
    assert progress
    assert isinstance(found, Evaluation)
    assert sorted(found.labels) == sorted(labels.tolist())
    paths = []
    for number, content in enumerate(dict(sorted(files.items(), key=lambda item: item[0].upper())).values()):
        path = tmp_path / f"{number}.png"
        path.write_bytes(content)
        paths.append(str(path))
    expected = predict(info.network, paths, info.preprocessing, device="cpu", top=1).predictions
    by_image = sorted((one.main.classes[0], round(one.main.probabilities[0], 4)) for one in expected)
    assert by_image == sorted((n, round(p, 4)) for n, p in zip(found.predicted, found.confidences, strict=True))
    assert found.correct >= 15


def test_classes_that_the_network_does_not_have_are_left_out(tmp_path: Path) -> None:
    """They are counted; without any known class the upload is refused."""
    info, (files, images, labels) = weights(), clothes()
    classifier = Classifier(config=info.network.config, class_names=info.class_names, preprocessing=info.preprocessing)
    others = {f"cat/{number}.png": content for number, content in enumerate(list(files.values())[:3])}
    stored = store_test_images(
        [Upload("x.zip", zip_file(files | others))], ImportOptions(), classifier, ContentStore(tmp_path)
    )
    assert (stored.images, stored.unknown) == (20, (("cat", 3),))
    with pytest.raises(ValueError, match=r"None of the classes in the upload \(cat\) is a class of the network"):
        store_test_images([Upload("x.zip", zip_file(others))], ImportOptions(), classifier, ContentStore(tmp_path))
    arrays = Upload("x.npz", io.BytesIO(npz(images=images[:, 0], labels=labels).getvalue()))
    stored = store_test_images([arrays], ImportOptions(), classifier, ContentStore(tmp_path))
    inputs, found = load_inputs(stored.path)
    assert (inputs[:, 0] == images[:, 0]).all()
    assert (found == labels).all()


@pytest.mark.slow
def test_the_accuracy_on_a_dataset_is_that_of_its_test_images() -> None:
    """A sample of 500; the network that comes with the app classifies about nine of ten correctly."""
    info = weights()
    found = list(evaluate(info.network, info.preprocessing, "cpu", dataset=FASHION.model_dump_json()))[-1]
    assert isinstance(found, Evaluation)
    assert len(found.labels) == 500
    assert abs(found.correct / 500 - info.training.accuracy) < 0.05
    assert all(0.1 <= value <= 1 for value in found.confidences)


def test_images_that_are_no_longer_there_are_an_error(tmp_path: Path) -> None:
    """The content store is bounded."""
    info = weights()
    with pytest.raises(InputError, match="Upload them again"):
        list(evaluate(info.network, info.preprocessing, "cpu", stored=str(tmp_path / "gone.safetensors")))


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
