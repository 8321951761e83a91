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

    @property
    def bound(self) -> str:
        """The bound in words, empty without one."""
        if self.minimum is not None:
            return f"at least {self.minimum:g}"
        return "" if self.maximum is None else f"at most {self.maximum:g}"

    def __str__(self) -> str:
        mark = "" if not self.bound else ("holds" if self.holds else "FAILS")
        return f"{self.claim:<76} {self.value:>9.3f} {self.unit:<3} {self.bound:<14} {mark}"
