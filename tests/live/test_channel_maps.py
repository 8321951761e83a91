"""The intermediate maps of a convolution add up to the live map, whatever its kernel, its stride and its padding."""

import pytest
import torch
from torch import nn

from explorer.live.channel_maps import channel_maps, intermediate_maps


def convolution(kernel: int, stride: int, inputs: int = 7) -> tuple[nn.Conv2d, torch.Tensor]:
    """A convolution as the networks have it, with a bias, and an input with an odd side."""
    torch.manual_seed(kernel + stride)
    conv = nn.Conv2d(inputs, 3, kernel, stride, padding=kernel // 2).requires_grad_(False)
    return conv, torch.rand(inputs, 13, 10)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
def test_the_maps_add_up_to_the_live_map(kernel: int, stride: int) -> None:
    """To the rounding of float32, without the bias; each single map is the convolution of that channel alone."""
    conv, inputs = convolution(kernel, stride)
    found = intermediate_maps(conv, inputs, 2, [5, 0, 3, 6])
    live = conv(inputs[None])[0, 2] - conv.bias[2]
    torch.testing.assert_close(found.total, live, rtol=1e-5, atol=1e-6)
    alone = torch.zeros_like(inputs)
    alone[0] = inputs[0]
    torch.testing.assert_close(found.single[1], conv(alone[None])[0, 2] - conv.bias[2], rtol=1e-5, atol=1e-6)


def test_few_input_channels_leave_no_others() -> None:
    """The image's three, or one of a grey image."""
    conv, inputs = convolution(3, 1, inputs=3)
    found = channel_maps(conv, inputs, 1, [2, 0, 1])
    assert (found.others, found.other_count) == (None, 0)
    assert [2, 0, 1] == [one.channel for one in found.strongest]
    assert found.strongest[0].kernel == tuple(map(tuple, conv.weight[1, 2].tolist()))
    assert not intermediate_maps(conv, inputs, 1, [2, 0, 1]).others.any()


def test_the_weights_are_not_changed() -> None:
    """The network in memory answers other requests too."""
    conv, inputs = convolution(5, 2)
    before = conv.weight.clone()
    channel_maps(conv, inputs, 0, [1, 2])
    assert before.equal(conv.weight)


def test_large_maps_are_averaged_down() -> None:
    """They are drawn small; the sizes in positions stay, for the marks."""
    conv, _ = convolution(3, 2)
    found = channel_maps(conv, torch.ones(7, 150, 90), 0, [1, 2, 3, 4])
    assert (found.input_size, found.output_size) == ((150, 90), (75, 45))
    assert (found.strongest[0].input_map.size, found.total.size) == ((50, 30), (38, 23))
    assert found.strongest[0].input_map.high == 1
