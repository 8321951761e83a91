"""The rows, sums and problems of the closed form. test_reference and test_double_entry check its numbers."""

import gc
import weakref
from collections.abc import Callable
from math import prod

import pytest
from hypothesis import given

from explorer import PRESETS, GoogLeNetConfig, LayerRow, Totals, UnbuildableError, analysis, problems, summarize
from explorer.arithmetic import adaptive_windows
from explorer.config import MAX_ACTIVATIONS, MAX_CHANNELS, MAX_PARAMETERS, MAX_SIDE
from explorer.diff import with_module
from tests.strategies import networks, typed

PAPER = PRESETS["paper"]


def resized(config: GoogLeNetConfig, height: int, width: int) -> GoogLeNetConfig:
    """Return the config for another input size."""
    return config.replace(input_shape=(config.input_shape[0], height, width))


def assert_adds_up(config: GoogLeNetConfig) -> None:
    """Add the rows again, and follow each block's shapes from its input to its output."""
    summary = summarize(config)
    rows = summary.rows
    main = [row for row in rows if row.aux is None]
    for aux, some in ((True, rows), (False, main)):
        assert sum(row.weights + row.biases + row.norm for row in some) == summary.parameters(aux)
        assert sum(row.macs for row in some) == summary.macs(aux)
        assert sum(prod(row.out_shape) for row in some) == summary.activations(aux)
    assert [row.path for row in rows] == list(summary.by_path)
    assert sum(totals.parameters for totals in summary.by_module.values()) == summary.parameters()
    assert sum(totals.macs for totals in summary.by_module.values()) == summary.macs(aux=True)
    for (module, _), totals in summary.by_branch.items():
        assert totals.macs <= summary.by_module[module].macs
    in_branches = sum(totals.parameters for totals in summary.by_branch.values())
    assert in_branches == sum(summary.by_module[module.name].parameters for module in config.modules)
    assert {row.aux for row in rows} - {None} == set(config.aux.taps)
    assert min(min(row.in_shape + row.out_shape) for row in rows) >= 1


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_presets_add_up(config: GoogLeNetConfig) -> None:
    """The sums, with and without heads, per module and per branch, are those of the rows."""
    assert_adds_up(config)


@given(networks())
def test_random_networks_add_up(config: GoogLeNetConfig) -> None:
    """The same holds for random networks."""
    assert_adds_up(config)


@given(typed())
def test_a_summary_raises_its_problems(config: GoogLeNetConfig) -> None:
    """A summary raises exactly the problems that are reported, and exists when there are none."""
    found = problems(config)
    if found:
        with pytest.raises(UnbuildableError) as refusal:
            summarize(config)
        assert found == refusal.value.problems
        assert all(problem.message in str(refusal.value) for problem in found)
    else:
        assert config == summarize(config).config


def test_rows_of_a_module_in_order() -> None:
    """The rows of a module are ordered by branch as in Figure 2b, the concatenation last."""
    expected = [
        ("inception_4a.branch_1x1.conv", "conv", "1x1"),
        ("inception_4a.branch_3x3.reduce", "conv", "3x3"),
        ("inception_4a.branch_3x3.conv", "conv", "3x3"),
        ("inception_4a.branch_5x5.reduce", "conv", "5x5"),
        ("inception_4a.branch_5x5.conv", "conv", "5x5"),
        ("inception_4a.branch_pool.pool", "max_pool", "pool"),
        ("inception_4a.branch_pool.proj", "conv", "pool"),
        ("inception_4a.concat", "concat", None),
    ]
    assert expected == [(row.path, row.kind, row.branch) for row in summarize(PAPER).rows if row.module == "4a"]


@pytest.mark.parametrize(
    ("cells", "missing"),
    [
        ({"ch1x1": 0}, {"branch_1x1.conv"}),
        ({"ch3x3": 0}, {"branch_3x3.reduce", "branch_3x3.conv"}),
        ({"ch5x5": 0}, {"branch_5x5.reduce", "branch_5x5.conv"}),
        ({"pool_proj": 0}, {"branch_pool.pool", "branch_pool.proj"}),
        ({"ch3x3_reduce": None}, {"branch_3x3.reduce"}),
        ({"ch5x5_reduce": None}, {"branch_5x5.reduce"}),
        ({"pool_proj": None}, {"branch_pool.proj"}),
    ],
)
def test_zeros_and_blanks_remove_layers(cells: dict[str, int | None], missing: set[str]) -> None:
    """0 removes the whole branch and a blank only the 1×1; every other layer of the module stays."""
    edited = with_module(PAPER, PAPER.module("4a").replace(**cells))
    before, after = ({row.path for row in summarize(config).rows if row.module == "4a"} for config in (PAPER, edited))
    assert {f"inception_4a.{layer}" for layer in missing} == before - after
    assert set() == after - before


