"""Weights as a ``.pth`` file that torchvision's GoogLeNet loads with ``load_state_dict``."""

import io

import torch

from explorer.export.torchvision import to_torchvision_name, torchvision_refusal
from explorer.live.model import GoogLeNet
from explorer.live.weights import WeightsError


def to_torchvision(model: GoogLeNet) -> bytes:
    """Return the state dict with torchvision's names. Raises WeightsError for a network that does not fit.

    Load it with ``googlenet(num_classes=…, aux_logits=…, transform_input=False)``: the input is standardized before.
    """
    if reason := torchvision_refusal(model.config):
        raise WeightsError(reason)
    state = {to_torchvision_name(name): tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()
