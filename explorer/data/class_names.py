"""Names of classes that come from outside, as they can be shown: printable, not too long, and no two the same."""

from collections.abc import Iterable


def unique_names(names: Iterable[str], letters: int) -> tuple[str, ...]:
    """Return the names in their order, each of at most ``letters`` characters, which are at least 12.

    A longer one is cut and ends on …; where it would be the same as one before it, it ends on a number, from (2) on.
    """
    found: dict[str, None] = {}
    last: dict[str, int] = {}  # number that a name, as it is cut, was given
    for name in names:
        plain = "".join(sign if sign.isprintable() else "?" for sign in name.strip()[: letters + 1])
        short = shown = _cut(plain, letters)
        while shown in found:
            last[short] = last.get(short, 1) + 1
            ending = f" ({last[short]})"
            shown = (_cut(plain, letters - len(ending)) + ending).strip()
        found[shown] = None
    return tuple(found)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"
