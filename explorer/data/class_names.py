"""Make names of classes that come from files fit to be shown: printable, not too long, and all different."""

from collections.abc import Iterable


def unique_names(names: Iterable[str], max_length: int) -> tuple[str, ...]:
    """Return the names in their order, each of at most ``max_length`` characters (12 or more).

    A longer name is shortened and ends with …; a name that would repeat an earlier one ends with a number, from (2) on.
    """
    unique: dict[str, None] = {}
    numbers: dict[str, int] = {}  # the last number given to each shortened name
    for name in names:
        printable = "".join(letter if letter.isprintable() else "?" for letter in name.strip()[: max_length + 1])
        short = candidate = shorten(printable, max_length)
        while candidate in unique:
            numbers[short] = numbers.get(short, 1) + 1
            ending = f" ({numbers[short]})"
            candidate = (shorten(printable, max_length - len(ending)) + ending).strip()
        unique[candidate] = None
    return tuple(unique)


def shorten(text: str, max_length: int) -> str:
    """Return a text of at most ``max_length`` characters; a longer one ends with …."""
    return text if len(text) <= max_length else f"{text[: max_length - 1].rstrip()}…"