def test_the_reduction_of_a_missing_branch_is_ignored() -> None:
    """Where the 5×5 is 0, its reduction changes nothing."""
    row = PAPER.module("4a").replace(ch5x5=0)
    one, other = (summarize(with_module(PAPER, row.replace(ch5x5_reduce=width))).rows for width in (16, None))
    assert one == other


def test_a_blank_projection_passes_every_channel() -> None:
    """Without its 1×1 the pool branch adds all input channels to the output."""
    edited = with_module(PAPER, PAPER.module("3a").replace(pool_proj=None))
    assert (64 + 128 + 32 + 192, 28, 28) == summarize(edited).concat("3a").out_shape


def test_an_edit_reaches_the_next_module_and_the_head() -> None:
    """More filters in 4a make 4b's inputs and the head at 4a wider; nothing changes before 4a."""
    wider = with_module(PAPER, PAPER.module("4a").replace(ch3x3=308))
    before, after = summarize(PAPER), summarize(wider)
    changed = {row.module for old, row in zip(before.rows, after.rows, strict=True) if old != row}
    assert {"4a", "aux_4a", "4b"} == changed
    assert (612, 14, 14) == after.by_path["inception_4b.branch_1x1.conv"].in_shape
    assert (612, 14, 14) == after.by_path["aux_4a.pool"].in_shape


def test_pools_are_between_stages() -> None:
    """A max pool, named for the stage before it, is between two stages and nowhere else."""
    names = ["2a", "2b", "5a", "10c"]
    modules = tuple(PAPER.modules[0].replace(name=name) for name in names)
    summary = summarize(PAPER.replace(modules=modules, aux=PAPER.aux.replace(taps=())))
    assert ["stem", "2a", "2b", "pool2", "5a", "pool5", "10c", "classifier"] == list(summary.by_module)


def test_torchvisions_last_pool_is_2x2() -> None:
    """Only the pool before the last stage differs in torchvision's layout."""
    rows = summarize(PRESETS["torchvision"]).rows
    pools = [(row.path, row.kernel) for row in rows if row.kind == "max_pool" and row.branch is None]
    expected = [("stem.pool1", (3, 3)), ("stem.pool2", (3, 3)), ("pool3", (3, 3)), ("pool4", (2, 2))]
    assert expected == pools


def test_heads_follow_the_module_they_tap() -> None:
    """A head's rows follow its module's, in the order of the table for any order of the taps."""
    config = PAPER.replace(aux=PAPER.aux.replace(taps=("4d", "3a")))
    blocks = list(summarize(config).by_module)
    assert ["3a", "aux_3a", "3b"] == blocks[1:4]
    assert "aux_4d" == blocks[blocks.index("4d") + 1]


def test_no_taps_no_heads() -> None:
    """Without taps the network in training is the network at inference."""
    summary = summarize(PAPER.replace(aux=PAPER.aux.replace(taps=())))
    assert summary.inference_totals == summary.training_totals
    assert summarize(PAPER).inference_totals == summary.inference_totals


def test_lrn_is_where_caffe_has_it() -> None:
    """LRN comes after the first pool and after conv2, and only where the network uses it."""
    stem = [row.path for row in summarize(PAPER).rows if row.module == "stem"]
    expected = ["conv1", "pool1", "norm1", "conv2_reduce", "conv2", "norm2", "pool2"]
    assert [f"stem.{layer}" for layer in expected] == stem
    without = [row.path for row in summarize(PAPER.replace(normalisation="none")).rows if row.module == "stem"]
    assert [path for path in stem if "norm" not in path] == without


def test_small_stem_has_no_first_pool() -> None:
    """The stem for small images divides by 2 only, the paper's by 8."""
    small = summarize(PAPER.replace(stem=PAPER.stem.replace(kind="small"), input_shape=(3, 28, 28)))
    assert "stem.pool1" not in small.by_path
    assert ((3, 3), 1) == (small.by_path["stem.conv1"].kernel, small.by_path["stem.conv1"].stride)
    assert (192, 14, 14) == small.by_path["stem.pool2"].out_shape


