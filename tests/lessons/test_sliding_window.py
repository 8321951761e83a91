"""One layer to try: sizes, the inputs that no window reads, and the layers of GoogLeNet among the examples."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from explorer import PRESETS, summarize
from explorer.lessons.sliding_window import (
    LAYERS,
    MAX_KERNEL,
    MAX_PADDING,
    MAX_SIZE,
    MAX_STRIDE,
    SlidingWindow,
)

WINDOWS = st.builds(
    SlidingWindow,
    st.integers(1, MAX_SIZE),
    st.integers(1, MAX_KERNEL),
    st.integers(1, MAX_STRIDE),
    st.integers(0, MAX_PADDING),
    st.just(False),
)


@given(WINDOWS)
def test_each_input_is_read_as_often_as_its_gradient_says(layer: SlidingWindow) -> None:
    """A kernel of ones in PyTorch passes 1 to each input for each window that reads it."""
    if not layer.out:
        return
    image = torch.zeros(1, 1, layer.size, requires_grad=True)
    output = functional.conv1d(image, torch.ones(1, 1, layer.kernel), stride=layer.stride, padding=layer.padding)
    output.sum().backward()
    assert image.grad is not None
    assert layer.out == output.shape[-1]
    assert layer.reads == tuple(image.grad[0, 0].int().tolist())
    assert layer.unread == int((image.grad == 0).sum())


def test_rounding_up_reads_the_last_input() -> None:
    """A 3×3/2 pool on 8 positions: 3 windows miss the last one, the fourth reaches over the edge."""
    down, up = SlidingWindow(8, 3, 2), SlidingWindow(8, 3, 2, round_up=True)
    assert (down.out, down.unread, down.overhang) == (3, 1, 0)
    assert (up.out, up.unread, up.overhang, up.out_rounded_down) == (4, 0, 1, 3)


def test_a_kernel_that_does_not_fit_has_no_output() -> None:
    """And no window reads anything."""
    layer = SlidingWindow(2, 7, padding=1)
    assert (layer.out, layer.reads, layer.overhang) == (0, (0, 0), 0)


def test_the_examples_are_layers_of_googlenet() -> None:
    """Kernel, stride and padding are those of the paper's network."""
    rows = summarize(PRESETS["paper"]).rows
    windows = {(row.kernel[0], row.stride, row.padding) for row in rows if row.kernel}
    assert {(layer.kernel, layer.stride, layer.padding) for layer in LAYERS.values()} <= windows
