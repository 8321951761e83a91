"""The gradient microscope: one batch, and a backward pass of its own for the main loss and for each auxiliary loss.

Images are random numbers and labels random classes: the network is untrained, and what is seen is the start of
training. Norms are L2 over all parameters of a block. Source of the losses: arXiv:1409.4842, section 5.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig, Problem, UnbuildableError
from explorer.jobs.requests import LOSS_WEIGHTS, GradientReport, GradientRun, Progress
from explorer.live.devices import resolve_device
from explorer.live.model import GoogLeNet, build_model

SEEDS = 3
MAX_BATCH, LEAST_BATCH = 4, 2  # BatchNorm needs two images to compare
MAX_MB = 700
MAX_MACS = 20_000_000_000  # of one forward pass of the batch; there are about ten times as many in all


def gradients(
    config: GoogLeNetConfig, device: str = "auto", seed: int = 0, *, seeds: int = SEEDS
) -> Iterator[Progress | GradientReport]:
    """Yield progress, then the gradients of every seed from ``seed`` on, with and without BatchNorm.

    Raises UnbuildableError for a network without heads, with problems, or too large, before anything is allocated.
    """
    variants = (config, _switched(config))
    batch = min(_batch(summarize(variant)) for variant in variants)
    place = resolve_device(device)
    runs = []
    total = seeds * len(variants)
    for number in range(seeds):
        for variant in variants:
            doing = f"seed {seed + number}, {'with' if variant.normalisation == 'batch_norm' else 'without'} BatchNorm"
            yield Progress(done=len(runs), total=total, doing=doing)
            runs.append(one_run(variant, place.torch, seed + number, batch))
    yield GradientReport(runs=tuple(runs), batch=batch, device=place.name, note=place.note)


def one_run(config: GoogLeNetConfig, device: torch.device, seed: int, batch: int) -> GradientRun:
    """Build the network from ``seed``, run one batch in training mode, and go back once per loss."""
    model = build_model(config, device, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(batch, *config.input_shape, generator=generator).to(device)  # N × C × H × W
    labels = torch.randint(config.classes, (batch,), generator=generator).to(device)  # N
    torch.manual_seed(seed)  # dropout
    out = model(images)
    losses = {"main": F.cross_entropy(out.logits, labels)}
    losses |= {tap: F.cross_entropy(logits, labels) for tap, logits in out.aux.items()}
    blocks = tuple(name for name, _ in model.named_children() if not name.startswith(("pool", "aux_")))
    back = {name: _backward(loss, model) for name, loss in losses.items()}
    together = [_together(back, weight) for weight in LOSS_WEIGHTS]
    return GradientRun(
        normalisation=config.normalisation,
        seed=seed,
        blocks=tuple(name.removeprefix("inception_") for name in blocks),
        losses=tuple(losses),
        values=tuple(loss.item() for loss in losses.values()),
        norms=tuple(_norms(found, blocks) for found in back.values()),
        total_norms=tuple(_norms(found, blocks) for found in together),
    )


def _backward(loss: Tensor, model: GoogLeNet) -> dict[str, Tensor]:
    """Return the gradient of one loss by parameter name; parameters it does not reach are left out."""
    names, parameters = zip(*model.named_parameters(), strict=True)
    found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    return {name: gradient for name, gradient in zip(names, found, strict=True) if gradient is not None}


def _together(back: dict[str, dict[str, Tensor]], weight: float) -> dict[str, Tensor]:
    """Return the gradient of main + weight · (all heads): gradients of a sum are the sum of the gradients."""
    total = dict(back["main"])
    for name, found in back.items():
        if name != "main":
            for parameter, gradient in found.items():
                scaled = weight * gradient
                total[parameter] = total[parameter] + scaled if parameter in total else scaled
    return total


def _norms(found: dict[str, Tensor], blocks: tuple[str, ...]) -> tuple[float, ...]:
    """Return the length of the gradient over each block; 0.0 where it does not reach."""
    squares = dict.fromkeys(blocks, 0.0)
    for name, gradient in found.items():
        block = name.partition(".")[0]
        if block in squares:
            squares[block] += gradient.double().square().sum().item()
    return tuple(square**0.5 for square in squares.values())


def _switched(config: GoogLeNetConfig) -> GoogLeNetConfig:
    """Return the same network with BatchNorm where it had none, and biases instead of it where it had."""
    if config.normalisation == "batch_norm":
        return config.replace(normalisation="none", conv_bias=True)
    return config.replace(normalisation="batch_norm", conv_bias=False)


def _batch(summary: NetworkSummary) -> int:
    """Return how many images fit: weights and gradients of every loss once, activations and their gradients per image.

    Raises UnbuildableError where not even two do, or where there is no head to look at.
    """
    taps = summary.config.aux.taps
    if not taps:
        raise UnbuildableError((Problem("aux", "taps", "The network has no auxiliary head: put one on a module."),))
    fixed, per_image = (3 + len(taps)) * summary.whole.parameters, 2 * summary.whole.activations
    batch = min((MAX_MB * 250_000 - fixed) // per_image, MAX_MACS // summary.macs(aux=True), MAX_BATCH)
    if batch < LEAST_BATCH:
        message = (
            f"Two images would need {4 * (fixed + 2 * per_image) / 1e6:,.0f} MB and "
            f"{2 * summary.macs(aux=True) / 1e9:,.1f} · 10⁹ MACs; the limits are {MAX_MB} MB and "
            f"{MAX_MACS / 1e9:,.0f} · 10⁹. Take a smaller image or narrower modules."
        )
        raise UnbuildableError((Problem("network", "activations", message),))
    return batch
