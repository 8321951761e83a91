"""The names of single values: branch and number, class, pixel with its colour."""

import pytest

from explorer import PRESETS
from explorer.unit_graph import graph_of
from explorer.units import INPUT, Unit
from explorer.views import palette
from explorer.views.unit_names import Names, unit_colour

NAMES = Names(graph_of(PRESETS["paper"]), ())


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        (Unit("inception_4a.branch_3x3.conv", 17, 3, 5), "4a 3×3, channel 17, row 3, column 5"),
        (Unit("inception_4a.branch_5x5.reduce", 1, 0, 0), "4a 5×5 reduce, channel 1, row 0, column 0"),
        (Unit("inception_4a.branch_pool.proj", 1, 0, 0), "4a pool proj, channel 1, row 0, column 0"),
        (Unit("stem.conv1", 1, 0, 0), "stem conv1, channel 1, row 0, column 0"),
        (Unit("classifier.pool", 9), "classifier pool, channel 9"),
        (Unit("classifier.fc", 9), "class 9"),
        (Unit("aux_4a.classifier", 9), "class 9, head 4a classifier"),
        (Unit("aux_4a.fc", 9), "head 4a fc, output 9"),
        (Unit(INPUT, 2, 7, 8), "pixel, blue, row 7, column 8"),
    ],
)
def test_a_value_has_a_name(unit: Unit, name: str) -> None:
    """Its layer, its channel and its position."""
    assert name == NAMES.unit(unit)


def test_an_input_channel_is_named_after_what_computes_it() -> None:
    """Through the concatenation and through flattening."""
    assert NAMES.source("inception_4b.branch_1x1.conv", 200) == "4a 3×3, channel 8"
    assert NAMES.source("aux_4a.fc", 17) == "head 4a conv, channel 1, row 0, column 1"


def test_colours_are_those_of_the_branches() -> None:
    """Grey for what belongs to none."""
    graph = graph_of(PRESETS["paper"])
    assert unit_colour(Unit("inception_4a.branch_5x5.reduce", 0), graph) == palette.BRANCH["5x5"]
    assert unit_colour(Unit("aux_4a.fc", 0), graph) == palette.AUX
    assert unit_colour(Unit(INPUT, 0), graph) == unit_colour(Unit("pool3", 0), graph) == palette.PLAIN
