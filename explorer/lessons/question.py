"""One question of a lesson, as data."""

from typing import NamedTuple


class Question(NamedTuple):
    """A question with four different options, one of them correct.

    ``formula`` is an expression of whole numbers with ·, +, −, ÷ and brackets that evaluates to ``value``; ``why`` is
    the sentence before it. ``source`` names the number in the core: a path (or block, or ``network``) and a field.
    ``mistakes`` has the mistake behind each option, empty for the correct one.
    """

    topic: str
    text: str
    options: tuple[int, ...]
    value: int
    unit: str
    formula: str
    why: str
    source: tuple[str, str]
    mistakes: tuple[str, ...]

    @property
    def correct_index(self) -> int:
        """The index of the correct option."""
        return self.options.index(self.value)
