"""Timing versions in turn, and the two versions of a convolution."""

from itertools import groupby

import pytest
import torch

from explorer.config import UnbuildableError
from explorer.jobs.requests import Progress, ReductionTiming
from explorer.lessons.reduction import ARTICLE, ReductionCase, direct, reduced
from explorer.live.reduction_timing import build_versions, time_reduction
from explorer.live.timing import time_in_turn

CPU = torch.device("cpu")
SMALL = ReductionCase(inputs=8, kernel=3, filters=4, reduction=2, height=6, width=5, biases=True)


def test_versions_run_in_turn_in_alternating_order() -> None:
    """Each round has one sample of each version; every second round runs them in reverse order."""
    calls: list[str] = []
    rounds = list(
        time_in_turn([lambda: calls.append("a"), lambda: calls.append("b")], CPU, rounds=4, seconds=60),
    )
    assert [one.number for one in rounds] == [0, 1, 2, 3]
    assert all(second > 0 for one in rounds for second in one.seconds)
    assert "".join(name for name, _ in groupby(calls)) == "abababa"  # warm-up: ab; then ab, ba, ab, ba


def test_time_limits_the_rounds_but_there_are_at_least_three() -> None:
    """Also if the first round takes all the time."""
    assert len(list(time_in_turn([lambda: None], CPU, rounds=50, seconds=0))) == 3


@pytest.mark.parametrize("case", [SMALL, ARTICLE.replace(biases=True), SMALL.replace(biases=False)])
def test_the_versions_are_those_of_the_case(case: ReductionCase) -> None:
    """Both have the parameters of the closed form and the same output shape."""
    image = torch.randn(1, case.inputs, case.height, case.width)
    for version, path in zip(build_versions(case), (direct(case), reduced(case)), strict=True):
        assert sum(p.numel() for p in version.parameters()) == path.parameters
        assert version(image).shape == (1, case.filters, case.height, case.width)


def test_a_timing_reports_progress_and_every_round() -> None:
    """The result has the milliseconds of both per round, the seed and the device."""
    *steps, timing = time_reduction(SMALL, "cpu", seed=3, rounds=4)
    assert all(isinstance(step, Progress) for step in steps)
    assert [(step.done, step.total) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert isinstance(timing, ReductionTiming)
    assert len(timing.direct_ms) == len(timing.reduced_ms) == 4
    assert (timing.case, timing.seed, timing.device[:3]) == (SMALL, 3, "CPU")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": 0}, "out of range"),
        ({"inputs": 4096, "filters": 4096, "kernel": 11}, "MACs"),
        ({"inputs": 4096, "filters": 1, "kernel": 1, "height": 256, "width": 256, "reduction": 1}, "MB"),
    ],
)
def test_large_cases_are_refused_before_anything_is_allocated(changes: dict, message: str) -> None:
    """The message states what is too large."""
    with pytest.raises(UnbuildableError, match=message):
        next(time_reduction(ARTICLE.replace(**changes)))
