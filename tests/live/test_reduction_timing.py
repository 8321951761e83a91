"""The two versions of a convolution, with and without a 1×1 reduction, and their timing."""

import pytest
import torch

from explorer.errors import UnbuildableError
from explorer.jobs.job import Progress
from explorer.jobs.requests import ReductionTiming
from explorer.lessons.reduction import ARTICLE
from explorer.live.reduction_timing import build_versions, time_reduction
from explorer.reduction import ReductionCase, direct_path, reduction_path

SMALL = ReductionCase(inputs=8, kernel=3, filters=4, reduction=2, height=6, width=5, biases=True)


@pytest.mark.parametrize("case", [SMALL, ARTICLE.replace(biases=True), SMALL.replace(biases=False)])
def test_the_versions_are_those_of_the_case(case: ReductionCase) -> None:
    """Both have the parameters of the closed form and the same output shape."""
    image = torch.randn(1, case.inputs, case.height, case.width)
    for version, path in zip(build_versions(case), (direct_path(case), reduction_path(case)), strict=True):
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
