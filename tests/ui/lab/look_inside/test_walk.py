"""What the session has chosen in *One number*: it falls back to the answer if the network does not have it."""

import pytest

from explorer import PRESETS
from explorer.ui.lab.look_inside import walk
from explorer.ui.lab.look_inside.walk import Chosen
from explorer.unit_graph import graph_of
from explorer.units import Unit

CONV = "inception_4a.branch_3x3.conv"


@pytest.fixture(autouse=True)
def mini(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page inspects the preset mini, in a session of its own."""
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr(walk, "graph", lambda: graph_of(PRESETS["mini"]))
    monkeypatch.setattr(walk.session, "set_view", lambda _: None)


@pytest.mark.parametrize(
    "chosen",
    [Chosen("stem.norm1"), Chosen(CONV, 99), Chosen(CONV, 0, (0, 99)), Chosen(CONV, 0, (0, 0), 99), Chosen("<b>")],
)
def test_what_the_network_does_not_have_is_the_answer(chosen: Chosen) -> None:
    """An unknown layer, channel, position or input channel."""
    walk.choose(chosen)
    assert Chosen() == walk.chosen()


def test_a_walk_remembers_where_it_came_from() -> None:
    """Another choice begins a walk of its own."""
    walk.go_to(Unit("classifier.pool", 7), (Unit("classifier.fc", 0),))
    assert Chosen("classifier.pool", 7, (0, 0)) == walk.chosen()
    assert (Unit("classifier.fc", 0),) == walk.trail()
    walk.select_source(3)
    walk.show_value_of("inception_4a.branch_3x3", 5)
    assert Chosen(CONV, 5) == walk.chosen()
    assert () == walk.trail()
