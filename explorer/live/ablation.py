"""Branch ablation: scale every branch of every module in turn, and measure how the prediction changes.

A branch is scaled before the concatenation; the factor 0 replaces its channels by zeros. The part of the network before
the module is computed only once: each pass starts at the module whose branch is scaled.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Ablation, AblationCell, Scale
from explorer.jobs.job import Progress
from explorer.live.devices import resolve_device
from explorer.live.inference import in_chunks, load_case, scale_branches
from explorer.live.model import GoogLeNet


def ablate(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    factor: float = 0.0,
    target: int | None = None,
) -> Iterator[Progress | Ablation]:
    """Yield progress, then the effect of scaling each branch by ``factor``.

    ``scales`` apply throughout. ``target`` is the class to measure; None takes each image's predicted class. Raises
    InputError or UnbuildableError with the reason.
    """
    check_target(network, target)
    model, inputs = load_case(network, images, preprocessing, resolve_device(device))
    ablations = [Scale(module.name, branch, factor) for module in network.config.modules for branch in module.branches]
    chunks = in_chunks(inputs, network)
    logits_before: list[Tensor] = []
    logits_after: dict[Scale, list[Tensor]] = {ablation: [] for ablation in ablations}
    done, total = 0, len(ablations) * len(chunks)
    for chunk in chunks:
        with torch.inference_mode(), scale_branches(model, scales):
            block_inputs = _block_inputs(model, chunk)
            logits_before.append(_run_from(model, len(model.body), block_inputs["classifier"]))
        for ablation in ablations:
            yield Progress(done=done, total=total, message=f"{ablation.module}, {ablation.branch} branch")
            start = model.body.index(f"inception_{ablation.module}")
            with torch.inference_mode(), scale_branches(model, _combine(scales, ablation)):
                logits_after[ablation].append(_run_from(model, start, block_inputs[model.body[start]]))
            done += 1
    before = torch.cat(logits_before)
    targets = before.argmax(1) if target is None else torch.full((len(before),), target)
    yield Ablation(
        cells=tuple(_cell(ablation, before, torch.cat(logits_after[ablation]), targets) for ablation in ablations),
        targets=tuple(targets.tolist()),
        probability=_at_targets(before.softmax(1), targets).mean().item(),
        image_count=len(before),
    )


def check_target(network: Network, target: int | None) -> None:
    """Raise InputError if the network has no such class."""
    if target is not None and not 0 <= target < network.config.classes:
        raise InputError(f"The network has the classes 0 to {network.config.classes - 1:,}.")


def _block_inputs(model: GoogLeNet, x: Tensor) -> dict[str, Tensor]:
    """Run the network once and return the input of each block of the body, and of the classifier, by name."""
    inputs = {}
    x = model.stem(x)
    for name in model.body:
        inputs[name] = x
        x = model.get_submodule(name)(x)
    return inputs | {"classifier": x}


def _run_from(model: GoogLeNet, start: int, x: Tensor) -> Tensor:
    """Run the network from the block with index ``start`` in its body: its input → logits N × classes."""
    for name in model.body[start:]:
        x = model.get_submodule(name)(x)
    logits: Tensor = model.classifier(x)
    return logits.cpu().double()


def _combine(scales: Sequence[Scale], ablation: Scale) -> tuple[Scale, ...]:
    """Add one more scaled branch; if the branch is scaled already, the factors multiply."""
    same = [scale for scale in scales if scale[:2] == ablation[:2]]
    factor = ablation.factor * (same[0].factor if same else 1.0)
    return (*(scale for scale in scales if scale not in same), ablation._replace(factor=factor))


def _cell(ablation: Scale, before: Tensor, after: Tensor, targets: Tensor) -> AblationCell:
    """Compare the logits before and after one ablation, both N × classes, as means over the images."""
    probability_before = _at_targets(before.softmax(1), targets)
    probability_after = _at_targets(after.softmax(1), targets)
    return AblationCell(
        ablation.module,
        ablation.branch,
        probability=probability_after.mean().item(),
        change=(probability_after - probability_before).mean().item(),
        logit_change=(_at_targets(after, targets) - _at_targets(before, targets)).mean().item(),
        flip_rate=(after.argmax(1) != before.argmax(1)).double().mean().item(),
    )


def _at_targets(values: Tensor, targets: Tensor) -> Tensor:
    """N × classes → N: each image's value at its target class."""
    return values.gather(1, targets[:, None])[:, 0]
