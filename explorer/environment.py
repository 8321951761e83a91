"""What the environment says of the server: its limits, how many runs train at once, and where its data lies.

A variable that is not set, or empty, leaves it at the usual. One that cannot be used is told in a sentence, before
anything is worked out with it.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

DATA = "EXPLORER_DATA"  # the data directory


class EnvironmentValueError(ValueError):
    """A variable of the environment cannot be used; the message names it, its value, and what would be right."""


class Setting(NamedTuple):
    """A whole number that a variable sets: what it is without the variable, and between which bounds it may be."""

    usual: int
    least: int
    most: int


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "EXPLORER_LIVE_MB": Setting(300, 0, 1_000_000),  # a network on the bench that is run for real
        "EXPLORER_LOOK_MB": Setting(500, 1, 1_000_000),  # the networks that are looked into
        "EXPLORER_EXPORT_MB": Setting(700, 0, 1_000_000),  # a network written as weights or as a graph
        "EXPLORER_TRAIN_MB": Setting(4_000, 1, 10_000_000),  # a run
        "EXPLORER_RUNS": Setting(1, 1, 64),  # that train at once
    }
)


def setting(name: str) -> int:
    """Return what the environment sets, or the usual. Raises EnvironmentValueError."""
    usual, least, most = SETTINGS[name]
    said = os.environ.get(name, "").strip()
    try:
        number = int(said or usual)
    except ValueError:
        number = None
    if number is None or not least <= number <= most:
        raise EnvironmentValueError(
            f"The environment variable {name} is “{said[:40]}”. Set it to a whole number from {least:,} to {most:,}, "
            f"or leave it out for {usual:,}."
        )
    return number


def named_folder() -> Path | None:
    """Return the data directory that the environment names, None for none. Raises EnvironmentValueError."""
    said = os.environ.get(DATA, "")
    try:
        return Path(said).expanduser().absolute() if said else None
    except RuntimeError as error:  # ~somebody, who is not known here
        raise EnvironmentValueError(
            f"The environment variable {DATA} is “{said[:80]}”, and there is no such user's folder here. Set it to the "
            "path of a folder that can be written to, or leave it out."
        ) from error


def faults() -> tuple[str, ...]:
    """Return a sentence on every variable that cannot be used."""
    asks: list[Callable[[], object]] = [named_folder, *(lambda name=name: setting(name) for name in SETTINGS)]
    return tuple(told for ask in asks if (told := _fault(ask)))


def _fault(ask: Callable[[], object]) -> str:
    try:
        ask()
    except EnvironmentValueError as error:
        return str(error)
    return ""
