"""The exported training runs by itself and repeats the run: the same losses, step by step, and the same accuracy."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.export.training_source import to_training_source
from explorer.history import Version
from explorer.live import training
from explorer.live.training import train
from explorer.training.events import Evaluated, Stepped
from explorer.training.plan import Budget, NamedNetwork, Plan, Settings
from explorer.training.recipe import RECIPE
from tests.live.tiny_training import PLAIN, TINY, images

STEPS = 7


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on the small images with one thread, here and in the exported file."""
    monkeypatch.setattr(training, "load", lambda data, folder: images())
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(training, "EVALUATIONS", 1)


def write_images(folder: Path) -> Path:
    """Write the small images as the file that the exported code reads."""
    small, path = images(), folder / "images.npz"
    np.savez(path, train=small.train, train_labels=small.train_labels, test=small.test, test_labels=small.test_labels)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (TINY, RECIPE),
        (TINY, Settings(optimiser="adam", augment=True, schedule="paper")),
        (PLAIN, Settings(initialisation="caffe", mirror=True, clip_norm=0.5, schedule="constant")),
        (TINY, RECIPE.replace(averaging=0.5, precise_batch_norm=False, warm_up=0.0, momentum=0.0)),
        (TINY.replace(input_shape=(1, 24, 24)), RECIPE.replace(small_images=0.5)),
        (TINY.replace(input_shape=(1, 24, 24)), Settings(optimiser="adam", small_images=0.3, averaging=0.9)),
        (PLAIN.replace(aux=PLAIN.aux.replace(taps=())), Settings(small_images=0.5)),
    ],
    ids=["recipe", "adam", "plain", "averaged", "small_images", "small_images_adam", "small_images_without_heads"],
)
def test_it_repeats_the_run(config: object, settings: Settings, tmp_path: Path) -> None:
    """In a process of its own, without the app: the losses of all steps and the accuracy on the test images."""
    plan = Plan(
        networks=(NamedNetwork(name="tiny", config=config),),
        settings=settings.replace(batch_size=16, device="cpu"),
        budget=Budget(kind="steps", amount=STEPS),
        seeds=(3,),
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    events = list(train(plan, tmp_path))
    torch.set_num_threads(threads)
    expected = [f"step {event.step}, loss {event.loss:.4f}" for event in events if isinstance(event, Stepped)]
    (evaluated,) = (event for event in events if isinstance(event, Evaluated))
    file = tmp_path / "train_googlenet.py"
    file.write_text(to_training_source(Version("mini", config), plan, STEPS), encoding="utf-8")
    command = [sys.executable, str(file), str(write_images(tmp_path))]
    done = subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, text=True)
    *steps, accuracy = done.stdout.splitlines()
    assert expected == steps
    assert all(one != other for one, other in pairwise(steps))
    assert accuracy == f"{100 * evaluated.accuracy:.1f} % of 30 test images classified correctly"
