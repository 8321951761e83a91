"""Read numbers as people type them. Whatever was typed is a number, a blank, or unreadable for a reason.

Number fields of browsers drop characters in silence (``12a`` becomes 12, ``1e9`` becomes 19). So every field of the
app is text, and this module reads it: full-width characters and groups of three digits (``1,000``, ``1 000``) count as
what they mean, and where fractions are allowed also a decimal point and an exponent. A lone decimal comma (``1,5``) is
refused, because it can be read in two ways.
"""

import re
import unicodedata
from decimal import Decimal
from math import isfinite, isnan
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple

_MAX_LENGTH = 400  # of a text that can be a number
_MAX_EXCERPT = 20
_NUMBER = re.compile(r"[+-]?(?=\.?\d)(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?: \d{3})+|\d*)(\.\d*)?([eE][+-]?\d{1,3})?")
_BAD_SEPARATORS = re.compile(r"[+-]?\d*(?:[.,]\d*)+")
_SIGNS = str.maketrans({
    "\u2212": "-",  # minus sign
    "\u00a0": " ",  # no-break space
    "\u2009": " ",  # thin space
    "\u202f": " ",  # narrow no-break space
    "\u3000": " ",  # ideographic space
})  # fmt: skip


class Unreadable(NamedTuple):
    """Why an input is no number, and the beginning of it.

    ``separators``: digits with commas or points in places that leave its meaning open.
    """

    reason: Literal["no_number", "not_whole", "exponent", "separators"]
    excerpt: str


def read_whole(value: Any) -> int | Unreadable | None:
    """Return the whole number that was typed, None for a blank, or why there is none."""
    if isinstance(value, str):
        number = _read_text(value, whole=True)
        return int(number) if isinstance(number, Decimal) else number
    if value is None or (isinstance(value, float) and isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, Real):
        return Unreadable("no_number", excerpt(value))
    if isinstance(value, Integral) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    return Unreadable("not_whole", excerpt(value))


def read_number(value: Any) -> float | Unreadable | None:
    """Return the finite number that was typed, None for a blank, or why there is none."""
    number = _read_text(value, whole=False) if isinstance(value, str) else value
    if number is None or isinstance(number, Unreadable):
        return number
    if isinstance(number, bool) or not isinstance(number, Real | Decimal):
        return Unreadable("no_number", excerpt(value))
    try:
        result = float(number)
    except (OverflowError, ValueError):  # a whole number beyond any fraction, a signalling NaN
        return Unreadable("no_number", excerpt(value))
    if isnan(result):
        return None
    return result if isfinite(result) else Unreadable("no_number", excerpt(value))


def unreadable_message(place: str, unreadable: Unreadable, *, whole: bool) -> str:
    """Return the sentence that says why the input at a place is no number, and what to type instead."""
    return _MESSAGES[unreadable.reason, whole].format(place, unreadable.excerpt)


_MESSAGES = {
    ("no_number", True): "{}: “{}” is not a number. Write a whole number, such as 300.",
    ("no_number", False): "{}: “{}” is not a number. Write a number, such as 0.5.",
    ("not_whole", True): "{}: {} is not a whole number. Write a whole number, such as 300.",
    ("exponent", True): "{}: “{}” has an exponent. Write a whole number in digits, such as 300.",
    ("separators", True): "{}: “{}” is not a whole number. A comma separates groups of three digits, as in 1,000.",
    ("separators", False): (
        "{}: “{}” can be read in two ways. Write a decimal point, as in 0.5; a comma separates thousands, as in 1,000."
    ),
}


def excerpt(value: Any, length: int = _MAX_EXCERPT) -> str:
    """Return the beginning of a value as text. Python refuses to convert whole numbers of over 4,300 digits."""
    try:
        return str(value)[:length]
    except (ValueError, RecursionError):
        return f"{type(value).__name__} too long to show"


def _read_text(typed: str, *, whole: bool) -> Decimal | Unreadable | None:
    """Return the number in a text, None for a blank, or why it is none."""
    text = _plain(typed[: _MAX_LENGTH + 1])
    if not text:
        return None
    match = _NUMBER.fullmatch(text)
    if len(typed) > _MAX_LENGTH or match is None:
        is_ambiguous = len(typed) <= _MAX_LENGTH and _BAD_SEPARATORS.fullmatch(text) and any(map(str.isdigit, text))
        return Unreadable("separators" if is_ambiguous else "no_number", typed.strip()[:_MAX_EXCERPT])
    if whole and (match[1] or match[2]):
        return Unreadable("not_whole" if match[1] else "exponent", typed.strip()[:_MAX_EXCERPT])
    return Decimal(text.replace(",", "").replace(" ", ""))


def _plain(text: str) -> str:
    """Return a text with ASCII digits, signs, separators and spaces in place of full-width and foreign ones."""
    return "".join(map(_plain_character, text.translate(_SIGNS))).strip()


def _plain_character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return chr(ord(character) - 0xFEE0) if "！" <= character <= "～" else character
