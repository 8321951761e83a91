"""Train the weights that come with the app: ``python -m assets.weights.make [NAME …]``, or all without a name.

Each file has ``mini``, adapted to a dataset and trained by :mod:`explorer.live.training` with the default settings from
seed 0. On another processor, or with another number of threads, rounding differs and the weights differ a little.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from explorer.live.training import train
from explorer.presets import PRESETS
from explorer.training.checkpoints import weights_filename
from explorer.training.events import Evaluated
from explorer.training.plan import DATASETS, Budget, DataName, DatasetChoice, NamedNetwork, Plan, adapt_to_dataset

HERE = Path(__file__).parent
DATASET_NAMES: dict[str, DataName] = {"mini_fashion_mnist": "fashion_mnist", "mini_scales": "scales"}
STEPS = {"mini_fashion_mnist": 600.0, "mini_scales": 400.0}


def plan(name: str) -> Plan:
    """Return the plan that trains the weights of a file."""
    dataset = DATASETS[DATASET_NAMES[name]]
    config = adapt_to_dataset(PRESETS["mini"], dataset.shape, len(dataset.classes)).config
    budget = Budget(kind="steps", amount=STEPS[name])
    return Plan(
        networks=(NamedNetwork(name="mini", config=config),),
        data=DatasetChoice(name=DATASET_NAMES[name]),
        budget=budget,
    )


def main(names: list[str]) -> None:
    """Train and write the named weights, or all if no name is given."""
    for name in names or DATASET_NAMES:
        training = train(plan(name), HERE)
        for event in training:
            if isinstance(event, Evaluated):
                print(f"{name}: step {event.step:,}, {event.seconds:,.0f} s, accuracy {event.accuracy:.4f}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            training.save(Path(folder))
            shutil.copyfile(Path(folder) / weights_filename(0), HERE / f"{name}.safetensors")


if __name__ == "__main__":
    main(sys.argv[1:])
