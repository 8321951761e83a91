"""Undo and redo over frozen configs. A history is frozen too: each step returns a new one."""

from typing import NamedTuple

from explorer.config import GoogLeNetConfig
from explorer.diff import find_changes
from explorer.presets import PRESETS

MAX_STEPS = 100


class Version(NamedTuple):
    """A network: the preset it started from, and its present config."""

    base: str
    config: GoogLeNetConfig

    @property
    def base_config(self) -> GoogLeNetConfig:
        """The config of the preset, which edits are counted against."""
        return PRESETS[self.base]


def nearest_version(config: GoogLeNetConfig) -> Version:
    """Return a config that does not name its base, with the preset as its base that has the fewest changes."""
    return Version(min(PRESETS, key=lambda name: len(find_changes(PRESETS[name], config))), config)


class History(NamedTuple):
    """The present version, and the versions that undo and redo restore. ``past`` has at most MAX_STEPS of them."""

    present: Version
    past: tuple[Version, ...] = ()
    future: tuple[Version, ...] = ()

    def push(self, version: Version) -> "History":
        """Make a new version the present and clear redo. The same version again changes nothing."""
        if version == self.present:
            return self
        return History(version, (*self.past, self.present)[-MAX_STEPS:], ())

    def undo(self) -> "History":
        """Return to the version before, if there is one."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> "History":
        """Return to the version that was last undone, if there is one."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])
