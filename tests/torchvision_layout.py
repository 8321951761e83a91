"""torchvision's GoogLeNet from its names and shapes alone, independent of the app's code.

A state dict in its layout, and the forward pass written out with those tensors.
Source: ``tests/reference/torchvision_parameters.csv``, and torchvision 0.28 ``models/googlenet.py`` for the order.
"""

import csv
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

REFERENCE = Path(__file__).parent / "reference" / "torchvision_parameters.csv"
State = dict[str, Tensor]


def shapes() -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by its name; counters have the shape ()."""
    with REFERENCE.open(encoding="utf-8") as file:
        return {
            row["name"]: () if row["shape"] == "scalar" else tuple(map(int, row["shape"].split("x")))
            for row in csv.DictReader(file)
        }


def state_dict(*, heads: bool = True, seed: int = 0) -> State:
    """Return random tensors, large enough that the logits are clearly different."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes().items():
        if not heads and name.startswith("aux"):
            continue
        if not shape:
            state[name] = torch.tensor(7)
        elif len(shape) > 1:
            fan_in = torch.tensor(shape[1:]).prod().item()
            state[name] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        else:
            state[name] = torch.rand(shape, generator=generator) * 0.5 + 0.75 * name.endswith(("weight", "var"))
    return state


def forward(state: State, x: Tensor) -> dict[str, Tensor]:
    """N × 3 × 224 × 224 → the logits of ``main`` and, where the state dict has them, of ``aux1`` and ``aux2``."""

    def conv(x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        x = F.conv2d(x, state[f"{name}.conv.weight"], stride=stride, padding=padding)
        mean, var = state[f"{name}.bn.running_mean"], state[f"{name}.bn.running_var"]
        return F.relu(F.batch_norm(x, mean, var, state[f"{name}.bn.weight"], state[f"{name}.bn.bias"], eps=0.001))

    def inception(x: Tensor, name: str) -> Tensor:
        one = conv(x, f"{name}.branch1")
        two = conv(conv(x, f"{name}.branch2.0"), f"{name}.branch2.1", padding=1)
        three = conv(conv(x, f"{name}.branch3.0"), f"{name}.branch3.1", padding=1)
        four = conv(F.max_pool2d(x, 3, stride=1, padding=1, ceil_mode=True), f"{name}.branch4.1")
        return torch.cat([one, two, three, four], 1)

    def head(x: Tensor, name: str) -> Tensor:
        x = torch.flatten(conv(F.adaptive_avg_pool2d(x, (4, 4)), f"{name}.conv"), 1)
        x = F.relu(F.linear(x, state[f"{name}.fc1.weight"], state[f"{name}.fc1.bias"]))
        return F.linear(x, state[f"{name}.fc2.weight"], state[f"{name}.fc2.bias"])

    logits = {}
    x = F.max_pool2d(conv(x, "conv1", stride=2, padding=3), 3, stride=2, ceil_mode=True)
    x = conv(conv(x, "conv2"), "conv3", padding=1)
    x = F.max_pool2d(x, 3, stride=2, ceil_mode=True)
    x = inception(inception(x, "inception3a"), "inception3b")
    x = inception(F.max_pool2d(x, 3, stride=2, ceil_mode=True), "inception4a")
    if "aux1.fc1.weight" in state:
        logits["aux1"] = head(x, "aux1")
    x = inception(inception(inception(x, "inception4b"), "inception4c"), "inception4d")
    if "aux2.fc1.weight" in state:
        logits["aux2"] = head(x, "aux2")
    x = F.max_pool2d(inception(x, "inception4e"), 2, stride=2, ceil_mode=True)
    x = inception(inception(x, "inception5a"), "inception5b")
    x = torch.flatten(F.adaptive_avg_pool2d(x, (1, 1)), 1)
    return logits | {"main": F.linear(x, state["fc.weight"], state["fc.bias"])}
