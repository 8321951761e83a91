"""Measure what we claim: ``python -m benchmarks [group …]``, the groups being those of ``GROUPS``.

Without a name all are measured but ``training``, which takes half an hour of a machine that does nothing else.
Every figure is a ratio to a baseline in the same run, or a size. Exits with 1 when a claim does not hold.
"""

import sys

from benchmarks import browser, compare, core, diagrams, lessons, look, memory, runs, training

GROUPS = {
    "core": core.figures,
    "diagrams": diagrams.figures,
    "compare": compare.figures,
    "browser": browser.figures,
    "lessons": lessons.figures,
    "look": look.figures,
    "memory": memory.figures,
    "runs": runs.figures,
    "training": training.figures,
}
LONG = ("training",)


def main(names: list[str]) -> int:
    """Run the groups and print a line per figure. Returns the exit status."""
    unknown = set(names) - set(GROUPS)
    if unknown:
        print(f"No such group: {', '.join(sorted(unknown))}. There are: {', '.join(GROUPS)}.", file=sys.stderr)
        return 2
    held = True
    for name in names or [name for name in GROUPS if name not in LONG]:
        for figure in GROUPS[name]():
            print(figure, flush=True)
            held = held and figure.holds
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
