"""Inference time of one convolution with and without a 1×1 reduction, both built once and run in turn.

Source of the two versions: Szegedy et al. 2014, arXiv:1409.4842, Figure 2. Each convolution has its ReLU.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from explorer.errors import Problem, UnbuildableError
from explorer.jobs.job import Progress
from explorer.jobs.requests import ReductionTiming
from explorer.live.devices import resolve_device
from explorer.live.timing import time_in_turn
from explorer.reduction import ReductionCase, case_problems, direct_path, reduction_path

MAX_MACS = 20_000_000_000  # of either version: about a second on one core
MAX_MB = 300
ROUNDS, SECONDS = 60, 4.0


def time_reduction(
    case: ReductionCase, device: str = "auto", seed: int = 0, *, rounds: int = ROUNDS, seconds: float = SECONDS
) -> Iterator[Progress | ReductionTiming]:
    """Yield progress, then the milliseconds of both versions in each round.

    There are up to ``rounds`` rounds: those that begin within ``seconds``, but at least three. Weights and image come
    from ``seed``. Raises UnbuildableError for a case out of range or too large, before anything is allocated.
    """
    if problems := case_problems(case) or _size_problems(case):
        raise UnbuildableError(problems)
    resolved_device = resolve_device(device)
    torch.manual_seed(seed)
    image = torch.randn(1, case.inputs, case.height, case.width).to(resolved_device.torch)  # 1 × C × H × W
    versions = [version.to(resolved_device.torch).eval() for version in build_versions(case)]
    direct_ms, reduced_ms = [], []
    with torch.inference_mode():
        calls = [partial(version, image) for version in versions]
        for one in time_in_turn(calls, resolved_device.torch, rounds=rounds, seconds=seconds):
            direct_ms.append(one.seconds[0] * 1e3)
            reduced_ms.append(one.seconds[1] * 1e3)
            yield Progress(done=one.number + 1, total=rounds, message="Both versions run in turn")
    yield ReductionTiming(
        case=case,
        direct_ms=tuple(direct_ms),
        reduced_ms=tuple(reduced_ms),
        seed=seed,
        device=resolved_device.description,
        note=resolved_device.note,
    )


def build_versions(case: ReductionCase) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the convolution alone, and a 1×1 reduction followed by the convolution. Both keep height and width."""
    return (
        nn.Sequential(*_conv(case, case.inputs, case.kernel, case.filters)),
        nn.Sequential(
            *_conv(case, case.inputs, 1, case.reduction),
            *_conv(case, case.reduction, case.kernel, case.filters),
        ),
    )


def _conv(case: ReductionCase, inputs: int, kernel: int, filters: int) -> tuple[nn.Module, nn.Module]:
    conv = nn.Conv2d(inputs, filters, kernel, padding=kernel // 2, bias=case.biases)
    return conv, nn.ReLU(inplace=True)


def _size_problems(case: ReductionCase) -> tuple[Problem, ...]:
    """Return why the case takes too much work or memory; empty if it does not."""
    without, with_reduction = direct_path(case), reduction_path(case)
    macs = max(without.macs, with_reduction.macs)
    image = case.inputs * case.height * case.width
    numbers = without.parameters + with_reduction.parameters + image + with_reduction.activations
    if macs > MAX_MACS:
        reason = f"One pass would take {macs / 1e9:,.1f} · 10⁹ MACs; the limit is {MAX_MACS / 1e9:,.0f} · 10⁹."
    elif 8 * numbers > MAX_MB * 10**6:
        reason = f"It would need about {8 * numbers / 1e6:,.0f} MB; the limit is {MAX_MB} MB."
    else:
        return ()
    return (Problem("case", "inputs", f"{reason} Choose fewer channels or a smaller image."),)
