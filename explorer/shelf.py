"""The shelf: an ordered list of named variants of a network. It is frozen; each operation returns a new shelf.

Names go into links, files, diagrams and generated code, so only letters, digits and _ are allowed.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from explorer.diff import find_changes
from explorer.errors import UserError
from explorer.history import Version
from explorer.presets import PRESETS

MAX_VARIANTS = 40
MAX_COMPARED = 4  # networks that a page or a command compares at once
MAX_NOTE = 200
MAX_STEPS = 50
CURRENT = "current"  # the name of the current network wherever a variant can be named

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_RESERVED = frozenset((*PRESETS, CURRENT))


class ShelfError(UserError, ValueError):
    """An operation that the shelf refuses. The message says why and what is valid."""


class Variant(NamedTuple):
    """A saved network: its name, its version, and a note of at most MAX_NOTE characters."""

    name: str
    version: Version
    note: str = ""


class Shelf(NamedTuple):
    """The variants in order, and the states that undo restores. Operations return a new shelf or raise ShelfError."""

    variants: tuple[Variant, ...] = ()
    past: tuple[tuple[Variant, ...], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(variant.name for variant in self.variants)

    def get(self, name: str) -> Variant:
        """Return the variant of that name."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise ShelfError(f"The shelf has no variant “{name[:32]}”.")

    def add(self, name: str, version: Version, note: str = "") -> "Shelf":
        """Add a network at the end."""
        if len(self.variants) >= MAX_VARIANTS:
            raise ShelfError(f"The shelf holds {MAX_VARIANTS} variants and is full. Delete one first.")
        variant = Variant(validate_name(name, self.names), version, validate_note(note))
        return self._next((*self.variants, variant))

    def rename(self, old: str, new: str) -> "Shelf":
        """Rename a variant."""
        others = [name for name in self.names if name != old]
        return self._with_replacement(self.get(old), self.get(old)._replace(name=validate_name(new, others)))

    def set_note(self, name: str, note: str) -> "Shelf":
        """Replace the note of a variant; an empty note removes it."""
        return self._with_replacement(self.get(name), self.get(name)._replace(note=validate_note(note)))

    def duplicate(self, name: str) -> "Shelf":
        """Insert a copy right after a variant, under a free name."""
        original = self.get(name)
        if len(self.variants) >= MAX_VARIANTS:
            raise ShelfError(f"The shelf holds {MAX_VARIANTS} variants and is full. Delete one first.")
        at = self.variants.index(original) + 1
        copy = original._replace(name=unique_name(name, self.names))
        return self._next((*self.variants[:at], copy, *self.variants[at:]))

    def delete(self, name: str) -> "Shelf":
        """Delete a variant. Undo restores it."""
        deleted = self.get(name)
        return self._next(tuple(variant for variant in self.variants if variant is not deleted))

    def move(self, name: str, by: int) -> "Shelf":
        """Move a variant ``by`` positions towards the end (negative: the start), at most to the end or the start."""
        variant = self.get(name)
        rest = [other for other in self.variants if other is not variant]
        rest.insert(min(max(self.variants.index(variant) + by, 0), len(rest)), variant)
        return self._next(tuple(rest))

    def undo(self) -> "Shelf":
        """Return the shelf before the last operation, or the same shelf if there is none."""
        return Shelf(self.past[-1], self.past[:-1]) if self.past else self

    def replace_all(self, variants: Iterable[Variant]) -> "Shelf":
        """Replace all variants, as when a file or link is opened. Undo restores the old ones."""
        return self._next(validate_variants(variants))

    def _with_replacement(self, old: Variant, new: Variant) -> "Shelf":
        return self._next(tuple(new if variant is old else variant for variant in self.variants))

    def _next(self, variants: tuple[Variant, ...]) -> "Shelf":
        if variants == self.variants:
            return self
        return Shelf(variants, (*self.past, self.variants)[-MAX_STEPS:])


