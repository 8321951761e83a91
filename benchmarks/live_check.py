"""The cost of the live check: ``python -m benchmarks.live_check`` from the project's root.

Prints the time of a check with a cold and a warm worker, the time to read a known report, the memory of the worker
after eight networks, and how much slower a loop of plain Python in the server is while checks run.
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
    """Yield edits of the paper's network, each with another width of 4a's 3×3."""
    for width in count(209):
        modules = tuple(row.replace(ch3x3=width) if row.name == "4a" else row for row in PAPER.modules)
        yield PAPER.replace(modules=modules)


def run_check(queue: JobQueue, config: GoogLeNetConfig) -> tuple[CheckReport, float]:
    """Return the report and the seconds until it was there, polled every 10 ms."""
    started = perf_counter()
    while isinstance(answer := queue.check(config, "cpu"), Pending):
        sleep(0.01)
    return answer, perf_counter() - started


def loop_seconds(steps: int = 2_000_000) -> float:
    """Return the seconds of an unrelated loop."""
    started = perf_counter()
    total = 0
    for number in range(steps):
        total += number & 7
    return perf_counter() - started


def slowdown(queue: JobQueue, networks: Iterator[GoogLeNetConfig], rounds: int = 15) -> float:
    """Return the loop's median time while a check runs over its time without one, measured in turn."""
    ratios = []
    for _ in range(rounds):
        alone = loop_seconds()
        config = next(networks)
        queue.check(config, "cpu")
        sleep(0.05)  # until the worker has begun
        ratios.append(loop_seconds() / alone)
        run_check(queue, config)
    return median(ratios)


def main() -> None:
    """Measure everything and print a line for each value."""
    queue, networks = JobQueue(), edits()
    report, cold = run_check(queue, PAPER)
    print(f"check of paper, cold: {cold:.2f} s (build {report.build_ms:.0f} ms, forward {report.forward_ms:.0f} ms)")
    warm = [run_check(queue, next(networks))[1] for _ in range(7)]
    child = psutil.Process().children()[0]
    print(f"worker after 8 networks: {child.memory_info().rss / 1e6:.0f} MB")
    print(f"check of an edit, warm: {median(warm):.2f} s")
    started = perf_counter()
    for _ in range(10_000):
        queue.check(PAPER, "cpu", "session")
    print(f"reading a known report: {(perf_counter() - started) * 100:.0f} µs")
    print(f"a loop in the server while a check runs: × {slowdown(queue, networks):.2f}")
    print(f"worker after {8 + 15} networks: {child.memory_info().rss / 1e6:.0f} MB")
    print(f"torch in the server: {'torch' in sys.modules}")
    queue.close()


if __name__ == "__main__":
    main()
