"""Make the trained weights that come with the app: ``python -m assets.weights.make [NAME …]``, or all without a name.

Each is ``mini``, fitted to the images, trained by :mod:`explorer.live.training` with its default settings from seed 0.
On another processor, or with another number of threads, sums round otherwise and the weights differ a little.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from explorer.live.training import train
from explorer.presets import PRESETS
from explorer.training.checkpoints import weights_name
from explorer.training.events import Evaluated
from explorer.training.plan import DATASETS, Budget, DatasetChoice, NamedNetwork, Plan, adapt_to_dataset

HERE = Path(__file__).parent
SETS = {"mini_fashion_mnist": "fashion_mnist", "mini_scales": "scales"}
STEPS = {"mini_fashion_mnist": 600.0, "mini_scales": 400.0}


def plan(name: str) -> Plan:
    """Return the plan that a file of weights comes from."""
    facts = DATASETS[SETS[name]]
    config = adapt_to_dataset(PRESETS["mini"], facts.shape, len(facts.classes)).config
    budget = Budget(kind="steps", amount=STEPS[name])
    return Plan(
        entrants=(NamedNetwork(name="mini", config=config),), data=DatasetChoice(name=SETS[name]), budget=budget
    )


def main(names: list[str]) -> None:
    """Train and write the named weights, or all."""
    for name in names or SETS:
        training = train(plan(name), HERE)
        for event in training:
            if isinstance(event, Evaluated):
                print(f"{name}: step {event.step:,}, {event.seconds:,.0f} s, accuracy {event.accuracy:.4f}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            training.save(Path(folder))
            shutil.copyfile(Path(folder) / weights_name(0), HERE / f"{name}.safetensors")


if __name__ == "__main__":
    main(sys.argv[1:])
