"""Weights from outside: torchvision's layout computes what torchvision computes, and no hostile file does any harm."""

import contextlib
import http.server
import io
import itertools
import pickle
import socket
import threading
import tracemalloc
import zipfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save, save_file
from torch import Tensor

from explorer import PRESETS
from explorer.data.content_store import ContentStoreError
from explorer.data.weight_files import COUNTER, METADATA_KEY, WeightsMetadata, expected_shapes, read_weights_info
from explorer.errors import InputError
from explorer.jobs import weights
from explorer.jobs.inspection import ImportedWeights
from explorer.jobs.requests import Failure, Progress
from explorer.jobs.weights import download_weights, import_weights
from explorer.live.model import build_model
from explorer.live.weights import load_weights, restore_model, to_metadata, to_safetensors
from explorer.live.weights_reader import read
from explorer.training.plan import DATASETS
from tests import torchvision_layout
from tests.small_network import SMALL

TORCHVISION = PRESETS["torchvision"]


def saved(folder: Path, content: Any, **options: Any) -> Path:
    """What torch.save makes of it."""
    path = folder / "brought.weights"
    torch.save(content, path, **options)
    return path


def small_state() -> dict[str, Tensor]:
    """The small network's own state dict."""
    return build_model(SMALL, seed=8).state_dict()


@pytest.mark.parametrize("heads", [True, False], ids=["with heads", "without heads"])
def test_torchvisions_layout_computes_what_torchvision_does(tmp_path: Path, heads: bool) -> None:
    """Every tensor finds its place, and the logits are those of a forward pass written out here, within 1e-5."""
    state = torchvision_layout.state_dict(heads=heads)
    found = read(saved(tmp_path, state), SMALL)
    assert isinstance(found, ImportedWeights)
    assert found.mismatches == ()
    assert found.network.config.aux.taps == (("4a", "4d") if heads else ())
    kept = load_file(found.network.weights)
    assert len(kept) == len(state), "no key is left over"
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    model = restore_model(load_weights(found.network.weights)).eval()
    with torch.inference_mode():
        expected, out = torchvision_layout.forward(state, image), model.forward_with_heads(image)
    by_name = {"main": out.logits} | {{"4a": "aux1", "4d": "aux2"}[tap]: logits for tap, logits in out.aux.items()}
    assert by_name.keys() == expected.keys()
    for name, logits in expected.items():
        assert logits.std() > 1
        assert (by_name[name] - logits).abs().max() <= 1e-5


def test_a_file_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    """From the old format of before PyTorch 1.6, in half precision; the copy is found beside it."""
    state = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in small_state().items()}
    path = saved(tmp_path, state, _use_new_zipfile_serialization=False)
    found = import_weights(str(path), SMALL)
    assert found.network.config == SMALL
    assert Path(found.network.weights).parent == tmp_path
    assert read_weights_info(found.network.weights).network == found.network
    kept = load_file(found.network.weights)
    for name, tensor in small_state().items():
        assert kept[name].dtype == (torch.int64 if name.endswith(COUNTER) else torch.float32)
        torch.testing.assert_close(kept[name], tensor, atol=1e-2, rtol=1e-2)


def test_our_own_files_name_their_network(tmp_path: Path) -> None:
    """Whatever is on the page."""
    path = tmp_path / "ours.weights"
    path.write_bytes(to_safetensors(build_model(SMALL, seed=3)))
    found = read(path, TORCHVISION)
    assert found.network.config == SMALL
    assert all(
        torch.equal(tensor, load_file(found.network.weights)[name])
        for name, tensor in build_model(SMALL, seed=3).state_dict().items()
    )


def test_widths_that_differ_are_told_row_by_row(tmp_path: Path) -> None:
    """For our names as for torchvision's, in both formats."""
    state = small_state()
    state["inception_4a.branch_1x1.conv.conv.weight"] = torch.zeros(9, 27, 1, 1)
    theirs = torchvision_layout.state_dict(heads=False)
    theirs["inception3a.branch3.1.conv.weight"] = torch.zeros(32, 16, 5, 5)
    for content, row, expected, given in (
        (state, "inception_4a.branch_1x1.conv", (6, 27, 1, 1), (9, 27, 1, 1)),
        (theirs, "inception_3a.branch_5x5.conv", (32, 16, 3, 3), (32, 16, 5, 5)),
    ):
        path = tmp_path / "x.safetensors"
        save_file(content, path)
        for found in (read(saved(tmp_path, content), SMALL), read(path, SMALL)):
            assert found.network is None
            assert [tuple(misfit) for misfit in found.mismatches] == [(row, "conv.weight", expected, given)]
            assert found.about == "1 tensor does not fit the network."


