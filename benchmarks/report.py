"""One measurement with the claim on it."""

from typing import NamedTuple


class Measurement(NamedTuple):
    """A claim in words, the value of this run with its unit, and the bound of the claim, if it has one."""

    claim: str
    value: float
    unit: str = "×"
    minimum: float | None = None
    maximum: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the value is within its bound; without a bound it always is."""
        return (self.minimum is None or self.value >= self.minimum) and (
            self.maximum is None or self.value <= self.maximum
        )

    def __str__(self) -> str:
        bound = ""
        if self.minimum is not None:
            bound = f"at least {self.minimum:g}"
        if self.maximum is not None:
            bound = f"at most {self.maximum:g}"
        mark = "" if not bound else ("holds" if self.holds else "FAILS")
        return f"{self.claim:<76} {self.value:>9.3f} {self.unit:<3} {bound:<14} {mark}"
