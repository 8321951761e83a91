"""One layer along a side: where its kernel goes, how many positions come out, and which inputs no window reads.

Sizes are positions along one side; the layer does the same in both directions.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from explorer.arithmetic import conv_size, pool_size

MAX_SIZE, MAX_KERNEL, MAX_STRIDE, MAX_PADDING = 16, 7, 4, 3


class SlidingWindow(NamedTuple):
    """A kernel that slides over an input of ``size``; ``round_up`` is the rule of pooling layers in Caffe."""

    size: int
    kernel: int
    stride: int = 1
    padding: int = 0
    round_up: bool = False

    @property
    def out(self) -> int:
        """The size of the output; 0 where the kernel does not fit."""
        return max(pool_size(self.size, self.kernel, self.stride, self.padding, round_up=self.round_up), 0)

    @property
    def out_rounded_down(self) -> int:
        """The size of the output without ``round_up``."""
        return max(conv_size(self.size, self.kernel, self.stride, self.padding), 0)

    def start(self, place: int) -> int:
        """Return the first input position that the window at an output position reads; below 0 in the padding."""
        return place * self.stride - self.padding

    @property
    def reads(self) -> tuple[int, ...]:
        """The number of windows that read each position of the input, along one side."""
        starts = [self.start(place) for place in range(self.out)]
        return tuple(sum(start <= at < start + self.kernel for start in starts) for at in range(self.size))

    @property
    def unread(self) -> int:
        """The number of positions that no window reads."""
        return self.reads.count(0)

    @property
    def overhang(self) -> int:
        """The number of positions by which the last window reaches beyond the input with its padding."""
        return max(self.start(self.out - 1) + self.kernel - self.size - self.padding, 0) if self.out else 0


# Layers of GoogLeNet, on an input of 8 positions.
LAYERS: Mapping[str, SlidingWindow] = MappingProxyType(
    {
        "1×1": SlidingWindow(8, 1),
        "3×3": SlidingWindow(8, 3, padding=1),
        "5×5": SlidingWindow(8, 5, padding=2),
        "3×3 pool of a branch": SlidingWindow(8, 3, padding=1, round_up=True),
        "3×3/2 pool": SlidingWindow(8, 3, 2, round_up=True),
        "7×7/2 of the stem": SlidingWindow(8, 7, 2, 3),
    }
)