class Trap:
    """An object whose pickle would run code."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def rezipped(path: Path, **options: Any) -> bytes:
    """The same archive written anew."""
    file = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(file, "w", **options) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    return file.getvalue()


def changed(name: str, value: Any) -> dict[str, Any]:
    """The small state dict with another value in it."""
    return small_state() | {name: value}


BIAS, MATRIX = "classifier.fc.bias", "classifier.fc.weight"
VALUES = {
    "NaN": (BIAS, torch.full((7,), torch.nan), "not finite"),
    "infinite": (BIAS, torch.full((7,), torch.inf), "not finite"),
    "whole numbers": (BIAS, torch.zeros(7, dtype=torch.int32), "of type torch.int32"),
    "complex": (BIAS, torch.zeros(7, dtype=torch.complex64), "of type torch.complex64"),
    "sparse": (MATRIX, torch.eye(7, 22).to_sparse(), "sparse"),
    "expanded": (BIAS, torch.zeros(1).expand(7), "repeats fewer numbers"),
    "without numbers": (BIAS, torch.zeros(7, device="meta"), "has no numbers"),
    "a list": (BIAS, [0.0] * 7, "more than a state dict"),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_are_no_weights_are_said(tmp_path: Path, case: str) -> None:
    """Each names the tensor that it is about."""
    name, value, told = VALUES[case]
    found = read(saved(tmp_path, changed(name, value)), SMALL)
    assert isinstance(found, Failure)
    assert told in found.reason
    assert name in found.reason


def test_negative_variances_are_said(tmp_path: Path) -> None:
    """They would make every output NaN."""
    config = PRESETS["mini"]
    state = build_model(config).state_dict()
    state["stem.conv1.bn.running_var"][3] = -1
    assert "stem.conv1.bn.running_var holds variances below 0" in read(saved(tmp_path, state), config).reason


def test_tensors_that_share_their_numbers_are_said(tmp_path: Path) -> None:
    """A thousand views of one storage would be a thousand copies."""
    numbers = torch.zeros(100_000)
    state = small_state() | {f"inception_3a.x{number}": numbers[number:] for number in range(1_000)}
    assert "share their numbers" in read(saved(tmp_path, state), SMALL).reason


def test_a_whole_model_is_refused_and_no_code_runs(tmp_path: Path) -> None:
    """Nor from a trap, in any format; the marker that it would leave is not there."""
    marker = tmp_path / "marker"
    for content in (build_model(SMALL), {"a": Trap(marker)}, Trap(marker)):
        for new in (True, False):
            found = read(saved(tmp_path, content, _use_new_zipfile_serialization=new), SMALL)
            assert "Nothing in it was run" in found.reason
    path = tmp_path / "plain.weights"
    path.write_bytes(pickle.dumps(Trap(marker)))
    assert isinstance(read(path, SMALL), Failure)
    assert not marker.exists()
    torch.load(saved(tmp_path, Trap(marker)), weights_only=False)
    assert marker.exists(), "the trap works where it is allowed to"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "no state dict"),
        ([torch.zeros(1)], "of the kind list"),
        (torch.zeros(3), "of the kind Tensor"),
        ({1: torch.zeros(1)}, "more than a state dict"),
        ({"state_dict": {"a": torch.zeros(1)}}, "more than a state dict"),
        (
            {"layer1.weight": torch.zeros(1)},
            "no GoogLeNet of torchvision's or of this app: its tensors are called layer1",
        ),
    ],
)
def test_what_is_no_state_dict_of_a_googlenet_is_said(tmp_path: Path, content: Any, told: str) -> None:
    """With what it is instead."""
    assert told in read(saved(tmp_path, content), SMALL).reason


def test_packed_archives_are_not_unfolded(tmp_path: Path) -> None:
    """A zip bomb: thousand times its size, judged by its table of contents alone."""
    path = saved(tmp_path, {"a": torch.zeros(20_000_000)})
    path.write_bytes(rezipped(path, compression=zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 1_000_000
    assert "packed archive" in read(path, SMALL).reason


def test_damaged_files_are_said(tmp_path: Path) -> None:
    """Cut off anywhere, in every format, or nothing at all."""
    path = saved(tmp_path, small_state())
    files = [path.read_bytes(), save(small_state(), to_metadata(SMALL))]
    files.append(saved(tmp_path, small_state(), _use_new_zipfile_serialization=False).read_bytes())
    for whole in files:
        for length in (0, 1, 9, 100, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            found = read(path, SMALL)
            assert isinstance(found, Failure)
            assert found.reason.endswith(".")


def test_a_file_too_large_is_not_opened(tmp_path: Path) -> None:
    """Its size is enough to know."""
    path = tmp_path / "x.weights"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    assert "300,000,000 bytes; at most 256,000,000" in read(path, SMALL).reason


def test_memory_is_bounded_where_a_file_lies(tmp_path: Path) -> None:
    """A file of the old format says how many numbers it has: here two gigabytes. The process may not take them."""
    path = saved(tmp_path, {"a": torch.zeros(10)}, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert b"K\n" in content
    path.write_bytes(content.replace(b"K\n", b"J\x00\x00\x00\x20"))
    with pytest.raises(InputError, match="needs more memory"):
        import_weights(str(path), SMALL)


def test_a_reader_that_dies_or_hangs_becomes_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it dies of."""
    path = saved(tmp_path, {})
    for script, told in (
        ("import os; os.abort()", "was stopped"),
        ("print('not an answer')", "was stopped"),
        ("import time; time.sleep(60)", "longer than 0.5 seconds"),
    ):
        monkeypatch.setattr(weights, "READER", (weights.sys.executable, "-c", script))
        monkeypatch.setattr(weights, "READ_TIMEOUT_S", 0.5 if "sleep" in script else 30)
        with pytest.raises(InputError, match=told):
            import_weights(str(path), SMALL)
    with pytest.raises(InputError, match="no longer exists"):
        import_weights(str(tmp_path / "missing"), SMALL)


