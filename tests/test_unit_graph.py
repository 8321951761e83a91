"""Units: each layer reads what the live network feeds it, and a link holds only a walk that the network has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS
from explorer.errors import InputError
from explorer.unit_graph import InputWindow, from_link, graph_of, input_window
from explorer.units import INPUT, Place, Unit, to_link
from tests.small_network import SMALL
from tests.strategies import examples, networks

PAPER = graph_of(PRESETS["paper"])
CLASS = Unit("classifier.fc", 3)


@pytest.mark.parametrize(
    ("path", "place", "unit"),
    [
        ("classifier.fc", Place(1_000), Unit("classifier.pool", 1_000)),
        ("classifier.pool", Place(383, 2, 6), Unit("inception_5b.branch_1x1.conv", 383, 2, 6)),
        ("classifier.pool", Place(384, 2, 6), Unit("inception_5b.branch_3x3.conv", 0, 2, 6)),
        ("inception_4b.branch_pool.pool", Place(511, 0, 1), Unit("inception_4a.branch_pool.proj", 63, 0, 1)),
        ("inception_4a.branch_5x5.conv", Place(3, 0, 1), Unit("inception_4a.branch_5x5.reduce", 3, 0, 1)),
        ("inception_4a.branch_1x1.conv", Place(3, 0, 1), Unit("pool3", 3, 0, 1)),
        ("aux_4a.fc", Place(35, 0, 0), Unit("aux_4a.conv", 2, 0, 3)),
        ("aux_4a.classifier", Place(7), Unit("aux_4a.fc", 7)),
        ("aux_4a.pool", Place(192, 1, 1), Unit("inception_4a.branch_3x3.conv", 0, 1, 1)),
        ("stem.conv1", Place(2, 5, 6), Unit(INPUT, 2, 5, 6)),
    ],
)
def test_a_number_in_an_input_has_a_unit(path: str, place: Place, unit: Unit) -> None:
    """Through dropout, flattening and concatenation, and back."""
    assert unit == PAPER.input_unit(path, place)
    assert place == PAPER.place_in_input(path, unit)


@given(networks(), st.data())
@examples(60)
def test_every_number_that_a_layer_reads_is_of_a_unit_that_exists(config: object, data: st.DataObject) -> None:
    """In any network: the unit behind a place is there, and its place is that one."""
    graph = graph_of(config)
    rows = [row for row in graph.summary.rows if row.kind not in ("concat", "dropout")]
    row = data.draw(st.sampled_from(rows))
    place = Place(*(data.draw(st.integers(0, side - 1)) for side in row.in_shape))
    unit = graph.input_unit(row.path, place)
    assert graph.has(unit)
    assert place == graph.place_in_input(row.path, unit)


@pytest.mark.parametrize(
    ("path", "position", "window"),
    [
        ("stem.conv1", (0, 1), InputWindow(-3, -1, 7, 7)),
        ("stem.pool1", (55, 2), InputWindow(110, 4, 3, 3)),
        ("inception_3a.branch_5x5.conv", (27, 0), InputWindow(25, -2, 5, 5)),
        ("inception_3a.branch_1x1.conv", (27, 0), InputWindow(27, 0, 1, 1)),
        ("classifier.pool", (0, 0), InputWindow(0, 0, 7, 7)),
    ],
)
def test_the_window_of_a_position(path: str, position: tuple[int, int], window: InputWindow) -> None:
    """It begins in the padding at the border."""
    assert window == input_window(PAPER.row(path), *position)


def test_adaptive_pooling_has_windows_of_different_sizes() -> None:
    """As in PyTorch: from ⌊i · n / 4⌋ to ⌈(i + 1) · n / 4⌉."""
    row = graph_of(PRESETS["torchvision"]).row("aux_4a.pool")
    assert InputWindow(3, 10, 4, 4) == input_window(row, 1, 3)


def test_a_link_holds_a_walk() -> None:
    """There and back."""
    walk = (CLASS, Unit("classifier.pool", 40), Unit("inception_5b.branch_1x1.conv", 40, 6, 2))
    assert walk == from_link(to_link(walk), PAPER)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "classifier.fc:1000:0:0",
        "classifier.fc:0:1:0",
        "classifier.fc:-1:0:0",
        "classifier.dropout:0:0:0",
        "inception_4a.concat:0:0:0",
        "inception_9z.branch_1x1.conv:0:0:0",
        "input:3:0:0",
        "<b>:0:0:0",
        "classifier.fc:0:0:0~",
        "classifier.fc:0:0:0~inception_5b.branch_1x1.conv:0:0:0",
        "inception_4a.branch_3x3.conv:0:5:5~inception_4a.branch_3x3.reduce:0:5:7",
        "inception_4a.branch_pool.pool:0:5:5~pool3:1:5:5",
        "stem.norm1:0:0:0~stem.pool1:3:0:0",
        "~".join(["classifier.fc:0:0:0"] * 300),
    ],
)
def test_a_link_to_what_the_network_does_not_have_is_refused(link: str) -> None:
    """Unknown layers, positions outside, and steps to what a layer does not read."""
    with pytest.raises(InputError):
        from_link(link, PAPER)


def test_a_scaled_down_network_has_its_own_graph() -> None:
    """A pool without a projection passes all channels on."""
    graph = graph_of(SMALL)
    assert graph.concatenation("inception_3b.branch_pool.pool")[1].branch == "pool"
    assert graph.concatenation("inception_3b.branch_3x3.reduce") is None
