"""The lesson on the auxiliary heads, compared with the core and with published numbers."""

from itertools import pairwise
from math import isclose, log

import pytest

from explorer import PRESETS, summarize
from explorer.lessons.auxiliary import (
    POOLS,
    head_costs,
    head_steps,
    hidden_inputs,
    loss_at_equal_logits,
    pool_results,
    pooled_size,
    reachable_blocks,
)

PAPER = summarize(PRESETS["paper"])


def test_the_shapes_of_the_first_head() -> None:
    """14×14×512 → 4×4×512 → 4×4×128 → 2,048 → 1,024 → classes, as in the paper and Caffe."""
    steps = head_steps(PAPER, "4a")
    shapes = [steps[0].in_shape, *(step.out_shape for step in steps)]
    assert shapes == [(512, 14, 14), (512, 4, 4), (128, 4, 4), (2048,), (1024,), (1024,), (1000,)]
    assert [step.name for step in steps][:3] == ["average pool 5×5/3", "1×1 convolution", "flatten"]
    assert sum(step.parameters for step in steps) == 3_188_840
    assert sum(step.macs for step in steps) == 4_169_728


@pytest.mark.parametrize("preset", PRESETS)
def test_steps_connect_and_add_up(preset: str) -> None:
    """In every preset each step's input is the previous output, and the sums equal the core's."""
    summary = summarize(PRESETS[preset])
    for tap in summary.config.aux.taps:
        steps = head_steps(summary, tap)
        assert all(before.out_shape == after.in_shape for before, after in pairwise(steps))
        assert sum(step.parameters for step in steps) == summary.by_module[f"aux_{tap}"].parameters


def test_a_module_without_a_head_is_refused() -> None:
    """There are no steps to return."""
    with pytest.raises(KeyError):
        head_steps(PAPER, "4b")


def test_head_costs() -> None:
    """48 % of the parameters in training, 0.5 % of the MACs."""
    costs = head_costs(PAPER)
    assert (costs.parameters, costs.macs) == (6_379_728, 8_372_224)
    assert round(100 * costs.parameter_fraction) == 48
    assert round(100 * costs.mac_fraction, 1) == 0.5
    assert costs.main_parameters + costs.parameters == PAPER.parameters()


def test_the_loss_at_equal_logits() -> None:
    """1.6 · ln C with two heads and the paper's weight."""
    assert isclose(loss_at_equal_logits(1000, 2, 0.3), 1.6 * log(1000))
    assert isclose(loss_at_equal_logits(1000, 0, 0.3), log(1000))


def test_reachable_blocks() -> None:
    """The gradient of aux1 reaches conv1…4a only, that of aux2 conv1…4d only."""
    assert reachable_blocks(PAPER.config, "4a") == ("stem", "3a", "3b", "4a")
    assert reachable_blocks(PAPER.config, "4d") == ("stem", "3a", "3b", "4a", "4b", "4c", "4d")
    with pytest.raises(KeyError):
        reachable_blocks(PAPER.config, "9z")


def test_other_inputs_and_rules() -> None:
    """The pooled size and the hidden layer depend on input and rule; a pool that does not fit is a problem."""
    results = {(result.side, result.pool): result for result in pool_results(PAPER.config, (224, 192, 40))}
    assert len(results) == 3 * len(POOLS)
    assert {results[224, pool].sizes for pool in POOLS} == {((4, 4), (4, 4))}
    assert results[192, "floor"].sizes == ((3, 3), (3, 3))
    assert results[192, "ceil"].sizes == ((4, 4), (4, 4))
    assert "cannot pool" in results[40, "ceil"].problem
    assert results[40, "adaptive"].sizes == ((4, 4), (4, 4))
    assert results[192, "floor"].parameters < results[192, "ceil"].parameters


def test_the_hidden_layer_has_the_flattened_inputs() -> None:
    """128 · 4 · 4 = 2,048."""
    assert hidden_inputs(PAPER, "4a") == 2_048 == 128 * pooled_size(PAPER, "4a")[0] * pooled_size(PAPER, "4a")[1]
