"""The worker process by itself: its input and output, its errors, its end."""

import json
import subprocess
import sys

import psutil
import pytest

from explorer import PRESETS
from explorer.jobs.job import Progress
from explorer.jobs.requests import CheckReport, CheckRequest, ReductionTiming, ReductionTimingRequest
from explorer.jobs.worker import _answer, _trim_memory
from explorer.live import check
from explorer.reduction import ReductionCase
from tests.processes import WAIT_S


def request_line(config_changes: dict | None = None) -> bytes:
    """Return a check of a small network as the line that the queue sends."""
    config = PRESETS["mini"].replace(**(config_changes or {}))
    return CheckRequest(config=config, device="cpu").model_dump_json().encode() + b"\n"


def no_progress(progress: Progress) -> None:
    """Fail: a check reports no progress."""
    raise AssertionError("a check reports no progress")


def test_the_end_of_stdin_ends_the_process() -> None:
    """At once, also during a request."""
    code = (
        "import queue, threading, time; from explorer.jobs.worker import _read_lines;"
        "threading.Thread(target=_read_lines, args=(queue.SimpleQueue(),)).start(); time.sleep(1000)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdin=subprocess.DEVNULL, timeout=WAIT_S)


def test_a_user_error_is_its_own_message() -> None:
    """A network that cannot be built does not end the process."""
    answer = _answer(request_line({"modules": ()}), no_progress)
    assert answer.result is None
    assert answer.error == "The table has no module. Add at least one row, such as 3a."


@pytest.mark.parametrize("line", [b"garbage\n", b"", b'{"kind": "check"}'])
def test_an_invalid_line_is_answered_with_a_general_sentence(line: bytes, capfd: pytest.CaptureFixture) -> None:
    """The log has the details."""
    assert _answer(line, no_progress).error.endswith("the server's log has the details.")
    assert "ValidationError" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (MemoryError(), "There was not enough memory for it."),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "There was not enough memory for it."),
        (KeyError("x"), "It failed unexpectedly; the server's log has the details."),
    ],
)
def test_any_exception_becomes_a_sentence(raised: Exception, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the name of the exception."""

    def fail(config: object, device: str) -> None:
        raise raised

    monkeypatch.setattr(check, "check", fail)
    assert _answer(request_line(), no_progress).error == message


def test_an_answer_has_the_result_of_the_function() -> None:
    """Also as JSON."""
    answer = _answer(request_line(), no_progress)
    assert isinstance(answer.result, CheckReport)
    assert json.loads(answer.model_dump_json())["result"]["rows"] == answer.result.rows


def test_a_measurement_reports_progress_before_its_result() -> None:
    """The last value that its function yields is the result."""
    reported: list[Progress] = []
    case = ReductionCase(inputs=4, kernel=3, filters=4, reduction=2, height=4, width=4)
    request = ReductionTimingRequest(case=case, device="cpu", seed=1)
    answer = _answer(request.model_dump_json().encode(), reported.append)
    assert isinstance(answer.result, ReductionTiming)
    assert [progress.done for progress in reported] == list(range(1, len(answer.result.direct_ms) + 1))


@pytest.mark.skipif(sys.platform != "linux", reason="the size is read from /proc")
def test_the_size_is_the_resident_size_in_megabytes() -> None:
    """As psutil measures it, except for changes in between."""
    assert _trim_memory() == pytest.approx(psutil.Process().memory_info().rss / 1e6, abs=50)
