"""Where it looked: Grad-CAM against captum's, and all methods against their definitions."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from PIL import Image

from explorer import PRESETS
from explorer.jobs.inspection import Attribution, InputError, Network, Scale, layers_for_grad_cam
from explorer.live import attribution
from explorer.live.attribution import Case, attribute, grad_cam
from explorer.live.devices import resolve_device
from explorer.live.inference import live_network, prepare_inputs
from tests.looking import HOW, SMALL, network, pictures

CPU = resolve_device("cpu")
LAYERS = layers_for_grad_cam(SMALL)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """A picture."""
    return pictures(tmp_path_factory.mktemp("scratch"))


def values(found: Attribution) -> np.ndarray:
    """The numbers behind the heat map, as exactly as a byte holds them."""
    shades = np.asarray(Image.open(io.BytesIO(found.heat.png)), np.float64)
    return found.heat.low + shades / 255 * (found.heat.high - found.heat.low)


def the(found: object) -> Attribution:
    """The end of what an attribution yields."""
    *_, last = found
    return last


def test_the_layers_to_choose_from_are_the_modules() -> None:
    """The last one first."""
    assert LAYERS == ("inception_4a.concat", "inception_3b.concat", "inception_3a.concat")


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("target", [0, 6])
def test_grad_cam_is_captums(small: Network, shown: tuple[str, ...], layer: str, target: int) -> None:
    """At every layer, for any class."""
    model, image = live_network(small, CPU), prepare_inputs(small, shown, HOW, CPU)
    theirs = LayerGradCam(model, model.get_submodule(layer)).attribute(image, target, relu_attributions=True)
    torch.testing.assert_close(grad_cam(Case(model, image, target), layer), theirs[0, 0].detach())


def test_grad_cam_is_laid_over_the_picture(small: Network, shown: tuple[str, ...]) -> None:
    """As large as the input, nothing below 0, and some of it above."""
    found = max((the(attribute(small, shown, HOW, method="grad_cam", layer=layer)) for layer in LAYERS), key=total)
    assert found.heat.size == (32, 32)
    assert found.heat.low == 0 < found.heat.high
    assert found.total == pytest.approx(values(found).sum(), rel=0.05)


def total(found: Attribution) -> float:
    """The sum of a heat map."""
    return found.total


@pytest.mark.parametrize("target", [1, None])
def test_integrated_gradients_add_up(small: Network, shown: tuple[str, ...], target: int | None) -> None:
    """To the difference between the picture's logit and that of zeros, computed here once more."""
    found = the(attribute(small, shown, HOW, method="integrated_gradients", target=target))
    model, image = live_network(small, CPU), prepare_inputs(small, shown, HOW, CPU)
    with torch.inference_mode():
        logits, zeros = model(image)[0], model(torch.zeros_like(image))[0]
    expected = (logits - zeros)[found.target].item()
    assert found.target == (logits.argmax().item() if target is None else target)
    assert found.probability == pytest.approx(logits.softmax(0)[found.target].item(), abs=1e-6)
    assert found.expected == pytest.approx(expected, abs=1e-4)
    assert abs(expected) > 0.01
    assert found.total == pytest.approx(expected, rel=0.02, abs=1e-3)


def test_occlusion_is_how_far_the_logit_falls(
    small: Network, shown: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With squares of 16 pixels that do not overlap: the logit with each covered, computed here once more."""
    monkeypatch.setattr(attribution, "WINDOWS", 4)  # squares of 16, 8 pixels apart
    found = the(attribute(small, shown, HOW, method="occlusion", target=2))
    model, image = live_network(small, CPU), prepare_inputs(small, shown, HOW, CPU)
    falls, times = np.zeros((32, 32)), np.zeros((32, 32))
    with torch.inference_mode():
        whole = model(image)[0, 2].item()
        for top in range(0, 17, 8):
            for left in range(0, 17, 8):
                covered = image.clone()
                covered[..., top : top + 16, left : left + 16] = 0
                falls[top : top + 16, left : left + 16] += whole - model(covered)[0, 2].item()
                times[top : top + 16, left : left + 16] += 1
    step = (found.heat.high - found.heat.low) / 255
    assert np.abs(values(found) - falls / times).max() <= step + 1e-4
    assert np.ptp(falls) > 0


def test_a_scaled_branch_changes_where_it_looks(small: Network, shown: tuple[str, ...]) -> None:
    """With all branches of a module taken away, no gradient reaches the picture."""
    gone = tuple(Scale("3b", branch, 0.0) for branch in SMALL.module("3b").branches)
    assert the(attribute(small, shown, HOW, gone, method="integrated_gradients", target=0)).total == 0
    assert the(attribute(small, shown, HOW, method="integrated_gradients", target=0)).total != 0


def test_the_network_is_left_as_it_was(small: Network, shown: tuple[str, ...]) -> None:
    """No hook, no gradient."""
    model = live_network(small, CPU)
    for method in ("grad_cam", "occlusion", "integrated_gradients"):
        the(attribute(small, shown, HOW, method=method, layer=LAYERS[0]))
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())


def test_what_cannot_be_asked_is_said(small: Network, shown: tuple[str, ...]) -> None:
    """A layer without maps, a class that is not there."""
    with pytest.raises(InputError, match=r"inception_3a\.concat to inception_4a\.concat"):
        next(attribute(small, shown, HOW, method="grad_cam", layer="classifier.fc"))
    with pytest.raises(InputError, match="classes 0 to 6"):
        next(attribute(small, shown, HOW, method="occlusion", target=7))
    with pytest.raises(InputError, match=r"96 passes with 1,\d\d\d · 10⁹ MACs in all; the limit here is 600"):
        next(attribute(Network(config=PRESETS["naive"]), shown, HOW, method="integrated_gradients"))


def test_a_picture_of_a_line_of_pixels_has_a_heat_map(tmp_path: Path) -> None:
    """Squares are never larger than the picture."""
    thin = SMALL.replace(input_shape=(1, 8, 40))
    found = the(attribute(Network(config=thin), pictures(tmp_path), HOW, method="occlusion"))
    assert found.heat.size == (8, 40)
