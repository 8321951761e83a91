"""Receptive fields by brute force: positions are followed back to the pixels they depend on, without a formula."""

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

    The live layers say their kernel, stride and padding themselves.
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


class Witness:
    """The live network of a summary, asked what each of the summary's rows sees."""

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
        """Return how wide one position sees, and how far its neighbour's view is from its own."""
        first, second = self.pixels(path, {0}), self.pixels(path, {1})
        return span(first), min(second) - min(first)

    def field_in_head(self, tap: str) -> tuple[int, int | None]:
        """Return the same for a position behind a head's average pool: the widest one, where they differ."""
        block, pool = f"inception_{tap}", self.model.get_submodule(f"aux_{tap}.pool")
        if isinstance(pool, nn.AdaptiveAvgPool2d):
            sides = self.summary.concat(tap).out_shape[1:]
            return max(span(self.pixels(block, window)) for side in sides for window in pool_windows(pool, side)), None
        first, second = (self.pixels(block, before(pool, {i})) for i in (0, 1))
        return span(first), min(second) - min(first)

    def field_of_vector(self, tap: str | None) -> tuple[int, None]:
        """Return what all positions along the longer side see together; in a head, those that its pool covers."""
        block = f"inception_{tap}" if tap else self.last
        side = max(self.summary.by_path[f"{block}.concat"].out_shape[1:])
        covered = set(range(side))
        if tap:
            covered = set().union(*pool_windows(self.model.get_submodule(f"aux_{tap}.pool"), side))
        return span(self.pixels(block, covered)), None


def assert_receptive_fields(config: GoogLeNetConfig) -> None:
    """Hold the receptive field and the jump of each row against what the witness sees."""
    summary = summarize(config)
    witness = Witness(summary)
    for row in summary.rows:
        if row.kind in {"linear", "dropout"} or row.path == "classifier.pool":
            expected = witness.field_of_vector(row.aux)
        elif row.aux:
            expected = witness.field_in_head(row.aux)
        else:
            expected = witness.field(row.path.removesuffix(".concat"))
        assert (row.path, *expected) == (row.path, row.receptive_field, row.jump)


@pytest.mark.parametrize("size", [(224, 224), (231, 179)])
@pytest.mark.parametrize("name", PRESETS)
def test_presets_see_as_far_as_their_layers_reach(name: str, size: tuple[int, int]) -> None:
    """Each row's receptive field is as wide as the pixels that its position depends on in the live network."""
    config = PRESETS[name]
    assert_receptive_fields(config.replace(input_shape=(config.input_shape[0], *size)))


@given(networks())
@examples(50)
def test_random_networks_see_as_far_as_their_layers_reach(config: GoogLeNetConfig) -> None:
    """The same holds for random networks."""
    assert_receptive_fields(config)
