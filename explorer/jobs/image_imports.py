"""The server's side of an import: the images are read by a process of their own, one import at a time.

It has a low priority and a limit on its memory and time (:mod:`explorer.jobs.image_imports_worker`), so whatever is sent, the
server and everybody on it go on. Free of torch.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import copyfileobj

from pydantic import ValidationError

from explorer.data.arrays import DataError
from explorer.data.imports import Imported, Upload, named
from explorer.jobs.image_imports_worker import ANSWER, ImportOrder
from explorer.jobs.requests import Failure
from explorer.settings import ROOT

READER = (sys.executable, "-m", "explorer.jobs.image_imports_worker")
MOST_S = 240.0  # seconds, of which reading images may take MAX_SECONDS

_PIECE = 1_000_000
_ONE = threading.Lock()  # imports that run side by side would need their memory side by side


def import_in_child(uploads: Sequence[Upload], folder: Path, *, side: int = 32, title: str = "") -> Imported:
    """Do what :func:`explorer.data.imports.import_images` does in a process of its own, and wait for it.

    Raises DataError with what is wrong, also when the process took too much memory or time; nothing is kept then.
    """
    files = named(uploads)
    sizes = tuple((name, file.seek(0, os.SEEK_END)) for name, file in files)
    with _ONE:
        answer = _answered(files, ImportOrder(files=sizes, side=side, title=title), folder)
    if isinstance(answer, Failure):
        raise DataError(answer.reason)
    return answer


def _answered(files: Sequence[Upload], order: ImportOrder, folder: Path) -> Imported | Failure:
    priority = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)  # Windows; elsewhere it lowers its own
    pipe = subprocess.PIPE
    with subprocess.Popen((*READER, str(folder)), stdin=pipe, stdout=pipe, cwd=ROOT, creationflags=priority) as process:
        overdue = threading.Timer(MOST_S, process.kill)
        overdue.daemon = True
        overdue.start()
        try:
            with suppress(BrokenPipeError):  # it ended before it had read all: what it said counts
                _send(files, order, process)
            said, _ = process.communicate()
        finally:
            late = not overdue.is_alive()
            overdue.cancel()
            process.kill()
    with suppress(ValidationError):
        return ANSWER.validate_json(said)
    if late:
        return Failure(reason=f"Importing took longer than {MOST_S:g} seconds, and was stopped. Send fewer images.")
    return Failure(
        reason=f"The importing process ended without an answer (exit code {process.returncode}), and nothing was kept. "
        "Send fewer images, or smaller ones."
    )


def _send(files: Sequence[Upload], order: ImportOrder, process: subprocess.Popen[bytes]) -> None:
    """Write the order and the files to the process, a piece at a time."""
    process.stdin.write(order.model_dump_json().encode() + b"\n")
    for _, file in files:
        file.seek(0)
        copyfileobj(file, process.stdin, _PIECE)
