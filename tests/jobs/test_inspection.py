"""The requests of *Look inside* from end to end, in a real worker process; and the checks without one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from explorer.data.weights import Network
from explorer.jobs import inspection
from explorer.jobs.inspection import Scale, layers_for_grad_cam, scale_problems
from explorer.jobs.job import Failure
from explorer.jobs.protocol import Request
from explorer.jobs.queue import INSPECTION_WORKER, JobQueue, Pending
from explorer.live import ablation, attribution, feature_maps, inference, maximization
from tests.processes import wait_for
from tests.small_network import PREPROCESSING, SMALL, save_images, save_network

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return save_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def fields(small: Network, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The fields that all requests share."""
    images = save_images(tmp_path_factory.mktemp("scratch"), 2)
    return {"network": small, "images": images, "preprocessing": PREPROCESSING, "device": "cpu"}


@pytest.fixture(scope="module")
def queue() -> Iterator[JobQueue]:
    """The queue with the real worker, closed at the end."""
    queue = JobQueue(INSPECTION_WORKER)
    yield queue
    queue.close()


def wait_for_result(queue: JobQueue, request: Request) -> Any:
    """Submit a request until its result is there."""
    return wait_for(lambda: None if isinstance(answer := queue.submit(request), Pending) else answer)


def test_the_worker_answers_every_kind_of_request(queue: JobQueue, fields: dict[str, Any], tmp_path: Path) -> None:
    """The result that comes through the pipe has its type and equals that of the function itself."""
    stored = tmp_path / "test_images.safetensors"
    inputs = np.zeros((3, *SMALL.input_shape), np.uint8)
    stored.write_bytes(save({"inputs": inputs, "labels": np.arange(3)}))
    requests = [
        inspection.PredictionRequest(**fields, top=3),
        inspection.ActivityRequest(**fields),
        inspection.MapsRequest(**fields, block="3b"),
        inspection.MapRequest(**fields, path="inception_3b.concat", channel=4),
        inspection.FiltersRequest(network=fields["network"], device="cpu"),
        inspection.AblationRequest(**fields),
        inspection.AttributionRequest(**fields, method="occlusion"),
        inspection.MaximizationRequest(network=fields["network"], path="stem.conv2", channel=1, steps=2, device="cpu"),
        inspection.ImportRequest(path=fields["network"].weights, config=SMALL),
        inspection.EvaluationRequest(
            network=fields["network"], preprocessing=fields["preprocessing"], device="cpu", stored=str(stored)
        ),
    ]
    results = [wait_for_result(queue, request) for request in requests]
    assert [type(result) for result in results] == [request.result_type() for request in requests]
    assert results[2] == feature_maps.maps(**fields, block="3b")
    assert results[8].network.config == SMALL
    assert results[9].labels == (0, 1, 2)
    assert {request.kind for request in requests} | {"download"} == {
        request.model_fields["kind"].default
        for request in get_args(Request)
        if request.__module__ == inspection.__name__
    }


def test_a_failure_is_a_sentence(queue: JobQueue, fields: dict[str, Any], tmp_path: Path) -> None:
    """Without any Python in it, and the next request has a result."""
    torch.save(torch.nn.Linear(1, 1), tmp_path / "model.weights")
    for request, reason in (
        (inspection.MapsRequest(**fields, block="9z"), "The network has no module 9z."),
        (inspection.ImportRequest(path=str(tmp_path / "model.weights"), config=SMALL), "The file holds Python objects"),
        (
            inspection.PredictionRequest(**(fields | {"images": ("/no/such.png",)})),
            "The image is no longer there.",
        ),
    ):
        result = wait_for_result(queue, request)
        assert isinstance(result, Failure)
        assert result.reason.startswith(reason)
    assert isinstance(wait_for_result(queue, inspection.PredictionRequest(**fields, top=2)), inspection.Predictions)


def test_a_scale_of_an_unknown_branch_is_a_problem() -> None:
    """One problem each."""
    good, bad = Scale("3b", "pool", 0.5), (Scale("3b", "5x5", 0.5), Scale("9z", "1x1", 0.5))
    assert scale_problems(SMALL, (good,)) == ()
    assert [problem[:2] for problem in scale_problems(SMALL, (good, *bad))] == [("3b", "5x5"), ("9z", "1x1")]


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu(fields: dict[str, Any]) -> None:
    """Every kind of request runs there; the results agree within single precision."""
    on_cuda = fields | {"device": "cuda"}
    cpu, cuda = (inference.predict(**each, top=7).predictions for each in (fields, on_cuda))
    for one, other in zip(cpu, cuda, strict=True):
        assert dict(zip(one.main.classes, one.main.probabilities, strict=True)) == pytest.approx(
            dict(zip(other.main.classes, other.main.probabilities, strict=True)), abs=1e-3
        )
    for one, other in zip(*(feature_maps.activity(**each).branches for each in (fields, on_cuda)), strict=True):
        assert one[4:6] == pytest.approx(other[4:6], abs=1e-2)
    for one, other in zip(*(list(ablation.ablate(**each))[-1].cells for each in (fields, on_cuda)), strict=True):
        assert one[2:4] == pytest.approx(other[2:4], abs=1e-3)
    for method in ("grad_cam", "occlusion", "integrated_gradients"):
        found = [
            list(attribution.attribute(**each, method=method, layer=layers_for_grad_cam(SMALL)[0], target=1))[-1].total
            for each in (fields, on_cuda)
        ]
        assert found[0] == pytest.approx(found[1], rel=0.05, abs=0.05)
    *_, maximized = maximization.maximize(fields["network"], "stem.conv2", 1, PREPROCESSING, steps=8, device="cuda")
    assert maximized.responses[-1] > maximized.responses[0]
    assert feature_maps.filters(fields["network"], "cuda") == feature_maps.filters(fields["network"], "cpu")
