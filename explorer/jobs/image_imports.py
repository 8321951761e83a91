"""Analyse and import images in a worker process: both sides of the pipe.

The command is ``python -m explorer.jobs.image_imports FOLDER``. Only one runs at a time. It has a low priority and
limits on its memory and time, so that no upload slows the server down. It reads a line of JSON, an ``ImportOrder``, and
then the files, one after another, from stdin; it prints an ``ImportReport``, an ``ImportedDataset``, an
``OwnTestImages`` or a ``Failure`` as JSON. It spools the files to the data directory as temporary files without a name,
which vanish with the process. Free of torch.
"""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Literal

from pydantic import TypeAdapter, ValidationError

from explorer.config import Frozen
from explorer.data.arrays import MAX_DATASET_BYTES, DataError
from explorer.data.content_store import FOLDER, ContentStore, ContentStoreError
from explorer.data.image_archive import MAX_SECONDS
from explorer.data.import_report import ImportOptions, ImportReport, Upload
from explorer.data.imports import ImportedDataset, analyse_upload, import_images
from explorer.data.own_test_images import Classifier, OwnTestImages, store_test_images
from explorer.data.upload_formats import MAX_FILE_BYTES, check_uploads
from explorer.errors import InputError
from explorer.jobs import process
from explorer.jobs.job import Failure

COMMAND = (sys.executable, "-m", "explorer.jobs.image_imports")
TIMEOUT_S = 240.0  # of which reading images may take MAX_SECONDS
MEMORY_BYTES = 1_000_000_000  # above what the libraries take: the largest dataset, and copies of it
CPU_SECONDS = MAX_SECONDS + 60
NICE = 10
Result = ImportReport | ImportedDataset | OwnTestImages | Failure
RESULT: TypeAdapter[Result] = TypeAdapter(Result)

Action = Literal["analyse", "import", "store_test_images"]
_PIECE = 1_000_000  # bytes
_one_at_a_time = threading.Lock()  # imports side by side would need their memory side by side


class ImportOrder(Frozen):
    """The names and sizes in bytes of the files that follow, what to do with them, and the arguments for it."""

    action: Action
    files: tuple[tuple[str, int], ...]
    options: ImportOptions
    owner: str = ""
    classifier: Classifier | None = None


def analyse_in_worker(uploads: Sequence[Upload], folder: Path, options: ImportOptions) -> ImportReport:
    """Run :func:`explorer.data.imports.analyse_upload` in a worker process and wait for it.

    Raises DataError with the reason, also when the process took too much memory or time.
    """
    result = _run("analyse", uploads, folder, options)
    assert isinstance(result, ImportReport)
    return result


def import_in_worker(
    uploads: Sequence[Upload], folder: Path, options: ImportOptions, owner: str = ""
) -> ImportedDataset:
    """Run :func:`explorer.data.imports.import_images` in a worker process and wait for it.

    Raises DataError as :func:`analyse_in_worker` does; nothing is saved then.
    """
    result = _run("import", uploads, folder, options, owner)
    assert isinstance(result, ImportedDataset)
    return result


def store_test_images_in_worker(
    uploads: Sequence[Upload], folder: Path, options: ImportOptions, classifier: Classifier
) -> OwnTestImages:
    """Run :func:`explorer.data.own_test_images.store_test_images` in a worker process and wait for it.

    Raises DataError as :func:`analyse_in_worker` does.
    """
    result = _run("store_test_images", uploads, folder, options, classifier=classifier)
    assert isinstance(result, OwnTestImages)
    return result


def _run(
    action: Action,
    uploads: Sequence[Upload],
    folder: Path,
    options: ImportOptions,
    owner: str = "",
    classifier: Classifier | None = None,
) -> Result:
    files = check_uploads(uploads)
    sizes = tuple((name, file.seek(0, os.SEEK_END)) for name, file in files)
    order = ImportOrder(action=action, files=sizes, options=options, owner=owner, classifier=classifier)
    with _one_at_a_time:
        result = _run_worker(files, order, folder)
    if isinstance(result, Failure):
        raise DataError(result.reason)
    return result


def _run_worker(files: Sequence[Upload], order: ImportOrder, folder: Path) -> Result:
    try:
        done = process.run((*COMMAND, str(folder)), _pieces(files, order), TIMEOUT_S)
    except TimeoutError:
        return Failure(reason=f"Reading took longer than {TIMEOUT_S:g} seconds and was stopped. Upload fewer images.")
    try:
        return RESULT.validate_json(done.stdout)
    except ValidationError:
        return Failure(
            reason=f"The import process ended without a result (exit code {done.code}), and nothing was saved. "
            "Upload fewer or smaller images."
        )


def _pieces(files: Sequence[Upload], order: ImportOrder) -> Iterator[bytes]:
    """Yield the worker's input."""
    yield order.model_dump_json().encode() + b"\n"
    for _, file in files:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


def main(folder: str) -> None:
    """In the worker: do what the order on stdin says and print the result."""
    output = process.take_stdout()
    process.lower_priority(NICE)
    process.end_with_parent()
    process.limit_resources(MEMORY_BYTES, CPU_SECONDS, max(MAX_FILE_BYTES, 2 * MAX_DATASET_BYTES))
    output.write(RESULT.dump_json(import_from_stream(sys.stdin.buffer, Path(folder))).decode())
    output.close()


def import_from_stream(stream: IO[bytes], folder: Path) -> Result:
    """Analyse or import the images in a stream that begins with an ``ImportOrder``."""
    try:
        order = ImportOrder.model_validate_json(stream.readline())
        with ExitStack() as files:
            uploads = [Upload(name, files.enter_context(_spooled(stream, size, folder))) for name, size in order.files]
            if order.action == "analyse":
                return analyse_upload(uploads, order.options)
            if order.classifier:
                return store_test_images(uploads, order.options, order.classifier, ContentStore(folder / FOLDER))
            return import_images(uploads, folder, order.options, order.owner)
    except (DataError, InputError, ContentStoreError) as error:
        return Failure(reason=str(error))
    except OSError as error:
        return Failure(reason=f"The data directory cannot be written to ({error.strerror}).")
    except MemoryError:
        return Failure(
            reason=f"Importing these images needs more than {MEMORY_BYTES / 1e6:,.0f} MB of memory. Upload fewer or "
            "smaller images."
        )


def _spooled(stream: IO[bytes], size: int, folder: Path) -> IO[bytes]:
    """Return the next ``size`` bytes as a seekable file without a name, deleted when it is closed."""
    folder.mkdir(parents=True, exist_ok=True)
    file = TemporaryFile(dir=folder)  # noqa: SIM115  # the caller closes it
    while size and (piece := stream.read(min(size, _PIECE))):
        file.write(piece)
        size -= len(piece)
    file.seek(0)
    return file


if __name__ == "__main__":
    main(*sys.argv[1:])
