"""The exported training runs by itself and repeats the run: the same losses, step by step, and the same accuracy."""

import os
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
TINY_24 = TINY.replace(input_shape=(1, 24, 24))
RUNS = {
    "recipe": (TINY, RECIPE),
    "adam": (TINY, Settings(optimiser="adam", augment=True, schedule="paper")),
    "plain": (PLAIN, Settings(initialisation="caffe", mirror=True, clip_norm=0.5, schedule="constant")),
    "averaged": (TINY, RECIPE.replace(averaging=0.5, precise_batch_norm=False, warm_up=0.0, momentum=0.0)),
    "small_images": (TINY_24, RECIPE.replace(small_images=0.5)),
    "small_images_adam": (TINY_24, Settings(optimiser="adam", small_images=0.3, averaging=0.9)),
    "small_images_without_heads": (PLAIN.replace(aux=PLAIN.aux.replace(taps=())), Settings(small_images=0.5)),
}
# Each file is run as a program; one process for all of them, because loading PyTorch takes longer than a run.
RUN_ALL = """
import runpy, sys
images, *files = sys.argv[1:]
for file in files:
    sys.argv = [file, images]
    runpy.run_path(file, run_name="__main__")
    print("end of", file)
"""


def make_plan(name: str) -> Plan:
    """Return the plan of a short run on the small images."""
    config, settings = RUNS[name]
    return Plan(
        networks=(NamedNetwork(name="tiny", config=config),),
        settings=settings.replace(batch_size=16, device="cpu"),
        budget=Budget(kind="steps", amount=STEPS),
        seeds=(3,),
    )


def write_images(folder: Path) -> Path:
    """Write the small images as the file that the exported code reads."""
    small, path = images(), folder / "images.npz"
    np.savez(path, train=small.train, train_labels=small.train_labels, test=small.test, test_labels=small.test_labels)
    return path


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the lines that the exported file of each run prints outside the app, with one thread."""
    folder = tmp_path_factory.mktemp("exported")
    files = {name: f"{name}.py" for name in RUNS}
    for name, file in files.items():
        source = to_training_source(Version("mini", RUNS[name][0]), make_plan(name), STEPS)
        (folder / file).write_text(source, encoding="utf-8")
    command = [sys.executable, "-c", RUN_ALL, str(write_images(folder)), *files.values()]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, check=True, cwd=folder, capture_output=True, text=True, env=environment)
    lines = iter(done.stdout.splitlines())
    return {name: list(iter(lines.__next__, f"end of {file}")) for name, file in files.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_it_repeats_the_run(
    name: str, printed: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the app: the losses of all steps and the accuracy on the test images."""
    monkeypatch.setattr(training, "load", lambda data, folder: images())
    monkeypatch.setattr(training, "EVALUATIONS", 1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    events = list(train(make_plan(name), tmp_path))
    torch.set_num_threads(threads)
    expected = [f"step {event.step}, loss {event.loss:.4f}" for event in events if isinstance(event, Stepped)]
    (evaluated,) = (event for event in events if isinstance(event, Evaluated))
    *steps, accuracy = printed[name]
    assert expected == steps
    assert all(one != other for one, other in pairwise(steps))
    assert accuracy == f"{100 * evaluated.accuracy:.1f} % of 30 test images classified correctly"
