"""The lesson on the 1×1 reduction, compared with the core and with brute force."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, problems, summarize
from explorer.lessons.reduction import (
    ARTICLE,
    branch_case,
    break_even,
    break_even_macs,
    naive_step,
    naive_steps,
    with_case,
    without_reductions,
)
from explorer.reduction import ReductionCase, direct_path, reduction_path

PAPER = PRESETS["paper"]
CASES = st.builds(
    ReductionCase,
    inputs=st.integers(1, 600),
    kernel=st.sampled_from([1, 3, 5, 7, 11]),
    filters=st.integers(1, 200),
    reduction=st.integers(1, 600),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    biases=st.booleans(),
)


def test_the_case_of_the_articles() -> None:
    """819,200 weights without the reduction, 50,688 with it; with biases 819,264 and 50,776."""
    assert (direct_path(ARTICLE).parameters, reduction_path(ARTICLE).parameters) == (819_200, 50_688)
    with_biases = ARTICLE.replace(biases=True)
    assert (direct_path(with_biases).parameters, reduction_path(with_biases).parameters) == (819_264, 50_776)
    assert (break_even(ARTICLE), break_even_macs(ARTICLE)) == (387, 387)


@pytest.mark.parametrize("module", ["4b", "4c"])
def test_the_case_of_the_articles_is_a_5x5_branch(module: str) -> None:
    """It is the 5×5 branch of 4b and of 4c in the paper's network."""
    assert ARTICLE == branch_case(summarize(PAPER), module, "5x5", biases=False, default_reduction=1)


@pytest.mark.parametrize("branch", ["3x3", "5x5"])
@pytest.mark.parametrize("preset", ["paper", "half", "mini", "torchvision"])
def test_costs_of_a_branch_equal_the_core(preset: str, branch: str) -> None:
    """Reduction and convolution of every branch have the core's weights, MACs and output elements."""
    summary = summarize(PRESETS[preset])
    for module in summary.config.modules:
        case = branch_case(summary, module.name, branch, biases=False, default_reduction=1)
        rows = [summary.by_path[f"inception_{module.name}.branch_{branch}.{layer}"] for layer in ("reduce", "conv")]
        path = reduction_path(case)
        assert [row.weights for row in rows] == [layer.weights for layer in path.layers]
        assert sum(row.macs for row in rows) == path.macs
        assert sum(row.activations for row in rows) == path.activations


def test_costs_of_a_branch_without_reduction_equal_the_core() -> None:
    """In the network without reductions the direct path is built."""
    summary = summarize(PRESETS["no_reduction"])
    case = branch_case(summary, "4b", "5x5", biases=True, default_reduction=24)
    row = summary.by_path["inception_4b.branch_5x5.conv"]
    assert (row.parameters, row.macs) == (direct_path(case).parameters, direct_path(case).macs)
    assert case.reduction == 24


def test_a_missing_branch_is_refused() -> None:
    """A branch with 0 kernels has no case."""
    module = PAPER.module("4b").replace(ch5x5=0)
    config = PAPER.replace(modules=tuple(module if m.name == "4b" else m for m in PAPER.modules))
    with pytest.raises(KeyError):
        branch_case(summarize(config), "4b", "5x5", biases=False, default_reduction=1)


@given(CASES)
def test_break_even_is_the_last_width_that_saves(case: ReductionCase) -> None:
    """Trying widths shows it: that width saves something (if any width does), one more saves nothing."""
    for width, quantity in ((break_even(case), "parameters"), (break_even_macs(case), "macs")):
        without = getattr(direct_path(case), quantity)
        if width:
            assert getattr(reduction_path(case.replace(reduction=width)), quantity) < without
        assert getattr(reduction_path(case.replace(reduction=width + 1)), quantity) >= without


def test_with_case_changes_only_the_branch() -> None:
    """It writes reduction and kernels into the table; the rest of the network stays the same."""
    config = with_case(PAPER, "4b", "5x5", ARTICLE.replace(reduction=16, filters=80))
    assert (config.module("4b").ch5x5_reduce, config.module("4b").ch5x5) == (16, 80)
    assert PAPER == with_case(config, "4b", "5x5", ARTICLE)


def test_without_any_reduction_it_is_the_naive_network() -> None:
    """Module by module the network grows to the naive preset: 97,526,008 parameters."""
    steps = naive_steps(PAPER)
    assert steps[0].parameters == summarize(PAPER).parameters(aux=False)
    assert (steps[-1].parameters, steps[-1].macs) == (97_526_008, 12_568_061_056)
    assert steps[-1].widths == (416, 832, 1280, 1728, 2176, 2640, 3344, 4048, 4944)
    assert [s.parameters for s in steps] == sorted(s.parameters for s in steps)
    names = tuple(module.name for module in PAPER.modules)
    assert without_reductions(PAPER, names) == PRESETS["naive"]


def test_one_module_alone_loses_its_reductions() -> None:
    """Only the chosen module grows; the others keep their widths."""
    widths = naive_step(PAPER, ("4c",)).widths
    assert widths[4] == 128 + 256 + 64 + 512
    assert widths[:4] + widths[5:] == naive_step(PAPER, ()).widths[:4] + naive_step(PAPER, ()).widths[5:]


def test_a_network_that_grows_too_large() -> None:
    """Where the network cannot be built, a step has the message of the core and no numbers."""
    config = PAPER.replace(modules=tuple(module.replace(ch3x3=2000, ch5x5=1000) for module in PAPER.modules))
    last = naive_steps(config)[-1]
    assert problems(without_reductions(config, tuple(m.name for m in config.modules)))
    assert (last.parameters, last.widths) == (0, ())
    assert "limit" in last.problem
