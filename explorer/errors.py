"""What went wrong, for the user: problems of a network, and the base of exceptions with a message to show."""

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
