"""Attribution: three methods that show which parts of an image count as evidence for a class. All are captum's.

Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391): the sum of a layer's feature maps, each weighted by the mean
gradient of the class's logit with respect to it, with negative values set to 0. Occlusion (Zeiler & Fergus 2014,
arXiv:1311.2901): how far the logit falls when a square of zeros covers part of the input. Integrated gradients
(Sundararajan et al. 2017, arXiv:1703.01365): gradients along the straight path from an input of zeros; they add up to
the difference of the two logits. An input of zeros is an image whose values all equal the mean of the normalization.
"""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion
from torch import Tensor
from torch.nn import functional as F

from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Attribution, Method, Scale, layers_for_grad_cam
from explorer.jobs.job import Progress
from explorer.live.ablation import check_target
from explorer.live.devices import resolve_device
from explorer.live.inference import input_png, load_case, scale_branches
from explorer.live.model import GoogLeNet
from explorer.live.tensor_images import heat_map

STEPS, BATCH_SIZE = 32, 4  # of the path from zeros to the image, and inputs in one pass
WINDOWS = 10  # positions of the square along a side; the square is twice as wide as their distance
# Forward passes of one image; a backward pass costs as much as two.
_PASSES: dict[Method, int] = {"grad_cam": 3, "occlusion": WINDOWS**2, "integrated_gradients": 3 * STEPS}


class Case(NamedTuple):
    """A network, one input 1 × C × H × W, and the target class."""

    model: GoogLeNet
    image: Tensor
    target: int


def attribute(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    *,
    method: Method,
    layer: str = "",
    target: int | None = None,
) -> Iterator[Progress | Attribution]:
    """Yield progress, then the attribution for the first image.

    ``target`` is the class to explain; None takes the predicted class. ``layer`` is the path of Grad-CAM's layer.
    Raises InputError or UnbuildableError with the reason.
    """
    check_target(network, target)
    layers = layers_for_grad_cam(network.config)
    if method == "grad_cam" and layer not in layers:
        raise InputError(f"Grad-CAM needs the output of a module: {layers[-1]} to {layers[0]}.")
    model, image = load_case(network, images[:1], preprocessing, resolve_device(device), passes=_PASSES[method])
    with scale_branches(model, scales):
        with torch.inference_mode():
            probabilities = model(image).cpu().double().softmax(1)[0]
        case = Case(model, image, int(probabilities.argmax()) if target is None else target)
        yield Progress(done=0, total=1, message=f"class {case.target}")
        values, expected = _METHODS[method](case, layer)
    yield Attribution(
        method=method,
        layer=layer if method == "grad_cam" else "",
        target=case.target,
        probability=probabilities[case.target].item(),
        heat=heat_map(values),
        total=values.sum().item(),
        expected=expected,
        input_png=input_png(network, images[0], preprocessing),
    )


def _grad_cam(case: Case, layer: str) -> tuple[Tensor, None]:
    """Return Grad-CAM at a layer, scaled up to the input's H × W."""
    values = grad_cam(case, layer)[None, None]
    return F.interpolate(values, case.image.shape[2:], mode="bilinear", align_corners=False)[0, 0], None


def grad_cam(case: Case, layer: str) -> Tensor:
    """Return Grad-CAM at a layer: H × W of the layer's feature maps, no value below 0."""
    # The parameters need no gradients here, so the input has to, or there would be no graph from the layer on.
    image = case.image.clone().requires_grad_()
    explainer = LayerGradCam(case.model, case.model.get_submodule(layer))
    values: Tensor = explainer.attribute(image, case.target, relu_attributions=True)  # 1 × 1 × H × W
    return values[0, 0].detach()


def _integrated_gradients(case: Case, _: str) -> tuple[Tensor, float]:
    """Return integrated gradients, H × W (the sum over the input channels), and the sum that they should have."""
    zeros = torch.zeros_like(case.image)
    values: Tensor = IntegratedGradients(case.model).attribute(
        case.image, zeros, case.target, n_steps=STEPS, internal_batch_size=BATCH_SIZE
    )
    with torch.inference_mode():
        logits = case.model(torch.cat([case.image, zeros]))[:, case.target]
    return values[0].sum(0).detach().float(), (logits[0] - logits[1]).item()


def _occlusion(case: Case, _: str) -> tuple[Tensor, None]:
    """Return how far the logit falls when a position is covered, H × W: the mean over all squares that cover it."""
    channels, *sides = case.image.shape[1:]
    strides = [max(1, ceil(side / WINDOWS)) for side in sides]
    window = [min(2 * stride, side) for stride, side in zip(strides, sides, strict=True)]
    with torch.inference_mode():
        values: Tensor = Occlusion(case.model).attribute(
            case.image,
            (channels, *window),
            (channels, *strides),
            target=case.target,
            perturbations_per_eval=BATCH_SIZE,
        )
    return values[0].mean(0).float(), None  # equal in all channels: the window covers them together


_METHODS: dict[Method, Callable[[Case, str], tuple[Tensor, float | None]]] = {
    "grad_cam": _grad_cam,
    "occlusion": _occlusion,
    "integrated_gradients": _integrated_gradients,
}
