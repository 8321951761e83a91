"""The intermediate maps of a convolution: what each input channel adds to an output map, before bias or BatchNorm.

They are computed from the recorded input of the layer; the network does not run again.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.jobs.inspection import Heat
from explorer.jobs.units import MAX_MAP_SIDE, ChannelMap, ChannelMaps
from explorer.live.recording import exact_convolutions
from explorer.live.tensor_images import average_down, heat_map


class IntermediateMaps(NamedTuple):
    """The maps n × H × W of n input channels, one by one, and the sum H × W of those of all other channels."""

    single: Tensor
    others: Tensor

    @property
    def total(self) -> Tensor:
        """The output map H × W before its bias or BatchNorm."""
        return self.single.sum(0) + self.others


def intermediate_maps(conv: nn.Conv2d, inputs: Tensor, output: int, channels: Sequence[int]) -> IntermediateMaps:
    """Convolve the chosen input channels of C × H × W ``inputs`` one by one, and the others together.

    ``output`` is the output channel whose kernels are used. The others cost one output channel of the layer.
    """
    chosen = list(channels)
    kernels = conv.weight[output].detach()
    others = kernels.clone()
    others[chosen] = 0
    stride, padding = conv.stride, conv.padding
    with torch.inference_mode(), exact_convolutions():
        single = F.conv2d(
            inputs[None, chosen], kernels[chosen][:, None], stride=stride, padding=padding, groups=len(chosen)
        )
        return IntermediateMaps(single[0], F.conv2d(inputs[None], others[None], stride=stride, padding=padding)[0, 0])


def channel_maps(conv: nn.Conv2d, inputs: Tensor, output: int, channels: Sequence[int]) -> ChannelMaps:
    """Return the intermediate maps of the chosen input channels and of the others together, as heat maps."""
    found = intermediate_maps(conv, inputs, output, channels)
    other_count = len(inputs) - len(channels)
    (input_rows, input_columns), (rows, columns) = inputs.shape[1:], found.total.shape
    return ChannelMaps(
        strongest=tuple(
            ChannelMap(
                channel,
                _heat(inputs[channel]),
                tuple(map(tuple, conv.weight[output, channel].tolist())),
                _heat(single),
            )
            for channel, single in zip(channels, found.single, strict=True)
        ),
        others=_heat(found.others) if other_count else None,
        other_count=other_count,
        total=_heat(found.total),
        input_size=(input_rows, input_columns),
        output_size=(rows, columns),
    )


def _heat(values: Tensor) -> Heat:
    return heat_map(average_down(values[None], MAX_MAP_SIDE)[0])
