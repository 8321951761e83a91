"""The description of a study from a few choices: what is left open gets a good value for the network and the images."""

from collections.abc import Mapping

from explorer.config import GoogLeNetConfig
from explorer.search.samplers import SAMPLERS
from explorer.search.space import SearchSpace
from explorer.search.spec import Quantity, SearchBudget, StudySpec
from explorer.training.names import clean_name
from explorer.training.plan import DatasetChoice, DatasetInfo, NamedNetwork, Settings, adapt_to_dataset
from explorer.training.recipe import default_settings

DEFAULT_STEPS = 200
_LABELS: Mapping[Quantity, str] = {"parameters": "parameters", "macs": "MACs", "activations": "activations"}
VALIDATION_FRACTION, MAX_VALIDATION_IMAGES = 0.2, 5_000  # of the training images, and at most


def validation_images(dataset: DatasetInfo) -> int:
    """Return how many training images a study holds out by default."""
    return max(1, min(MAX_VALIDATION_IMAGES, int(VALIDATION_FRACTION * dataset.train)))


def search_settings(config: GoogLeNetConfig, dataset: DatasetInfo) -> Settings:
    """Return the default settings of the trials: those of a run, in float32, which is fastest on one core."""
    settings, _ = default_settings((config,), dataset)
    return settings.replace(precision="fp32")


def make_spec(
    config: GoogLeNetConfig,
    data: DatasetChoice,
    dataset: DatasetInfo,
    *,
    name: str = "",
    network_name: str = "network",
    quantity: Quantity = "macs",
    ceilings: tuple[float, ...] = (1.0,),
    space: SearchSpace | None = None,
    settings: Settings | None = None,
    steps: int = DEFAULT_STEPS,
    budget: SearchBudget | None = None,
    sampler: str = next(iter(SAMPLERS)),
    pruner: str = "halving",
    seed: int = 0,
    finalists: int = 3,
) -> StudySpec:
    """Return the description of a study. ``dataset`` is that of ``data``. Raises UnbuildableError for the network."""
    adapted = adapt_to_dataset(config, dataset.shape, len(dataset.classes)).config
    fractions = ", ".join(f"{one:.2f}" for one in ceilings)
    return StudySpec(
        name=clean_name(name) or clean_name(f"{network_name} at {fractions} of its {_LABELS[quantity]}"),
        network=NamedNetwork(name=clean_name(network_name) or "network", config=adapted),
        quantity=quantity,
        ceilings=ceilings,
        space=space or SearchSpace(),
        data=data.replace(validation_images=data.validation_images or validation_images(dataset)),
        settings=settings or search_settings(adapted, dataset),
        steps=steps,
        budget=budget or SearchBudget(),
        sampler=sampler,
        pruner=pruner,
        seed=seed,
        finalists=finalists,
    )
