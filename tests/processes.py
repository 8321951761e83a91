"""Helpers of tests that start processes: wait for a condition, and see whether a process is alive."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

import psutil

WAIT_S = 60  # for something that takes a moment, on a machine that may be busy

T = TypeVar("T")


def is_alive(pid: int) -> bool:
    """Whether a process is running. One that has ended but was not waited for is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition: Callable[[], T | None]) -> T:
    """Wait until a condition returns a true value, and return it."""
    end = monotonic() + WAIT_S
    while not (value := condition()):
        assert monotonic() < end, "the condition did not become true in time"
        sleep(0.01)
    return value