def test_two_3x3_are_two_convolutions_of_one_width() -> None:
    """The 5×5 as two 3×3, each with the filters of the 5×5: the input of the first is the reduction."""
    rows = summarize(PRESETS["two_3x3"]).by_path
    first, second = (rows[f"inception_4a.branch_5x5.conv{n}"] for n in (1, 2))
    assert ((16, 14, 14), (48, 14, 14), (3, 3)) == (first.in_shape, first.out_shape, first.kernel)
    assert ((48, 14, 14), (48, 14, 14), (3, 3)) == (second.in_shape, second.out_shape, second.kernel)


def test_norm_and_biases_are_counted_separately() -> None:
    """BatchNorm has two parameters per channel, counted apart from biases; fully connected layers keep their biases."""
    both = summarize(PAPER.replace(normalisation="batch_norm"))
    convs = [row for row in both.rows if row.kind == "conv"]
    assert [(row.out_shape[0], 2 * row.out_shape[0]) for row in convs] == [(row.biases, row.norm) for row in convs]
    neither = summarize(PAPER.replace(normalisation="none", conv_bias=False))
    assert {(0, 0)} == {(row.biases, row.norm) for row in neither.rows if row.kind == "conv"}
    assert {1_000, 1_024} == {row.biases for row in neither.rows if row.kind == "linear"}


def test_classifier_pools_the_whole_feature_map() -> None:
    """The last average pool is as large as its input, also if that is not square."""
    row = summarize(resized(PAPER, 231, 179)).by_path["classifier.pool"]
    assert row.in_shape[1:] == row.kernel
    assert (1_024, 1, 1) == row.out_shape


def test_adaptive_pool_shows_its_widest_window() -> None:
    """torchvision's head pools to 4 × 4 with windows of different sizes; the row has the largest."""
    row = summarize(resized(PRESETS["torchvision"], 231, 179)).by_path["aux_4a.pool"]
    assert (4, 4) == row.out_shape[1:]
    assert tuple(max(map(len, adaptive_windows(side, 4))) for side in row.in_shape[1:]) == row.kernel


def test_activations_are_the_elements_of_the_output() -> None:
    """A row has as many activations as its output has elements."""
    assert 192 * 28 * 28 == summarize(PAPER).by_path["stem.pool2"].activations


def test_totals_of_rows() -> None:
    """Rows add up to parameters of every kind, MACs and activations."""
    row = LayerRow("a", "conv", "a", None, (1,), (2, 3, 4), None, None, None, 5, 6, 7, 8, 1, 1, None)
    assert Totals(36, 16, 48) == Totals.of([row, row])


def test_unknown_module_has_no_concat() -> None:
    """A missing module raises KeyError."""
    with pytest.raises(KeyError):
        summarize(PAPER).concat("9z")


@pytest.mark.parametrize("pooling", ["ceil", "floor", "torchvision"])
def test_a_feature_map_that_becomes_too_small_is_refused(pooling: str) -> None:
    """The problem names the first pool that does not fit, the size of its input, and the remedy."""
    (problem,) = problems(resized(PAPER, 1, 1).replace(pooling=pooling))
    assert ("stem", "input_shape") == problem[:2]
    assert "stem.pool1" in problem.message
    assert "1×1" in problem.message
    assert "use a larger input" in problem.message


def test_a_pool_between_stages_is_named() -> None:
    """The problem says between which stages the feature map became too small."""
    config = resized(PAPER, 24, 224).replace(pooling="floor", aux=PAPER.aux.replace(taps=()))
    (problem,) = problems(config)
    assert ("pool3", "input_shape") == problem[:2]
    assert "2×27" in problem.message


def test_padded_pools_accept_any_size() -> None:
    """Pools with padding 1 leave at least one pixel of a 1×1 image."""
    config = resized(PAPER, 1, 1).replace(pooling="padded", aux=PAPER.aux.replace(taps=()))
    assert () == problems(config)
    assert (1_024, 1, 1) == summarize(config).concat("5b").out_shape


