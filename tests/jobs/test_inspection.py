"""Looking inside from end to end: every question, asked of the real process; and what is judged without it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from explorer.data.weight_files import Network
from explorer.jobs import inspection
from explorer.jobs.inspection import Scale, layers_for_grad_cam, scale_problems
from explorer.jobs.protocol import Request
from explorer.jobs.queue import INSPECTION_WORKER, JobQueue, Pending
from explorer.jobs.requests import Failure
from explorer.live import ablation, attribution, feature_maps, inference, maximization
from tests.processes import wait_for
from tests.small_network import PREPROCESSING, SMALL, save_images, save_network


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return save_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def looking(small: Network, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What all questions share."""
    shown = save_images(tmp_path_factory.mktemp("scratch"), 2)
    return {"network": small, "images": shown, "preprocessing": PREPROCESSING, "device": "cpu"}


@pytest.fixture(scope="module")
def looker() -> Iterator[JobQueue]:
    """The real one, closed at the end."""
    checker = JobQueue(INSPECTION_WORKER)
    yield checker
    checker.close()


def answered(looker: JobQueue, request: Request) -> Any:
    """Ask until the answer is there."""

    def known() -> Any:
        answer = looker.submit(request)
        return None if isinstance(answer, Pending) else answer

    return wait_for(known)


def test_every_question_is_answered_by_the_process(looker: JobQueue, looking: dict[str, Any], tmp_path: Path) -> None:
    """The answer that comes through the pipe is of its kind and the same as that of the function itself."""
    asked = [
        inspection.PredictionRequest(**looking, top=3),
        inspection.ActivityRequest(**looking),
        inspection.MapsRequest(**looking, block="3b"),
        inspection.MapRequest(**looking, path="inception_3b.concat", channel=4),
        inspection.FiltersRequest(network=looking["network"], device="cpu"),
        inspection.AblationRequest(**looking),
        inspection.AttributionRequest(**looking, method="occlusion"),
        inspection.MaximizationRequest(network=looking["network"], path="stem.conv2", channel=1, steps=2, device="cpu"),
        inspection.ImportRequest(path=looking["network"].weights, config=SMALL),
    ]
    answers = [answered(looker, request) for request in asked]
    assert [type(answer) for answer in answers] == [request.result_type() for request in asked]
    assert answers[2] == feature_maps.maps(**looking, block="3b")
    assert answers[8].network.config == SMALL
    assert {request.kind for request in asked} | {"download"} == {
        request.model_fields["kind"].default
        for request in get_args(Request)
        if request.__module__ == inspection.__name__
    }


def test_what_cannot_be_answered_is_said_in_a_sentence(
    looker: JobQueue, looking: dict[str, Any], tmp_path: Path
) -> None:
    """Without a word of Python, and the next question is answered."""
    torch.save(torch.nn.Linear(1, 1), tmp_path / "model.weights")
    for request, told in (
        (inspection.MapsRequest(**looking, block="9z"), "The network has no module 9z."),
        (inspection.ImportRequest(path=str(tmp_path / "model.weights"), config=SMALL), "The file holds Python objects"),
        (
            inspection.PredictionRequest(**(looking | {"images": ("/no/such.png",)})),
            "The image is no longer there.",
        ),
    ):
        failed = answered(looker, request)
        assert isinstance(failed, Failure)
        assert failed.reason.startswith(told)
    assert isinstance(answered(looker, inspection.PredictionRequest(**looking, top=2)), inspection.Predictions)


def test_a_scale_names_a_branch_that_is_there() -> None:
    """One problem for each that does not."""
    good, bad = Scale("3b", "pool", 0.5), (Scale("3b", "5x5", 0.5), Scale("9z", "1x1", 0.5))
    assert scale_problems(SMALL, (good,)) == ()
    assert [problem[:2] for problem in scale_problems(SMALL, (good, *bad))] == [("3b", "5x5"), ("9z", "1x1")]


@pytest.mark.gpu
def test_cuda_says_what_the_cpu_says(looking: dict[str, Any]) -> None:
    """Every kind of look runs there; the answers agree within what single precision allows."""
    there = looking | {"device": "cuda"}
    cpu, cuda = (inference.predict(**each, top=7).predictions for each in (looking, there))
    for one, other in zip(cpu, cuda, strict=True):
        assert dict(zip(one.main.classes, one.main.probabilities, strict=True)) == pytest.approx(
            dict(zip(other.main.classes, other.main.probabilities, strict=True)), abs=1e-3
        )
    for one, other in zip(*(feature_maps.activity(**each).branches for each in (looking, there)), strict=True):
        assert one[4:6] == pytest.approx(other[4:6], abs=1e-2)
    for one, other in zip(*(list(ablation.ablate(**each))[-1].cells for each in (looking, there)), strict=True):
        assert one[2:4] == pytest.approx(other[2:4], abs=1e-3)
    for method in ("grad_cam", "occlusion", "integrated_gradients"):
        found = [
            list(attribution.attribute(**each, method=method, layer=layers_for_grad_cam(SMALL)[0], target=1))[-1].total
            for each in (looking, there)
        ]
        assert found[0] == pytest.approx(found[1], rel=0.05, abs=0.05)
    *_, climbed = maximization.maximize(looking["network"], "stem.conv2", 1, PREPROCESSING, steps=8, device="cuda")
    assert climbed.responses[-1] > climbed.responses[0]
    assert feature_maps.filters(looking["network"], "cuda") == feature_maps.filters(looking["network"], "cpu")
