"""The description of a study: what is searched, at which cost, with what budget. Frozen, JSON, and checked.

A study has one *arm* of searched trials and one of random trials per ceiling; both use the same MACs of training. A
trial trains one table with the study's settings and steps, and is evaluated on a validation part of the training
images. The finalists are trained again from new seeds, then the winners and the paper's own table from further new
seeds, and only these last ones are evaluated on the test images.
"""

from typing import Literal

from explorer.config import Frozen, GoogLeNetConfig
from explorer.search.space import SearchSpace
from explorer.training.plan import (
    Budget,
    DatasetChoice,
    DatasetInfo,
    Name,
    NamedNetwork,
    Plan,
    Settings,
    step_macs,
)

FINAL_SEEDS = 5  # new ones for each finalist, and again for each winner
SEED_SPAN = 100  # the seeds from a study's seed on that it may use
_EVALUATED_FRACTIONS = (0.05, 0.25, 0.5)  # of the steps, before the last

Quantity = Literal["parameters", "macs", "activations"]


class SearchBudget(Frozen):
    """How much a study may train: ``trials`` of full length in each arm, or seconds or MACs with finalists in all."""

    kind: Literal["trials", "seconds", "macs"] = "trials"
    amount: float = 40.0


class StudySpec(Frozen):
    """A study. ``ceilings`` are fractions of the network's cost in ``quantity``. ``network`` fits the images.

    ``data`` has ``validation_images``. ``steps`` are those of a whole trial. ``seed`` determines the proposals and,
    with one worker, all trials.
    """

    version: Literal[1] = 1
    name: Name
    network: NamedNetwork
    quantity: Quantity = "macs"
    ceilings: tuple[float, ...] = (1.0,)
    space: SearchSpace = SearchSpace()
    data: DatasetChoice
    settings: Settings
    steps: int
    budget: SearchBudget = SearchBudget()
    sampler: str = "tpe"
    pruner: str = "halving"
    seed: int = 0
    finalists: int = 3

    @property
    def test_data(self) -> DatasetChoice:
        """The dataset with its test images, for the trainings at the end."""
        return self.data.replace(validation_images=0)

    @property
    def finalist_seeds(self) -> tuple[int, ...]:
        """The seeds from which the finalists are trained again."""
        return tuple(self.seed + 1 + number for number in range(FINAL_SEEDS))

    @property
    def test_seeds(self) -> tuple[int, ...]:
        """The seeds from which the winners and the paper's table are trained for the test images."""
        return tuple(self.seed + 1 + FINAL_SEEDS + number for number in range(FINAL_SEEDS))

    @property
    def evaluated_steps(self) -> tuple[int, ...]:
        """The steps after which a trial is evaluated on some validation images, before its last."""
        steps = (max(1, round(fraction * self.steps)) for fraction in _EVALUATED_FRACTIONS)
        return tuple(dict.fromkeys(step for step in steps if step < self.steps))

    @property
    def first_rung(self) -> int:
        """The step at which a trial can be pruned first; the next is at twice as many."""
        return max(1, round(_EVALUATED_FRACTIONS[1] * self.steps))

    def plan(self, config: GoogLeNetConfig, seed: int, *, on_test_images: bool = False) -> Plan:
        """Return the training plan of a table."""
        return Plan(
            networks=(NamedNetwork(name=self.network.name, config=config),),
            data=self.test_data if on_test_images else self.data,
            settings=self.settings,
            budget=Budget(kind="steps", amount=float(self.steps)),
            seeds=(seed,),
        )

    def training_macs(self, config: GoogLeNetConfig, dataset: DatasetInfo, steps: int | None = None) -> int:
        """Return the MACs of some steps of training, by default of a whole trial."""
        return step_macs(config, self.settings, dataset) * (self.steps if steps is None else steps)
