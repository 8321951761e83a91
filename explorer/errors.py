"""What went wrong, for the user: problems of a network, and the base of exceptions with a message to show."""

from collections.abc import Iterator
from typing import NamedTuple


class UserError(Exception):
    """The message says what is wrong, where, and what to do about it; it can be shown as it is."""


class Problem(NamedTuple):
    """One reason why a network cannot be built: the row or part, the field in it, and a sentence with the remedy."""

    where: str
    field: str
    message: str


class UnbuildableError(UserError, ValueError):
    """Raised where a buildable network is needed and the config describes none. Carries ``problems``."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


class InputError(UserError, ValueError):
    """An image, a file or a setting that a user gave cannot be used."""


def range_problems(where: str, field: str, label: str, value: int, minimum: int, maximum: int) -> Iterator[Problem]:
    """Yield the problem of a whole number that is out of range, if it is."""
    if not minimum <= value <= maximum:
        yield Problem(
            where,
            field,
            f"{label}: {number_text(value)} is out of range. Write a whole number from {minimum:,} to {maximum:,}.",
        )


def number_text(value: int) -> str:
    """Return a whole number for a message; one of thousands of digits is only described."""
    return f"{value:,}" if abs(value) < 10**15 else "a number of over 15 digits"
