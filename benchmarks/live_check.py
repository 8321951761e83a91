"""What the live check costs the server: ``python -m benchmarks.live_check`` from the project's root.

Prints the time of a check from cold and warm, the time of a look-up, the size of the checking process after eight
networks, and how much a loop of plain Python slows in the server while checks run beside it.
"""

import sys
from collections.abc import Iterator
from itertools import count
from statistics import median
from time import perf_counter, sleep

import psutil

from explorer import PRESETS, GoogLeNetConfig
from explorer.jobs.queue import JobQueue, Pending
from explorer.jobs.requests import CheckReport

PAPER = PRESETS["paper"]


def edits() -> Iterator[GoogLeNetConfig]:
    """Yield the paper's network with another width of 4a's 3×3 each time."""
    for width in count(209):
        modules = tuple(row.replace(ch3x3=width) if row.name == "4a" else row for row in PAPER.modules)
        yield PAPER.replace(modules=modules)


def checked(checker: JobQueue, config: GoogLeNetConfig) -> tuple[CheckReport, float]:
    """Return the report and the seconds until it was there, asked for every 10 ms."""
    started = perf_counter()
    while isinstance(answer := checker.check(config, "cpu"), Pending):
        sleep(0.01)
    return answer, perf_counter() - started


def loop_seconds(steps: int = 2_000_000) -> float:
    """Return how long an unrelated loop takes."""
    started = perf_counter()
    total = 0
    for number in range(steps):
        total += number & 7
    return perf_counter() - started


def slowdown(checker: JobQueue, networks: Iterator[GoogLeNetConfig], rounds: int = 15) -> float:
    """Return the median of the loop's time while a check runs, over its time with none, taken in turns."""
    ratios = []
    for _ in range(rounds):
        alone = loop_seconds()
        config = next(networks)
        checker.check(config, "cpu")
        sleep(0.05)  # until the child has begun
        ratios.append(loop_seconds() / alone)
        checked(checker, config)
    return median(ratios)


def main() -> None:
    """Run it all and print a line for each figure."""
    checker, networks = JobQueue(), edits()
    report, cold = checked(checker, PAPER)
    print(f"check of paper, cold: {cold:.2f} s (build {report.build_ms:.0f} ms, forward {report.forward_ms:.0f} ms)")
    warm = [checked(checker, next(networks))[1] for _ in range(7)]
    child = psutil.Process().children()[0]
    print(f"child after 8 networks: {child.memory_info().rss / 1e6:.0f} MB")
    print(f"check of an edit, warm: {median(warm):.2f} s")
    started = perf_counter()
    for _ in range(10_000):
        checker.check(PAPER, "cpu", "session")
    print(f"look-up of a known report: {(perf_counter() - started) * 100:.0f} µs")
    print(f"a loop in the server while a check runs: × {slowdown(checker, networks):.2f}")
    print(f"child after {8 + 15} networks: {child.memory_info().rss / 1e6:.0f} MB")
    print(f"torch in the server: {'torch' in sys.modules}")
    checker.close()


if __name__ == "__main__":
    main()
