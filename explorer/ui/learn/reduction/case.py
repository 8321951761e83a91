"""The live parts of the lesson on the 1×1 reduction: the case, its costs, the way to and from the network."""

from typing import Any

import streamlit as st

from explorer.analysis import problems
from explorer.config import Problem
from explorer.lessons import reduction as core
from explorer.lessons.reduction import ARTICLE, ReductionCase
from explorer.ui import cache, state
from explorer.ui.components import lesson_number
from explorer.ui.components.chart import chart, picture
from explorer.ui.frame import let_browser_draw
from explorer.ui.learn import quiz
from explorer.views import formatting as fmt
from explorer.views import reduction_charts as pictures

_CASE = "reduction_case"
_MODULE, _BRANCH = "reduction_module", "reduction_branch"
_BRANCHES = {"3x3": "3×3", "5x5": "5×5"}  # the branches that have a reduction
_FIELDS = (
    ("inputs", "Input channels"),
    ("kernel", "Kernel size k"),
    ("filters", "Kernels"),
    ("reduction", "Reduction r"),
    ("height", "Height"),
    ("width", "Width"),
)


def case() -> ReductionCase:
    """Return the case on the bench of this session."""
    return st.session_state.get(_CASE, ARTICLE)


def predict() -> None:
    """Ask what the reduction saves before it is shown."""
    quiz.predict("reduction")


def bench() -> None:
    """Show the controls of the case, its formulas and its bars; the answer leaves before the controls."""
    above = st.container(gap="small")
    picture(
        pictures.cost_bars(case()),
        "cost",
        "each pair has a scale of its own. MACs are multiply-accumulates for one image (FLOPs = 2 × MACs); activations "
        "are the numbers in the outputs, of which the 1×1 adds its own.",
    )
    let_browser_draw()
    with above:
        _case_controls()


def _case_controls() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="case"):
        for field, label in _FIELDS:
            lesson_number.whole_number(label, f"case_{field}", getattr(case(), field), _taker(field), width=214)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.session_state["case_biases"] = case().biases
        st.toggle("with biases", key="case_biases", on_change=_biases)
        st.space("stretch")
        st.button(
            "Back to the article's case",
            icon=":material/restart_alt:",
            on_click=_put,
            args=(ARTICLE,),
            disabled=case() == ARTICLE,
            key="case_article",
        )


def _taker(field: str) -> lesson_number.Take:
    def take(value: Any) -> tuple[Problem, ...]:
        changed = case().replace(**{field: value})
        found = core.case_problems(changed)
        if not found:
            st.session_state[_CASE] = changed
        return found

    return take


def _put(new: ReductionCase) -> None:
    st.session_state[_CASE] = new
    state.accept()


def _biases() -> None:
    _put(case().replace(biases=st.session_state["case_biases"]))


def break_even() -> None:
    """Show up to which width the reduction saves parameters, and MACs."""
    now = case()
    st.latex(pictures.break_even_formula(now))
    chart(
        pictures.break_even_curve(now),
        "the orange line is the convolution alone, the blue one rises with the width of the 1×1. Where they cross, "
        f"nothing is saved any more; for MACs the limit is {fmt.exact(core.break_even_macs(now))}.",
        "break_even",
        pictures.curve_rows(now),
    )


def exchange() -> None:
    """Take the widths of a branch of the present network, or give them to it."""
    config = state.current().config
    names = [module.name for module in config.modules]
    if st.session_state.get(_MODULE) not in names:
        st.session_state[_MODULE] = "4b" if "4b" in names else names[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Module", names, key=_MODULE, width=110)
        st.segmented_control(
            "Branch", list(_BRANCHES), default="5x5", required=True, key=_BRANCH, format_func=_BRANCHES.get
        )
        st.button("Use its widths", icon=":material/download:", on_click=_use, key="case_use")
        st.button("Apply to the network", icon=":material/upload:", on_click=_apply, key="case_apply", type="primary")
    held = state.refused("case_apply")
    for problem in held[1] if held else ():
        st.error(problem.message, icon=":material/block:")
    _compare_with_the_branch()


def _subject() -> tuple[str, str]:
    return st.session_state[_MODULE], st.session_state.get(_BRANCH, "5x5")


def _case_of_the_branch() -> ReductionCase | None:
    try:
        return core.branch_case(
            cache.summary(state.current().config), *_subject(), biases=case().biases, otherwise=case().reduction
        )
    except KeyError:
        return None


def _use() -> None:
    found = _case_of_the_branch()
    if found and not core.case_problems(found):
        _put(found)


def _apply() -> None:
    config = core.applied(state.current().config, *_subject(), case())
    if found := problems(config):
        state.refuse("case_apply", None, found[:2])
        return
    state.accept()
    state.commit(config)


def _compare_with_the_branch() -> None:
    """Say what the chosen branch is now, and what applying would write into the table."""
    (name, branch), config, now = _subject(), state.current().config, case()
    kernel = _BRANCHES[branch]
    there = _case_of_the_branch()
    if there is None:
        st.caption(
            f"{name} has no {kernel} branch now. Applying gives it one: {kernel} reduce = {now.reduction:,} and "
            f"{now.filters:,} kernels."
        )
        return
    reduce = getattr(config.module(name), f"ch{branch}_reduce")
    width = "no reduction" if reduce is None else f"a reduction to {reduce:,}"
    lines = [f"**{name}, {kernel} branch:** {there.inputs:,} channels in, {width}, {there.filters:,} kernels."]
    if there == now:
        lines.append("It *is* the case above.")
    else:
        lines.append(
            f"Applying writes {kernel} reduce = {now.reduction:,} and {kernel} = {now.filters:,} into the table."
        )
        if (there.inputs, there.kernel) != (now.inputs, now.kernel):
            lines.append("Its input channels and kernel size follow from the network and stay as they are.")
    st.markdown(" ".join(lines))
