"""The 1×1 reduction by the clock: one convolution with and without it, built and run in turn.

Source of the two versions: Szegedy et al. 2014, arXiv:1409.4842, Figure 2. Each convolution has its ReLU.
"""

from collections.abc import Iterator

import torch
from torch import nn

from explorer.config import Problem, UnbuildableError
from explorer.jobs.requests import Progress, ReductionTiming
from explorer.lessons.reduction import ReductionCase, case_problems, direct, reduced
from explorer.live.devices import resolve_device
from explorer.live.timing import take_turns

MAX_MACS = 20_000_000_000  # of the direct version: about a second on one core
MAX_MB = 300
ROUNDS, SECONDS = 60, 4.0


def time_reduction(
    case: ReductionCase, device: str = "auto", seed: int = 0, *, rounds: int = ROUNDS, seconds: float = SECONDS
) -> Iterator[Progress | ReductionTiming]:
    """Yield progress, then the times of both versions. Raises UnbuildableError for a case out of range or too large."""
    if found := case_problems(case) or _too_large(case):
        raise UnbuildableError(found)
    place = resolve_device(device)
    torch.manual_seed(seed)
    image = torch.randn(1, case.inputs, case.height, case.width).to(place.torch)  # 1 × C × H × W
    versions = [version.to(place.torch).eval() for version in build_versions(case)]
    direct_ms, reduced_ms = [], []
    with torch.inference_mode():
        calls = [lambda version=version: version(image) for version in versions]
        for lap in take_turns(calls, place.torch, rounds=rounds, seconds=seconds):
            direct_ms.append(lap.seconds[0] * 1e3)
            reduced_ms.append(lap.seconds[1] * 1e3)
            yield Progress(done=lap.number + 1, total=rounds, doing="Both versions run in turn")
    yield ReductionTiming(
        case=case,
        direct_ms=tuple(direct_ms),
        reduced_ms=tuple(reduced_ms),
        seed=seed,
        device=place.description,
        note=place.note,
    )


def build_versions(case: ReductionCase) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the convolution alone, and the 1×1 reduction with the convolution behind it; sizes stay the same."""
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


def _too_large(case: ReductionCase) -> tuple[Problem, ...]:
    """Refuse what would take too long or too much memory, before anything is allocated."""
    plain, both = direct(case), reduced(case)
    macs = max(plain.macs, both.macs)
    numbers = plain.parameters + both.parameters + case.inputs * case.height * case.width + both.activations
    if macs > MAX_MACS:
        reason = f"One run would take {macs / 1e9:,.1f} · 10⁹ MACs; the limit is {MAX_MACS / 1e9:,.0f} · 10⁹."
    elif 8 * numbers > MAX_MB * 10**6:
        reason = f"It would need about {8 * numbers / 1e6:,.0f} MB; the limit is {MAX_MB} MB."
    else:
        return ()
    return (Problem("case", "inputs", f"{reason} Take fewer channels or a smaller picture."),)
