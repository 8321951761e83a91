"""Weights from outside: a file that someone brought, or torchvision's own from PyTorch's server. Free of torch.

Both are read by a process of their own (:mod:`explorer.live.weights_reader`), and what is kept is a file of ours.
"""

import hashlib
import queue
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import closing
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from time import monotonic
from urllib.error import HTTPError

from pydantic import TypeAdapter, ValidationError

from explorer.config import GoogLeNetConfig
from explorer.data.content_store import ContentStore
from explorer.jobs.inspection import ImportedWeights, InputError
from explorer.jobs.requests import Failure, Progress
from explorer.presets import PRESETS
from explorer.settings import ROOT

READER = (sys.executable, "-m", "explorer.live.weights_reader")
READING_S = 55  # below the time after which the asking process would be ended
URL = "https://download.pytorch.org/models/googlenet-1378be20.pth"
CHECKSUM = "1378be20"  # how the SHA-256 of the file begins; it stands in its name
MAX_DOWNLOAD = 100_000_000  # bytes; the file has 52 million
PIECE = 1_000_000
ANSWER_S = 5  # for the server's first word: where there is no internet, the reader need not wait to be told
PATIENCE_S = 20  # for its next
DOWNLOAD_S = 1_800

_ANSWER: TypeAdapter[ImportedWeights | Failure] = TypeAdapter(ImportedWeights | Failure)


def import_weights(path: str, config: GoogLeNetConfig) -> ImportedWeights:
    """Make a file of ours from one that someone brought; ``config`` is the network of tensors that name none.

    It is written to the folder of the file. Tensors that do not fit are told row by row. Raises InputError with the
    reason for a file that holds no weights of a GoogLeNet.
    """
    if not Path(path).is_file():
        raise InputError("The file is no longer there. Choose it again.")
    try:
        done = subprocess.run(
            (*READER, path),
            input=config.model_dump_json().encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            timeout=READING_S,
            check=False,
        )
        answer = _ANSWER.validate_json(done.stdout)
    except subprocess.TimeoutExpired:
        raise InputError(f"Reading the file took longer than {READING_S} seconds, and was stopped.") from None
    except ValidationError:
        raise InputError("Reading the file took more memory or time than weights need, and was stopped.") from None
    if isinstance(answer, Failure):
        raise InputError(answer.reason)
    return answer


def download_weights(folder: str, url: str = URL, checksum: str = CHECKSUM) -> Iterator[Progress | ImportedWeights]:
    """Yield progress, then torchvision's weights. What was fetched before, and is still there, is not fetched again.

    Raises InputError where they cannot be had, with what to do then, and ScratchError where they cannot be kept.
    """
    scratch = ContentStore(Path(folder))
    path = scratch.folder / f"googlenet-{checksum}.weights"
    if not scratch.holds(path):
        yield Progress(done=0, total=1, doing="PyTorch's server is asked")
        yield from _fetch(url, checksum, scratch, path)
    yield Progress(done=1, total=1, doing="The weights are read")
    yield import_weights(str(path), PRESETS["torchvision"])


def _fetch(url: str, checksum: str, scratch: ContentStore, path: Path) -> Iterator[Progress]:
    """Write what the server sends to a file, piece by piece; it is there only if it is whole and the right one."""
    done, size, digest = 0, 0, hashlib.sha256()
    with scratch.growing(path, MAX_DOWNLOAD) as part, closing(_pieces(url)) as pieces:
        for piece, size in pieces:
            done += len(piece)
            if done > MAX_DOWNLOAD:
                raise InputError("The server sends more than the weights: it was not read to the end.")
            part.write(piece)
            digest.update(piece)
            total = max(size, done, PIECE) // PIECE
            yield Progress(done=done // PIECE, total=total, doing="Megabytes from PyTorch's server")
        if done < size:
            raise InputError(f"The server sent {done:,} of {size:,} bytes. Try again later.")
        if not digest.hexdigest().startswith(checksum):
            raise InputError("What came is not torchvision's file: its checksum differs. Try again later.")


def _pieces(url: str) -> Generator[tuple[bytes, int], None, None]:
    """Yield what is at an address as it comes in, with the size of the whole in bytes, 0 where it is not told."""
    until = monotonic() + DOWNLOAD_S
    try:
        with _opened(url) as answer:
            size = int(answer.headers.get("Content-Length") or 0)
            while piece := answer.read1(PIECE):
                if monotonic() > until:
                    raise InputError(f"It took longer than {DOWNLOAD_S // 60} minutes and was stopped.")
                yield piece, size
    except InputError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        raise InputError(
            f"PyTorch's server cannot be reached from here ({_reason(error)}). Fetch {url} elsewhere, and choose the "
            "file here."
        ) from error


def _opened(url: str) -> HTTPResponse:
    """Return the server's answer as soon as it begins.

    Raises TimeoutError after ANSWER_S. A timeout of the socket's does not do for this: it does not count the search
    for the address, which alone may take half a minute, and counts anew for each address that is found.
    """
    answers: queue.SimpleQueue[HTTPResponse | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(url, timeout=PATIENCE_S))
        except HTTPError as error:  # such as 404: an answer too, with a connection of its own
            error.close()
            answers.put(error)
        except Exception as error:  # whatever it is, it belongs to the one who waits
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_S)
    except queue.Empty:
        raise TimeoutError(f"no answer within {ANSWER_S} seconds") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", error))[:100] or type(error).__name__
