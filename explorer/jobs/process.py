"""Child processes: how the server starts, limits and ends them, and how they behave (the second half). Free of torch.

A child has a low priority, so that it never slows the server down, and ends when the server ends.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Literal, NamedTuple

from explorer.paths import ROOT

if sys.platform == "linux":
    import resource

Stream = Literal["pipe", "inherit", "discard"]

_STREAMS = {"pipe": subprocess.PIPE, "inherit": None, "discard": subprocess.DEVNULL}
_LOW_PRIORITY: int = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)  # Windows only
_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2)


class ChildProcess:
    """A process started in the project's root, with a pipe to its stdin.

    On Linux a child that calls :func:`end_with_parent` dies with the *thread* that started it, so start it in the
    thread that outlives it. On Windows it starts with a low priority; elsewhere it calls :func:`lower_priority`, or
    ``nice`` is added to the niceness of a program that does not.
    """

    def __init__(
        self, command: Sequence[str], *, stdout: Stream = "pipe", stderr: Stream = "inherit", nice: int = 0
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=_STREAMS[stdout],
            stderr=_STREAMS[stderr],
            cwd=ROOT,
            creationflags=_LOW_PRIORITY,
            start_new_session=True,  # a group of its own, so that kill() reaches what it starts
        )
        if nice and sys.platform != "win32":
            inherited = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, self._process.pid, min(inherited + nice, 19))

    @property
    def has_ended(self) -> bool:
        """Whether the process is no longer running."""
        return self._process.poll() is not None

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write to the child's stdin. When the child has ended, the rest is dropped: its output says why."""
        stdin = self._process.stdin
        assert stdin is not None
        for piece in pieces:
            try:
                stdin.write(piece)
                stdin.flush()
            except OSError:
                return

    def read_line(self, timeout_s: float, max_bytes: int) -> bytes:
        """Return the next line of stdout with its line feed; without one if the child has ended or the line is longer.

        Raises TimeoutError, and kills the child, after ``timeout_s`` seconds.
        """
        assert self._process.stdout is not None
        with self.kill_after(timeout_s) as killed:
            line = self._process.stdout.readline(max_bytes)
        if killed.is_set() and not line:
            raise TimeoutError
        return line

    def read_all(self) -> tuple[bytes, bytes]:
        """Close stdin and return all that the child prints to stdout and stderr until it ends."""
        stdout, stderr = self._process.communicate()
        return stdout or b"", stderr or b""

    @contextmanager
    def kill_after(self, seconds: float) -> Iterator[threading.Event]:
        """Kill the child if the block takes longer than ``seconds``; the event is set if that happened."""
        killed = threading.Event()

        def kill() -> None:
            killed.set()
            self.kill()

        timer = threading.Timer(seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            yield killed
        finally:
            timer.cancel()

    def kill(self) -> None:
        """Stop the process at once, and on POSIX all that it started: they could keep its pipes open for ever.

        Safe from any thread; :meth:`wait` or :meth:`end` must follow.
        """
        if sys.platform == "win32":
            self._process.kill()
        elif self._process.returncode is None:  # not yet waited for, so its number still stands for its group
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait until the process ends, close its pipes, and return its exit code: −n if signal n killed it (POSIX)."""
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        return code

    def end(self) -> int:
        """Kill the process if it still runs, and clean up as :meth:`wait` does. May be called twice."""
        self.kill()
        return self.wait()


class Completed(NamedTuple):
    """What a process printed to the streams that were piped, and its exit code."""

    stdout: bytes
    stderr: bytes
    code: int


def run(
    command: Sequence[str],
    pieces: Iterable[bytes],
    timeout_s: float,
    *,
    stdout: Stream = "pipe",
    stderr: Stream = "inherit",
    nice: int = 0,
) -> Completed:
    """Start a process, write ``pieces`` to its stdin, and wait for its end.

    It must read all of its input before it prints more than a pipe holds. Raises TimeoutError, and kills it, after
    ``timeout_s`` seconds.
    """
    child = ChildProcess(command, stdout=stdout, stderr=stderr, nice=nice)
    try:
        with child.kill_after(timeout_s) as killed:
            child.write(pieces)
            output = child.read_all()
    finally:
        code = child.end()
    if killed.is_set() and code:
        raise TimeoutError
    return Completed(*output, code)


def take_stdout() -> IO[str]:
    """In a child: return stdout, line-buffered, for its answers alone, and send what libraries print to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return answers


def lower_priority(nice: int) -> None:
    """In a child: add ``nice`` to its own niceness. On Windows the server has already lowered its priority.

    Call it before PyTorch is loaded, because threads inherit the priority of the thread that starts them.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # on busy cores, threads that spin for each other stand still
    if sys.platform != "win32":
        os.nice(nice)


def end_with_parent(*, watch_stdin: bool = False) -> None:
    """In a child: ignore Ctrl-C, which is meant for the server, and end when the server ends.

    Linux kills the child then. Elsewhere the end of stdin is the sign: ``watch_stdin`` waits for it in a thread, for
    a child that does not read stdin itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if watch_stdin:
        threading.Thread(target=_exit_when_stdin_ends, daemon=True).start()


def _exit_when_stdin_ends() -> None:
    while os.read(0, 1):  # unbuffered, so that no lock is held when Python ends
        pass
    os._exit(1)


def limit_resources(memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    """In a child: limit what it may use. Linux only.

    ``memory_bytes`` is the address space above what it has now: beyond it, MemoryError is raised. After
    ``cpu_seconds`` of computing it is killed. No file that it writes may have more than ``file_bytes``.
    """
    if sys.platform != "linux":
        return
    with open("/proc/self/statm", encoding="ascii") as statm:
        present = int(statm.read().split()[0]) * resource.getpagesize()
    for limit, maximum in (
        (resource.RLIMIT_AS, present + memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (maximum, maximum))


def resident_mb() -> float:
    """Return the resident size (RSS) of this process in MB; 0 except on Linux."""
    if sys.platform != "linux":
        return 0.0
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize() / 1e6


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
