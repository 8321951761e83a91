"""Importing weights: the process that reads an uploaded file, and the download from a server."""

import contextlib
import http.server
import itertools
import socket
import sys
import threading
import tracemalloc
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from explorer.data.content_store import ContentStoreError
from explorer.data.weight_files import COUNTER, expected_shapes, read_weights_info
from explorer.errors import InputError
from explorer.jobs import weights
from explorer.jobs.job import Progress
from explorer.jobs.weights import download_weights, import_weights
from tests import torchvision_layout
from tests.live.test_weights_reader import save_torch, small_state
from tests.small_network import SMALL

pytestmark = pytest.mark.slow


def test_an_uploaded_file_is_converted(tmp_path: Path) -> None:
    """From the format before PyTorch 1.6, in half precision; the new file is in the same folder."""
    state = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in small_state().items()}
    path = save_torch(tmp_path, state, _use_new_zipfile_serialization=False)
    result = import_weights(str(path), SMALL)
    assert result.network.config == SMALL
    assert Path(result.network.weights).parent == tmp_path
    assert read_weights_info(result.network.weights).network == result.network
    saved = load_file(result.network.weights)
    for name, tensor in small_state().items():
        assert saved[name].dtype == (torch.int64 if name.endswith(COUNTER) else torch.float32)
        torch.testing.assert_close(saved[name], tensor, atol=1e-2, rtol=1e-2)


def test_the_memory_of_the_reader_is_limited(tmp_path: Path) -> None:
    """A file in the old format declares two gigabytes of numbers."""
    path = save_torch(tmp_path, {"a": torch.zeros(10)}, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert b"K\n" in content
    path.write_bytes(content.replace(b"K\n", b"J\x00\x00\x00\x20"))
    with pytest.raises(InputError, match=r"needs more than 1,000 MB of memory.*save them alone"):
        import_weights(str(path), SMALL)


def test_a_reader_that_dies_or_hangs_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence for the user."""
    path = save_torch(tmp_path, {})
    for script, message in (
        ("import os; os.abort()", "was stopped"),
        ("print('not an answer')", "was stopped"),
        ("import time; time.sleep(60)", "longer than 0.5 seconds"),
    ):
        monkeypatch.setattr(weights, "READER", (sys.executable, "-c", script))
        monkeypatch.setattr(weights, "READ_TIMEOUT_S", 0.5 if "sleep" in script else 30)
        with pytest.raises(InputError, match=message):
            import_weights(str(path), SMALL)
    with pytest.raises(InputError, match="no longer exists"):
        import_weights(str(tmp_path / "missing"), SMALL)


@contextlib.contextmanager
def serve(pieces: Iterable[bytes], size: int) -> Iterator[str]:
    """Serve these pieces as a file of ``size`` bytes; return the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the client may disconnect
                for piece in pieces:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        threading.Thread(target=http_server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{http_server.server_port}/googlenet.pth"
        http_server.shutdown()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, bytes]]:
    """Serve torchvision's file, without heads; return its address and its content."""
    folder = tmp_path_factory.mktemp("server")
    content = save_torch(folder, torchvision_layout.state_dict(heads=False)).read_bytes()
    with serve([content], len(content)) as url:
        yield url, content


def test_a_download_reports_progress_and_is_checked_and_used_again(tmp_path: Path, server: tuple[str, bytes]) -> None:
    """Then it returns the weights, later without a connection as long as its file exists; it needs the checksum."""
    url, content = server
    checksum = sha256(content).hexdigest()[:8]
    *steps, result = download_weights(str(tmp_path / "new"), url, checksum)
    assert all(isinstance(step, Progress) for step in steps)
    assert [steps[0].message, steps[-1].message] == ["Connecting to PyTorch's server", "Reading the weights"]
    megabytes = [step.done for step in steps[1:-1]]
    assert megabytes == sorted(megabytes)
    assert megabytes[-1] == steps[1].total == len(content) // 1_000_000
    assert set(load_file(result.network.weights)) >= set(expected_shapes(result.network.config))
    *steps, again = download_weights(str(tmp_path / "new"), "http://127.0.0.1:9/googlenet.pth", checksum)
    assert ["Reading the weights"] == [step.message for step in steps]
    assert result.network.config == again.network.config
    (tmp_path / "new" / f"googlenet-{checksum}.weights").unlink()
    with pytest.raises(InputError, match="cannot be reached"):
        list(download_weights(str(tmp_path / "new"), "http://127.0.0.1:9/googlenet.pth", checksum))
    with pytest.raises(InputError, match="checksum differs"):
        list(download_weights(str(tmp_path), url, "00000000"))


def test_a_download_that_is_too_large_is_stopped(
    tmp_path: Path, server: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever size the server declares."""
    monkeypatch.setattr(weights, "MAX_DOWNLOAD", 3_000_000)
    with pytest.raises(InputError, match="sends more than 3,000,000 bytes"):
        list(download_weights(str(tmp_path), server[0]))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 9000\r\n\r\nhalf", "sent 4 of 9,000 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "cannot be reached"),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", "cannot be reached"),
        (b"not HTTP\r\n\r\n", "cannot be reached"),
        (b"", "cannot be reached"),
    ],
)
def test_a_broken_answer_is_an_error(tmp_path: Path, answer: bytes, message: str) -> None:
    """Nothing is saved."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(10_000)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(InputError, match=message):
            list(download_weights(str(tmp_path), f"http://127.0.0.1:{listener.getsockname()[1]}/googlenet.pth"))
        thread.join()
    assert [] == list(tmp_path.iterdir())


def test_without_a_connection_the_message_says_what_to_do(tmp_path: Path) -> None:
    """No server listens at this port."""
    with pytest.raises(InputError, match=r"cannot be reached from here .* choose the file here"):
        list(download_weights(str(tmp_path), "http://127.0.0.1:9/googlenet.pth"))
    assert [] == list(tmp_path.iterdir())


def test_a_silent_server_is_an_error_within_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server accepts the connection and sends nothing; the download does not wait for ever."""
    monkeypatch.setattr(weights, "CONNECT_TIMEOUT_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(InputError, match=r"no answer within 0\.2 seconds"),
    ):
        list(download_weights(str(tmp_path), f"http://127.0.0.1:{silent.getsockname()[1]}/googlenet.pth"))
    assert [] == list(tmp_path.iterdir())


def test_a_download_takes_little_memory(tmp_path: Path) -> None:
    """60 megabytes, refused in the end for their checksum, take less than 10."""
    with serve(itertools.repeat(b"x" * 1_000_000, 60), size=60_000_000) as url:
        tracemalloc.start()
        with pytest.raises(InputError, match="checksum differs"):
            list(download_weights(str(tmp_path), url))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 10_000_000
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_an_error(tmp_path: Path, server: tuple[str, bytes]) -> None:
    """Nothing is downloaded."""
    (tmp_path / "file").touch()
    with pytest.raises(ContentStoreError, match="cannot be saved in"):
        list(download_weights(str(tmp_path / "file" / "folder"), server[0]))
