"""A download in its real process: progress, failures and stopping, while the process that looks inside goes on."""

import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from explorer.jobs.inspection import DownloadRequest, ImportedWeights
from explorer.jobs.queue import JobQueue, Pending
from explorer.jobs.requests import Failure
from tests import torchvision_layout
from tests.processes import wait_for

PIECE = 1_000_000
WORKER = """
import sys
from explorer.jobs import weights, worker
weights.download_weights.__defaults__ = tuple(sys.argv[1:])
worker.main()
"""


class Source:
    """A server that has a file and sends its first half; the rest when it may go on, unless it shall break off."""

    def __init__(self, content: bytes) -> None:
        self.content, self.goes_on, self.breaks_off = content, threading.Event(), False
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                half = len(source.content) // 2
                self.send_response(200)
                self.send_header("Content-Length", str(len(source.content)))
                self.end_headers()
                try:
                    self.wfile.write(source.content[:half])
                    source.goes_on.wait(20)
                    if not source.breaks_off:
                        self.wfile.write(source.content[half:])
                except ConnectionError:
                    source.left.set()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.left = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/googlenet.pth"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return torchvision's file, without heads."""
    path = tmp_path_factory.mktemp("source") / "googlenet.pth"
    torch.save(torchvision_layout.state_dict(heads=False), path)
    return path.read_bytes()


@pytest.fixture
def source(content: bytes) -> Iterator[Source]:
    """Serve the file."""
    source = Source(content)
    with source.server as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield source
        source.goes_on.set()
        server.shutdown()


@pytest.fixture
def bringer(source: Source) -> Iterator[JobQueue]:
    """Return the checker whose real process fetches from there, with the file's checksum."""
    checker = JobQueue((sys.executable, "-c", WORKER, source.url, sha256(source.content).hexdigest()[:8]))
    yield checker
    checker.close()


def half_way(bringer: JobQueue, request: DownloadRequest, source: Source) -> Pending:
    """Wait until half the file has come."""

    def found() -> Pending | None:
        answer = bringer.submit(request)
        progress = isinstance(answer, Pending) and answer.progress
        return answer if progress and progress.done == len(source.content) // 2 // PIECE else None

    return wait_for(found)


def answered(bringer: JobQueue, request: DownloadRequest) -> Any:
    """Ask until the answer is there."""
    return wait_for(lambda: None if isinstance(found := bringer.submit(request), Pending) else found)


def test_it_tells_how_far_it_is_and_gives_the_weights(bringer: JobQueue, source: Source, tmp_path: Path) -> None:
    """All who ask share the one transfer; the process that fetches is small, as it loads no torch."""
    request = DownloadRequest(folder=str(tmp_path))
    pending = half_way(bringer, request, source)
    assert pending.progress.total == len(source.content) // PIECE
    assert pending.progress.message == "Megabytes from PyTorch's server"
    assert isinstance(bringer.submit(request, "another session"), Pending)
    (child,) = [one for one in psutil.Process().children() if WORKER in one.cmdline()]
    assert child.memory_info().rss < 150_000_000
    source.goes_on.set()
    found = answered(bringer, request)
    assert isinstance(found, ImportedWeights)
    assert Path(found.network.weights).parent == tmp_path
    assert not list(tmp_path.glob("*.part"))


def test_a_connection_that_is_cut_is_told(bringer: JobQueue, source: Source, tmp_path: Path) -> None:
    """With how much came; nothing is kept."""
    request, half = DownloadRequest(folder=str(tmp_path)), len(source.content) // 2
    half_way(bringer, request, source)
    source.breaks_off = True
    source.goes_on.set()
    told = f"The server sent {half:,} of {len(source.content):,} bytes. Try again later."
    assert answered(bringer, request) == Failure(reason=told)
    assert [] == list(tmp_path.iterdir())


def test_another_file_is_told(bringer: JobQueue, source: Source, tmp_path: Path) -> None:
    """By its checksum, before anything opens it."""
    source.content = bytes(4 * PIECE)
    source.goes_on.set()
    assert "checksum differs" in answered(bringer, DownloadRequest(folder=str(tmp_path))).reason
    assert [] == list(tmp_path.iterdir())


def test_it_can_be_stopped_and_begun_again(bringer: JobQueue, source: Source, tmp_path: Path) -> None:
    """The connection ends at once, and what came of it stands in nobody's way."""
    request = DownloadRequest(folder=str(tmp_path))
    half_way(bringer, request, source)
    (child,) = [one for one in psutil.Process().children() if WORKER in one.cmdline()]
    bringer.cancel(request)
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    source.goes_on.set()
    assert source.left.wait(10), "the server notices that nobody listens"
    assert isinstance(answered(bringer, request), ImportedWeights)
