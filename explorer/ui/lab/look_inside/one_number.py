"""One number: how a single output value is computed, and a walk from it to its strongest causes, down to a pixel.

The URL carries the walk and the sample, so that a link shows the same numbers.
"""

from collections.abc import Callable

import streamlit as st

from explorer.data.class_names import shorten
from explorer.errors import InputError
from explorer.jobs.units import UnitReport, UnitRequest
from explorer.ui import messages, state
from explorer.ui.components.number import in_range, number_input
from explorer.ui.lab.look_inside import images, requests, session, walk
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.ui.lab.look_inside.unit_view import show_unit
from explorer.ui.lab.look_inside.widgets import selectable_svg
from explorer.ui.state import SessionValue
from explorer.unit_graph import NetworkGraph, from_link
from explorer.units import INPUT, Unit, one_stage_back, to_link
from explorer.views import formatting as fmt
from explorer.views import unit_maps
from explorer.views.unit_names import Names

PARAMETER, IMAGE_PARAMETER = "unit", "image"
_LAYER = "look_inside_unit_layer"
_LAST = SessionValue[tuple[str, UnitReport | None]]("look_inside_last_unit_report", ("", None))
_LINK_IN_URL = SessionValue[str | None]("look_inside_unit_in_url", None)


def sync_url() -> None:
    """Show the walk and the sample that the URL names after a navigation; other links keep what is in view."""
    if session.view() != walk.VIEW and _LINK_IN_URL.get() is not None and not state.follows_url():
        _LINK_IN_URL.clear()  # a link to another view does not lead here
        for name in (PARAMETER, IMAGE_PARAMETER):
            state.write_parameter(name, None)
    link = st.query_params.get(PARAMETER)
    if not state.follows_url() or link is None or link == _LINK_IN_URL.get():
        return
    _LINK_IN_URL.set(link)
    session.set_view(walk.VIEW)
    images.select_from_link(st.query_params.get(IMAGE_PARAMETER, ""))
    graph = walk.graph()
    try:
        units = () if link in graph.paths else from_link(link, graph)
    except InputError as error:
        walk.REFUSAL.set(str(error))
        return
    if units:
        walk.go_to(units[-1], units[:-1])
    else:
        walk.choose(walk.Chosen(link))


def show_one_number(image: ChosenImage) -> None:
    """Show the walk, the controls, where the value is, and how it is computed."""
    graph, chosen = walk.graph(), walk.chosen()
    if walk.REFUSAL.get():
        messages.show_refusal(walk.REFUSAL.get())
    fields = session.request_fields(image.path)
    waiting, above = st.container(key="look_inside_unit_wait"), st.container(gap="small")
    with waiting:
        request = UnitRequest(**fields, **chosen._asdict())
        found = requests.await_result(request, "look_inside_unit_report", "Running the network once")
    found = _found_or_last(found, repr(fields))
    if found is None:
        return
    names = Names(graph, session.inspected_network().class_names)
    with above:
        _show_walk(found, names)
        _show_controls(found, graph, names)
    _write_url(found)
    show_unit(found, names, "look_inside_unit", _move, walk.select_source)
    if not images.link_of_selected():
        st.caption("The link in the address bar has the walk, but not your own image.")


def _found_or_last(found: UnitReport | None, case: str) -> UnitReport | None:
    """Return the last report about the same network and image while the next one is computed.

    So the maps stay on the page, and with them the keyboard's focus.
    """
    if found is None:
        last_case, last = _LAST.get()
        return last if last_case == case else None
    _LAST.set((case, found))
    return found


def _show_walk(found: UnitReport, names: Names) -> None:
    here, network = len(walk.trail()), fmt.markdown(shorten(session.inspected_network().short_title, 24))
    units = (*walk.trail(), found.unit, *found.causes)

    def step_to(place: int) -> None:
        place = min(place, len(units) - 1)  # a browser may send anything
        walk.go_to(units[place], units[:place])

    with st.container(horizontal=True, vertical_alignment="center", key="look_inside_walk_bar", gap="small"):
        st.markdown(
            f"**The strongest causes, down to a pixel** :small[{here + 1} of {len(units)} · {fmt.markdown(network)}]",
            width="content",
        )
        st.space("stretch")
        st.button(
            "Strongest cause, one layer back",
            icon=":material/arrow_back:",
            key="look_inside_cause",
            on_click=step_to,
            args=(here + 1,),
            disabled=not found.causes,
        )
        st.button(
            "One stage back",
            icon=":material/keyboard_double_arrow_left:",
            key="look_inside_stage",
            on_click=step_to,
            args=(here + one_stage_back(units[here:]),),
            disabled=not found.causes,
            help="Follows the strongest causes to the stage before: class, stage 5, 4, 3, stem, pixel.",
        )
        st.button(
            "Return",
            icon=":material/undo:",
            key="look_inside_return",
            on_click=step_to,
            args=(max(here - 1, 0),),
            disabled=not here,
            help="One step towards the answer.",
        )
    selectable_svg(
        unit_maps.walk_chart(units, here, names),
        key="look_inside_walk",
        selected=[str(here)],
        on_select=lambda place: step_to(int(place)),
    )


def _show_controls(found: UnitReport, graph: NetworkGraph, names: Names) -> None:
    """Let the user choose the layer, the channel and the position."""
    unit = found.unit
    st.session_state[_LAYER] = unit.path
    channels, *sides = graph.shape(unit.path)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="look_inside_unit_bar"):
        st.selectbox(
            "Layer",
            [*reversed(graph.paths), INPUT],
            key=_LAYER,
            format_func=names.layer,
            width=190,
            on_change=lambda: walk.choose(walk.Chosen(st.session_state[_LAYER])),
        )
        for label, field, count in zip(
            ("Channel", "Row", "Column"), Unit._fields[1:], (channels, *sides), strict=False
        ):
            number_input(
                label,
                f"look_inside_unit_{field}",
                getattr(unit, field),
                in_range(0, count - 1, f"{label}: enter a whole number from 0 to {count - 1:,}.", _store(unit, field)),
                width=130,
            )


def _store(unit: Unit, field: str) -> Callable[[int], None]:
    return lambda value: _move(Unit(unit.path, *((unit._asdict() | {field: value})[name] for name in Unit._fields[1:])))


def _move(unit: Unit) -> None:
    """Show a neighbouring value of the same layer: it starts a walk of its own."""
    walk.choose(walk.Chosen(unit.path, unit.channel, (unit.row, unit.column)))


def _write_url(found: UnitReport) -> None:
    """Write the walk and the sample into the URL. The answer, where a walk begins, needs no link."""
    is_start = walk.chosen() == walk.Chosen()
    link = None if is_start else to_link((*walk.trail(), found.unit))
    _LINK_IN_URL.set(link)
    state.write_parameter(PARAMETER, link)
    state.write_parameter(IMAGE_PARAMETER, None if is_start else images.link_of_selected() or None)
