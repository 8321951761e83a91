"""Branch ablation: each branch of each module is replaced by zeros in turn, and any branch can be scaled by hand."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from explorer.jobs.inspection import AblationRequest, ActivityRequest, Scale
from explorer.ui.components.chart import show_svg
from explorer.ui.components.number import in_range, number_input
from explorer.ui.components.width import PHONE, is_narrow
from explorer.ui.lab.look_inside import requests, session
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.ui.lab.look_inside.widgets import selectable_svg
from explorer.views import branch_maps, look_inside, svg
from explorer.views.labels import BRANCH_NAMES

ONE, ALL = "one", "all"
MAX_FACTOR = 10.0
_SCOPE, _BRANCH = "look_inside_ablation_scope", "look_inside_branch"


def show_ablation(image: ChosenImage, batch: Sequence[ChosenImage]) -> None:
    """Show how the probability of the predicted class changes without each branch, and let the user scale branches."""
    images = batch if _choose_scope(len(batch)) == ALL else [image]
    fields = session.unscaled(session.request_fields(*(one.path for one in images)))
    found = requests.await_result(
        AblationRequest(**fields), "look_inside_ablation", "Replacing each branch by zeros in turn"
    )
    if found is None:
        return
    inspected = session.inspected_network()
    is_one_class = len(set(found.targets)) == 1
    name = inspected.class_name(found.targets[0]) if is_one_class else "the predicted class"
    scaled = [(scale.module, scale.branch) for scale in session.scales()]
    selectable_svg(
        branch_maps.ablation_map(
            found, scaled, name, inspected.short_title, svg.NARROW if is_narrow(PHONE) else svg.WIDE
        ),
        key="look_inside_ablation_map",
        narrow_below=(PHONE,),
        selected=[f"{module}:{branch}" for module, branch in scaled],
        on_select=_toggle,
    )
    st.caption(_reading(name, found.probability, found.image_count))
    _show_scale_control()
    activity = requests.await_result(ActivityRequest(**fields), "look_inside_activity", "Measuring branch activity")
    if activity:
        show_svg(partial(branch_maps.activity_map, activity, inspected.short_title), "look_inside_activity")
        st.caption(
            "Reading this chart: the fraction of zeros in each branch's output; a number with † counts dead channels, "
            "which are 0 everywhere in all these images."
        )


def _reading(name: str, probability: float, images: int) -> str:
    percent = look_inside.probability(probability)
    start = (
        f"Reading this chart: the whole network gives “{name}” a mean probability of {percent} over {images} images."
        if images > 1
        else f"Reading this chart: the whole network gives “{name}” a probability of {percent}."
    )
    return (
        f"{start} Each box shows by how many percentage points that changes when zeros replace the branch's channels "
        "before the concatenation; ⇄ marks a change of the predicted class. **Click a box** to remove that branch or "
        "to restore it; the prediction above follows. Later layers can compensate for a missing branch; this chart "
        "does not show how much."
    )


def _choose_scope(count: int) -> str:
    if count < 2:
        return ONE
    return st.segmented_control(
        "Images",
        [ONE, ALL],
        default=ONE,
        required=True,
        key=_SCOPE,
        format_func=lambda scope: f"all {count} images" if scope == ALL else "selected image",
        label_visibility="collapsed",
        persist_state="session",
    )


def _toggle(branch_id: str) -> None:
    """Remove a branch, or restore it if it is scaled."""
    module, _, branch = branch_id.partition(":")
    others = _other_scales(module, branch)
    is_scaled = others != session.scales()
    session.set_scales(others if is_scaled else (*others, Scale(module, branch, 0.0)))
    st.session_state[_BRANCH] = branch_id


def _other_scales(module: str, branch: str) -> tuple[Scale, ...]:
    return tuple(scale for scale in session.scales() if (scale.module, scale.branch) != (module, branch))


def _show_scale_control() -> None:
    """Show the controls that scale one branch by a factor."""
    options = {
        f"{module.name}:{branch}": f"{module.name}, {BRANCH_NAMES[branch]}"
        for module in session.inspected_network().config.modules
        for branch in module.branches
    }
    if st.session_state.get(_BRANCH) not in options:
        st.session_state[_BRANCH] = next(iter(options))
    with st.container(horizontal=True, vertical_alignment="bottom", key="look_inside_scale_bar"):
        st.selectbox("Branch", list(options), key=_BRANCH, format_func=lambda name: options[name], width=160)
        number_input(
            "Output factor",
            "look_inside_factor",
            _factor(st.session_state[_BRANCH]),
            in_range(
                -MAX_FACTOR,
                MAX_FACTOR,
                f"Output factor: enter a number from −{MAX_FACTOR:g} to {MAX_FACTOR:g}.",
                _set_factor,
            ),
            whole=False,
            width=160,
            help="Multiplies the branch's output: 0 removes the branch, 1 leaves it as it is, 2 doubles it.",
        )


def _factor(branch_id: str) -> float:
    module, _, branch = branch_id.partition(":")
    return next((scale.factor for scale in session.scales() if scale[:2] == (module, branch)), 1.0)


def _set_factor(factor: float) -> None:
    module, _, branch = st.session_state[_BRANCH].partition(":")
    others = _other_scales(module, branch)
    session.set_scales(others if factor == 1 else (*others, Scale(module, branch, float(factor))))
