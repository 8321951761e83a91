"""One measured figure beside what we claim of it."""

from typing import NamedTuple


class Figure(NamedTuple):
    """A claim in words, what was measured in this run, and the bound: ``least`` or ``most`` it may be."""

    claim: str
    measured: float
    unit: str = "×"
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the claim held in this run; a figure without a bound only informs."""
        return (self.least is None or self.measured >= self.least) and (self.most is None or self.measured <= self.most)

    def __str__(self) -> str:
        bound = ""
        if self.least is not None:
            bound = f"at least {self.least:g}"
        if self.most is not None:
            bound = f"at most {self.most:g}"
        mark = "" if not bound else ("holds" if self.holds else "FAILS")
        return f"{self.claim:<76} {self.measured:>9.3f} {self.unit:<3} {bound:<14} {mark}"
