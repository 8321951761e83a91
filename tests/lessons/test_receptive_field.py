"""The spectrum of receptive fields, held against enumeration of every way and the core's own field."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.lessons.receptive_field import spectra, steps, window, without_branch
from tests.strategies import examples, networks


def test_the_paper() -> None:
    """3a sees 27, 43 or 59 pixels; 5b up to 715, over 4⁹ ways."""
    found = spectra(summarize(PRESETS["paper"]))
    assert found[0].ways == {27: 1, 43: 2, 59: 1}
    assert (found[-1].narrowest, found[-1].widest, found[-1].total) == (75, 715, 4**9)
    assert found[-1].commonest == found[-1].mean == 395


def test_torchvisions_5x5_sees_less() -> None:
    """With 3×3 kernels in that branch, 379 at 5b."""
    assert spectra(summarize(PRESETS["torchvision"]))[-1].widest == 379


@given(networks())
@examples(40)
def test_the_widest_way_is_the_cores_receptive_field(config: GoogLeNetConfig) -> None:
    """At every module of random networks, with its jump; and the ways are the product of the branches."""
    summary = summarize(config)
    ways = 1
    for module, spectrum in zip(config.modules, spectra(summary), strict=True):
        row = summary.concat(module.name)
        ways *= len(module.branches)
        assert (spectrum.widest, spectrum.jump, spectrum.total) == (row.receptive_field, row.jump, ways)


def test_the_ways_by_enumeration() -> None:
    """Each way through the first five modules taken one by one gives the same counts."""
    config = PRESETS["paper"]
    spectrum = spectra(summarize(config))
    modules = config.modules[:5]
    before, seen = 27, Counter()
    for way in product(*(steps(config, module).values() for module in modules)):
        field = before
        for module, positions in zip(modules, way, strict=True):
            if module.name == "4a":
                field += 2 * 8  # pool3: 3×3 on positions 8 pixels apart
            field += positions * (8 if module.stage == 3 else 16)
        seen[field] += 1
    assert dict(seen) == spectrum[4].ways


def test_taking_a_branch_out() -> None:
    """Without the 5×5 the widest way shrinks to that of the 3×3; without the 1×1 the narrowest grows."""
    paper = PRESETS["paper"]
    whole = spectra(summarize(paper))[-1]
    no_five = spectra(summarize(without_branch(paper, "5x5")))[-1]
    no_one = spectra(summarize(without_branch(paper, "1x1")))[-1]
    assert (no_five.narrowest, no_five.widest) == (whole.narrowest, 395)
    assert (no_one.narrowest, no_one.widest) == (395, whole.widest)
    with pytest.raises(KeyError):
        without_branch(paper, "7x7")


def test_the_last_branch_stays() -> None:
    """A module with one branch keeps it, for nothing would pass otherwise."""
    paper = PRESETS["paper"]
    lone = paper.modules[0].replace(ch3x3=0, ch5x5=0, pool_proj=0)
    config = paper.replace(modules=(lone, *paper.modules[1:]))
    assert without_branch(config, "1x1").modules[0] == lone


def test_where_a_position_looks() -> None:
    """With padding 1 the first position looks at the first pixel, and neighbours are a jump apart."""
    spectrum = spectra(summarize(PRESETS["inception5h"]))[-1]
    left, top, side = window(spectrum, 75, (0, 1))
    assert side == 75
    assert (left, top) == (spectrum.start + 32 - 37, spectrum.start - 37)
    assert spectrum.start == 0


def test_the_middle_by_a_gradient() -> None:
    """The pixels that one output position of the live network depends on are those of the widest window."""
    import torch

    from explorer.live.model import build_model

    config = PRESETS["mini"].replace(modules=PRESETS["mini"].modules[:3], aux=PRESETS["mini"].aux.replace(taps=()))
    config = config.replace(input_shape=(1, 80, 80), pooling="ceil")
    model = build_model(config).eval()
    image = torch.rand(1, 1, 80, 80, requires_grad=True)
    x = model.stem(image)
    for name in model.body:
        x = model.get_submodule(name)(x)
    spectrum = spectra(summarize(config))[-1]
    x[0, :, 9, 10].sum().backward()
    touched = image.grad[0, 0].abs().sum(0).nonzero().flatten()
    left, _, side = window(spectrum, spectrum.widest, (9, 10))
    assert left <= touched.min()
    assert touched.max() <= left + side - 1
    assert abs((touched.min() + touched.max()) / 2 - (spectrum.start + 10 * spectrum.jump)) <= spectrum.jump
