"""Comparisons: differences add up, a network equals itself, and swapping two networks negates the differences."""

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.comparison import QUANTITIES, Comparison, NetworkTotals, merge_orders, pareto_front
from explorer.config import HEADINGS
from explorer.diff import with_module
from explorer.table import insert_after, remove, unused_name
from tests.strategies import examples, networks

PAPER = PRESETS["paper"]
NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)


def compare(*configs: GoogLeNetConfig, base: int = 0) -> Comparison:
    """Return the comparison of these networks."""
    return Comparison(tuple(map(summarize, configs)), base)


def test_which_layer_differs_most() -> None:
    """In parameters and in MACs, by the absolute difference; auxiliary heads count only if nothing else differs."""
    comparison = compare(PAPER, PRESETS["torchvision"], PRESETS["naive"])
    deepest, largest = (comparison.most_different_layer(quantity, 1) for quantity in ("parameters", "macs"))
    assert deepest.path == "inception_5b.branch_5x5.conv"
    assert largest.path == "inception_3b.branch_5x5.conv"
    assert compare(PAPER, PRESETS["torchvision"]).by_difference([largest, deepest], "parameters") == (deepest, largest)
    assert comparison.most_different_layer("parameters", 0) is None
    assert comparison.most_different_layer("parameters", 2).path == "inception_5b.branch_3x3.conv"
    heads = compare(PAPER, PAPER.replace(aux=PAPER.aux.replace(hidden=512)))
    assert heads.most_different_layer("parameters", 1).is_auxiliary
    assert compare(PAPER, PAPER).most_different_layer("macs", 1) is None


def test_layers_by_their_difference() -> None:
    """More and less count alike, and equal layers keep their order."""
    comparison = compare(PAPER, PRESETS["mini"], PRESETS["naive"])
    ordered = comparison.by_difference(comparison.layers, "parameters")
    sizes = [max(abs(layer.difference("parameters", at, 0)) for at in (1, 2)) for layer in ordered]
    assert sizes == sorted(sizes, reverse=True)
    assert [layer for layer in ordered if not sizes[ordered.index(layer)]] == [
        layer for layer in comparison.layers if not any(layer.difference("parameters", at, 0) for at in (1, 2))
    ]


def test_the_differences_of_blocks_add_up() -> None:
    """To the difference of the totals at inference; blocks that are the same everywhere are left out."""
    comparison = compare(PAPER, PRESETS["torchvision"])
    for quantity in QUANTITIES:
        differences = comparison.block_differences(quantity)
        ours, theirs = (summary.inference_totals for summary in comparison.summaries)
        assert sum(values[1] for values in differences.values()) == getattr(theirs, quantity) - getattr(ours, quantity)
        assert all(any(values) for values in differences.values())
    assert compare(PAPER, PAPER).block_differences("macs") == {}


def assert_adds_up(comparison: Comparison) -> None:
    """The layers' differences sum to the totals', with and without the heads."""
    base = comparison.base
    for network, summary in enumerate(comparison.summaries):
        for quantity in QUANTITIES:
            total = sum(layer.difference(quantity, network, base) for layer in comparison.layers)
            assert (
                getattr(summary.training_totals, quantity)
                - getattr(comparison.summaries[base].training_totals, quantity)
                == total
            )
            main = sum(
                layer.difference(quantity, network, base)
                for layer in comparison.layers
                if not layer.module.startswith("aux_")
            )
            assert getattr(comparison.differences[network], quantity) == main


@given(networks(), networks())
@examples(100)
def test_any_two_networks(first: GoogLeNetConfig, second: GoogLeNetConfig) -> None:
    """Differences add up, and swapping the two negates each of them and turns added into removed."""
    there, back = compare(first, second), compare(second, first)
    assert_adds_up(there)
    assert tuple(-value for value in there.differences[1]) == back.differences[1]
    assert {layer.path for layer in there.layers} == {layer.path for layer in back.layers}
    swapped = {"added": "removed", "removed": "added"}
    backwards = {layer.path: layer for layer in back.layers}
    for layer in there.layers:
        status = layer.status(1, 0)
        assert backwards[layer.path].status(1, 0) == swapped.get(status, status)
        for quantity in QUANTITIES:
            assert layer.difference(quantity, 1, 0) == -backwards[layer.path].difference(quantity, 1, 0)


