"""Weights in torchvision's layout compute what the network computes."""

import io

import pytest
import torch

from explorer import PRESETS
from explorer.live.model import build_model
from explorer.live.torchvision_weights import to_torchvision
from explorer.live.weights import WeightsError
from tests import torchvision_layout


def test_torchvisions_forward_pass_gives_the_same_logits() -> None:
    """With its own names; the file is opened as data, not as code."""
    model = build_model(PRESETS["torchvision"], seed=3).eval()
    state = torch.load(io.BytesIO(to_torchvision(model)), weights_only=True)
    assert state.keys() == torchvision_layout.shapes().keys()
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        torch.testing.assert_close(model(image), torchvision_layout.forward(state, image)["main"])


def test_another_network_is_refused() -> None:
    """With the reason."""
    with pytest.raises(WeightsError, match="no other widths"):
        to_torchvision(build_model(PRESETS["mini"]))
