"""The process that runs the checks, on its own: its lines, its manners, its end."""

import json
import subprocess
import sys

import psutil
import pytest

from explorer import PRESETS
from explorer.live.check_worker import NICE, _answer, _trimmed_megabytes
from explorer.live.report import Answer, CheckReport, Request

WORKER = (sys.executable, "-m", "explorer.live.check_worker")


def _asked(kind: str, config_changes: dict | None = None) -> bytes:
    config = PRESETS["mini"].replace(**(config_changes or {}))
    return Request(kind=kind, config=config, device="cpu").model_dump_json().encode() + b"\n"


def test_it_answers_line_by_line_at_low_priority_and_ends_with_its_input() -> None:
    """One process answers a check, garbage and a text in turn, and exits when nobody can ask any more."""
    with subprocess.Popen(WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:

        def answer(line: bytes) -> Answer:
            process.stdin.write(line)
            process.stdin.flush()
            return Answer.model_validate_json(process.stdout.readline())

        assert answer(_asked("check")).result.ok
        if sys.platform != "win32":
            assert psutil.Process(process.pid).nice() == NICE
        assert "ValidationError" in answer(b"garbage\n").error
        assert answer(_asked("torchinfo")).result.startswith("torchinfo")
        process.stdin.close()
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == b""


def test_nothing_else_reaches_its_stdout() -> None:
    """Prints, and bytes written to descriptor 1 by whatever library, go to stderr."""
    code = (
        "import os; from explorer.live.check_worker import _take_stdout; answers = _take_stdout();"
        "print('noise', flush=True); os.write(1, b'noise'); answers.write('answer\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.split() == [b"answer"]
    assert done.stderr.split() == [b"noise", b"noise"]


def test_an_exception_becomes_an_error_in_a_sentence() -> None:
    """A network that cannot be built ends no process."""
    answer = _answer(_asked("check", {"modules": ()}))
    assert answer.result is None
    assert answer.error.startswith("UnbuildableError: The table has no module.")


def test_a_good_answer_carries_its_report() -> None:
    """What the check returns is what the answer holds."""
    answer = _answer(_asked("check"))
    assert isinstance(answer.result, CheckReport)
    assert json.loads(answer.model_dump_json())["result"]["rows"] == answer.result.rows


@pytest.mark.skipif(sys.platform != "linux", reason="the size is read from /proc")
def test_the_size_is_that_of_the_process() -> None:
    """Megabytes as the system counts them, within what changes meanwhile."""
    assert _trimmed_megabytes() == pytest.approx(psutil.Process().memory_info().rss / 1e6, abs=50)
