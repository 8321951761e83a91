"""Requests and results: their JSON, their types, and the kinds of requests."""

import importlib
from typing import get_args

import pytest
from pydantic import ValidationError

from explorer import PRESETS
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.jobs import inspection, units
from explorer.jobs.engines import EngineTimingRequest
from explorer.jobs.job import Progress
from explorer.jobs.protocol import LINE, REQUEST, Answer, Request, Result
from explorer.jobs.replays import ReplayRequest
from explorer.jobs.requests import (
    CheckReport,
    CheckRequest,
    Disagreement,
    GradientReport,
    GradientRequest,
    GradientRun,
    LayerTimingRequest,
    ReductionTiming,
    ReductionTimingRequest,
    TorchinfoRequest,
    VariantTimingRequest,
)
from explorer.lessons.reduction import ARTICLE

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


TIMING = ReductionTiming(case=ARTICLE, direct_ms=(3.5, 3.6), reduced_ms=(0.4, 0.5), seed=7, device="CPU")
RUN = GradientRun(
    normalisation="lrn",
    seed=1,
    blocks=("stem", "3a"),
    losses=("main", "3a"),
    values=(6.9, 7.1),
    norms=((1.0, 2.0), (3.0, 0.0)),
    total_norms=((1.0, 2.0), (1.5, 2.0), (4.0, 2.0)),
)
GRADIENTS = GradientReport(runs=(RUN,), batch=4, device="CPU", note="A note.")
NETWORK = Network(config=PRESETS["mini"], seed=4)
FIELDS = {
    "network": NETWORK,
    "images": ("/a/picture.png",),
    "scales": (inspection.Scale("3a", "1x1", 0.5),),
    "preprocessing": Preprocessing(fit="pad", invert=True, mean=(0.3,), std=(0.4,)),
}
REQUESTS = (
    CheckRequest(config=PRESETS["mini"], device="cpu"),
    TorchinfoRequest(config=PRESETS["mini"]),
    ReplayRequest(changed=0.5, trials=20),
    ReductionTimingRequest(case=ARTICLE, device="auto", seed=7),
    GradientRequest(config=PRESETS["mini"], device="cpu", seed=7),
    LayerTimingRequest(config=PRESETS["mini"], device="cpu", batch=4),
    VariantTimingRequest(configs=(PRESETS["mini"], PRESETS["half"]), device="cpu", seed=1),
    EngineTimingRequest(network=NETWORK, batch=4, folder="/a/folder"),
    inspection.PredictionRequest(**FIELDS),
    inspection.ActivityRequest(**FIELDS),
    inspection.MapsRequest(**FIELDS, block="3a"),
    inspection.MapRequest(**FIELDS, path="inception_3a.branch_1x1", channel=0),
    inspection.FiltersRequest(network=NETWORK),
    inspection.AblationRequest(**FIELDS, target=3),
    inspection.AttributionRequest(**FIELDS, method="grad_cam", layer="inception_5b.concat"),
    inspection.MaximizationRequest(network=NETWORK, path="inception_5b.concat", channel=2),
    units.StrongestMapsRequest(**FIELDS, block="3a"),
    units.ModuleMapsRequest(**FIELDS, block="3a"),
    units.EffectiveFieldsRequest(**FIELDS, block="3a"),
    units.UnitRequest(**FIELDS, path="inception_3a.branch_1x1.conv", position=(2, 3)),
    inspection.EvaluationRequest(network=NETWORK, preprocessing=Preprocessing(), stored="/a/file"),
    inspection.ImportRequest(path="/a/file", config=PRESETS["mini"]),
    inspection.DownloadRequest(folder="/a/folder"),
)
HEAT = inspection.Heat(png=b"\x89PNG\xff\xfe", size=(2, 3), low=-1.0, high=0.5)
FEATURE_MAP = inspection.FeatureMap(path="stem.conv1", channel=3, heat=HEAT, response=0.25, input_png=b"\x89PNG\xff")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(result=FULL),
        Answer(result=CheckReport()),
        Answer(result="a table"),
        Answer(result=TIMING),
        Answer(result=GRADIENTS),
        Answer(
            result=inspection.FeatureMap(
                path="stem.conv1", channel=3, heat=HEAT, response=0.25, input_png=b"\x89PNG\xff"
            )
        ),
        Answer(error="No.", retire=True),
    ],
)
def test_an_answer_survives_json(answer: Answer) -> None:
    """The copy equals the original, and its disagreements have their type."""
    assert Answer.model_validate_json(answer.model_dump_json()) == answer
    if isinstance(answer.result, CheckReport):
        copy = Answer.model_validate_json(answer.model_dump_json()).result
        assert all(isinstance(disagreement, Disagreement) for disagreement in copy.disagreements)


@pytest.mark.parametrize("name", PRESETS)
def test_a_request_survives_json_and_is_a_key(name: str) -> None:
    """Requests are equal, with equal hashes, exactly if all their fields are."""
    request = CheckRequest(config=PRESETS[name], device="auto")
    copy = REQUEST.validate_json(request.model_dump_json())
    assert (copy, hash(copy)) == (request, hash(request))
    assert copy != request.replace(device="cpu")
    assert copy != TorchinfoRequest(config=PRESETS[name])


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.kind)
def test_every_kind_is_registered(request_: Request) -> None:
    """It survives JSON as its own kind, and its function and the type of its result exist."""
    copy = REQUEST.validate_json(request_.model_dump_json())
    assert (type(copy), copy) == (type(request_), request_)
    module, name = request_.function.split(":")
    assert callable(getattr(importlib.import_module(module), name))
    assert request_.result_type() in get_args(Result)


def test_the_result_type_is_that_in_brackets() -> None:
    """Of a request, and of one whose base is generic too."""
    assert TorchinfoRequest.result_type() is str
    assert inspection.FiltersRequest.result_type() is inspection.Filters
    assert inspection.PredictionRequest.result_type() is inspection.Predictions


def test_measurements_are_slow_and_checks_are_not() -> None:
    """Measurements take seconds: the check behind the badge and the prediction for an image come before them."""
    slow = {request.kind for request in REQUESTS if request.slow}
    assert slow == {
        *("reduction_timing", "variant_timing", "layer_timing", "engine_timing", "gradients"),
        *("ablation", "attribution", "maximization", "weights", "download", "evaluation", "effective_fields", "replay"),
    }


def test_all_kinds_are_tested() -> None:
    """A new kind needs an example here."""
    assert {type(request) for request in REQUESTS} == set(get_args(Request))


def test_a_line_is_progress_or_an_answer() -> None:
    """Their fields show which."""
    progress = Progress(done=1, total=3, message="seed 1")
    assert LINE.validate_json(progress.model_dump_json()) == progress
    answer = Answer(result=TIMING)
    assert LINE.validate_json(answer.model_dump_json()) == answer
    assert LINE.validate_json('{"error": "No."}') == Answer(error="No.")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rows": "94"}', '{"rows": 94, "extra": 1}', '{"disagreements": [[1]]}']
)
def test_an_invalid_report_is_refused(text: str) -> None:
    """Nothing else is read as a report."""
    with pytest.raises(ValidationError):
        CheckReport.model_validate_json(text)


def test_a_report_agrees_disagrees_or_failed() -> None:
    """The three outcomes follow from the counts, so that they cannot contradict them."""
    agreed, failed = CheckReport(rows=94), CheckReport(note="It broke.")
    assert (agreed.ok, agreed.failed) == (True, False)
    assert (FULL.ok, FULL.failed) == (False, False)
    assert (failed.ok, failed.failed) == (False, True)
