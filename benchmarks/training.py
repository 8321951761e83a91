"""Training on this machine: accuracy in a minute, speed relative to a plain loop, and the fall of the loss."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks.report import Measurement
from explorer import PRESETS, GoogLeNetConfig
from explorer.data.datasets import ImageSet, load
from explorer.live.batches import MAX_SHIFT, Batches
from explorer.live.model import build_model
from explorer.live.trainer import Trainer
from explorer.live.training import train
from explorer.training.events import Diverged, Finished, Stepped
from explorer.training.plan import (
    DATASETS,
    Budget,
    DatasetChoice,
    NamedNetwork,
    Plan,
    Settings,
    adapt_to_dataset,
    effective_learning_rate,
    step_macs,
)
from explorer.training.recipe import default_settings

CLOTHES, MINI = DATASETS["fashion_mnist"], PRESETS["mini"]
SETTINGS = Settings(device="cpu")
SEEDS = (0, 1, 2)
ROUNDS, STEPS = 7, 8  # steps of each loop in turn
SIDE = 1_024  # of the matrices whose product measures the peak of the machine


def measurements() -> Iterator[Measurement]:
    """Yield speed first, then accuracy in a minute for three seeds, then each preset's loss in its default budget."""
    yield from speed()
    yield from accuracy()
    yield from losses()


def accuracy() -> Iterator[Measurement]:
    """Yield the accuracy of ``mini`` on the images that come with the app, in the default budget of 60 seconds."""
    reached = []
    for seed in SEEDS:
        *_, finished = train(_plan("mini", MINI, seed=seed), Path())
        reached.append(100 * finished.accuracy)
        claim = f"mini after 60 s of training, {finished.step} steps, seed {seed}"
        yield Measurement(claim, reached[-1], "%", minimum=88)
    yield Measurement("mini after 60 s of training, mean of the seeds", mean(reached), "%", minimum=88)


def losses() -> Iterator[Measurement]:
    """Yield the loss of the last tenth of the default budget over that of the first steps, for every preset."""
    for name, preset in PRESETS.items():
        config = adapt_to_dataset(preset, CLOTHES.shape, len(CLOTHES.classes)).config
        settings, budget = default_settings(config, CLOTHES)
        plan = _plan(name, config).replace(settings=settings.replace(device="cpu"), budget=budget)
        events = list(train(plan, Path()))
        reported = [event for event in events if isinstance(event, (Stepped, Diverged, Finished))]
        steps = [event.loss for event in reported if isinstance(event, Stepped)]
        last = mean(steps[-max(1, len(steps) // 10) :])
        ended = "diverged" if isinstance(reported[-1], Diverged) else f"accuracy {reported[-1].accuracy:.3f}"
        claim = f"{name}: loss at the end of {budget.amount:.0f} s over that at first ({len(steps)} steps, {ended})"
        yield Measurement(claim, last / mean(steps[:3]), maximum=0.9)


def speed() -> Iterator[Measurement]:
    """Yield our images per second over a plain loop's, measured in turns, and our fraction of the machine's peak."""
    with TemporaryDirectory() as folder:
        images = load(DatasetChoice(), Path(folder))
    trainer = Trainer(
        MINI, Batches(images, torch.device("cpu")), SETTINGS.replace(augment=True), seed=0
    )  # as the plain loop
    plain = PlainLoop(images)

    def step_trainer() -> None:
        trainer.step(0.5).loss.item()

    step_trainer()
    plain.step()
    times = [(_seconds(step_trainer), _seconds(plain.step)) for _ in range(ROUNDS)]
    yield Measurement(
        "images per second over a plain PyTorch loop's", median(slow / fast for fast, slow in times), minimum=1.3
    )
    step = min(fast for fast, _ in times)
    yield Measurement("images per second", SETTINGS.batch_size / step, "/s")
    fraction = step_macs(MINI, SETTINGS, CLOTHES) / step / peak_macs()
    yield Measurement(f"share of the peak of a {SIDE}×{SIDE} matrix product", 100 * fraction, "%")


class PlainImages(Dataset[tuple[Tensor, int]]):
    """Single images with the usual preprocessing: scaled, standardized, shifted and mirrored at random."""

    def __init__(self, images: ImageSet) -> None:
        self.images, self.labels = images.train, images.train_labels
        self.mean, self.std = 0.286, 0.353

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = (torch.from_numpy(self.images[index].copy()).float() / 255 - self.mean) / self.std
        padded = F.pad(image[None], [MAX_SHIFT] * 4, mode="replicate")[0]
        row, column = torch.randint(0, 2 * MAX_SHIFT + 1, (2,)).tolist()
        height, width = image.shape[1:]
        image = padded[:, row : row + height, column : column + width]
        return (image.flip(2) if torch.rand(()) < 0.5 else image), int(self.labels[index])


class PlainLoop:
    """The same network in the loop of a tutorial: a DataLoader, the default memory layout, SGD."""

    def __init__(self, images: ImageSet) -> None:
        self.loader = DataLoader(PlainImages(images), SETTINGS.batch_size, shuffle=True, drop_last=True)
        self.batches = iter(self.loader)
        self.model = build_model(MINI)
        self.optimiser = torch.optim.SGD(
            self.model.parameters(),
            effective_learning_rate(SETTINGS, MINI),
            momentum=SETTINGS.momentum,
            weight_decay=SETTINGS.weight_decay,
        )
        self.criterion = nn.CrossEntropyLoss()

    def step(self) -> None:
        """Take one step of training."""
        images, labels = next(self.batches)
        self.optimiser.zero_grad()
        out = self.model(images)
        loss = self.criterion(out.logits, labels)
        for logits in out.aux.values():
            loss = loss + MINI.aux.loss_weight * self.criterion(logits, labels)
        loss.backward()
        self.optimiser.step()
        loss.item()


def peak_macs() -> float:
    """Return the multiply-accumulates per second of a large product of matrices, the best of several."""
    one = torch.rand(SIDE, SIDE)
    return SIDE**3 / min(_seconds(lambda: one @ one, 1) for _ in range(20))


def _seconds(step: Callable[[], object], times: int = STEPS) -> float:
    started = perf_counter()
    for _ in range(times):
        step()
    return (perf_counter() - started) / times


def _plan(name: str, config: GoogLeNetConfig, seed: int = 0) -> Plan:
    networks = (NamedNetwork(name=name, config=config),)
    return Plan(networks=networks, settings=SETTINGS, budget=Budget(), seeds=(seed,))
