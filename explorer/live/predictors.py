"""Cheap predictors of a table's accuracy, computed before it is trained.

SynFlow: Tanaka et al. 2020, arXiv:2006.05467, as a score of a whole network in Abdelfattah et al. 2021,
arXiv:2101.08134.
"""

import math

import torch

from explorer.config import GoogLeNetConfig
from explorer.live.model import build_model


def synflow(config: GoogLeNetConfig, seed: int = 0) -> float:
    """Return the natural logarithm of SynFlow's score: Σ |θ · ∂R/∂θ|, where R is the sum of the outputs for ones.

    All weights are replaced by their absolute values. BatchNorm has its initial statistics and passes values on.
    """
    model = build_model(config, seed=seed).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    images = torch.ones(1, *config.input_shape, dtype=torch.float64)  # 1 × C × H × W
    torch.autograd.backward(model(images).sum())
    score = sum(
        (parameter * parameter.grad).abs().sum().item()
        for parameter in model.parameters()
        if parameter.grad is not None
    )
    return math.log(max(score, 1e-300))
