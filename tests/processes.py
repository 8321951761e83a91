"""Helpers of tests that start processes: wait for a condition, and see whether a process is alive."""

import os
from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

import psutil

WAIT_S = 300  # until a test fails that would wait for ever; what it waits for takes a fraction of it on a busy machine

T = TypeVar("T")


def environment_with_priorities() -> dict[str, str]:
    """Return the environment for a process whose children may lower their priority, as they do outside tests."""
    return os.environ | {"PYTHONPATH": ""}


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
