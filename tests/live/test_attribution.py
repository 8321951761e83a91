"""Attribution: every method against its definition, computed here independently."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from explorer import PRESETS
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Attribution, Scale, layers_for_grad_cam
from explorer.jobs.job import Progress
from explorer.live import attribution
from explorer.live.attribution import Case, attribute, grad_cam
from explorer.live.devices import resolve_device
from explorer.live.inference import live_network, prepare_inputs
from tests.small_network import PREPROCESSING, SMALL, save_images, save_network

CPU = resolve_device("cpu")
LAYERS = layers_for_grad_cam(SMALL)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return save_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """One image."""
    return save_images(tmp_path_factory.mktemp("scratch"))


def values(result: Attribution) -> np.ndarray:
    """The numbers behind the heat map, as exactly as a byte holds them."""
    shades = np.asarray(Image.open(io.BytesIO(result.heat.png)), np.float64)
    return result.heat.low + shades / 255 * (result.heat.high - result.heat.low)


def last(results: Iterator[Progress | Attribution]) -> Attribution:
    """Return the attribution after all progress."""
    *_, attribution = results
    assert isinstance(attribution, Attribution)
    return attribution


def test_grad_cam_offers_the_outputs_of_all_modules() -> None:
    """The last one first."""
    assert LAYERS == ("inception_4a.concat", "inception_3b.concat", "inception_3a.concat")


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("target", [0, 6])
def test_grad_cam_is_its_definition(small: Network, images: tuple[str, ...], layer: str, target: int) -> None:
    """ReLU of the maps' sum, each weighted by the mean of its gradient; at every layer, for several classes."""
    model, image = live_network(small, CPU), prepare_inputs(small, images, PREPROCESSING, CPU)
    outputs: list[torch.Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: outputs.append(output))
    logits = model(image.clone().requires_grad_())
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[0, target], outputs[0])
    expected = (gradient.mean((2, 3), keepdim=True) * outputs[0]).sum(1)[0].relu().detach()
    torch.testing.assert_close(grad_cam(Case(model, image, target), layer), expected)


def test_the_grad_cam_heat_map_has_the_size_of_the_input(small: Network, images: tuple[str, ...]) -> None:
    """Its values are at least 0, some of them above."""
    result = max(
        (last(attribute(small, images, PREPROCESSING, method="grad_cam", layer=layer)) for layer in LAYERS), key=total
    )
    assert result.heat.size == (32, 32)
    assert result.heat.low == 0 < result.heat.high
    assert result.total == pytest.approx(values(result).sum(), rel=0.05)


def total(result: Attribution) -> float:
    """The sum of a heat map."""
    return result.total


@pytest.mark.parametrize("target", [1, None])
def test_integrated_gradients_add_up(small: Network, images: tuple[str, ...], target: int | None) -> None:
    """Their sum is the difference between the image's logit and that of an input of zeros."""
    result = last(attribute(small, images, PREPROCESSING, method="integrated_gradients", target=target))
    model, image = live_network(small, CPU), prepare_inputs(small, images, PREPROCESSING, CPU)
    with torch.inference_mode():
        logits, zeros = model(image)[0], model(torch.zeros_like(image))[0]
    expected = (logits - zeros)[result.target].item()
    assert result.target == (logits.argmax().item() if target is None else target)
    assert result.probability == pytest.approx(logits.softmax(0)[result.target].item(), abs=1e-6)
    assert result.expected == pytest.approx(expected, abs=1e-4)
    assert abs(expected) > 0.01
    assert result.total == pytest.approx(expected, rel=0.02, abs=1e-3)


def test_occlusion_is_how_far_the_logit_falls(
    small: Network, images: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Squares of 16 pixels, 8 pixels apart: each pixel has the mean over the squares that cover it."""
    monkeypatch.setattr(attribution, "WINDOWS", 4)
    result = last(attribute(small, images, PREPROCESSING, method="occlusion", target=2))
    model, image = live_network(small, CPU), prepare_inputs(small, images, PREPROCESSING, CPU)
    falls, counts = np.zeros((32, 32)), np.zeros((32, 32))
    with torch.inference_mode():
        before = model(image)[0, 2].item()
        for top in range(0, 17, 8):
            for left in range(0, 17, 8):
                covered = image.clone()
                covered[..., top : top + 16, left : left + 16] = 0
                falls[top : top + 16, left : left + 16] += before - model(covered)[0, 2].item()
                counts[top : top + 16, left : left + 16] += 1
    step = (result.heat.high - result.heat.low) / 255
    assert np.abs(values(result) - falls / counts).max() <= step + 1e-4
    assert np.ptp(falls) > 0


def test_scaled_branches_change_the_attribution(small: Network, images: tuple[str, ...]) -> None:
    """With all branches of a module scaled by 0, no gradient reaches the input."""
    zeroed = tuple(Scale("3b", branch, 0.0) for branch in SMALL.module("3b").branches)
    assert last(attribute(small, images, PREPROCESSING, zeroed, method="integrated_gradients", target=0)).total == 0
    assert last(attribute(small, images, PREPROCESSING, method="integrated_gradients", target=0)).total != 0


def test_the_network_stays_unchanged(small: Network, images: tuple[str, ...]) -> None:
    """No hook and no gradient is left behind."""
    model = live_network(small, CPU)
    for method in ("grad_cam", "occlusion", "integrated_gradients"):
        last(attribute(small, images, PREPROCESSING, method=method, layer=LAYERS[0]))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())


def test_invalid_requests_are_refused_with_the_reason(small: Network, images: tuple[str, ...]) -> None:
    """A layer without feature maps, an unknown class, too much work."""
    with pytest.raises(InputError, match=r"inception_3a\.concat to inception_4a\.concat"):
        next(attribute(small, images, PREPROCESSING, method="grad_cam", layer="classifier.fc"))
    with pytest.raises(InputError, match="classes 0 to 6"):
        next(attribute(small, images, PREPROCESSING, method="occlusion", target=7))
    with pytest.raises(InputError, match=r"96 passes with 1,\d\d\d · 10⁹ MACs in total; the limit here is 600"):
        next(attribute(Network(config=PRESETS["naive"]), images, PREPROCESSING, method="integrated_gradients"))


def test_occlusion_of_a_narrow_input(tmp_path: Path) -> None:
    """The window is never larger than the input."""
    narrow = SMALL.replace(input_shape=(1, 8, 40))
    result = last(attribute(Network(config=narrow), save_images(tmp_path), PREPROCESSING, method="occlusion"))
    assert result.heat.size == (8, 40)
