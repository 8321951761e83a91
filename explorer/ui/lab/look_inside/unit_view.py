"""One output value on screen: where it is, what it is the sum of, and each step of its arithmetic."""

from collections.abc import Callable

import streamlit as st

from explorer.jobs.units import UnitReport
from explorer.ui.components.chart import show_svg
from explorer.ui.lab.look_inside.widgets import linked_cells, position_maps, selectable_svg
from explorer.units import Unit
from explorer.views import channel_maps, unit_charts, unit_maps
from explorer.views import formatting as fmt
from explorer.views.unit_names import Names


def show_unit(
    found: UnitReport, names: Names, key: str, on_move: Callable[[Unit], None], on_source: Callable[[int], None]
) -> None:
    """Show how a value is computed. The position in its map and the input channel of the window can be selected.

    ``on_move`` gets another value of the same channel, ``on_source`` the number of an input channel.
    """
    words = unit_charts.words(found, names)
    with st.container(key=key):
        left, right = st.columns(2, gap="medium")
        with left:
            position_maps(
                unit_maps.position_maps(found, names),
                key=f"{key}_maps",
                status=words,
                on_move=lambda row, column: on_move(found.unit._replace(row=row, column=column)),
            )
            selectable_svg(
                unit_charts.terms_chart(found, names),
                key=f"{key}_terms",
                selected=[str(found.window.channel)] if found.window else [],
                on_select=lambda channel: on_source(int(channel)),
            )
        with right:
            linked_cells(unit_charts.window_charts(found), key=f"{key}_window")
            show_svg(unit_charts.arithmetic(found, names), f"{key}_arithmetic")
        if found.channel_maps:
            show_svg(channel_maps.channel_maps_line(found, names), f"{key}_channel_maps")
    reading = " ".join(filter(None, (unit_charts.reading(found), channel_maps.reading(found))))
    st.caption(f"Reading this chart: {reading} In words: {fmt.markdown(words)}")
