"""Speed of training relative to a plain loop, the machine's peak, and what bfloat16 does to the curve of the loss."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks.report import Measurement
from explorer import PRESETS
from explorer.data.datasets import ImageSet, load
from explorer.live.batches import MAX_SHIFT, Batches
from explorer.live.model import build_model
from explorer.live.trainer import Trainer
from explorer.training.plan import DATASETS, DatasetChoice, effective_learning_rate, step_macs
from explorer.training.recipe import RECIPE

CLOTHES, MINI = DATASETS["fashion_mnist"], PRESETS["mini"]
SETTINGS = RECIPE.replace(device="cpu", augment=True, mirror=False, small_images=0.0)  # each step as the plain loop's
ROUNDS, STEPS = 7, 4  # steps of each loop in turn
SIDE = 1_024  # of the matrices whose product measures the peak of the machine
SEEDS, CURVE_STEPS = (0, 1, 2), 60  # of the comparison of precisions


def measurements() -> Iterator[Measurement]:
    """Yield the speed, and then the loss in bfloat16 against that in float32."""
    images = load(DatasetChoice(), Path())
    batches = Batches(images, torch.device("cpu"))
    yield from speed(images, batches)
    yield from precision(batches)


def speed(images: ImageSet, batches: Batches) -> Iterator[Measurement]:
    """Yield our images per second over a plain loop's, measured in turns, and our fraction of the machine's peak."""
    loops: dict[str, Callable[[], object]] = {
        "with the default recipe": _trainer_step(batches, SETTINGS.precision),
        "in float32": _trainer_step(batches, "fp32"),
    }
    plain = PlainLoop(images)
    plain.step()
    for step in loops.values():
        step()
    times = [[_seconds(step) for step in (plain.step, *loops.values())] for _ in range(ROUNDS)]
    for number, (name, bound) in enumerate(zip(loops, (1.6, None), strict=True), 1):
        ratio = median(row[0] / row[number] for row in times)
        yield Measurement(f"images per second {name} over a plain PyTorch loop's", ratio, minimum=bound)
    fastest = min(row[1] for row in times)
    yield Measurement("images per second", SETTINGS.batch_size / fastest, "/s")
    fraction = step_macs(MINI, SETTINGS, CLOTHES) / fastest
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        share = 100 * fraction / peak_macs(kind)
        yield Measurement(f"share of the peak of a {SIDE}×{SIDE} matrix product in {name}", share, "%")


def precision(batches: Batches) -> Iterator[Measurement]:
    """Yield how far the last losses in bfloat16 are from those in float32, over the spread of float32's seeds."""
    exact, mixed = ([_last_loss(batches, kind, seed) for seed in SEEDS] for kind in ("fp32", SETTINGS.precision))
    claim = "loss in bfloat16 − float32, means of three seeds, over float32's spread"
    yield Measurement(claim, abs(mean(mixed) - mean(exact)) / (max(exact) - min(exact)), maximum=1)


def _last_loss(batches: Batches, precision: str, seed: int) -> float:
    """Return the mean loss of the last quarter of a short run."""
    trainer = Trainer(MINI, batches, SETTINGS.replace(precision=precision), seed)
    losses = [trainer.step(step / CURVE_STEPS).loss.item() for step in range(CURVE_STEPS)]
    return mean(losses[-CURVE_STEPS // 4 :])


def _trainer_step(batches: Batches, precision: str) -> Callable[[], None]:
    trainer = Trainer(MINI, batches, SETTINGS.replace(precision=precision), seed=0)

    def step() -> None:
        trainer.step(0.5).loss.item()

    return step


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


def peak_macs(kind: torch.dtype) -> float:
    """Return the multiply-accumulates per second of a large product of matrices, the best of several."""
    one = torch.rand(SIDE, SIDE).to(kind)
    return SIDE**3 / min(_seconds(lambda: one @ one, 1) for _ in range(20))


def _seconds(step: Callable[[], object], times: int = STEPS) -> float:
    started = perf_counter()
    for _ in range(times):
        step()
    return (perf_counter() - started) / times
