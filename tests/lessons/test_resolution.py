"""Any image size through the network: sizes compared with the core, smallest inputs by trying each size."""

import pytest

from explorer import PRESETS, problems, summarize
from explorer.config import POOL_RULES
from explorer.lessons.resolution import (
    at_side,
    minimum_inputs,
    size_traces,
    smallest_side,
    summary_or_problem,
    without_heads,
)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", [(224, 224), (97, 131), (64, 64)])
def test_sizes_equal_the_cores(preset: str, size: tuple[int, int]) -> None:
    """Under every rule each size is the output of the core's row with that name."""
    for trace in size_traces(PRESETS[preset], *size):
        config = without_heads(at_side(PRESETS[preset], *size)).replace(pooling=trace.pooling)
        if trace.problem:
            assert problems(config)
            continue
        summary = summarize(config)
        rows = {row.path.removeprefix("stem."): row for row in summary.rows}
        assert [(name, rows[name].out_shape[1:]) for name, _ in trace.sizes[1:]] == list(trace.sizes[1:])
        assert trace.last == rows["classifier.pool"].in_shape[1:]


def test_floor_gives_other_sizes_at_224() -> None:
    """112, 55, 27, 13, 6 where the paper has 112, 56, 28, 14, 7."""
    found = {
        trace.pooling: [size[0] for _, size in trace.sizes[1:]] for trace in size_traces(PRESETS["paper"], 224, 224)
    }
    assert found["floor"] == [112, 55, 27, 13, 6]
    assert found["ceil"] == found["padded"] == found["torchvision"] == [112, 56, 28, 14, 7]
    assert set(found) == set(POOL_RULES)


def test_a_trace_ends_before_a_layer_that_does_not_fit() -> None:
    """The problem names the layer, its window and the size."""
    (floor,) = (trace for trace in size_traces(PRESETS["paper"], 20, 20) if trace.pooling == "floor")
    assert floor.problem == "pool3: the 3×3/2 max pool does not fit on 1×1."
    assert floor.last == (1, 1)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_smallest_input_is_the_smallest(preset: str) -> None:
    """It can be built, and no smaller one can."""
    config = PRESETS[preset]
    side = smallest_side(config)
    assert not problems(at_side(config, side))
    assert all(problems(at_side(config, smaller)) for smaller in range(1, side))


def test_the_smallest_inputs_of_the_paper() -> None:
    """Without heads 31 pixels, with either head 47."""
    assert minimum_inputs(PRESETS["paper"]) == ((None, 31), ("4a", 47), ("4d", 47))


def test_a_network_that_never_fits() -> None:
    """Fifteen stages reduce any allowed image to less than one pixel."""
    paper = PRESETS["paper"]
    modules = tuple(paper.modules[0].replace(name=f"{stage}a") for stage in range(1, 16))
    config = paper.replace(modules=modules, pooling="floor", aux=paper.aux.replace(taps=()))
    assert smallest_side(config) is None


def test_any_size_gives_a_summary_or_a_problem() -> None:
    """The page shows either for the size in its input."""
    assert summary_or_problem(PRESETS["paper"], 224, 300).config.input_shape == (3, 224, 300)
    assert "cannot pool" in summary_or_problem(PRESETS["paper"], 40, 40)
    assert "out of range" in summary_or_problem(PRESETS["paper"], 0, 40)