@pytest.mark.parametrize(("pool", "least"), [("ceil", 3), ("floor", 5), ("adaptive", 1)])
def test_an_auxiliary_pool_that_does_not_fit_is_refused(pool: str, least: int) -> None:
    """A head needs a feature map of at least 3, 5 or 1 positions by its pool's rule; the problem names the head."""
    config = PAPER.replace(aux=PAPER.aux.replace(pool=pool, taps=("4a",)), pooling="padded")
    assert () == problems(resized(config, 16 * least, 224))
    if least > 1:
        (problem,) = problems(resized(config, 16 * (least - 1), 224))
        assert ("4a", "aux") == problem[:2]
        assert f"{least - 1}×14" in problem.message
        assert "adaptive pool" in problem.message


def test_too_many_parameters_are_refused_before_anything_is_allocated() -> None:
    """A network beyond the budget is refused with total, limit and its largest row."""
    wide = PAPER.modules[0].replace(ch1x1=MAX_CHANNELS, ch3x3_reduce=None, ch3x3=MAX_CHANNELS, ch5x5_reduce=None)
    config = PAPER.replace(modules=(wide, wide.replace(name="3b", ch5x5=MAX_CHANNELS)), aux=PAPER.aux.replace(taps=()))
    (problem,) = problems(config)
    assert ("3b", "parameters") == problem[:2]
    assert f"{MAX_PARAMETERS:,}" in problem.message
    assert "inception_3b.branch_5x5.conv" in problem.message


def test_too_many_activations_are_refused_before_anything_is_allocated() -> None:
    """An image too large for the memory is refused with total, limit and its largest row."""
    config = resized(PAPER, MAX_SIDE, MAX_SIDE).replace(stem=PAPER.stem.replace(conv1=1_024))
    (problem,) = problems(config)
    assert ("stem", "activations") == problem[:2]
    assert f"{MAX_ACTIVATIONS:,}" in problem.message
    assert "stem.conv1" in problem.message


def with_classes(classes: int) -> GoogLeNetConfig:
    """Return a network whose classifier has 16,384 inputs, so that most parameters depend on the classes."""
    wide = dict.fromkeys(("ch1x1", "ch3x3", "ch5x5", "pool_proj"), MAX_CHANNELS)
    row = PAPER.module("3a").replace(ch3x3_reduce=1, ch5x5_reduce=1, **wide)
    return PAPER.replace(modules=(row,), aux=PAPER.aux.replace(taps=()), classes=classes)


def with_conv1(width: int) -> GoogLeNetConfig:
    """Return a network with a large input, so that most activations are those of its first convolution."""
    return resized(PAPER, MAX_SIDE, MAX_SIDE).replace(stem=PAPER.stem.replace(conv1=width))


@pytest.mark.parametrize(
    ("network", "total", "limit"),
    [(with_classes, "parameters", MAX_PARAMETERS), (with_conv1, "activations", MAX_ACTIVATIONS)],
)
def test_the_budget_is_used_up_to_its_limit(network: Callable[[int], GoogLeNetConfig], total: str, limit: int) -> None:
    """The widest network within the budget is built, and the next one is not."""
    few, more = (getattr(summarize(network(width)).training_totals, total) for width in (2, 3))
    step = more - few
    widest = 2 + (limit - few) // step
    assert few + (widest - 2) * step == getattr(summarize(network(widest)).training_totals, total)
    (problem,) = problems(network(widest + 1))
    assert f"{few + (widest - 1) * step:,} {total}" in problem.message


def test_a_network_is_computed_once_for_its_problems_and_its_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit needs the problems first and the summary a moment later: the arithmetic runs once."""
    computed: list[GoogLeNetConfig] = []
    layers = analysis._layers

    def count_layers(config: GoogLeNetConfig) -> list[LayerRow]:
        computed.append(config)
        return layers(config)

    monkeypatch.setattr(analysis, "_layers", count_layers)
    config = PRESETS["paper"].replace(classes=4_321)
    assert () == problems(config)
    assert summarize(config) is summarize(config.replace())
    assert [config] == computed


def test_a_huge_config_is_not_cached() -> None:
    """A short link can describe a table of thousands of rows; none of them stays in memory."""
    config = PAPER.replace(modules=PAPER.modules * 100)
    reference = weakref.ref(config)
    assert problems(config)
    del config
    gc.collect()
    assert reference() is None


def test_compute_equals_check() -> None:
    """Without the cache the results are the same."""
    for config in (PAPER, PAPER.replace(classes=1), resized(PAPER, 8, 8), PAPER.replace(modules=PAPER.modules * 8)):
        assert analysis.compute(config) == analysis.check(config)
