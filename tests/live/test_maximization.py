"""Activation maximization: the response rises step by step, and the result is an image."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from explorer import PRESETS
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Maximization
from explorer.jobs.job import Progress
from explorer.live.devices import resolve_device
from explorer.live.inference import live_network
from explorer.live.maximization import maximize
from tests.small_network import PREPROCESSING, SMALL, save_network


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return save_network(tmp_path_factory.mktemp("weights"))


@pytest.mark.slow
@pytest.mark.parametrize("path", ["stem.conv1", "inception_3a.branch_5x5", "inception_3b.branch_pool", "pool3"])
def test_the_response_rises(small: Network, path: str) -> None:
    """It ends far above its start, with progress at every step."""
    *steps, result = maximize(small, path, 2, PREPROCESSING, steps=12)
    assert isinstance(result, Maximization)
    assert [(step.done, step.total) for step in steps] == [(n + 1, 12) for n in range(12)]
    assert all(isinstance(step, Progress) for step in steps)
    assert len(result.responses) == 12
    first, last = result.responses[0], result.responses[-1]
    assert last > first + 0.1 * abs(first)
    assert Image.open(io.BytesIO(result.png)).size == (32, 32)


def test_a_silent_channel_of_a_pool_stays_silent(small: Network) -> None:
    """There is no gradient: the ReLU comes before the pool."""
    *_, result = maximize(small, "inception_3b.branch_pool", 1, PREPROCESSING, steps=3)
    assert result.responses == (0, 0, 0)


def test_the_image_causes_the_response(small: Network) -> None:
    """Preprocessed like any other image, it gives the last response."""
    preprocessing = Preprocessing(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
    *_, result = maximize(small, "inception_3a.branch_1x1", 2, preprocessing, steps=20)
    pixels = np.asarray(Image.open(io.BytesIO(result.png)), np.float32) / 255
    image = torch.from_numpy((pixels - np.float32(preprocessing.mean)) / np.float32(preprocessing.std)).permute(
        2, 0, 1
    )[None]
    model, outputs = live_network(small, resolve_device("cpu")), []
    handle = model.inception_3a.branch_1x1.register_forward_hook(lambda _m, _i, output: outputs.append(output))
    with torch.inference_mode():
        model(image)
    handle.remove()
    assert outputs[0][0, 2].mean().item() == pytest.approx(result.responses[-1], rel=0.15)


def test_a_channel_of_a_concatenation_is_one_of_a_branch(small: Network) -> None:
    """3a: four channels of 1×1, then six of 3×3."""
    *_, concat = maximize(small, "inception_3a.concat", 6, PREPROCESSING, steps=4)
    *_, branch = maximize(small, "inception_3a.branch_3x3", 2, PREPROCESSING, steps=4)
    assert concat.responses == branch.responses


def test_equal_seeds_give_equal_responses(small: Network) -> None:
    """Another seed gives others."""
    one, same, other = (
        list(maximize(small, "stem.conv2", 0, PREPROCESSING, steps=3, seed=seed))[-1].responses for seed in (1, 1, 2)
    )
    assert one == same != other


def test_a_network_with_one_channel_gets_a_grey_image() -> None:
    """The input of mini has one channel."""
    *_, result = maximize(Network(config=PRESETS["mini"]), "inception_3a.concat", 0, PREPROCESSING, steps=2)
    assert Image.open(io.BytesIO(result.png)).mode == "L"


def test_the_network_stays_unchanged(small: Network) -> None:
    """No hook and no gradient is left behind, also if the iterator is closed early."""
    model = live_network(small, resolve_device("cpu"))
    iterator = maximize(small, "inception_4a.concat", 0, PREPROCESSING)
    next(iterator)
    iterator.close()
    assert not any(part._forward_hooks for part in model.modules())
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "1 to 256 steps"),
        ({"steps": 257}, "1 to 256 steps"),
        ({"channel": 99}, "channels 0 to"),
        ({"path": "nowhere"}, "no layer nowhere"),
        ({"network": Network(config=SMALL.replace(input_shape=(5, 32, 32)))}, "takes 5 channels"),
        ({"preprocessing": Preprocessing(mean=(0.4, 0.5))}, "mean has 2 values"),
    ],
)
def test_invalid_requests_are_refused_with_the_reason(small: Network, changes: dict[str, object], message: str) -> None:
    """Before anything is built."""
    request = {"network": small, "path": "stem.conv1", "channel": 0, "preprocessing": PREPROCESSING} | changes
    with pytest.raises(InputError, match=message):
        next(maximize(**request))