@given(networks())
@examples(30)
def test_a_network_with_itself(config: GoogLeNetConfig) -> None:
    """Nothing differs: no layer, no cell, no total."""
    comparison = compare(config, config)
    assert comparison.is_same
    assert () == comparison.differing_layers
    assert comparison.differences[1] == NetworkTotals(0, 0, 0, 0, 0)
    assert not any(module.differing_fields(1, 0) for module in comparison.modules)


@pytest.mark.parametrize("pair", list(combinations(PRESETS, 2)), ids="-".join)
def test_presets(pair: tuple[str, str]) -> None:
    """Any two presets can be compared, whichever is the base."""
    for base in (0, 1):
        assert_adds_up(compare(*(PRESETS[name] for name in pair), base=base))


def test_four_at_once() -> None:
    """Each of four networks is compared with the chosen base."""
    comparison = compare(*(PRESETS[name] for name in ("paper", "naive", "half", "mini")), base=2)
    assert comparison.differences[2] == NetworkTotals(0, 0, 0, 0, 0)
    assert comparison.differences[0].parameters == 6_998_552 - 2_010_560
    assert_adds_up(comparison)


def test_one_edited_cell() -> None:
    """The cell differs in the table; the layers that depend on it differ, the others do not."""
    comparison = compare(PAPER, with_module(PAPER, PAPER.module("4a").replace(ch3x3=210)))
    differing = {
        module.name: module.differing_fields(1, 0) for module in comparison.modules if module.differing_fields(1, 0)
    }
    assert differing == {"4a": ("ch3x3",)}
    paths = {layer.path for layer in comparison.differing_layers}
    assert {"inception_4a.branch_3x3.conv", "inception_4a.concat", "inception_4b.branch_1x1.conv"} <= paths
    assert "inception_4b.branch_1x1.conv" in paths  # its input has two channels more
    assert "inception_4c.branch_1x1.conv" not in paths
    assert not any(path.startswith(("stem", "inception_3", "pool")) for path in paths)


def test_added_and_removed_modules() -> None:
    """A module in only one network is added or removed with all its cells and layers, at its place in the order."""
    longer = insert_after(PAPER, "4e", unused_name(PAPER, "4e")).config
    comparison = compare(longer, remove(PAPER, "3b").config)
    assert [module.name for module in comparison.modules] == [
        "3a",
        "3b",
        "4a",
        "4b",
        "4c",
        "4d",
        "4e",
        "4f",
        "5a",
        "5b",
    ]
    by_name = {module.name: module for module in comparison.modules}
    assert by_name["4f"].differing_fields(1, 0) == tuple(HEADINGS) == by_name["3b"].differing_fields(0, 1)
    status = {layer.path: layer.status(1, 0) for layer in comparison.layers}
    assert status["inception_4f.concat"] == "removed"
    assert compare(PAPER, longer).layers[0].status(1, 0) == "same"
    assert {layer.status(1, 0) for layer in compare(PAPER, longer).layers if layer.module == "4f"} == {"added"}


def test_settings_that_no_layer_shows() -> None:
    """A different dropout is a difference, although all layers are equal."""
    comparison = compare(PAPER, PAPER.replace(dropout=0.5))
    assert not comparison.differing_layers
    assert not comparison.is_same


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_merging_has_each_name_once(orders: list[list[str]]) -> None:
    """The merged order contains each name once and preserves the first order."""
    result = merge_orders(orders)
    assert sorted({name for order in orders for name in order}) == sorted(result)
    assert [name for name in result if name in orders[0]] == orders[0]


POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=9)


@given(POINTS)
def test_pareto_front(points: list[tuple[int, int]]) -> None:
    """The front is exactly the points that no other point dominates."""

    def is_dominated(point: tuple[int, int]) -> bool:
        return any(other != point and other[0] <= point[0] and other[1] <= point[1] for other in points)

    expected = {at for at, point in enumerate(points) if not is_dominated(point)}
    assert expected == set(pareto_front(points))


def test_the_order_of_networks_changes_no_number() -> None:
    """Each network's difference from the base is the same at any position of the two."""
    configs = [PRESETS[name] for name in ("paper", "half", "torchvision")]
    for order in permutations(range(3)):
        comparison = compare(*(configs[at] for at in order), base=order.index(0))
        assert comparison.differences[order.index(1)].macs == 425_427_456 - 1_582_671_872