@contextlib.contextmanager
def serving(pieces: Iterable[bytes], size: int) -> Iterator[str]:
    """A server on this machine that promises ``size`` bytes and sends these pieces; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # who has read enough goes away
                for piece in pieces:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as here:
        threading.Thread(target=here.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{here.server_port}/googlenet.pth"
        here.shutdown()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """A server that has torchvision's file, without heads; its address and the file."""
    content = saved(tmp_path, torchvision_layout.state_dict(heads=False)).read_bytes()
    with serving([content], len(content)) as url:
        yield url, content


def test_a_download_tells_how_far_it_is_and_is_checked(tmp_path: Path, server: tuple[str, bytes]) -> None:
    """And gives the weights; another checksum is refused."""
    url, content = server
    *steps, found = download_weights(str(tmp_path / "new"), url, sha256(content).hexdigest()[:8])
    assert all(isinstance(step, Progress) for step in steps)
    assert [steps[0].message, steps[-1].message] == ["Connecting to PyTorch's server", "Reading the weights"]
    megabytes = [step.done for step in steps[1:-1]]
    assert megabytes == sorted(megabytes)
    assert megabytes[-1] == steps[1].total == len(content) // 1_000_000
    assert set(load_file(found.network.weights)) >= set(expected_shapes(found.network.config))
    with pytest.raises(InputError, match="checksum differs"):
        list(download_weights(str(tmp_path), url, "00000000"))


