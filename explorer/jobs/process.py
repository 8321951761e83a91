"""How a child process behaves that must never compete with its server, nor outlive it."""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2)


def lower_priority(nice: int) -> None:
    """Take a low priority; end with the server, and not by the Ctrl-C that is meant for it.

    To be called before PyTorch is loaded, so that its threads take after this one. On Windows the server gives the
    priority.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # on busy cores, threads that spin for each other stand still
    if hasattr(os, "nice"):
        os.nice(nice)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def limit_resources(memory: int, seconds: int, file: int) -> None:
    """Take away what this process does not need: ``memory`` bytes above what it has now, ``seconds`` of computing.

    No ``file`` that it writes may have more bytes. Beyond the memory, MemoryError is raised; beyond the seconds the
    process ends. Linux only.
    """
    if sys.platform != "linux":
        return
    import resource

    with open("/proc/self/statm", encoding="ascii") as statm:
        held = int(statm.read().split()[0]) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_AS, held + memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def is_user_error(error: Exception) -> bool:
    """Whether it is one of this app's own exceptions: their messages are sentences for the reader."""
    return type(error).__module__.partition(".")[0] == __package__.partition(".")[0]


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
