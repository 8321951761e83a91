"""The process that runs the checks: ``python -m explorer.jobs.worker``, started by :mod:`explorer.jobs.queue`.

An argument says by how many MB it may grow.

It reads one request per line from stdin and writes to stdout, in JSON, a ``Progress`` per line while it works and then
one ``Answer``, until stdin ends.
It never competes with its server: it has a low priority, leaves one core free, and ends when the server does.
"""

import ctypes
import gc
import importlib
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import TextIO

from explorer.jobs.process import available_cores, is_user_error, lower_priority
from explorer.jobs.requests import KINDS, REQUEST, Answer, Progress, Request, Result

NICE = 10
MAX_GROWTH_MB = 150  # above the size after the first answer, when everything is loaded


def main(growth_mb: int = MAX_GROWTH_MB) -> None:
    """Answer requests until stdin ends."""
    answers = _take_stdout()
    lower_priority(NICE)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    at_first = None
    while True:
        answer = _answer(requests.get(), lambda progress: answers.write(progress.model_dump_json() + "\n"))
        size = _trimmed_megabytes()
        at_first = at_first or size
        answer = answer.replace(retire=size > at_first + growth_mb)
        answers.write(answer.model_dump_json() + "\n")


def _take_stdout() -> TextIO:
    """Return the real stdout and point everyone else's at stderr, C libraries' included."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return answers


def _leave_one_core() -> None:
    """Bound PyTorch's threads, where the work has loaded it."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(max(1, min(torch.get_num_threads(), available_cores() - 1)))


def _read(requests: queue.SimpleQueue[bytes]) -> None:
    """Pass lines on. When stdin ends the server has gone, and the process ends at once, amid whatever it does."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _answer(line: bytes, tell: Callable[[Progress], object]) -> Answer:
    try:
        result = None
        for said in _said(REQUEST.validate_json(line)):
            if isinstance(said, Progress):
                tell(said)
            else:
                result = said
        return Answer(result=result)
    except Exception as error:  # whatever PyTorch may raise becomes a sentence on the page
        return Answer(error=_sentence(error))


def _sentence(error: Exception) -> str:
    """Say what went wrong: our own exceptions do so themselves, of all others the log keeps the details."""
    if is_user_error(error):
        return str(error)
    traceback.print_exception(error)
    if isinstance(error, MemoryError) or "memory" in str(error).lower():
        return "There was not enough memory for it."
    return "It failed in a way that was not foreseen; the server's log has the details."


def _said(request: Request) -> Iterator[Progress | Result]:
    """Call the function of the request's kind with its other fields; pass on what it yields, or what it returns."""
    arguments = dict(request)
    module, name = KINDS[arguments.pop("kind")].work.split(":")
    work = getattr(importlib.import_module(module), name)
    _leave_one_core()
    outcome = work(**arguments)
    if isinstance(outcome, Iterator):
        yield from outcome
    else:
        yield outcome


def _trimmed_megabytes() -> int:
    """Give free memory back to the system and return the size (RSS) that is left, in MB; 0 where it is not known."""
    gc.collect()
    if sys.platform != "linux":
        return 0
    if hasattr(ctypes.CDLL(None), "malloc_trim"):  # glibc has it
        ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1_000_000


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
