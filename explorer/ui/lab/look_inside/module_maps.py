"""The maps of one module with what they are made of, and the largest value of the selected one in detail below."""

from typing import NamedTuple

import streamlit as st

from explorer.jobs.units import ModuleMapsRequest, UnitRequest
from explorer.ui.components.one_number_link import ICON, LABEL
from explorer.ui.components.theme import theme
from explorer.ui.components.width import DRAWING, is_narrow
from explorer.ui.lab.look_inside import requests, session, walk
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.ui.lab.look_inside.unit_view import show_unit
from explorer.ui.lab.look_inside.walk import Chosen
from explorer.ui.lab.look_inside.widgets import selectable_svg
from explorer.ui.state import SessionValue
from explorer.units import Unit
from explorer.views import formatting as fmt
from explorer.views.labels import with_network
from explorer.views.module_maps import ModuleDrawing
from explorer.views.unit_names import Names

_DETAIL = "look_inside_module_unit"


class _Selected(NamedTuple):
    """The map that is selected in the drawing of a module, and the value of it (or near it) that is shown."""

    map_id: str = ""
    chosen: Chosen = Chosen()


_SELECTED = SessionValue("look_inside_selected_module_map", _Selected())


def show_module_maps(image: ChosenImage, module: str) -> None:
    """Show the connected maps of a module; of the selected one, how its largest value is computed."""
    title = with_network(f"What the maps of {module} are made of", session.inspected_network().short_title)
    st.markdown(f"**{fmt.markdown(title)}** :small[Select one to see how its largest value is computed.]")
    fields = session.request_fields(image.path)
    request = ModuleMapsRequest(**fields, block=module)
    found = requests.await_result(request, "look_inside_module_maps", "Running the network once")
    if found is None:
        return
    names = Names(walk.graph(), session.inspected_network().class_names)
    drawing = ModuleDrawing(found, names, theme(), narrow=is_narrow(DRAWING))
    is_selected = _SELECTED.get().map_id in drawing.ids
    selectable_svg(
        drawing.draw(),
        key="look_inside_module_maps_drawing",
        selected=[_SELECTED.get().map_id] if is_selected else [],
        on_select=lambda map_id: _select(drawing, map_id),
        narrow_below=(DRAWING,),
        reveal=f"{_DETAIL}_view_maps",
    )
    st.caption(
        "Reading this chart: the maps with the highest mean response at the end of each branch, and before them those "
        "that they read most; the maps of a layer share one colour scale, dark blue is 0. A line is what a map adds to "
        "the largest value of the next one: the wider, the more; a dashed one subtracts. A + counts the other channels."
    )
    with st.container(key=_DETAIL):
        if is_selected:
            _show_selected(fields, names)


def _select(drawing: ModuleDrawing, map_id: str) -> None:
    """Show the largest value of a map."""
    unit = drawing.unit(map_id)
    if unit:
        _SELECTED.set(_Selected(map_id, Chosen(unit.path, unit.channel)))


def _show_selected(fields: session.RequestFields, names: Names) -> None:
    chosen = _SELECTED.get().chosen
    request = UnitRequest(**fields, **chosen._asdict())
    found = requests.await_result(request, f"{_DETAIL}_report", "Running the network once")
    if found is None:
        return

    def show(chosen: Chosen) -> None:
        _SELECTED.set(_SELECTED.get()._replace(chosen=chosen))

    def move(unit: Unit) -> None:
        show(Chosen(unit.path, unit.channel, (unit.row, unit.column)))

    with st.container(horizontal=True, vertical_alignment="center", key=f"{_DETAIL}_bar"):
        st.markdown(f"**{fmt.markdown(names.unit(found.unit))}**", width="content")
        st.button(
            LABEL,
            icon=ICON,
            key=f"{_DETAIL}_walk",
            on_click=walk.show_value_of,
            args=(chosen.path, chosen.channel),
            help="From here to its strongest causes, down to a pixel.",
        )
    show_unit(found, names, f"{_DETAIL}_view", move, lambda source: show(chosen._replace(source=source)))
