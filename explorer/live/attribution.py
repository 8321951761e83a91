"""Where the network looked: three ways to say which parts of a picture speak for a class.

Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391): the maps of a layer, each weighed by the mean gradient of the
class's logit with respect to it, added up; what speaks against is cut off. Occlusion (Zeiler & Fergus 2014,
arXiv:1311.2901): how far the logit falls when a square is covered with zeros. Integrated gradients (Sundararajan et al.
2017, arXiv:1703.01365): gradients along the way from an input of zeros; what they add up to is the logit's difference.
An input of zeros is the picture whose values are all at the mean of the normalisation. The last two are captum's.
"""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.jobs.inspection import Attribution, InputError, Method, Network, Preprocessing, Scale, layers_for_grad_cam
from explorer.jobs.requests import Progress
from explorer.live.ablation import check_target
from explorer.live.devices import resolve_device
from explorer.live.feature_maps import record_outputs
from explorer.live.inference import check_work, live_network, prepare_inputs, scale_branches
from explorer.live.model import GoogLeNet
from explorer.live.mosaic import heat

STEPS, AT_ONCE = 32, 4  # of the way from zeros to the picture, and how many of them are computed together
WINDOWS = 10  # squares along a side, each twice as wide as the distance to the next
# Of one picture; a pass back costs two forward.
_PASSES: dict[Method, int] = {"grad_cam": 3, "occlusion": WINDOWS**2, "integrated_gradients": 3 * STEPS}


class Case(NamedTuple):
    """A network, one input 1 × C × H × W, and the class in question."""

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
    """Yield progress, then where in the first picture the evidence lies. Raises InputError or UnbuildableError."""
    check_target(network, target)
    known = layers_for_grad_cam(network.config)
    if method == "grad_cam" and layer not in known:
        raise InputError(f"Grad-CAM looks at a module's output: {known[-1]} to {known[0]}.")
    check_work(network, _PASSES[method])
    place = resolve_device(device)
    model = live_network(network, place)
    image = prepare_inputs(network, images[:1], preprocessing, place)
    with scale_branches(model, scales):
        with torch.inference_mode():
            probabilities = model(image).cpu().double().softmax(1)[0]
        case = Case(model, image, probabilities.argmax().item() if target is None else target)
        yield Progress(done=0, total=1, doing=f"class {case.target}")
        values, expected = _METHODS[method](case, layer)
    yield Attribution(
        method=method,
        layer=layer if method == "grad_cam" else "",
        target=case.target,
        probability=probabilities[case.target].item(),
        heat=heat(values),
        total=values.sum().item(),
        expected=expected,
    )


def _grad_cam(case: Case, layer: str) -> tuple[Tensor, None]:
    values = grad_cam(case, layer)[None, None]
    return F.interpolate(values, case.image.shape[2:], mode="bilinear", align_corners=False)[0, 0], None


def grad_cam(case: Case, layer: str) -> Tensor:
    """Return Grad-CAM at a layer: H × W of the layer's maps, nothing below 0."""
    with record_outputs(case.model, [layer]) as outputs:
        logits = case.model(case.image.clone().requires_grad_())
    maps = outputs[layer]
    (gradient,) = torch.autograd.grad(logits[0, case.target], maps)
    weights = gradient.mean((2, 3), keepdim=True)  # 1 × C × 1 × 1
    return F.relu((weights * maps).sum(1))[0].detach()


def _integrated_gradients(case: Case, _: str) -> tuple[Tensor, float]:
    from captum.attr import IntegratedGradients

    zeros = torch.zeros_like(case.image)
    found = IntegratedGradients(case.model).attribute(
        case.image, zeros, case.target, n_steps=STEPS, internal_batch_size=AT_ONCE
    )
    with torch.inference_mode():
        logits = case.model(torch.cat([case.image, zeros]))[:, case.target]
    return found[0].sum(0).detach().float(), (logits[0] - logits[1]).item()


def _occlusion(case: Case, _: str) -> tuple[Tensor, None]:
    from captum.attr import Occlusion

    channels, *sides = case.image.shape[1:]
    strides = [max(1, ceil(side / WINDOWS)) for side in sides]
    window = [min(2 * stride, side) for stride, side in zip(strides, sides, strict=True)]
    with torch.inference_mode():
        found = Occlusion(case.model).attribute(
            case.image,
            (channels, *window),
            (channels, *strides),
            target=case.target,
            perturbations_per_eval=AT_ONCE,
        )
    return found[0].mean(0).float(), None  # the same in every channel: they are covered together


_METHODS: dict[Method, Callable[[Case, str], tuple[Tensor, float | None]]] = {
    "grad_cam": _grad_cam,
    "occlusion": _occlusion,
    "integrated_gradients": _integrated_gradients,
}
