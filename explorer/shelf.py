"""The shelf: named variants of a network that were kept, in an order. Frozen; each step makes a new shelf.

Names are data that travels into links, files, diagrams and generated code, so only letters, digits and _ are taken.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from explorer.comparison import MAX_COMPARED
from explorer.diff import changes
from explorer.errors import UserError
from explorer.history import Version
from explorer.presets import PRESETS

MAX_VARIANTS = 40
MAX_NOTE = 200
MAX_STEPS = 50
CURRENT = "current"  # stands for the network on the bench wherever a variant is named

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_TAKEN = frozenset((*PRESETS, CURRENT))


class ShelfError(UserError, ValueError):
    """A step that the shelf does not take; the message says why and what would be right."""


class Variant(NamedTuple):
    """A network that was kept: its name, what it is, and a note of at most MAX_NOTE characters."""

    name: str
    version: Version
    note: str = ""


class Shelf(NamedTuple):
    """The variants in their order, with what undo leads back to. A step returns a new shelf or raises ShelfError."""

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
        raise ShelfError(f"There is no variant “{name[:32]}” on the shelf.")

    def keep(self, name: str, version: Version, note: str = "") -> "Shelf":
        """Put a network on the shelf, at its end."""
        if len(self.variants) >= MAX_VARIANTS:
            raise ShelfError(f"The shelf holds {MAX_VARIANTS} variants and is full. Delete one first.")
        variant = Variant(checked_name(name, self.names), version, checked_note(note))
        return self._after((*self.variants, variant))

    def rename(self, old: str, new: str) -> "Shelf":
        """Give a variant another name."""
        others = [name for name in self.names if name != old]
        return self._replaced(self.get(old), self.get(old)._replace(name=checked_name(new, others)))

    def annotate(self, name: str, note: str) -> "Shelf":
        """Give a variant another note; an empty one takes it away."""
        return self._replaced(self.get(name), self.get(name)._replace(note=checked_note(note)))

    def duplicate(self, name: str) -> "Shelf":
        """Put a copy right behind a variant, under a free name."""
        original = self.get(name)
        if len(self.variants) >= MAX_VARIANTS:
            raise ShelfError(f"The shelf holds {MAX_VARIANTS} variants and is full. Delete one first.")
        at = self.variants.index(original) + 1
        copy = original._replace(name=free_name(name, self.names))
        return self._after((*self.variants[:at], copy, *self.variants[at:]))

    def delete(self, name: str) -> "Shelf":
        """Take a variant off the shelf. Undo brings it back."""
        gone = self.get(name)
        return self._after(tuple(variant for variant in self.variants if variant is not gone))

    def move(self, name: str, by: int) -> "Shelf":
        """Move a variant ``by`` places towards the end (or, negative, the start), as far as there are places."""
        variant = self.get(name)
        rest = [other for other in self.variants if other is not variant]
        rest.insert(min(max(self.variants.index(variant) + by, 0), len(rest)), variant)
        return self._after(tuple(rest))

    def undo(self) -> "Shelf":
        """Go one step back, if there is one."""
        return Shelf(self.past[-1], self.past[:-1]) if self.past else self

    def replaced_by(self, variants: Iterable[Variant]) -> "Shelf":
        """Take other variants in place of these, as from a file or link. Undo leads back to these."""
        return self._after(checked_variants(variants))

    def _replaced(self, old: Variant, new: Variant) -> "Shelf":
        return self._after(tuple(new if variant is old else variant for variant in self.variants))

    def _after(self, variants: tuple[Variant, ...]) -> "Shelf":
        if variants == self.variants:
            return self
        return Shelf(variants, (*self.past, self.variants)[-MAX_STEPS:])


def checked_name(name: str, taken: Iterable[str]) -> str:
    """Return a name that is right and free. Raises ShelfError for another one. Case makes no difference."""
    name = name.strip()
    if not name:
        raise ShelfError("Give the variant a name.")
    if not _NAME.fullmatch(name):
        raise ShelfError(
            f"“{_shown(name)}” is no name for a variant. Write a letter first, then letters, digits or _, "
            "at most 32 in all."
        )
    if name.lower() in _TAKEN:
        raise ShelfError(f"“{name}” is the name of a network that is always there. Choose another one.")
    if name.lower() in {other.lower() for other in taken}:
        raise ShelfError(f"There is a variant “{name}” already. Choose another name.")
    return name


def checked_note(note: str) -> str:
    """Return a note as one line of text. Raises ShelfError for a long one or one that is no text."""
    note = " ".join(note.split())
    if len(note) > MAX_NOTE:
        raise ShelfError(f"The note has {len(note):,} characters. At most {MAX_NOTE} are kept.")
    if not note.isprintable():
        raise ShelfError("The note has signs that cannot be shown. Write plain text.")
    return note


def checked_variants(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """Check variants that come from outside, one after another. Raises ShelfError."""
    shelf = Shelf()
    for variant in variants:
        shelf = shelf.keep(*variant)
    return shelf.variants


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return a name like this one that nobody has: ``wide``, ``wide_2``, ``wide_3``."""
    used = {other.lower() for other in (*taken, *_TAKEN)}
    stem = re.sub(r"_\d+$", "", name)[:28]
    numbered = (f"{stem}_{number}" for number in range(2, MAX_VARIANTS + len(_TAKEN) + 3))
    return next(candidate for candidate in (name, *numbered) if candidate.lower() not in used)


def suggested_name(shelf: Shelf, version: Version) -> str:
    """Return a free name that says where a network comes from and what its first edit was: ``paper_4a``."""
    edits = changes(version.base_config, version.config)
    where = edits[0].where if edits else "copy"
    return free_name(f"{version.base}_{where}"[:28], shelf.names)


def version_of(name: str, shelf: Shelf, current: Version) -> Version | None:
    """Return the network that a name stands for: the one on the bench, a preset, a variant; None for no one."""
    if name == CURRENT:
        return current
    if name in PRESETS:
        return Version(name, PRESETS[name])
    return next((variant.version for variant in shelf.variants if variant.name == name), None)


def available(shelf: Shelf) -> tuple[str, ...]:
    """Return all names that can be compared: the bench, the variants, the presets."""
    return (CURRENT, *shelf.names, *PRESETS)


def default_choice(shelf: Shelf, current: Version) -> tuple[str, ...]:
    """Return what is worth comparing when nobody has chosen: the preset, the latest variants, and the bench if edited.

    The first is the one to hold the others against. There are at least two.
    """
    latest = shelf.names[-(MAX_COMPARED - 2) :]
    known = {shelf.get(name).version.config for name in latest}
    edited = current.config != current.base_config and current.config not in known
    chosen = (current.base, *latest, *((CURRENT,) if edited else ()))
    return chosen if len(chosen) > 1 else (current.base, "no_reduction" if current.base == "paper" else "paper")


def choice_token(names: Iterable[str]) -> str:
    """Return the names that are compared as they stand in a link. No name has a full stop in it."""
    return ".".join(names)


def chosen_names(token: str) -> tuple[str, ...]:
    """Read the names of a link back, the first few of them, each once; whether they exist is another question."""
    names = dict.fromkeys(name for name in token[:400].split(".") if _NAME.fullmatch(name))
    return tuple(names)[:MAX_COMPARED]


def _shown(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name[:40])
