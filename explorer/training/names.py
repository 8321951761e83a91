"""Names of runs and of the networks in them: free text in any script, on one line, unique by a number."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import count

MAX_NAME = 60  # characters
# Control characters, parts of characters, and those that change the direction of the text around them.
_DISMISSED_CATEGORIES = ("Cc", "Cs", "Co", "Cn")
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOT_IN_FILES = re.compile(r'[\\/:*?"<>|]')
_NUMBER = re.compile(r" \d+$")


def clean_name(text: str) -> str:
    """Return a name on one line, without characters that cannot be shown; empty if nothing is left of it."""
    line = " ".join(text.split())
    shown = "".join(
        letter
        for letter in line
        if unicodedata.category(letter) not in _DISMISSED_CATEGORIES and letter not in _DIRECTIONS
    )
    return shown[:MAX_NAME].strip()


def unique_name(name: str, taken: Iterable[str]) -> str:
    """Return the name, with a number if it is taken, whatever its case: ``mini``, ``mini 2``, ``mini 3``."""
    used = {other.casefold() for other in taken}
    stem = _NUMBER.sub("", name)
    candidates = (f"{stem[: MAX_NAME - 1 - len(str(number))]} {number}" for number in count(2))
    return name if name.casefold() not in used else next(one for one in candidates if one.casefold() not in used)


def file_stem(name: str) -> str:
    """Return a name as the first part of a file's name on any system."""
    return _NOT_IN_FILES.sub("_", name).strip(". ") or "run"
