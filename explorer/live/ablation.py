"""Which branch matters: every branch of every module scaled in turn, and what becomes of the answer.

Scaling happens before the concatenation; 0 puts zeros where the branch's channels were. What runs before the module is
computed once: a pass starts at the module whose branch is scaled.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from explorer.jobs.inspection import Ablation, AblationCell, InputError, Network, Preprocessing, Scale
from explorer.jobs.requests import Progress
from explorer.live.devices import resolve_device
from explorer.live.inference import in_chunks, live_network, prepare_inputs, scale_branches
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
    """Yield progress, then what scaling each branch by ``factor`` does. ``scales`` hold throughout.

    Raises InputError or UnbuildableError with the reason.
    """
    check_target(network, target)
    place = resolve_device(device)
    model = live_network(network, place)
    inputs = prepare_inputs(network, images, preprocessing, place)
    lone = [Scale(module.name, branch, factor) for module in network.config.modules for branch in module.branches]
    batches = in_chunks(inputs, network)
    done, before = 0, []
    after: dict[Scale, list[Tensor]] = {scale: [] for scale in lone}
    for batch in batches:
        with torch.inference_mode(), scale_branches(model, scales):
            entries = _entries(model, batch)
            before.append(_from(model, len(model.body), entries["classifier"]))
        for scale in lone:
            yield Progress(done=done, total=len(lone) * len(batches), doing=f"{scale.module}, {scale.branch} branch")
            start = model.body.index(f"inception_{scale.module}")
            with torch.inference_mode(), scale_branches(model, _joined(scales, scale)):
                after[scale].append(_from(model, start, entries[model.body[start]]))
            done += 1
    untouched = torch.cat(before)
    told = untouched.argmax(1) if target is None else torch.full((len(untouched),), target)
    yield Ablation(
        cells=tuple(_cell(scale, untouched, torch.cat(after[scale]), told) for scale in lone),
        targets=tuple(told.tolist()),
        probability=_of(untouched.softmax(1), told).mean().item(),
        image_count=len(untouched),
    )


def check_target(network: Network, target: int | None) -> None:
    """Raise InputError where the network has no such class."""
    if target is not None and not 0 <= target < network.config.classes:
        raise InputError(f"The network has the classes 0 to {network.config.classes - 1:,}.")


def _entries(model: GoogLeNet, x: Tensor) -> dict[str, Tensor]:
    """Run the network once and keep what each part of the body, and the classifier, gets."""
    entries = {}
    x = model.stem(x)
    for name in model.body:
        entries[name] = x
        x = model.get_submodule(name)(x)
    return entries | {"classifier": x}


def _from(model: GoogLeNet, start: int, x: Tensor) -> Tensor:
    """Run the network from a part of its body on: its input → logits N × classes."""
    for name in model.body[start:]:
        x = model.get_submodule(name)(x)
    return model.classifier(x).cpu().double()


def _joined(scales: Sequence[Scale], lone: Scale) -> tuple[Scale, ...]:
    """Scale one more branch; one that is scaled already is scaled by both."""
    same = [scale for scale in scales if scale[:2] == lone[:2]]
    factor = lone.factor * (same[0].factor if same else 1.0)
    return (*(scale for scale in scales if scale not in same), lone._replace(factor=factor))


def _cell(scale: Scale, before: Tensor, after: Tensor, told: Tensor) -> AblationCell:
    was, now = _of(before.softmax(1), told), _of(after.softmax(1), told)
    return AblationCell(
        scale.module,
        scale.branch,
        probability=now.mean().item(),
        change=(now - was).mean().item(),
        logit_change=(_of(after, told) - _of(before, told)).mean().item(),
        flip_rate=(after.argmax(1) != before.argmax(1)).double().mean().item(),
    )


def _of(values: Tensor, told: Tensor) -> Tensor:
    """N × classes → N: each picture's value of its class."""
    return values.gather(1, told[:, None])[:, 0]
