"""The mean of a network's weights over the last steps of training (Izmailov et al. 2018, arXiv:1803.05407)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class WeightAverage:
    """The mean of a model's parameters over the ``steps`` steps at which it was added."""

    def __init__(self, model: nn.Module) -> None:
        self.steps = 0
        self.mean = [torch.zeros_like(parameter) for parameter in model.parameters()]

    @torch.no_grad()
    def add(self, model: nn.Module) -> None:
        """Include the model's present parameters in the mean."""
        self.steps += 1
        torch._foreach_lerp_(self.mean, list(model.parameters()), 1 / self.steps)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Give the model the mean weights within a ``with`` block, and its own back at the end."""
        parameters = list(model.parameters())
        own = [parameter.data for parameter in parameters]
        try:
            for parameter, mean in zip(parameters, self.mean, strict=True):
                parameter.data = mean
            yield
        finally:
            for parameter, data in zip(parameters, own, strict=True):
                parameter.data = data
