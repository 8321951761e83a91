"""The closed form against the live network: they are written independently and must agree row by row.

Two libraries count the live network as well: torchinfo its parameters, FlopCounterMode its FLOPs. Everything runs on
PyTorch's meta device, which works out shapes and computes no numbers.
"""

from collections.abc import Callable
from math import prod

import pytest
import torch
import torchinfo
from hypothesis import given
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from explorer import PRESETS, GoogLeNetConfig, NetworkSummary, summarize
from explorer.live.model import ConvBlock, build_model
from explorer.live.trace import LiveRow, trace
from tests.strategies import examples, networks

# Each preset at its own size, at one that is odd and not square, and at a third.
SIZES = {"paper": [(224, 224), (231, 179), (128, 160)], "small": [(28, 28), (33, 27), (64, 48)]}
PRESETS_AT_SIZES = [
    pytest.param(config.replace(input_shape=(config.input_shape[0], *size)), id=f"{name}-{size[0]}x{size[1]}")
    for name, config in PRESETS.items()
    for size in SIZES[config.stem.kind]
]


def images(config: GoogLeNetConfig, count: int = 1) -> torch.Tensor:
    """Return a batch on the meta device: a shape without numbers."""
    return torch.empty(count, *config.input_shape, device="meta")


def assert_double_entry(config: GoogLeNetConfig) -> None:
    """Assert that the closed form, the live rows, torchinfo and FlopCounterMode agree."""
    summary, model = summarize(config), build_model(config, "meta")
    live = trace(model)
    assert tuple(LiveRow(*(getattr(row, field) for field in LiveRow._fields)) for row in summary.rows) == live
    assert windows(summary) == {path: window_of(model.get_submodule(path)) for path in windows(summary)}

    assert summary.parameters() == sum(row.weights + row.biases + row.norm for row in live)
    assert summary.parameters() == torchinfo.summary(model, input_data=images(config), verbose=0).total_params
    assert summary.macs(aux=True) == sum(row.macs for row in live)
    assert 2 * summary.macs(aux=True) == flops(model.eval().forward_with_heads, images(config))


def flops(run: Callable[[torch.Tensor], object], batch: torch.Tensor) -> int:
    """Return the FLOPs that PyTorch counts while ``run`` processes a batch."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        run(batch)
    return counter.get_total_flops()


def windows(summary: NetworkSummary) -> dict[str, tuple[int, int, int]]:
    """Return kernel, stride and padding of the closed form's convolutions and non-global pools."""
    return {
        row.path: (row.kernel[0], row.stride, row.padding)
        for row in summary.rows
        if row.kind in {"conv", "max_pool"} or (row.kind == "avg_pool" and row.kernel == (5, 5) and row.stride == 3)
    }


def window_of(layer: nn.Module) -> tuple[int, int, int]:
    """Return kernel, stride and padding of a live layer."""
    layer = layer.conv if isinstance(layer, ConvBlock) else layer
    return tuple(
        value[0] if isinstance(value, tuple) else value for value in (layer.kernel_size, layer.stride, layer.padding)
    )


@pytest.mark.slow
@pytest.mark.parametrize("config", PRESETS_AT_SIZES)
def test_presets_at_three_sizes(config: GoogLeNetConfig) -> None:
    """Closed form, live rows, torchinfo and half of FlopCounterMode agree for each preset at three input sizes."""
    assert_double_entry(config)


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_inference_runs_without_the_heads(config: GoogLeNetConfig) -> None:
    """In eval mode the live network has the MACs of the closed form without the auxiliary heads."""
    assert 2 * summarize(config).macs() == flops(build_model(config, "meta").eval(), images(config))


@pytest.mark.slow
@given(networks())
@examples(200)
def test_random_edits(config: GoogLeNetConfig) -> None:
    """They agree for random networks: blank and zero cells, modules added or renamed, all options, odd sizes."""
    assert_double_entry(config)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_torchinfos_mult_adds_differ_as_expected(config: GoogLeNetConfig, batch: int) -> None:
    """They are the MACs + conv biases per output position + every other bias and norm once."""
    rows = [row for row in summarize(config).rows if row.aux is None]
    expected = sum(
        row.macs + row.norm + row.biases * (prod(row.out_shape[1:]) if row.kind == "conv" else 1) for row in rows
    )
    model, data = build_model(config, "meta"), images(config, batch)
    statistics = torchinfo.summary(model, input_data=data, mode="eval", verbose=0)
    assert batch * expected == statistics.total_mult_adds


def test_torchinfos_mult_adds_of_the_paper() -> None:
    """For the paper's network, with 1,582,671,872 MACs, torchinfo counts 1,585,899,032."""
    paper = PRESETS["paper"]
    statistics = torchinfo.summary(build_model(paper, "meta"), input_data=images(paper), mode="eval", verbose=0)
    assert 1_585_899_032 == statistics.total_mult_adds
