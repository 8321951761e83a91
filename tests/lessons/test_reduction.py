"""The lesson on the 1×1 reduction, held against the core and against brute force."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, problems, summarize
from explorer.config import MAX_CHANNELS
from explorer.lessons.reduction import (
    ARTICLE,
    ReductionCase,
    applied,
    branch_case,
    break_even,
    break_even_macs,
    case_problems,
    direct,
    explosion,
    reduced,
    step,
    without_reductions,
)

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


def test_the_articles_case() -> None:
    """819,200 weights without the reduction, 50,688 with it; with biases 819,264 and 50,776."""
    assert (direct(ARTICLE).parameters, reduced(ARTICLE).parameters) == (819_200, 50_688)
    with_biases = ARTICLE.replace(biases=True)
    assert (direct(with_biases).parameters, reduced(with_biases).parameters) == (819_264, 50_776)
    assert (break_even(ARTICLE), break_even_macs(ARTICLE)) == (387, 387)


@pytest.mark.parametrize("module", ["4b", "4c"])
def test_the_articles_case_is_the_5x5_branch(module: str) -> None:
    """It is found in the paper's network itself."""
    assert ARTICLE == branch_case(summarize(PAPER), module, "5x5", biases=False, otherwise=1)


@pytest.mark.parametrize("branch", ["3x3", "5x5"])
@pytest.mark.parametrize("preset", ["paper", "half", "mini", "torchvision"])
def test_a_branch_costs_what_the_core_says(preset: str, branch: str) -> None:
    """Reduction and convolution of every branch have the core's weights, MACs and output elements."""
    summary = summarize(PRESETS[preset])
    for module in summary.config.modules:
        case = branch_case(summary, module.name, branch, biases=False, otherwise=1)
        rows = [summary.by_path[f"inception_{module.name}.branch_{branch}.{layer}"] for layer in ("reduce", "conv")]
        path = reduced(case)
        assert [row.weights for row in rows] == [layer.weights for layer in path.layers]
        assert sum(row.macs for row in rows) == path.macs
        assert sum(row.activations for row in rows) == path.activations


def test_a_branch_without_reduction_costs_what_the_core_says() -> None:
    """In the network without reductions the direct path is the one that is built."""
    summary = summarize(PRESETS["no_reduction"])
    case = branch_case(summary, "4b", "5x5", biases=True, otherwise=24)
    row = summary.by_path["inception_4b.branch_5x5.conv"]
    assert (row.parameters, row.macs) == (direct(case).parameters, direct(case).macs)
    assert case.reduction == 24


def test_a_branch_that_is_not_there_is_refused() -> None:
    """0 kernels make no case."""
    module = PAPER.module("4b").replace(ch5x5=0)
    config = PAPER.replace(modules=tuple(module if m.name == "4b" else m for m in PAPER.modules))
    with pytest.raises(KeyError):
        branch_case(summarize(config), "4b", "5x5", biases=False, otherwise=1)


@given(CASES)
def test_break_even_is_the_last_width_that_saves(case: ReductionCase) -> None:
    """By trying widths: at it something is saved (if any width saves), one more saves nothing."""
    for width, quantity in ((break_even(case), "parameters"), (break_even_macs(case), "macs")):
        whole = getattr(direct(case), quantity)
        if width:
            assert getattr(reduced(case.replace(reduction=width)), quantity) < whole
        assert getattr(reduced(case.replace(reduction=width + 1)), quantity) >= whole


def test_applying_writes_the_branch_and_nothing_else() -> None:
    """Reduction and kernels go into the table; the rest of the network is as it was."""
    config = applied(PAPER, "4b", "5x5", ARTICLE.replace(reduction=16, filters=80))
    assert (config.module("4b").ch5x5_reduce, config.module("4b").ch5x5) == (16, 80)
    assert PAPER == applied(config, "4b", "5x5", ARTICLE)


def test_all_reductions_out_is_the_naive_network() -> None:
    """Module by module the network explodes to the naive preset: 97,526,008 parameters."""
    steps = explosion(PAPER)
    assert steps[0].parameters == summarize(PAPER).parameters(aux=False)
    assert (steps[-1].parameters, steps[-1].macs) == (97_526_008, 12_568_061_056)
    assert steps[-1].widths == (416, 832, 1280, 1728, 2176, 2640, 3344, 4048, 4944)
    assert [s.parameters for s in steps] == sorted(s.parameters for s in steps)
    names = tuple(module.name for module in PAPER.modules)
    assert without_reductions(PAPER, names) == PRESETS["naive"]


def test_one_module_may_be_taken_alone() -> None:
    """Only the chosen module grows; the others keep their widths."""
    widths = step(PAPER, ("4c",)).widths
    assert widths[4] == 128 + 256 + 64 + 512
    assert widths[:4] + widths[5:] == step(PAPER, ()).widths[:4] + step(PAPER, ()).widths[5:]


def test_a_network_that_grows_too_large_says_so() -> None:
    """Beyond what can be built a step carries the core's own sentence and no numbers."""
    config = PAPER.replace(modules=tuple(module.replace(ch3x3=2000, ch5x5=1000) for module in PAPER.modules))
    last = explosion(config)[-1]
    assert problems(without_reductions(config, tuple(m.name for m in config.modules)))
    assert (last.parameters, last.widths) == (0, ())
    assert "limit" in last.problem


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("inputs", 0, "Input channels: 0 is out of range"),
        ("filters", -3, "Kernels: -3"),
        ("reduction", MAX_CHANNELS + 1, "1 to 4,096"),
        ("kernel", 4, "an odd number, such as 3 or 5"),
        ("kernel", 13, "1 to 11"),
        ("height", 10**20, "over 15 digits"),
        ("width", 0, "Width"),
    ],
)
def test_bad_values_are_named(field: str, value: int, told: str) -> None:
    """Each is one sentence that names the control and what would be right."""
    (problem,) = case_problems(ARTICLE.replace(**{field: value}))
    assert problem.field == field
    assert told in problem.message
    assert case_problems(ARTICLE) == ()
