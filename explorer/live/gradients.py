"""Gradient norms per block: one batch, with a separate backward pass for the main loss and for each auxiliary loss.

Images are random numbers and labels random classes. The network is untrained, so the norms are those at the start of
training. They are L2 norms over all parameters of a block. Source of the losses: arXiv:1409.4842, section 5.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.errors import Problem, UnbuildableError
from explorer.jobs.job import Progress
from explorer.jobs.requests import LOSS_WEIGHTS, GradientReport, GradientRun
from explorer.live.devices import resolve_device
from explorer.live.model import GoogLeNet, build_model

SEEDS = 3
MAX_BATCH, MIN_BATCH = 4, 2  # BatchNorm needs at least two images
MAX_MB = 700
MAX_MACS = 20_000_000_000  # of one forward pass of the batch; a report takes about ten times as many


def gradients(
    config: GoogLeNetConfig, device: str = "auto", seed: int = 0, *, seeds: int = SEEDS
) -> Iterator[Progress | GradientReport]:
    """Yield progress, then the gradient norms for ``seeds`` seeds, starting at ``seed``, with and without BatchNorm.

    Raises UnbuildableError for a network without auxiliary heads, with problems, or too large, before anything is
    allocated.
    """
    variants = (config, _toggle_batch_norm(config))
    batch = min(_batch_size(summarize(variant)) for variant in variants)
    resolved_device = resolve_device(device)
    runs: list[GradientRun] = []
    total = seeds * len(variants)
    for number in range(seeds):
        for variant in variants:
            preposition = "with" if variant.normalisation == "batch_norm" else "without"
            message = f"seed {seed + number}, {preposition} BatchNorm"
            yield Progress(done=len(runs), total=total, message=message)
            runs.append(run_once(variant, resolved_device.torch, seed + number, batch))
    yield GradientReport(runs=tuple(runs), batch=batch, device=resolved_device.name, note=resolved_device.note)


def run_once(config: GoogLeNetConfig, device: torch.device, seed: int, batch: int) -> GradientRun:
    """Build the network from ``seed``, run one batch in training mode, and run one backward pass per loss."""
    model = build_model(config, device, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(batch, *config.input_shape, generator=generator).to(device)  # N × C × H × W
    labels = torch.randint(config.classes, (batch,), generator=generator).to(device)  # N
    torch.manual_seed(seed)  # dropout
    output = model(images)
    losses = {"main": F.cross_entropy(output.logits, labels)}
    losses |= {tap: F.cross_entropy(logits, labels) for tap, logits in output.aux.items()}
    blocks = tuple(name for name, _ in model.named_children() if not name.startswith(("pool", "aux_")))
    gradients_by_loss = {name: _loss_gradients(loss, model) for name, loss in losses.items()}
    totals = [_total_gradients(gradients_by_loss, weight) for weight in LOSS_WEIGHTS]
    return GradientRun(
        normalisation=config.normalisation,
        seed=seed,
        blocks=tuple(name.removeprefix("inception_") for name in blocks),
        losses=tuple(losses),
        values=tuple(loss.item() for loss in losses.values()),
        norms=tuple(_norms(gradients, blocks) for gradients in gradients_by_loss.values()),
        total_norms=tuple(_norms(total, blocks) for total in totals),
    )


def _loss_gradients(loss: Tensor, model: GoogLeNet) -> dict[str, Tensor]:
    """Return the gradient of one loss by parameter name, without the parameters that it does not depend on."""
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    return {name: gradient for name, gradient in zip(names, gradients, strict=True) if gradient is not None}


def _total_gradients(gradients_by_loss: dict[str, dict[str, Tensor]], weight: float) -> dict[str, Tensor]:
    """Return the gradient of main + weight · (all heads): gradients of a sum are the sum of the gradients."""
    total = dict(gradients_by_loss["main"])
    for loss, gradients in gradients_by_loss.items():
        if loss != "main":
            for name, gradient in gradients.items():
                scaled = weight * gradient
                total[name] = total[name] + scaled if name in total else scaled
    return total


def _norms(gradients: dict[str, Tensor], blocks: tuple[str, ...]) -> tuple[float, ...]:
    """Return the L2 norm of the gradient over each block; 0.0 for a block without a gradient."""
    squares = dict.fromkeys(blocks, 0.0)
    for name, gradient in gradients.items():
        block = name.partition(".")[0]
        if block in squares:
            squares[block] += gradient.double().square().sum().item()
    return tuple(square**0.5 for square in squares.values())


def _toggle_batch_norm(config: GoogLeNetConfig) -> GoogLeNetConfig:
    """Return the network with BatchNorm if it has none, else with biases instead of BatchNorm."""
    if config.normalisation == "batch_norm":
        return config.replace(normalisation="none", conv_bias=True)
    return config.replace(normalisation="batch_norm", conv_bias=False)


def _batch_size(summary: NetworkSummary) -> int:
    """Return how many images fit into memory and work.

    Weights and the gradients of every loss count once, activations and their gradients per image. Raises
    UnbuildableError if fewer than two images fit, or if the network has no auxiliary head.
    """
    taps = summary.config.aux.taps
    if not taps:
        raise UnbuildableError((Problem("aux", "taps", "The network has no auxiliary head. Add one to a module."),))
    fixed, per_image = (3 + len(taps)) * summary.training_totals.parameters, 2 * summary.training_totals.activations
    batch = min((MAX_MB * 250_000 - fixed) // per_image, MAX_MACS // summary.macs(aux=True), MAX_BATCH)
    if batch < MIN_BATCH:
        message = (
            f"Two images would need {4 * (fixed + 2 * per_image) / 1e6:,.0f} MB and "
            f"{2 * summary.macs(aux=True) / 1e9:,.1f} · 10⁹ MACs; the limits are {MAX_MB} MB and "
            f"{MAX_MACS / 1e9:,.0f} · 10⁹. Choose a smaller input or narrower modules."
        )
        raise UnbuildableError((Problem("network", "activations", message),))
    return batch
