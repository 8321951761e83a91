"""Import weights: from a file of the reader's, or torchvision's own from PyTorch's server. Free of torch.

Another process reads the file (:mod:`explorer.live.weights_reader`) and writes the weights to a file in our format.
"""

import hashlib
import queue
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
from explorer.errors import InputError
from explorer.jobs import process
from explorer.jobs.inspection import ImportedWeights
from explorer.jobs.job import Failure, Progress
from explorer.presets import PRESETS

READER = (sys.executable, "-m", "explorer.live.weights_reader")
READ_TIMEOUT_S = 55  # below the timeout of the queue, which would kill the worker that waits for the reader
URL = "https://download.pytorch.org/models/googlenet-1378be20.pth"
CHECKSUM = "1378be20"  # how the SHA-256 of the file begins; it is part of its name
MAX_DOWNLOAD = 100_000_000  # bytes; the file has 52 million
PIECE = 1_000_000  # bytes
CONNECT_TIMEOUT_S = 5  # until the server's answer begins: without internet, a user should not wait long
SOCKET_TIMEOUT_S = 20  # until more data arrives
DOWNLOAD_TIMEOUT_S = 1_800

_RESULT: TypeAdapter[ImportedWeights | Failure] = TypeAdapter(ImportedWeights | Failure)


def import_weights(path: str, config: GoogLeNetConfig, folder: str = "", name: str = "") -> ImportedWeights:
    """Convert a file of weights to our format; ``config`` is the network of tensors that come without a config.

    The new file is written to ``folder``, by default that of the old one, with ``name`` as its title. Tensors that do
    not fit are listed. Raises InputError with the reason if the file holds no weights of a GoogLeNet.
    """
    if not Path(path).is_file():
        raise InputError("The file no longer exists. Choose it again.")
    try:
        document = config.model_dump_json().encode()
        done = process.run(
            (*READER, path, folder or str(Path(path).parent), name), [document], READ_TIMEOUT_S, stderr="discard"
        )
        result = _RESULT.validate_json(done.stdout)
    except TimeoutError:
        raise InputError(f"Reading the file took longer than {READ_TIMEOUT_S} seconds and was stopped.") from None
    except ValidationError:
        raise InputError("Reading the file took more memory or time than weights need and was stopped.") from None
    if isinstance(result, Failure):
        raise InputError(result.reason)
    return result


def download_weights(folder: str, url: str = URL, checksum: str = CHECKSUM) -> Iterator[Progress | ImportedWeights]:
    """Yield progress, then torchvision's weights. A file downloaded before is used again while it is there.

    Raises InputError with what to do if the download fails, and ContentStoreError if the file cannot be saved.
    """
    store = ContentStore(Path(folder))
    path = store.folder / f"googlenet-{checksum}.weights"
    if not store.mark_used(path):
        yield Progress(done=0, total=1, message="Connecting to PyTorch's server")
        yield from _download(url, checksum, store, path)
    yield Progress(done=1, total=1, message="Reading the weights")
    yield import_weights(str(path), PRESETS["torchvision"])


def _download(url: str, checksum: str, store: ContentStore, path: Path) -> Iterator[Progress]:
    """Write what the server sends to a file, piece by piece; the file appears only when it is complete and correct."""
    done, size, digest = 0, 0, hashlib.sha256()
    with store.create(path, MAX_DOWNLOAD) as part, closing(_pieces(url)) as pieces:
        for piece, size in pieces:
            done += len(piece)
            if done > MAX_DOWNLOAD:
                raise InputError(f"The server sends more than {MAX_DOWNLOAD:,} bytes; the download was stopped.")
            part.write(piece)
            digest.update(piece)
            total = max(size, done, PIECE) // PIECE
            yield Progress(done=done // PIECE, total=total, message="Megabytes from PyTorch's server")
        if done < size:
            raise InputError(f"The server sent {done:,} of {size:,} bytes. Try again later.")
        if not digest.hexdigest().startswith(checksum):
            raise InputError("The downloaded file is not torchvision's: its checksum differs. Try again later.")


def _pieces(url: str) -> Generator[tuple[bytes, int], None, None]:
    """Yield the content of an address as it arrives, with the total size in bytes, 0 if the server does not send it."""
    deadline = monotonic() + DOWNLOAD_TIMEOUT_S
    try:
        with _open(url) as response:
            size = int(response.headers.get("Content-Length") or 0)
            while piece := response.read1(PIECE):
                if monotonic() > deadline:
                    raise InputError(
                        f"The download took longer than {DOWNLOAD_TIMEOUT_S // 60} minutes and was stopped."
                    )
                yield piece, size
    except InputError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        raise InputError(
            f"PyTorch's server cannot be reached from here ({_reason(error)}). Download {url} on another machine and "
            "choose the file here."
        ) from error


def _open(url: str) -> HTTPResponse:
    """Return the server's response as soon as it begins.

    Raises TimeoutError after CONNECT_TIMEOUT_S. A timeout of the socket is not enough: it does not include the DNS
    lookup, which alone may take half a minute, and starts again for each address found.
    """
    responses: queue.SimpleQueue[HTTPResponse | Exception] = queue.SimpleQueue()

    def connect() -> None:
        try:
            responses.put(urllib.request.urlopen(url, timeout=SOCKET_TIMEOUT_S))
        except HTTPError as error:  # such as 404: a response too, with a connection of its own
            error.close()
            responses.put(error)
        except Exception as error:  # raised again in the waiting thread
            responses.put(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        response = responses.get(timeout=CONNECT_TIMEOUT_S)
    except queue.Empty:
        raise TimeoutError(f"no answer within {CONNECT_TIMEOUT_S} seconds") from None
    if isinstance(response, Exception):
        raise response
    return response


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", error))[:100] or type(error).__name__
