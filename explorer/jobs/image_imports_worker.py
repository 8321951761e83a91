"""The process that reads images from anywhere: ``python -m explorer.jobs.image_imports_worker FOLDER``.

On standard input it gets a line of JSON, an ``Order``, and behind it the files, one after another; it prints an
``Imported`` or a ``Failure`` as JSON. However images are made to fill memory or time, there is nothing here but a
process with little of both, which has no other work. On their way to the disk the files lie without a name, and are
gone with the process.
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from pydantic import TypeAdapter

from explorer.config import Frozen
from explorer.data.arrays import DataError
from explorer.data.imports import MAX_FILE_BYTES, MAX_SECONDS, MAX_SET_BYTES, Imported, Upload, import_images
from explorer.jobs.process import limit_resources, lower_priority
from explorer.jobs.requests import Failure

MEMORY = 1_000_000_000  # bytes above what the libraries take: the largest set that is kept, and copies of it
SECONDS = MAX_SECONDS + 60  # of computing
NICE = 10
ANSWER: TypeAdapter[Imported | Failure] = TypeAdapter(Imported | Failure)
_PIECE = 1_000_000


class ImportOrder(Frozen):
    """What is wanted: names and sizes in bytes of the files that follow, and the rest as ``import_images`` takes it."""

    files: tuple[tuple[str, int], ...]
    side: int
    title: str


def main(folder: str) -> None:
    """Import what comes on standard input into the data directory, and say what became of it."""
    lower_priority(NICE)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    limit_resources(MEMORY, SECONDS, max(MAX_FILE_BYTES, 2 * MAX_SET_BYTES))
    answers.write(ANSWER.dump_json(read(sys.stdin.buffer, Path(folder))))
    answers.close()


def read(sent: IO[bytes], folder: Path) -> Imported | Failure:
    """Import what was sent."""
    try:
        order = ImportOrder.model_validate_json(sent.readline())
        with ExitStack() as files:
            uploads = [Upload(name, files.enter_context(_spooled(sent, size, folder))) for name, size in order.files]
            return import_images(uploads, folder, side=order.side, title=order.title)
    except DataError as error:
        return Failure(reason=str(error))
    except OSError as error:
        return Failure(reason=f"The data directory cannot be written to ({error.strerror}).")
    except MemoryError:
        return Failure(
            reason=f"Importing these images needs more memory than the {MEMORY / 1e6:,.0f} MB that there are for it. "
            "Send fewer, or smaller ones."
        )


def _spooled(sent: IO[bytes], size: int, folder: Path) -> IO[bytes]:
    """Return the next ``size`` bytes as a file to seek in, which has no name and goes when it is closed."""
    folder.mkdir(parents=True, exist_ok=True)
    file = TemporaryFile(dir=folder)  # noqa: SIM115 (the caller closes it)
    while size and (piece := sent.read(min(size, _PIECE))):
        file.write(piece)
        size -= len(piece)
    file.seek(0)
    return file


if __name__ == "__main__":
    main(*sys.argv[1:])
