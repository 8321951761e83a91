"""What a channel wants to see: the climb goes up, step by step, and ends in a picture."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from explorer import PRESETS
from explorer.jobs.inspection import InputError, Maximization, Network, Preprocessing
from explorer.jobs.requests import Progress
from explorer.live.devices import resolve_device
from explorer.live.inference import live_network
from explorer.live.maximization import maximize
from tests.looking import HOW, SMALL, network


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return network(tmp_path_factory.mktemp("weights"))


@pytest.mark.parametrize("path", ["stem.conv1", "inception_3a.branch_5x5", "inception_3b.branch_pool", "pool3"])
def test_the_response_rises(small: Network, path: str) -> None:
    """Far above where it began, with progress at every step."""
    *steps, found = maximize(small, path, 2, HOW, steps=12)
    assert isinstance(found, Maximization)
    assert [(step.done, step.total) for step in steps] == [(n + 1, 12) for n in range(12)]
    assert all(isinstance(step, Progress) for step in steps)
    assert len(found.responses) == 12
    first, last = found.responses[0], found.responses[-1]
    assert last > first + 0.1 * abs(first)
    assert Image.open(io.BytesIO(found.png)).size == (32, 32)


def test_behind_a_pool_a_silent_channel_stays_silent(small: Network) -> None:
    """There is no way up from there: the ReLU comes before."""
    *_, found = maximize(small, "inception_3b.branch_pool", 1, HOW, steps=3)
    assert found.responses == (0, 0, 0)


def test_the_picture_is_what_the_channel_answers(small: Network) -> None:
    """Prepared like any other picture, it gives the response that the climb ended with."""
    how = Preprocessing(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
    *_, found = maximize(small, "inception_3a.branch_1x1", 2, how, steps=20)
    pixels = np.asarray(Image.open(io.BytesIO(found.png)), np.float32) / 255
    image = torch.from_numpy((pixels - np.float32(how.mean)) / np.float32(how.std)).permute(2, 0, 1)[None]
    model, seen = live_network(small, resolve_device("cpu")), []
    handle = model.inception_3a.branch_1x1.register_forward_hook(lambda _m, _i, output: seen.append(output))
    with torch.inference_mode():
        model(image)
    handle.remove()
    assert seen[0][0, 2].mean().item() == pytest.approx(found.responses[-1], rel=0.15)


def test_a_channel_of_a_concatenation_is_its_branchs(small: Network) -> None:
    """3a: four channels of 1×1, then six of 3×3."""
    *_, joined = maximize(small, "inception_3a.concat", 6, HOW, steps=4)
    *_, branch = maximize(small, "inception_3a.branch_3x3", 2, HOW, steps=4)
    assert joined.responses == branch.responses


def test_equal_seeds_climb_equally(small: Network) -> None:
    """And others otherwise."""
    one, same, other = (
        list(maximize(small, "stem.conv2", 0, HOW, steps=3, seed=seed))[-1].responses for seed in (1, 1, 2)
    )
    assert one == same != other


def test_grey_networks_get_grey_pictures() -> None:
    """mini takes one channel."""
    *_, found = maximize(Network(config=PRESETS["mini"]), "inception_3a.concat", 0, HOW, steps=2)
    assert Image.open(io.BytesIO(found.png)).mode == "L"


def test_the_network_is_left_as_it_was(small: Network) -> None:
    """No hook, no gradient, also when the climb is broken off."""
    model = live_network(small, resolve_device("cpu"))
    begun = maximize(small, "inception_4a.concat", 0, HOW)
    next(begun)
    begun.close()
    assert not any(part._forward_hooks for part in model.modules())
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"steps": 0}, "1 to 256 steps"),
        ({"steps": 257}, "1 to 256 steps"),
        ({"channel": 99}, "channels 0 to"),
        ({"path": "nowhere"}, "no layer nowhere"),
        ({"network": Network(config=SMALL.replace(input_shape=(5, 32, 32)))}, "takes 5 channels"),
        ({"preprocessing": Preprocessing(mean=(0.4, 0.5))}, "mean has 2 values"),
    ],
)
def test_what_cannot_be_climbed_is_said(small: Network, changes: dict[str, object], told: str) -> None:
    """Before anything is built."""
    asked = {"network": small, "path": "stem.conv1", "channel": 0, "preprocessing": HOW} | changes
    with pytest.raises(InputError, match=told):
        next(maximize(**asked))