def test_a_download_that_is_too_large_is_broken_off(
    tmp_path: Path, server: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may send what it likes."""
    monkeypatch.setattr(weights, "MAX_DOWNLOAD", 3_000_000)
    with pytest.raises(InputError, match="sends more than 3,000,000 bytes"):
        list(download_weights(str(tmp_path), server[0]))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 9000\r\n\r\nhalf", "sent 4 of 9,000 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "cannot be reached"),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", "cannot be reached"),
        (b"a portal of a hotel\r\n\r\n", "cannot be reached"),
        (b"", "cannot be reached"),
    ],
)
def test_a_server_that_breaks_off_becomes_a_sentence(tmp_path: Path, answer: bytes, told: str) -> None:
    """Whatever it says, nothing is kept."""
    with socket.create_server(("127.0.0.1", 0)) as here:

        def serve() -> None:
            caller, _ = here.accept()
            with caller:
                caller.recv(10_000)
                caller.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(InputError, match=told):
            list(download_weights(str(tmp_path), f"http://127.0.0.1:{here.getsockname()[1]}/googlenet.pth"))
        thread.join()
    assert [] == list(tmp_path.iterdir())


def test_without_a_network_it_says_what_to_do(tmp_path: Path) -> None:
    """Nobody listens at this port."""
    with pytest.raises(InputError, match=r"cannot be reached from here .* choose the file here"):
        list(download_weights(str(tmp_path), "http://127.0.0.1:9/googlenet.pth"))
    assert [] == list(tmp_path.iterdir())


def test_a_network_that_swallows_everything_is_told_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the server is reached and never says a word; a name that is searched for is waited for no longer."""
    monkeypatch.setattr(weights, "CONNECT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = monotonic()
        with pytest.raises(InputError, match=r"no answer within 0\.2 seconds"):
            list(download_weights(str(tmp_path), f"http://127.0.0.1:{silent.getsockname()[1]}/googlenet.pth"))
        assert monotonic() - started < 2
    assert [] == list(tmp_path.iterdir())


def test_what_was_fetched_is_not_fetched_again(tmp_path: Path, server: tuple[str, bytes]) -> None:
    """A class fetches it once; where it has gone from the folder, it is fetched anew."""
    url, content = server
    checksum = sha256(content).hexdigest()[:8]
    *_, found = download_weights(str(tmp_path / "new"), url, checksum)
    *steps, again = download_weights(str(tmp_path / "new"), "http://127.0.0.1:9/googlenet.pth", checksum)
    assert ["Reading the weights"] == [step.message for step in steps]
    assert found.network.config == again.network.config
    (tmp_path / "new" / f"googlenet-{checksum}.weights").unlink()
    with pytest.raises(InputError, match="cannot be reached"):
        list(download_weights(str(tmp_path / "new"), "http://127.0.0.1:9/googlenet.pth", checksum))


def test_a_download_takes_a_piece_of_memory(tmp_path: Path) -> None:
    """Not the file's: 60 megabytes that turn out to be the wrong ones go through a few."""
    with serving(itertools.repeat(b"x" * 1_000_000, 60), size=60_000_000) as url:
        tracemalloc.start()
        with pytest.raises(InputError, match="checksum differs"):
            list(download_weights(str(tmp_path), url))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 10_000_000
    assert [] == list(tmp_path.iterdir())


def test_a_full_disk_is_not_blamed_on_the_server(tmp_path: Path, server: tuple[str, bytes]) -> None:
    """The folder cannot be made, so nothing is fetched."""
    (tmp_path / "file").touch()
    with pytest.raises(ContentStoreError, match="cannot be kept in"):
        list(download_weights(str(tmp_path / "file" / "folder"), server[0]))


def test_what_a_file_says_of_its_training_is_kept_within_bounds(tmp_path: Path) -> None:
    """How weights were trained goes with them; a head of megabytes does not come into the server."""
    facts = DATASETS["fashion_mnist"].replace(classes=tuple(f"class {n}" for n in range(SMALL.classes)))
    training = WeightsMetadata(name="mine", facts=facts, mean=(0.3,), std=(0.35,), seed=0, steps=9, seconds=1.0)
    for about, told in ((training, training), (training.replace(name="x" * 100_000), None)):
        path = tmp_path / "brought.weights"
        path.write_bytes(to_safetensors(build_model(SMALL, seed=8), {METADATA_KEY: about.model_dump_json()}))
        assert told == read_weights_info(read(path, SMALL).network.weights).training


def test_what_a_file_says_of_its_training_stays_its_own_word(tmp_path: Path) -> None:
    """Whatever it claims: ours alone are called trained here; names are kept short and apart, and a share is one."""
    facts = DATASETS["fashion_mnist"].replace(title="t" * 99, classes=("the same",) * SMALL.classes)
    training = WeightsMetadata(
        name="n" * 99, facts=facts, mean=(0.3,), std=(0.35,), seed=0, steps=9, seconds=1.0, accuracy=1.0
    )
    path = tmp_path / "brought.weights"
    path.write_bytes(to_safetensors(build_model(SMALL, seed=8), {METADATA_KEY: training.model_dump_json()}))
    found = read_weights_info(read(path, SMALL).network.weights)
    assert found.title == f"{'n' * 40}, by its own account trained on {'t' * 40}"
    assert found.is_unverified
    assert found.class_names[:2] == ("the same", "the same (2)")
    own = read_weights_info(path)
    assert "trained here" in own.title
    assert not own.is_unverified
    boast = training.model_dump_json().replace('"accuracy":1.0', '"accuracy":17.0')
    path.write_bytes(to_safetensors(build_model(SMALL, seed=8), {METADATA_KEY: boast}))
    assert read_weights_info(read(path, SMALL).network.weights).training is None
