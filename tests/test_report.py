"""The values that cross between server and checking process."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from explorer import PRESETS
from explorer.live.report import Answer, CheckReport, Disagreement, Request

FULL = CheckReport(
    rows=94,
    differing=30,
    disagreements=(
        Disagreement("inception_3a.branch_1x1.conv", "out_shape", (64, 28, 28), (65, 28, 28)),
        Disagreement("inception_3a.branch_5x5.conv", "row", "conv", None),
        Disagreement("torchinfo", "parameters", 13_378_280, 13_378_281),
    ),
    torchinfo_parameters=13_378_281,
    ran=True,
    build_ms=28.25,
    forward_ms=36.5,
    output_shape=(1, 1000),
    device="CPU (1 thread)",
    note="A sentence – with a dash.",
)


@pytest.mark.parametrize("answer", [Answer(result=FULL), Answer(result="a table"), Answer(error="No.", retire=True)])
def test_an_answer_survives_json(answer: Answer) -> None:
    """What is read back equals what was written, disagreements with their types included."""
    assert Answer.model_validate_json(answer.model_dump_json()) == answer
    if isinstance(answer.result, CheckReport):
        back = Answer.model_validate_json(answer.model_dump_json()).result
        assert all(isinstance(disagreement, Disagreement) for disagreement in back.disagreements)


@pytest.mark.parametrize("name", PRESETS)
def test_a_request_survives_json_and_is_a_key(name: str) -> None:
    """Requests are equal, with equal hashes, exactly when they ask the same."""
    request = Request(kind="check", config=PRESETS[name], device="auto")
    back = Request.model_validate_json(request.model_dump_json())
    assert (back, hash(back)) == (request, hash(request))
    assert back != request.replace(device="cpu")
    assert back != request.replace(kind="torchinfo")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rows": "94"}', '{"rows": 94, "extra": 1}', '{"disagreements": [[1]]}']
)
def test_what_is_no_report_is_refused(text: str) -> None:
    """Garbage never becomes a report."""
    with pytest.raises(ValidationError):
        CheckReport.model_validate_json(text)


def test_a_report_agrees_disagrees_or_failed() -> None:
    """The three outcomes are told apart by what was counted, so that they cannot contradict it."""
    agreed, failed = CheckReport(rows=94), CheckReport(note="It broke.")
    assert (agreed.ok, agreed.failed) == (True, False)
    assert (FULL.ok, FULL.failed) == (False, False)
    assert (failed.ok, failed.failed) == (False, True)


def test_the_servers_side_does_not_load_torch() -> None:
    """Importing the report and the checker leaves torch alone."""
    code = "import sys, explorer.live.checker, explorer.live.report; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
