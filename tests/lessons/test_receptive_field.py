"""Distributions of receptive fields, compared with an enumeration of all paths and with the core."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.lessons.receptive_field import branch_widening, field_distributions, window, without_branch
from tests.strategies import examples, networks


def test_the_paper() -> None:
    """The fields at 3a are 27, 43 or 59 pixels; at 5b up to 715, over 4⁹ paths."""
    found = field_distributions(summarize(PRESETS["paper"]))
    assert found[0].path_counts == {27: 1, 43: 2, 59: 1}
    assert (found[-1].smallest, found[-1].largest, found[-1].total) == (75, 715, 4**9)
    assert found[-1].most_common == found[-1].mean == 395


def test_torchvisions_5x5_has_a_smaller_field() -> None:
    """With 3×3 kernels in that branch, it is 379 at 5b."""
    assert field_distributions(summarize(PRESETS["torchvision"]))[-1].largest == 379


@pytest.mark.slow
@given(networks())
@examples(40)
def test_the_largest_field_is_the_cores_receptive_field(config: GoogLeNetConfig) -> None:
    """So is the jump, at every module of random networks; the number of paths is the product of the branches."""
    summary = summarize(config)
    paths = 1
    for module, distribution in zip(config.modules, field_distributions(summary), strict=True):
        row = summary.concat(module.name)
        paths *= len(module.branches)
        assert (distribution.largest, distribution.jump, distribution.total) == (row.receptive_field, row.jump, paths)


def test_path_counts_by_enumeration() -> None:
    """Enumerating the paths through the first five modules gives the same counts."""
    config = PRESETS["paper"]
    distributions = field_distributions(summarize(config))
    modules = config.modules[:5]
    counts: Counter[int] = Counter()
    for path in product(*(branch_widening(config, module).values() for module in modules)):
        field = 27  # after the stem
        for module, positions in zip(modules, path, strict=True):
            if module.name == "4a":
                field += 2 * 8  # pool3: 3×3 on positions 8 pixels apart
            field += positions * (8 if module.stage == 3 else 16)
        counts[field] += 1
    assert dict(counts) == distributions[4].path_counts


def test_without_a_branch() -> None:
    """Without the 5×5 the largest field is that of the 3×3; without the 1×1 the smallest grows."""
    paper = PRESETS["paper"]
    full = field_distributions(summarize(paper))[-1]
    no_five = field_distributions(summarize(without_branch(paper, "5x5")))[-1]
    no_one = field_distributions(summarize(without_branch(paper, "1x1")))[-1]
    assert (no_five.smallest, no_five.largest) == (full.smallest, 395)
    assert (no_one.smallest, no_one.largest) == (395, full.largest)
    with pytest.raises(KeyError):
        without_branch(paper, "7x7")


def test_the_only_branch_of_a_module_stays() -> None:
    """Without it the module would have no output."""
    paper = PRESETS["paper"]
    one_branch = paper.modules[0].replace(ch3x3=0, ch5x5=0, pool_proj=0)
    config = paper.replace(modules=(one_branch, *paper.modules[1:]))
    assert without_branch(config, "1x1").modules[0] == one_branch


def test_the_window_of_a_position() -> None:
    """With padding 1 the first position is centred on the first pixel, and neighbours are one jump apart."""
    distribution = field_distributions(summarize(PRESETS["inception5h"]))[-1]
    left, top, side = window(distribution, 75, (0, 1))
    assert side == 75
    assert (left, top) == (distribution.start + 32 - 37, distribution.start - 37)
    assert distribution.start == 0


def test_the_window_contains_the_gradient() -> None:
    """The pixels with a gradient from one output position of the live network are in its largest window."""
    import torch

    from explorer.live.model import build_model

    config = PRESETS["mini"].replace(modules=PRESETS["mini"].modules[:3], aux=PRESETS["mini"].aux.replace(taps=()))
    config = config.replace(input_shape=(1, 80, 80), pooling="ceil")
    model = build_model(config).eval()
    image = torch.rand(1, 1, 80, 80, requires_grad=True)
    x = model.stem(image)
    for name in model.body:
        x = model.get_submodule(name)(x)
    distribution = field_distributions(summarize(config))[-1]
    x[0, :, 9, 10].sum().backward()
    pixels = image.grad[0, 0].abs().sum(0).nonzero().flatten()
    left, _, side = window(distribution, distribution.largest, (9, 10))
    assert left <= pixels.min()
    assert pixels.max() <= left + side - 1
    assert abs((pixels.min() + pixels.max()) / 2 - (distribution.start + 10 * distribution.jump)) <= distribution.jump
