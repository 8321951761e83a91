"""Training's images per second over the batch and the width of the network, to where memory ends."""

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import torch

from benchmarks.report import Measurement
from explorer import PRESETS
from explorer.data.datasets import load
from explorer.live.batches import Batches
from explorer.live.trainer import Trainer
from explorer.training.plan import DATASETS, DatasetChoice, NamedNetwork, Plan, memory_bytes
from explorer.training.races import scale_widths
from explorer.training.recipe import RECIPE
from explorer.training.validation import memory_limit

DATA = DatasetChoice()
WIDTHS = (1, 2, 4, 8)  # times those of mini; 4 is Table 1
BATCHES = (16, 64, 256, 1_024)
STEPS = 2  # the faster one counts; before them is another one


def measurements() -> Iterator[Measurement]:
    """Yield the speed of each width with each batch; where the plan would be refused, the memory that it would need."""
    images = Batches(load(DATA, Path()), torch.device("cpu"))
    for width in WIDTHS:
        config = scale_widths(PRESETS["mini"], width)
        for batch in BATCHES:
            settings = RECIPE.replace(batch_size=batch, device="cpu")
            plan = Plan(networks=(NamedNetwork(name="network", config=config),), data=DATA, settings=settings)
            needed = memory_bytes(plan, DATASETS[DATA.name])
            claim = f"{width} × the widths of mini, batch {batch:,}"
            if needed > memory_limit():
                yield Measurement(
                    f"{claim}: refused, it needs more than {memory_limit() / 1e9:g} GB", needed / 1e9, "GB"
                )
                break
            yield Measurement(claim, batch / _step_seconds(Trainer(config, images, settings, seed=0)), "images/s")


def _step_seconds(trainer: Trainer) -> float:
    times = []
    for _ in range(1 + STEPS):
        started = perf_counter()
        trainer.step(0.5).loss.item()
        times.append(perf_counter() - started)
    return min(times[1:])
