"""Which branch matters: every branch of every module taken away in turn, and one scaled by hand."""

from collections.abc import Sequence

import streamlit as st

from explorer.jobs.inspection import AblationRequest, ActivityRequest, Scale
from explorer.ui.components import number
from explorer.ui.components.chart import picture
from explorer.ui.components.selectable_picture import selectable_picture
from explorer.ui.lab.look_inside import requests, selection
from explorer.ui.lab.look_inside.images import ChosenImage
from explorer.views import look_inside
from explorer.views.layer_table import BRANCH_NAMES

ONE, ALL = "this picture", "all on the desk"
MOST = 10.0
_OVER, _FACTOR, _WHICH = "look_over", "look_factor", "look_branch"


def show_ablation(pick: ChosenImage, picks: Sequence[ChosenImage]) -> None:
    """Show what the answer loses without each branch, and let one be scaled."""
    over = _over(len(picks))
    paths = tuple(one.path for one in picks) if over == ALL else (pick.path,)
    request = AblationRequest(**requests.about("", images=paths, scales=()))
    found = requests.await_result(request, "look_ablation", "Each branch is taken away in turn")
    if found is None:
        return
    in_use = selection.in_use()
    same = len(set(found.targets)) == 1
    name = in_use.class_name(found.targets[0]) if same else "the class it says"
    taken = [(one.module, one.branch) for one in selection.scales()]
    selectable_picture(
        look_inside.ablation_map(found, taken, name),
        key="look_ablation_map",
        chosen=[f"{module}:{branch}" for module, branch in taken],
        on_choose=_toggle,
    )
    st.caption(
        f"How to read this: with the whole network, “{name}” has a probability of "
        f"{look_inside.probability(found.probability)}"
        + (f" (mean over {found.image_count} pictures)" if found.image_count > 1 else "")
        + ". Each box says by how many points that changes when zeros take the place of the branch's channels before "
        "the concatenation; ⇄ where the answer becomes another. **Click a box** to take that branch away, or put it "
        "back: the answer above follows. What later layers make up for is not seen this way."
    )
    _scale_control()
    activity = requests.await_result(
        ActivityRequest(**requests.about("", images=paths)), "look_activity", "How much each branch does"
    )
    if activity:
        picture(look_inside.activity_map(activity), "look_activity")
        st.caption(
            "How to read this: the share of zeros in each branch's output; after “·” and before †, how many of its "
            "channels are dead: 0 everywhere in all these pictures."
        )


def _over(count: int) -> str:
    if count < 2:
        return ONE
    return st.segmented_control(
        "Over",
        [ONE, ALL],
        default=ONE,
        required=True,
        key=_OVER,
        format_func=lambda over: f"all {count} pictures" if over == ALL else over,
        label_visibility="collapsed",
        persist_state="session",
    )


def _toggle(identity: str) -> None:
    """Take a branch away, or put it back."""
    module, _, branch = identity.partition(":")
    rest = _without(module, branch)
    selection.scale(rest if rest != selection.scales() else (*rest, Scale(module, branch, 0.0)))
    st.session_state[_WHICH] = identity


def _without(module: str, branch: str) -> tuple:
    return tuple(one for one in selection.scales() if one[:2] != (module, branch))


def _scale_control() -> None:
    """Let a branch be scaled by any factor."""
    offered = {
        f"{one.name}:{branch}": f"{one.name}, {BRANCH_NAMES[branch]}"
        for one in selection.in_use().config.modules
        for branch in one.branches
    }
    if st.session_state.get(_WHICH) not in offered:
        st.session_state[_WHICH] = next(iter(offered))
    with st.container(horizontal=True, vertical_alignment="bottom", key="look_scale_bar"):
        st.selectbox("Branch", list(offered), key=_WHICH, format_func=lambda name: offered[name], width=160)
        number.number(
            "× its output",
            _FACTOR,
            _factor(st.session_state[_WHICH]),
            _scale,
            lambda factor: -MOST <= factor <= MOST,
            f"× its output: write a number from −{MOST:g} to {MOST:g}.",
            step=0.25,
            width=160,
            help="0 takes the branch away, 1 leaves it, 2 doubles what it says.",
        )


def _factor(identity: str) -> float:
    module, _, branch = identity.partition(":")
    return next((one.factor for one in selection.scales() if one[:2] == (module, branch)), 1.0)


def _scale(factor: float) -> None:

    module, _, branch = st.session_state[_WHICH].partition(":")
    rest = _without(module, branch)
    selection.scale(rest if factor == 1 else (*rest, Scale(module, branch, float(factor))))
