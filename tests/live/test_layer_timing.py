"""Layer timing: each row has a time in each round, the network is not changed, and large requests are refused."""

import pytest
import torch

from explorer import PRESETS, UnbuildableError, summarize
from explorer.jobs.job import Progress
from explorer.jobs.protocol import LINE, REQUEST, Answer
from explorer.jobs.requests import LayerTiming, LayerTimingRequest
from explorer.live import layer_timing
from explorer.live.layer_timing import time_layers
from explorer.live.model import Concat, build_model

SMALL = PRESETS["mini"]
CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["mini", "paper"])
def test_every_row_has_a_time_in_every_round(name: str) -> None:
    """Also the heads' rows. The paths are those of the closed form, and progress comes after each round."""
    config = PRESETS[name].replace(input_shape=(PRESETS[name].input_shape[0], 64, 64))
    *steps, timing = time_layers(config, "cpu", batch=2, rounds=3)
    assert [(step.done, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(timing, LayerTiming)
    assert set(timing.paths) == set(summarize(config).by_path)
    assert {len(values) for values in timing.layers_ms} == {3} == {len(timing.whole_ms)}
    assert all(ms >= 0 for values in timing.layers_ms for ms in values)
    assert (timing.config, timing.batch, timing.device[:3]) == (config, 2, "CPU")


def test_a_layers_time_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """If time passes only in concatenations, they have all of it, and the whole pass has their sum."""
    time, forward = [0.0], Concat.forward

    def slow_forward(self: Concat, branches: list[torch.Tensor]) -> torch.Tensor:
        time[0] += 0.25
        return forward(self, branches)

    monkeypatch.setattr(Concat, "forward", slow_forward)
    monkeypatch.setattr(layer_timing, "perf_counter", lambda: time[0])
    *_, timing = time_layers(SMALL, "cpu", rounds=3)
    assert timing.seconds == {path: 0.25 * path.endswith(".concat") for path in timing.paths}
    assert timing.whole_ms == (250.0 * len(SMALL.modules),) * 3


def test_the_median_of_the_rounds_is_reported() -> None:
    """A disturbed round does not change it."""
    timing = LayerTiming(
        config=SMALL, batch=1, paths=("a",), layers_ms=((2.0, 900.0, 3.0),), whole_ms=(9.0,), device=""
    )
    assert timing.seconds == {"a": 0.003}


def test_time_limits_the_rounds_but_there_are_at_least_three() -> None:
    """Also if the first round takes all the time."""
    *_, timing = time_layers(SMALL, "cpu", rounds=30, seconds=0)
    assert len(timing.whole_ms) == 3


def test_the_hooks_are_removed_after_an_error() -> None:
    """The network runs without hooks again."""
    model = build_model(SMALL)
    with pytest.raises(RuntimeError), layer_timing._layer_timers(model, CPU):
        model(torch.zeros(1, 2, 3, 4))  # the wrong number of channels
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in model.modules())


def test_large_requests_are_refused_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many images, too little memory, no image, too much work, and a network with problems."""
    monkeypatch.setattr(layer_timing, "build_model", lambda *_, **__: pytest.fail("built"))
    with pytest.raises(UnbuildableError, match="limit here is 300 MB"):
        next(time_layers(PRESETS["paper"], batch=64))
    with pytest.raises(UnbuildableError, match="at least one image"):
        next(time_layers(SMALL, batch=0))
    with pytest.raises(UnbuildableError, match="Classes"):
        next(time_layers(SMALL.replace(classes=1)))
    monkeypatch.setenv("EXPLORER_LIVE_MB", "10000")
    with pytest.raises(UnbuildableError, match="MACs; the limit"):
        next(time_layers(PRESETS["paper"], batch=64))
    monkeypatch.setenv("EXPLORER_LIVE_MB", "1")
    with pytest.raises(UnbuildableError, match="limit here is 1 MB"):
        next(time_layers(SMALL))


def test_request_and_result_survive_json() -> None:
    """Both cross the pipe to the worker unchanged."""
    request = LayerTimingRequest(config=SMALL, device="cpu", batch=4)
    assert REQUEST.validate_json(request.model_dump_json()) == request
    timing = LayerTiming(
        config=SMALL, batch=4, paths=("a", "b"), layers_ms=((1.5,), (2.0,)), whole_ms=(3.0,), device="CPU"
    )
    assert LINE.validate_json(Answer(result=timing).model_dump_json()) == Answer(result=timing)
    assert LayerTimingRequest.result_type() is LayerTiming
