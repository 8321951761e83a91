"""The process that runs the checks, on its own: its lines, its manners, its end."""

import json
import subprocess
import sys

import psutil
import pytest

from explorer import PRESETS
from explorer.jobs.requests import CheckReport, CheckRequest, Progress, ReductionTiming, ReductionTimingRequest
from explorer.jobs.worker import _answer, _trim_memory
from explorer.lessons.reduction import ReductionCase
from explorer.live import check


def _asked(config_changes: dict | None = None) -> bytes:
    config = PRESETS["mini"].replace(**(config_changes or {}))
    return CheckRequest(config=config, device="cpu").model_dump_json().encode() + b"\n"


def _untold(progress: Progress) -> None:
    raise AssertionError("a check tells no progress")


def test_it_ends_when_nobody_can_ask_any_more() -> None:
    """The end of its input ends the process, and not only after the work in hand."""
    code = (
        "import queue, threading, time; from explorer.jobs.worker import _read_lines;"
        "threading.Thread(target=_read_lines, args=(queue.SimpleQueue(),)).start(); time.sleep(1000)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdin=subprocess.DEVNULL, timeout=60)


def test_nothing_else_reaches_its_stdout() -> None:
    """Prints, and bytes written to descriptor 1 by whatever library, go to stderr."""
    code = (
        "import os; from explorer.jobs.process import take_stdout; answers = take_stdout();"
        "print('noise', flush=True); os.write(1, b'noise'); answers.write('answer\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.split() == [b"answer"]
    assert done.stderr.split() == [b"noise", b"noise"]


def test_an_exception_becomes_an_error_in_a_sentence() -> None:
    """A network that cannot be built ends no process."""
    answer = _answer(_asked({"modules": ()}), _untold)
    assert answer.result is None
    assert answer.error == "The table has no module. Add at least one row, such as 3a."


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"garbage\n", "the server's log has the details."),
        (b"", "the server's log has the details."),
        (b'{"kind": "check"}', "the server's log has the details."),
    ],
)
def test_garbage_becomes_a_sentence_too(line: bytes, told: str, capfd: pytest.CaptureFixture) -> None:
    """A line that is no request is answered like any other; its details are for the log."""
    assert _answer(line, _untold).error.endswith(told)
    assert "ValidationError" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (MemoryError(), "There was not enough memory for it."),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "There was not enough memory for it."),
        (KeyError("x"), "It failed unexpectedly; the server's log has the details."),
    ],
)
def test_no_name_of_an_exception_reaches_the_reader(
    raised: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised becomes a sentence."""

    def fail(config: object, device: str) -> None:
        raise raised

    monkeypatch.setattr(check, "check", fail)
    assert _answer(_asked(), _untold).error == told


def test_a_good_answer_carries_its_report() -> None:
    """What the check returns is what the answer holds."""
    answer = _answer(_asked(), _untold)
    assert isinstance(answer.result, CheckReport)
    assert json.loads(answer.model_dump_json())["result"]["rows"] == answer.result.rows


def test_a_measurement_tells_how_far_it_is_and_then_answers() -> None:
    """What its function yields is passed on, the last of it as the result."""
    told: list[Progress] = []
    case = ReductionCase(inputs=4, kernel=3, filters=4, reduction=2, height=4, width=4)
    request = ReductionTimingRequest(case=case, device="cpu", seed=1)
    answer = _answer(request.model_dump_json().encode(), told.append)
    assert isinstance(answer.result, ReductionTiming)
    assert [progress.done for progress in told] == list(range(1, len(answer.result.direct_ms) + 1))


@pytest.mark.skipif(sys.platform != "linux", reason="the size is read from /proc")
def test_the_size_is_that_of_the_process() -> None:
    """Megabytes as the system counts them, within what changes meanwhile."""
    assert _trim_memory() == pytest.approx(psutil.Process().memory_info().rss / 1e6, abs=50)
