"""Timing whole networks in turn: every round has a time of each, and large networks are refused."""

import pytest

from explorer import PRESETS, UnbuildableError
from explorer.jobs.job import Progress
from explorer.jobs.protocol import LINE, REQUEST, Answer
from explorer.jobs.requests import VariantTiming, VariantTimingRequest
from explorer.live.variant_timing import time_variants

MINI = PRESETS["mini"]
NARROW = MINI.replace(modules=MINI.modules[:3], aux=MINI.aux.replace(taps=()))


def test_every_round_times_each_network() -> None:
    """The networks keep their order, and progress comes after each round."""
    *steps, timing = time_variants([MINI, NARROW], "cpu", rounds=4, seconds=60)
    assert [step.done for step in steps] == [1, 2, 3, 4]
    assert all(isinstance(step, Progress) and step.total == 4 for step in steps)
    assert isinstance(timing, VariantTiming)
    assert timing.configs == (MINI, NARROW)
    assert [len(values) for values in timing.ms] == [4, 4]
    assert all(ms > 0 for values in timing.ms for ms in values)
    assert timing.device.startswith("CPU")


def test_networks_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Together they must fit into the memory limit, and each into the limit of work."""
    with pytest.raises(UnbuildableError, match="need about"):
        next(time_variants([PRESETS["naive"], PRESETS["paper"]]))
    monkeypatch.setenv("EXPLORER_LIVE_MB", "1")
    with pytest.raises(UnbuildableError, match="limit here is 1 MB"):
        next(time_variants([MINI]))
    with pytest.raises(UnbuildableError, match="Classes"):
        next(time_variants([MINI.replace(classes=1)]))


def test_request_and_result_survive_json() -> None:
    """Both cross the pipe to the worker unchanged."""
    request = VariantTimingRequest(configs=(MINI, NARROW), device="cpu", seed=3)
    assert REQUEST.validate_json(request.model_dump_json()) == request
    answer = Answer(result=VariantTiming(configs=(MINI,), ms=((1.5, 2.0),), device="CPU"))
    assert LINE.validate_json(answer.model_dump_json()) == answer
    assert VariantTimingRequest.result_type() is VariantTiming
