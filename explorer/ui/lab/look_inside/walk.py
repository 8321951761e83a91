"""The value that the view *One number* shows, and the walk to it: what this session has chosen."""

from typing import NamedTuple

from explorer.ui.lab.look_inside import session
from explorer.ui.state import SessionValue
from explorer.unit_graph import MAX_STEPS, NetworkGraph, graph_of
from explorer.units import Unit

VIEW = "One number"
ANSWER = "classifier.fc"


class Chosen(NamedTuple):
    """The value in view: its layer, channel and position, and an input channel; what is None is chosen for the user."""

    path: str = ANSWER
    channel: int | None = None
    position: tuple[int, int] | None = None
    source: int | None = None


_CHOSEN = SessionValue("look_inside_unit", Chosen())
REFUSAL = SessionValue("look_inside_unit_refusal", "")  # why a link was not followed, until the next choice
_TRAIL = SessionValue[tuple[Unit, ...]]("look_inside_trail", ())  # the values before it on the walk


def chosen() -> Chosen:
    """Return the value in view; the answer if the network does not have what was chosen for another one."""
    if not _is_in(graph()):
        _CHOSEN.clear()
        _TRAIL.clear()
    return _CHOSEN.get()


def trail() -> tuple[Unit, ...]:
    """Return the values before it on the walk, the first one first."""
    return _TRAIL.get()


def graph() -> NetworkGraph:
    """Return the graph of the inspected network."""
    return graph_of(session.inspected_network().config)


def _is_in(graph: NetworkGraph) -> bool:
    """Whether the network has the chosen value and the walk to it; other weights may belong to another network."""
    path, channel, position, source = _CHOSEN.get()
    if source is not None and (path not in graph.paths or source >= graph.row(path).in_shape[0]):
        return False
    return all(map(graph.has, (*_TRAIL.get(), Unit(path, channel or 0, *(position or (0, 0))))))


def choose(chosen: Chosen) -> None:
    """Show a value that is not reached by a walk."""
    _CHOSEN.set(chosen)
    _TRAIL.clear()
    REFUSAL.clear()


def go_to(unit: Unit, trail: tuple[Unit, ...]) -> None:
    """Show a value that is reached by a walk along a trail."""
    _CHOSEN.set(Chosen(unit.path, unit.channel, (unit.row, unit.column)))
    _TRAIL.set(trail[-MAX_STEPS + 1 :])
    REFUSAL.clear()


def select_source(channel: int) -> None:
    """Show the window of another input channel."""
    _CHOSEN.set(_CHOSEN.get()._replace(source=channel))


def show_value_of(path: str, channel: int | None = None) -> None:
    """Show the largest value of a layer or a branch, or of one of its channels, in this view."""
    session.set_view(VIEW)
    choose(Chosen(graph().last_layer(path), channel))
