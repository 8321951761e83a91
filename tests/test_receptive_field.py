"""Receptive fields by brute force: traces positions back to the pixels they depend on, without a formula."""

import pytest
import torch
from hypothesis import given
from torch import nn
from torch.nn import functional as F

from explorer import PRESETS, GoogLeNetConfig, NetworkSummary, summarize
from explorer.live.model import Concat, ConvBlock, Inception, build_model
from tests.strategies import examples, networks

Positions = set[int]


def before(layer: nn.Module, positions: Positions) -> Positions:
    """Return the input positions, along one side without edges, that some output positions of a layer depend on.

    Kernel, stride and padding come from the live layers.
    """
    if isinstance(layer, Inception):
        branches = [branch for name, branch in layer.named_children() if name.startswith("branch_")]
        return set().union(*(before(branch, positions) for branch in branches))
    if isinstance(layer, nn.Sequential):
        for part in reversed(layer):
            positions = before(part, positions)
        return positions
    if isinstance(layer, Concat | nn.LocalResponseNorm):
        return positions
    layer = layer.conv if isinstance(layer, ConvBlock) else layer
    kernel, stride, padding = (
        value[0] if isinstance(value, tuple) else value for value in (layer.kernel_size, layer.stride, layer.padding)
    )
    return {i * stride - padding + offset for i in positions for offset in range(kernel)}


def pool_windows(pool: nn.Module, side: int) -> list[Positions]:
    """Return the input positions that each output of an average pool depends on, by PyTorch's own gradient."""

    def pooled(x: torch.Tensor) -> torch.Tensor:
        x = x.view(1, 1, -1)
        if isinstance(pool, nn.AdaptiveAvgPool2d):
            return F.adaptive_avg_pool1d(x, pool.output_size).flatten()
        return F.avg_pool1d(x, pool.kernel_size, pool.stride, ceil_mode=pool.ceil_mode).flatten()

    jacobian = torch.autograd.functional.jacobian(pooled, torch.zeros(side))
    return [set(row.nonzero().flatten().tolist()) for row in jacobian]


def span(positions: Positions) -> int:
    """Return how many pixels wide a set of positions is."""
    return max(positions) - min(positions) + 1


class PixelTracer:
    """Traces positions of each layer of a summary back to the pixels they depend on, through the live network."""

    def __init__(self, summary: NetworkSummary) -> None:
        self.summary, self.model = summary, build_model(summary.config, "meta")
        self.trunk = [f"stem.{name}" for name, _ in self.model.stem.named_children()] + self.model.body
        self.last = self.model.body[-1]

    def pixels(self, path: str, positions: Positions) -> Positions:
        """Return the pixels that some output positions of the layer of that path depend on."""
        at = next(i for i, name in enumerate(self.trunk) if path == name or path.startswith(f"{name}.branch_"))
        layer = self.model.get_submodule(self.trunk[at])
        if path != self.trunk[at]:  # within a branch: from the layer back to the branch's beginning
            branch, name = path.removeprefix(f"{self.trunk[at]}.").split(".")
            parts = dict(layer.get_submodule(branch).named_children())
            layer = nn.Sequential(*list(parts.values())[: list(parts).index(name) + 1])
        positions = before(layer, positions)
        for earlier in reversed(self.trunk[:at]):
            positions = before(self.model.get_submodule(earlier), positions)
        return positions

    def field(self, path: str) -> tuple[int, int]:
        """Return the extent of one position's pixels, and the distance to those of its neighbour."""
        first, second = self.pixels(path, {0}), self.pixels(path, {1})
        return span(first), min(second) - min(first)

    def field_in_head(self, tap: str) -> tuple[int, int | None]:
        """Return the same for a position after a head's average pool: the largest one, where they differ."""
        block, pool = f"inception_{tap}", self.model.get_submodule(f"aux_{tap}.pool")
        if isinstance(pool, nn.AdaptiveAvgPool2d):
            sides = self.summary.concat(tap).out_shape[1:]
            return max(span(self.pixels(block, window)) for side in sides for window in pool_windows(pool, side)), None
        first, second = (self.pixels(block, before(pool, {i})) for i in (0, 1))
        return span(first), min(second) - min(first)

    def field_of_vector(self, tap: str | None) -> tuple[int, None]:
        """Return the extent of all positions along the longer side together; in a head, of those its pool covers."""
        block = f"inception_{tap}" if tap else self.last
        side = max(self.summary.by_path[f"{block}.concat"].out_shape[1:])
        covered = set(range(side))
        if tap:
            covered = set().union(*pool_windows(self.model.get_submodule(f"aux_{tap}.pool"), side))
        return span(self.pixels(block, covered)), None


def assert_receptive_fields(config: GoogLeNetConfig) -> None:
    """Compare the receptive field and the jump of each row with the live network's."""
    summary = summarize(config)
    tracer = PixelTracer(summary)
    for row in summary.rows:
        if row.kind in {"linear", "dropout"} or row.path == "classifier.pool":
            expected = tracer.field_of_vector(row.aux)
        elif row.aux:
            expected = tracer.field_in_head(row.aux)
        else:
            expected = tracer.field(row.path.removesuffix(".concat"))
        assert (row.path, *expected) == (row.path, row.receptive_field, row.jump)


@pytest.mark.parametrize("size", [(224, 224), (231, 179)])
@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_the_live_receptive_fields(name: str, size: tuple[int, int]) -> None:
    """Each row's receptive field spans the pixels that its position depends on in the live network."""
    config = PRESETS[name]
    assert_receptive_fields(config.replace(input_shape=(config.input_shape[0], *size)))


@given(networks())
@examples(50)
def test_random_networks_have_the_live_receptive_fields(config: GoogLeNetConfig) -> None:
    """The same holds for random networks."""
    assert_receptive_fields(config)
