"""Measure the claims on performance: ``python -m benchmarks [--write] [group …]``, with groups from ``GROUPS``.

Without a group it runs all but those in ``LONG``, which need an otherwise idle machine for up to an hour. Every
measurement is a ratio to a baseline in the same run, or a size. ``--write`` also puts them into ``docs/benchmarks.md``.
The exit status is 1 if a claim does not hold.
"""

import sys

from benchmarks import (
    accuracy,
    browser,
    classroom,
    compare,
    core,
    diagrams,
    document,
    engines,
    growth,
    lessons,
    look_inside,
    memory,
    runs,
    training,
)

_MODULES = (
    core,
    diagrams,
    compare,
    browser,
    classroom,
    engines,
    lessons,
    look_inside,
    memory,
    runs,
    training,
    growth,
    accuracy,
)
GROUPS = {module.__name__.rpartition(".")[2]: module for module in _MODULES}
LONG = ("classroom", "training", "growth", "accuracy")


def main(arguments: list[str]) -> int:
    """Run the groups and print a line per measurement. Returns the exit status."""
    names = [argument for argument in arguments if argument != "--write"]
    unknown = set(names) - set(GROUPS)
    if unknown:
        print(f"No such group: {', '.join(sorted(unknown))}. There are: {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    all_hold = True
    for name in names or [name for name in GROUPS if name not in LONG]:
        measured = []
        for measurement in GROUPS[name].measurements():
            print(measurement, flush=True)
            measured.append(measurement)
        if "--write" in arguments:
            document.write_page({name: measured}, {group: _title(group) for group in GROUPS})
        all_hold = all_hold and all(measurement.holds for measurement in measured)
    return 0 if all_hold else 1


def _title(name: str) -> str:
    """Return what a group measures: the first line of its module's docstring."""
    return (GROUPS[name].__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
