"""Measure the claims on performance: ``python -m benchmarks [group …]``, with groups from ``GROUPS``.

Without a group it runs all but ``training``, which needs an otherwise idle machine for half an hour. Every measurement
is a ratio to a baseline in the same run, or a size. The exit status is 1 if a claim does not hold.
"""

import sys

from benchmarks import browser, compare, core, diagrams, engines, lessons, look_inside, memory, runs, training

GROUPS = {
    "core": core.measurements,
    "diagrams": diagrams.measurements,
    "compare": compare.measurements,
    "browser": browser.measurements,
    "engines": engines.measurements,
    "lessons": lessons.measurements,
    "look_inside": look_inside.measurements,
    "memory": memory.measurements,
    "runs": runs.measurements,
    "training": training.measurements,
}
LONG = ("training",)


def main(names: list[str]) -> int:
    """Run the groups and print a line per measurement. Returns the exit status."""
    unknown = set(names) - set(GROUPS)
    if unknown:
        print(f"No such group: {', '.join(sorted(unknown))}. There are: {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    all_hold = True
    for name in names or [name for name in GROUPS if name not in LONG]:
        for measurement in GROUPS[name]():
            print(measurement, flush=True)
            all_hold = all_hold and measurement.holds
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
