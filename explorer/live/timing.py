"""Time several versions of something in turn, so that other work on the machine slows all of them alike."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from time import perf_counter
from typing import NamedTuple

import torch

SAMPLE_S = 0.002  # a sample repeats its version for about this long; shorter samples are lost in timer noise


class Round(NamedTuple):
    """One round: its number, and the seconds per call of each version, in the order of the versions."""

    number: int
    seconds: tuple[float, ...]


def time_in_turn(
    versions: Sequence[Callable[[], object]], device: torch.device, *, rounds: int, seconds: float
) -> Iterator[Round]:
    """Yield up to ``rounds`` rounds after a warm-up: those that begin within ``seconds``, but at least three.

    Every second round runs the versions in reverse order. A sample ends when the device has finished.
    """
    repeats = [_repeats(version, device) for version in versions]
    started = perf_counter()
    for number in range(rounds):
        if number >= 3 and perf_counter() - started > seconds:
            return
        order = range(len(versions)) if number % 2 == 0 else reversed(range(len(versions)))
        samples = {index: _sample(versions[index], repeats[index], device) for index in order}
        yield Round(number, tuple(samples[index] for index in range(len(versions))))


def _repeats(version: Callable[[], object], device: torch.device) -> int:
    """Warm a version up and return how often to call it in one sample."""
    for _ in range(2):
        _sample(version, 1, device)
    return max(1, min(200, ceil(SAMPLE_S / max(_sample(version, 1, device), 1e-6))))


def _sample(version: Callable[[], object], repeats: int, device: torch.device) -> float:
    """Return the seconds per call, over ``repeats`` calls."""
    synchronize(device)
    started = perf_counter()
    for _ in range(repeats):
        version()
    synchronize(device)
    return (perf_counter() - started) / repeats


def synchronize(device: torch.device) -> None:
    """Wait until an accelerator has finished all its work; the CPU works synchronously."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
