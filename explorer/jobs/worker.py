"""The worker process that answers requests: ``python -m explorer.jobs.worker [MB]``, started by the job queue.

``MB`` is by how many megabytes it may grow. It reads one request per line from stdin until stdin ends. To stdout it
writes JSON: a ``Progress`` per line while it works, then one ``Answer``.
It leaves one core to the server.
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

from explorer.errors import UserError
from explorer.jobs.job import Progress
from explorer.jobs.process import available_cores, end_with_parent, lower_priority, resident_mb, take_stdout
from explorer.jobs.protocol import REQUEST, Answer, Request, Result

NICE = 10
MAX_GROWTH_MB = 150  # above the size after the first answer, when everything is loaded


def main(growth_mb: int = MAX_GROWTH_MB) -> None:
    """Answer requests until stdin ends."""
    output = take_stdout()
    lower_priority(NICE)
    end_with_parent()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(lines,), daemon=True).start()
    first_size = 0
    while True:
        answer = _answer(lines.get(), lambda progress: output.write(progress.model_dump_json() + "\n"))
        size = _trim_memory()
        first_size = first_size or size
        answer = answer.replace(retire=size > first_size + growth_mb)
        output.write(answer.model_dump_json() + "\n")


def _read_lines(lines: queue.SimpleQueue[bytes]) -> None:
    """Pass the lines of stdin on. When it ends the server has gone, and the process exits in the middle of its work."""
    for line in sys.stdin.buffer:
        lines.put(line)
    os._exit(0)


def _answer(line: bytes, on_progress: Callable[[Progress], object]) -> Answer:
    try:
        result = None
        for step in _work(REQUEST.validate_json(line)):
            if isinstance(step, Progress):
                on_progress(step)
            else:
                result = step
        return Answer(result=result)
    except Exception as error:  # PyTorch may raise anything; the page shows a sentence
        return Answer(error=_error_message(error))


def _error_message(error: Exception) -> str:
    """Return the message of a user error; log any other error and return a general sentence."""
    if isinstance(error, UserError):
        return str(error)
    traceback.print_exception(error)
    if isinstance(error, MemoryError) or "memory" in str(error).lower():
        return "There was not enough memory for it."
    return "It failed unexpectedly; the server's log has the details."


def _work(request: Request) -> Iterator[Progress | Result]:
    """Call the function that answers the request with the request's fields, and yield its progress and its result."""
    arguments = dict(request)
    del arguments["kind"]
    module, name = request.function.split(":")
    function = getattr(importlib.import_module(module), name)
    _limit_threads()
    outcome = function(**arguments)
    if isinstance(outcome, Iterator):
        yield from outcome
    else:
        yield outcome


def _limit_threads() -> None:
    """Leave one core to the server, if PyTorch is loaded."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(max(1, min(torch.get_num_threads(), available_cores() - 1)))


def _trim_memory() -> int:
    """Return free memory to the system and return the resident size (RSS) in MB; 0 except on Linux."""
    gc.collect()
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc has it
        libc.malloc_trim(0)
    return int(resident_mb())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
