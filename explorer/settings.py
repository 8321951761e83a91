"""Settings from environment variables: limits, the number of concurrent runs, the data directory.

A variable that is not set, or is empty, means the default. The app explains an invalid one before it computes anything
with it.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from explorer.errors import UserError

DATA_VARIABLE = "EXPLORER_DATA"  # the data directory
DATABASE_VARIABLE = "EXPLORER_DATABASE"  # the address of a database server for classes; without it they are in a file
CLASS_LINK_VARIABLE = "EXPLORER_CLASS_LINK"  # set by ``serve --class``: how students reach the server of a class
_NAME = "inception-explorer"


class EnvironmentValueError(UserError, ValueError):
    """An environment variable is invalid; the message gives its name, its value, and what is valid."""


class Setting(NamedTuple):
    """The default and the bounds of a whole number that a variable sets."""

    default: int
    minimum: int
    maximum: int


SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "EXPLORER_LIVE_MB": Setting(300, 0, 1_000_000),  # the current network, to be run on data
        "EXPLORER_LOOK_MB": Setting(500, 1, 1_000_000),  # the networks that Look inside keeps in memory
        "EXPLORER_ENGINES_MB": Setting(1_000, 1, 1_000_000),  # the engines that are compared, all in memory at once
        "EXPLORER_EXPORT_MB": Setting(700, 0, 1_000_000),  # a network that is written as weights or as a graph
        "EXPLORER_TRAIN_MB": Setting(4_000, 1, 10_000_000),  # a run
        "EXPLORER_RUNS": Setting(1, 1, 64),  # runs that train at once
        "EXPLORER_SESSIONS": Setting(400, 1, 100_000),  # browser tabs that a class server accepts
    }
)


def read_setting(name: str) -> int:
    """Return a setting from the environment, or its default. Raises EnvironmentValueError."""
    default, minimum, maximum = SETTINGS[name]
    text = os.environ.get(name, "").strip()
    try:
        number = int(text or default)
    except ValueError:
        number = None
    if number is None or not minimum <= number <= maximum:
        raise EnvironmentValueError(
            f"The environment variable {name} is “{text[:40]}”. Set it to a whole number from {minimum:,} to "
            f"{maximum:,}, or leave it out for {default:,}."
        )
    return number


def data_folder() -> Path:
    """Return the data directory, which may not exist yet. Raises EnvironmentValueError.

    It is the folder in ``EXPLORER_DATA``, else the platform's folder for a user's data: ``$XDG_DATA_HOME``
    (``~/.local/share``) on Linux, ``~/Library/Application Support`` on macOS, ``%LOCALAPPDATA%`` on Windows.
    """
    if folder := _named_folder():
        return folder
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / _NAME


def database_url() -> str:
    """Return the address of the database of classes; empty for the file in the data directory."""
    return os.environ.get(DATABASE_VARIABLE, "").strip()


def class_link() -> str:
    """Return how students reach this server, if it is that of a class; empty if it is not."""
    return os.environ.get(CLASS_LINK_VARIABLE, "")


def _named_folder() -> Path | None:
    text = os.environ.get(DATA_VARIABLE, "")
    try:
        return Path(text).expanduser().absolute() if text else None
    except RuntimeError as error:  # ~user of an unknown user
        raise EnvironmentValueError(
            f"The environment variable {DATA_VARIABLE} is “{text[:80]}”, but this machine has no such user. "
            "Set it to the path of a writable folder, or leave it out."
        ) from error


def environment_problems() -> tuple[str, ...]:
    """Return a message for every invalid variable."""
    reads: list[Callable[[], object]] = [_named_folder, *(lambda name=name: read_setting(name) for name in SETTINGS)]
    return tuple(problem for read in reads if (problem := _problem_of(read)))


def _problem_of(read: Callable[[], object]) -> str:
    try:
        read()
    except EnvironmentValueError as error:
        return str(error)
    return ""
