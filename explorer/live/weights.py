"""Weights from outside: a file that someone brought, or torchvision's own from PyTorch's server.

Both are read by a process of their own (:mod:`explorer.live.weights_reader`), and what is kept is a file of ours.
"""

import hashlib
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from explorer.config import GoogLeNetConfig
from explorer.live.look import Imported, InputError
from explorer.live.report import Failure, Progress
from explorer.live.scratch import Scratch
from explorer.presets import PRESETS

READER = (sys.executable, "-m", "explorer.live.weights_reader")
READING_S = 55  # below the time after which the asking process would be ended
URL = "https://download.pytorch.org/models/googlenet-1378be20.pth"
CHECKSUM = "1378be20"  # how the SHA-256 of the file begins; it stands in its name
MAX_DOWNLOAD = 100_000_000  # bytes; the file has 52 million
PIECE = 1_000_000
PATIENCE_S = 20  # for the server's next word

_ROOT = Path(__file__).parents[2]
_ANSWER: TypeAdapter[Imported | Failure] = TypeAdapter(Imported | Failure)


def import_weights(path: str, config: GoogLeNetConfig) -> Imported:
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
            cwd=_ROOT,
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


def download_weights(folder: str, url: str = URL, checksum: str = CHECKSUM) -> Iterator[Progress | Imported]:
    """Yield progress, then torchvision's weights. Raises InputError where they cannot be had, with what to do then."""
    content, digest = bytearray(), hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            size = int(answer.headers.get("Content-Length") or 0)
            while piece := answer.read(PIECE):
                content += piece
                digest.update(piece)
                if len(content) > MAX_DOWNLOAD:
                    raise InputError("The server sends more than the weights: it was not read to the end.")
                done, total = len(content) // PIECE, max(size, len(content)) // PIECE
                yield Progress(done=done, total=max(total, 1), doing="Megabytes from PyTorch's server")
    except InputError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        raise InputError(
            f"PyTorch's server cannot be reached from here ({_reason(error)}). Fetch {url} elsewhere, and choose the "
            "file here."
        ) from error
    if len(content) < size:
        raise InputError(f"The server sent {len(content):,} of {size:,} bytes. Try again later.")
    if not digest.hexdigest().startswith(checksum):
        raise InputError("What came is not torchvision's file: its checksum differs. Try again later.")
    yield Progress(done=1, total=1, doing="The weights are read")
    path = Scratch(Path(folder)).keep(bytes(content), ".weights")
    yield import_weights(str(path), PRESETS["torchvision"])


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", error))[:100] or type(error).__name__
