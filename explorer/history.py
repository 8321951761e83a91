"""Undo and redo over frozen configs. A history is itself frozen: each step makes a new one."""

from typing import NamedTuple

from explorer.config import GoogLeNetConfig
from explorer.presets import PRESETS

MAX_STEPS = 100


class Version(NamedTuple):
    """A network on the bench: the preset it started from, and what it is now."""

    base: str
    config: GoogLeNetConfig

    @property
    def base_config(self) -> GoogLeNetConfig:
        """The preset it is compared with."""
        return PRESETS[self.base]


class History(NamedTuple):
    """The present version, with what undo and redo lead to. Holds at most MAX_STEPS steps back."""

    present: Version
    past: tuple[Version, ...] = ()
    future: tuple[Version, ...] = ()

    def push(self, version: Version) -> "History":
        """Make a new version the present; redo is forgotten. The same version again changes nothing."""
        if version == self.present:
            return self
        return History(version, (*self.past, self.present)[-MAX_STEPS:], ())

    def undo(self) -> "History":
        """Go one version back, if there is one."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> "History":
        """Go one version forward, if there is one."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])
