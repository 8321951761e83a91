"""A download in a real worker process: its progress, failures and cancelling."""

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
from explorer.jobs.job import Failure
from explorer.jobs.queue import JobQueue, Pending
from tests import torchvision_layout
from tests.processes import WAIT_S, wait_for

pytestmark = pytest.mark.slow

PIECE = 1_000_000
WORKER = """
import sys
from explorer.jobs import weights, worker
weights.download_weights.__defaults__ = tuple(sys.argv[1:])
worker.main()
"""


class FileServer:
    """A server with one file. It sends the first half, and the rest when ``may_continue`` is set.

    With ``drops_connection`` it closes the connection instead.
    """

    def __init__(self, content: bytes) -> None:
        self.content, self.may_continue, self.drops_connection = content, threading.Event(), False
        file_server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                half = len(file_server.content) // 2
                self.send_response(200)
                self.send_header("Content-Length", str(len(file_server.content)))
                self.end_headers()
                try:
                    self.wfile.write(file_server.content[:half])
                    file_server.may_continue.wait(WAIT_S)
                    if not file_server.drops_connection:
                        self.wfile.write(file_server.content[half:])
                except ConnectionError:
                    file_server.client_has_left.set()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.client_has_left = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/googlenet.pth"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return torchvision's file, without heads."""
    path = tmp_path_factory.mktemp("server") / "googlenet.pth"
    torch.save(torchvision_layout.state_dict(heads=False), path)
    return path.read_bytes()


@pytest.fixture
def file_server(content: bytes) -> Iterator[FileServer]:
    """Serve the file."""
    file_server = FileServer(content)
    with file_server.server as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield file_server
        file_server.may_continue.set()
        server.shutdown()


@pytest.fixture
def queue(file_server: FileServer) -> Iterator[JobQueue]:
    """Return a queue whose real worker downloads from that server and expects the file's checksum."""
    queue = JobQueue((sys.executable, "-c", WORKER, file_server.url, sha256(file_server.content).hexdigest()[:8]))
    yield queue
    queue.close()


def wait_for_half(queue: JobQueue, request: DownloadRequest, file_server: FileServer) -> Pending:
    """Wait until half of the file has arrived."""

    def half() -> Pending | None:
        answer = queue.submit(request)
        progress = isinstance(answer, Pending) and answer.progress
        return answer if progress and progress.done == len(file_server.content) // 2 // PIECE else None

    return wait_for(half)


def wait_for_result(queue: JobQueue, request: DownloadRequest) -> Any:
    """Submit a request until its result is there."""
    return wait_for(lambda: None if isinstance(answer := queue.submit(request), Pending) else answer)


def test_a_download_reports_progress_and_returns_the_weights(
    queue: JobQueue, file_server: FileServer, tmp_path: Path
) -> None:
    """All sessions share one download; the worker is small, because it does not load torch."""
    request = DownloadRequest(folder=str(tmp_path))
    pending = wait_for_half(queue, request, file_server)
    assert pending.progress.total == len(file_server.content) // PIECE
    assert pending.progress.message == "Megabytes from PyTorch's server"
    assert isinstance(queue.submit(request, "another session"), Pending)
    (child,) = [one for one in psutil.Process().children() if WORKER in one.cmdline()]
    assert child.memory_info().rss < 150_000_000
    file_server.may_continue.set()
    found = wait_for_result(queue, request)
    assert isinstance(found, ImportedWeights)
    assert Path(found.network.weights).parent == tmp_path
    assert not list(tmp_path.glob("*.part"))


def test_a_dropped_connection_is_a_failure(queue: JobQueue, file_server: FileServer, tmp_path: Path) -> None:
    """It says how much arrived; nothing is saved."""
    request, half = DownloadRequest(folder=str(tmp_path)), len(file_server.content) // 2
    wait_for_half(queue, request, file_server)
    file_server.drops_connection = True
    file_server.may_continue.set()
    reason = f"The server sent {half:,} of {len(file_server.content):,} bytes. Try again later."
    assert wait_for_result(queue, request) == Failure(reason=reason)
    assert [] == list(tmp_path.iterdir())


def test_another_file_is_a_failure(queue: JobQueue, file_server: FileServer, tmp_path: Path) -> None:
    """By its checksum, before anything opens it."""
    file_server.content = bytes(4 * PIECE)
    file_server.may_continue.set()
    assert "checksum differs" in wait_for_result(queue, DownloadRequest(folder=str(tmp_path))).reason
    assert [] == list(tmp_path.iterdir())


def test_a_download_can_be_cancelled_and_started_again(
    queue: JobQueue, file_server: FileServer, tmp_path: Path
) -> None:
    """The connection is closed at once, and the incomplete file does no harm."""
    request = DownloadRequest(folder=str(tmp_path))
    wait_for_half(queue, request, file_server)
    (child,) = [one for one in psutil.Process().children() if WORKER in one.cmdline()]
    queue.cancel(request)
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    file_server.may_continue.set()
    assert file_server.client_has_left.wait(10), "the server should see that the connection is closed"
    assert isinstance(wait_for_result(queue, request), ImportedWeights)
