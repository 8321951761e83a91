"""The effective receptive field is the mean gradient, lies within the theoretical one, and changes with training."""

from pathlib import Path

import pytest
import torch

from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.job import Progress
from explorer.jobs.units import EffectiveFields
from explorer.live import effective_field
from explorer.live.devices import resolve_device
from explorer.live.effective_field import effective_fields
from explorer.live.inference import live_network, prepare_inputs
from tests.small_network import PREPROCESSING, SMALL, save_images, save_network


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return save_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Three images."""
    return save_images(tmp_path_factory.mktemp("scratch"), 3)


def measure(network: Network, images: tuple[str, ...], block: str = "3a") -> EffectiveFields:
    """Return the last that is yielded; all before it is progress."""
    *progress, found = effective_fields(network, images, PREPROCESSING, device="cpu", block=block)
    assert all(isinstance(one, Progress) for one in progress)
    assert isinstance(found, EffectiveFields)
    return found


def test_the_field_is_the_mean_absolute_gradient(small: Network, images: tuple[str, ...]) -> None:
    """Of the sum over the channels of the central position, over all images."""
    (field,) = [one for one in measure(small, images).fields if one.branch == "5x5" and one.trained]
    model = live_network(small, resolve_device("cpu"))
    batch = prepare_inputs(small, images, PREPROCESSING, resolve_device("cpu")).requires_grad_()
    outputs: list[torch.Tensor] = []
    handle = model.inception_3a.branch_5x5.register_forward_hook(lambda _module, _inputs, out: outputs.append(out))
    model(batch)
    handle.remove()
    (gradient,) = torch.autograd.grad(outputs[0][:, :, 8, 8].sum(), batch)
    assert field.heat.high == pytest.approx(gradient.abs().sum(1).mean(0).max().item(), rel=1e-4)


@pytest.mark.parametrize("block", ["3a", "3b", "4a"])
def test_no_gradient_lies_outside_of_the_theoretical_field(small: Network, images: tuple[str, ...], block: str) -> None:
    """All of it is within, and 95 % of it in a square that is not larger."""
    found = measure(small, images, block)
    assert found.image_count == 3
    assert [field.trained for field in found.fields] == sorted((field.trained for field in found.fields), reverse=True)
    assert [field.branch for field in found.fields] == 2 * list(SMALL.module(block).branches)
    for field in found.fields:
        assert field.within == pytest.approx(1)
        assert 0 < field.effective_side <= field.field[2]
    assert {field.heat.png for field in found.fields if field.trained} != {
        field.heat.png for field in found.fields if not field.trained
    }


def test_random_weights_are_measured_once(images: tuple[str, ...]) -> None:
    """There is nothing before training to compare with."""
    found = measure(Network(config=SMALL), images)
    assert {field.trained for field in found.fields} == {False}


def test_a_square_holds_the_fraction() -> None:
    """The smallest one around the centre."""
    gradient = torch.zeros(9, 9)
    gradient[4, 4], gradient[4, 6], gradient[0, 4] = 90, 6, 4
    rows = torch.arange(9) - 4.0
    distance = torch.maximum(rows.abs()[:, None], rows.abs()[None])
    assert [effective_field._side_with(share, gradient, distance) for share in (0.5, 0.95, 0.99)] == [1, 5, 9]


def test_an_unknown_module_and_too_large_a_network_are_refused(
    small: Network, images: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything runs."""
    with pytest.raises(InputError, match="no module"):
        measure(small, images, "<b>")
    large = SMALL.replace(input_shape=(3, 512, 512))
    monkeypatch.setenv("EXPLORER_LOOK_MB", "150")
    with pytest.raises(InputError, match="EXPLORER_LOOK_MB"):
        measure(Network(config=large), images)
