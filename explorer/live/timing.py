"""Timing several versions of something in turn, so that whatever else the machine does falls on all of them alike."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from time import perf_counter
from typing import NamedTuple

import torch

ROUND_S = 0.002  # a sample is repeated until it takes about so long; shorter ones drown in the clock's noise


class Lap(NamedTuple):
    """One round: seconds per call of each version, in the order they were given."""

    number: int
    seconds: tuple[float, ...]


def take_turns(
    versions: Sequence[Callable[[], object]], device: torch.device, *, rounds: int, seconds: float
) -> Iterator[Lap]:
    """Yield up to ``rounds`` laps, as many as begin within ``seconds`` and at least three, after a warm-up.

    Every second lap runs the versions in reverse order. A sample ends when the device has finished.
    """
    repeats = [_repeats(version, device) for version in versions]
    started = perf_counter()
    for number in range(rounds):
        if number >= 3 and perf_counter() - started > seconds:
            return
        order = range(len(versions)) if number % 2 == 0 else reversed(range(len(versions)))
        taken = {place: _sample(versions[place], repeats[place], device) for place in order}
        yield Lap(number, tuple(taken[place] for place in range(len(versions))))


def _repeats(version: Callable[[], object], device: torch.device) -> int:
    """Warm a version up and return how often to call it for one sample."""
    for _ in range(2):
        _sample(version, 1, device)
    return max(1, min(200, ceil(ROUND_S / max(_sample(version, 1, device), 1e-6))))


def _sample(version: Callable[[], object], repeats: int, device: torch.device) -> float:
    wait(device)
    started = perf_counter()
    for _ in range(repeats):
        version()
    wait(device)
    return (perf_counter() - started) / repeats


def wait(device: torch.device) -> None:
    """Wait until an accelerator has done all it was given; the CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
