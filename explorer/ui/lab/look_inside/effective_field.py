"""Effective receptive field: which pixels really influence one position of each branch, before and after training."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from explorer.jobs.units import EffectiveFieldsRequest
from explorer.ui.components.chart import show_svg
from explorer.ui.lab.look_inside import requests, session
from explorer.ui.lab.look_inside.modules import choose_module
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.views.effective_field import field_charts


def show_effective_fields(batch: Sequence[ChosenImage]) -> None:
    """Show the gradient of each branch of a module with respect to the images, their mean."""
    name = choose_module("look_inside_field_module")
    fields = session.request_fields(*(image.path for image in batch))
    request = EffectiveFieldsRequest(**fields, block=name)
    found = requests.await_result(request, "look_inside_fields", "Computing gradients")
    if found is None:
        return
    show_svg(partial(field_charts, found, session.inspected_network().short_title), "look_inside_fields")
    st.caption(
        f"Reading this chart: the absolute gradient of the central position of each branch of {name} with respect to "
        f"each pixel, the mean over {found.image_count} images. Yellow pixels influence it most. Dashed: the receptive "
        "field that follows from the kernels, as far as it is on the image; outside of it every gradient is 0. Solid: "
        "the smallest square around its centre that holds 95 % of the gradient (Luo et al. 2016, arXiv:1701.04128)."
    )
    st.page_link("pages/learn/receptive_field.py", label="About the receptive field", icon=":material/school:")