def validate_name(name: str, taken: Iterable[str]) -> str:
    """Return the stripped name. Raises ShelfError if it is invalid or taken; case is ignored."""
    name = name.strip()
    if not name:
        raise ShelfError("Give the variant a name.")
    if not _NAME.fullmatch(name):
        raise ShelfError(
            f"“{_printable(name)}” is not a valid name. Start with a letter, then use letters, digits or _; "
            "at most 32 characters."
        )
    if name.lower() in _RESERVED:
        raise ShelfError(f"“{name}” is reserved for a preset or the current network. Choose another name.")
    if name.lower() in {other.lower() for other in taken}:
        raise ShelfError(f"A variant “{name}” already exists. Choose another name.")
    return name


def validate_note(note: str) -> str:
    """Return a note as one line of text. Raises ShelfError if it is too long or not printable."""
    note = " ".join(note.split())
    if len(note) > MAX_NOTE:
        raise ShelfError(f"The note has {len(note):,} characters. Use at most {MAX_NOTE}.")
    if not note.isprintable():
        raise ShelfError("The note contains characters that cannot be shown. Use plain text.")
    return note


def validate_variants(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """Return variants from a file or link if each is valid and all names differ. Raises ShelfError."""
    shelf = Shelf()
    for variant in variants:
        shelf = shelf.add(*variant)
    return shelf.variants


def unique_name(name: str, taken: Iterable[str]) -> str:
    """Return the name, with a number if it is taken: ``wide``, ``wide_2``, ``wide_3``."""
    used = {other.lower() for other in (*taken, *_RESERVED)}
    stem = re.sub(r"_\d+$", "", name)[:28]
    numbered = (f"{stem}_{number}" for number in range(2, MAX_VARIANTS + len(_RESERVED) + 3))
    return next(candidate for candidate in (name, *numbered) if candidate.lower() not in used)


def suggest_name(shelf: Shelf, version: Version) -> str:
    """Return a free name made of the preset and the first edit: ``paper_4a``, ``mini_no_heads``."""
    edits = find_changes(version.base_config, version.config)
    where = edits[0].where if edits else "copy"
    if edits and edits[0].field == "taps" and not edits[0].after:
        where = "no_heads"
    return unique_name(f"{version.base}_{where}"[:28], shelf.names)


def version_of(name: str, shelf: Shelf, current: Version) -> Version | None:
    """Return the network of a name: the current one, a preset or a variant; None for an unknown name."""
    if name == CURRENT:
        return current
    if name in PRESETS:
        return Version(name, PRESETS[name])
    return next((variant.version for variant in shelf.variants if variant.name == name), None)


def available_names(shelf: Shelf) -> tuple[str, ...]:
    """Return all names that can be compared: the current network, the variants, the presets."""
    return (CURRENT, *shelf.names, *PRESETS)


def default_names(shelf: Shelf, current: Version) -> tuple[str, ...]:
    """Return the names to compare by default: the preset, the latest variants, and the current network if edited.

    There are at least two. The first is the base of the comparison.
    """
    latest = shelf.names[-(MAX_COMPARED - 2) :]
    saved = {shelf.get(name).version.config for name in latest}
    edited = current.config != current.base_config and current.config not in saved
    names = (current.base, *latest, *((CURRENT,) if edited else ()))
    return names if len(names) > 1 else (current.base, "no_reduction" if current.base == "paper" else "paper")


def names_to_token(names: Iterable[str]) -> str:
    """Return the compared names as the text in a link. No name contains a full stop, so it can separate them."""
    return ".".join(names)


def names_from_token(token: str) -> tuple[str, ...]:
    """Return the first MAX_COMPARED distinct names in a link's text; the networks may not exist."""
    names = dict.fromkeys(name for name in token[:400].split(".") if _NAME.fullmatch(name))
    return tuple(names)[:MAX_COMPARED]


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name[:40])
