"""Any picture through the network: sizes against the core, smallest inputs by trying."""

import pytest

from explorer import PRESETS, problems, summarize
from explorer.config import POOL_RULES
from explorer.lessons.resolution import (
    at_side,
    diagnosis,
    limits,
    passages,
    smallest_side,
    without_heads,
)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", [(224, 224), (97, 131), (64, 64)])
def test_sizes_are_the_cores(preset: str, size: tuple[int, int]) -> None:
    """Under every rule each size is the output of the core's row of that name."""
    for passage in passages(PRESETS[preset], *size):
        config = without_heads(at_side(PRESETS[preset], *size)).replace(pooling=passage.pooling)
        if passage.problem:
            assert problems(config)
            continue
        summary = summarize(config)
        rows = {row.path.removeprefix("stem."): row for row in summary.rows}
        assert [(name, rows[name].out_shape[1:]) for name, _ in passage.sizes[1:]] == list(passage.sizes[1:])
        assert passage.last == rows["classifier.pool"].in_shape[1:]


def test_floor_gives_other_sizes_at_224() -> None:
    """112, 55, 27, 13, 6 where the paper has 112, 56, 28, 14, 7."""
    found = {
        passage.pooling: [size[0] for _, size in passage.sizes[1:]] for passage in passages(PRESETS["paper"], 224, 224)
    }
    assert found["floor"] == [112, 55, 27, 13, 6]
    assert found["ceil"] == found["padded"] == found["torchvision"] == [112, 56, 28, 14, 7]
    assert set(found) == set(POOL_RULES)


def test_a_passage_ends_where_nothing_fits() -> None:
    """With the layer, its window and the size named."""
    (floor,) = (passage for passage in passages(PRESETS["paper"], 20, 20) if passage.pooling == "floor")
    assert floor.problem == "pool3: the 3×3/2 max pool finds no place on 1×1."
    assert floor.last == (1, 1)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_smallest_input_is_the_smallest(preset: str) -> None:
    """It can be built, and no smaller one can."""
    config = PRESETS[preset]
    side = smallest_side(config)
    assert not problems(at_side(config, side))
    assert all(problems(at_side(config, smaller)) for smaller in range(1, side))


def test_the_limits_of_the_paper() -> None:
    """Without heads from 31 pixels on, with either head from 47 on."""
    assert limits(PRESETS["paper"]) == ((None, 31), ("4a", 47), ("4d", 47))


def test_a_network_that_never_fits() -> None:
    """Twelve stages shrink any allowed picture to nothing."""
    paper = PRESETS["paper"]
    modules = tuple(paper.modules[0].replace(name=f"{stage}a") for stage in range(1, 16))
    config = paper.replace(modules=modules, pooling="floor", aux=paper.aux.replace(taps=()))
    assert smallest_side(config) is None


def test_a_diagnosis_is_a_network_or_a_sentence() -> None:
    """What the page shows for any size that was typed."""
    assert diagnosis(PRESETS["paper"], 224, 300).config.input_shape == (3, 224, 300)
    assert "cannot pool" in diagnosis(PRESETS["paper"], 40, 40)
    assert "out of range" in diagnosis(PRESETS["paper"], 0, 40)
