"""What the default recipes reach in their default budgets: accuracy, seeds that learn, and the fall of the loss."""

from collections.abc import Iterator
from pathlib import Path
from statistics import mean

from benchmarks.report import Measurement
from explorer import PRESETS, GoogLeNetConfig
from explorer.live.training import train
from explorer.training.events import AnyEvent, Diverged, Finished, Stepped
from explorer.training.plan import DATASETS, DatasetChoice, NamedNetwork, Plan, adapt_to_dataset
from explorer.training.recipe import default_settings

CLOTHES = DATASETS["fashion_mnist_full"]
SEEDS = range(5)
PLAIN_SEEDS = range(10)
LEARNED = 0.5  # accuracy; chance is 0.1
SIDES = (28, 56)  # pixels of the input: with the small stem, and with the paper's


def measurements() -> Iterator[Measurement]:
    """Yield the accuracy of ``mini``, the seeds from which ``paper`` learns, and each preset's loss."""
    yield from accuracy()
    for heads in (True, False):
        yield learns(heads=heads)
    for side in SIDES:
        yield from losses(side)


def accuracy() -> Iterator[Measurement]:
    """Yield the accuracy of ``mini`` on all test images, after a minute, from each seed and on average."""
    reached = []
    for seed in SEEDS:
        *_, finished = _train(PRESETS["mini"], seed)
        assert isinstance(finished, Finished)
        reached.append(100 * finished.accuracy)
        yield Measurement(f"mini after 60 s of training, {finished.step} steps, seed {seed}", reached[-1], "%")
    yield Measurement("mini after 60 s of training, mean of the seeds", mean(reached), "%", minimum=91.5)


def learns(*, heads: bool) -> Measurement:
    """Return from how many seeds ``paper``, which has no BatchNorm, learns."""
    config = adapt_to_dataset(PRESETS["paper"], CLOTHES.shape, len(CLOTHES.classes)).config
    if not heads:
        config = config.replace(aux=config.aux.replace(taps=()))
    last = [list(_train(config, seed))[-1] for seed in PLAIN_SEEDS]
    learned = sum(isinstance(event, Finished) and event.accuracy >= LEARNED for event in last)
    claim = f"paper {'with' if heads else 'without'} heads: seeds of {len(last)} that reach {100 * LEARNED:.0f} %"
    return Measurement(claim, learned, "", minimum=len(last) if heads else None)


def losses(side: int) -> Iterator[Measurement]:
    """Yield the loss of the last tenth of the default budget over that of the first steps, for every preset."""
    for name, preset in PRESETS.items():
        config = adapt_to_dataset(preset, (1, side, side), len(CLOTHES.classes)).config
        reported = [event for event in _train(config, 0) if isinstance(event, (Stepped, Diverged, Finished))]
        steps = [event.loss for event in reported if isinstance(event, Stepped)]
        last = mean(steps[-max(1, len(steps) // 10) :])
        ended = f"accuracy {reported[-1].accuracy:.3f}" if isinstance(reported[-1], Finished) else "diverged"
        claim = f"{name} at {side}×{side}: loss at the end over that at first ({len(steps)} steps, {ended})"
        yield Measurement(claim, last / mean(steps[:3]), maximum=0.9)


def _train(config: GoogLeNetConfig, seed: int) -> Iterator[AnyEvent]:
    """Train a network with its default settings and budget on the CPU."""
    settings, budget = default_settings([config], CLOTHES)
    plan = Plan(
        networks=(NamedNetwork(name="network", config=config),),
        data=DatasetChoice(name="fashion_mnist_full"),
        settings=settings.replace(device="cpu"),
        budget=budget,
        seeds=(seed,),
    )
    return train(plan, Path())
