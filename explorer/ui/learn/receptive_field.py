"""The live parts of the lesson on receptive fields and input sizes."""

import streamlit as st

from explorer.analysis import NetworkSummary, problems
from explorer.config import BRANCHES, MAX_SIDE, POOL_RULES, Problem
from explorer.lessons import resolution
from explorer.lessons.receptive_field import Spectrum, spectra, without_branch
from explorer.ui import cache, state
from explorer.ui.components import lesson_number
from explorer.ui.components.chart import chart
from explorer.ui.frame import let_browser_draw
from explorer.ui.learn import quiz
from explorer.views import field_charts as pictures
from explorer.views import formatting as fmt
from explorer.views.layer_table import BRANCH_NAMES

_MODULE, _SIZE = "field_module", "doctor_size"


def predict() -> None:
    """Ask how far the last module sees."""
    quiz.predict("receptive_field")


def _summary() -> NetworkSummary:
    return cache.summary(state.current().config)


def _module(found: tuple[Spectrum, ...]) -> Spectrum:
    """Return the chosen module's spectrum; the last one's where the chosen module is gone."""
    names = [spectrum.module for spectrum in found]
    chosen = st.session_state.get(_MODULE)
    return found[names.index(chosen) if chosen in names else -1]


def spectrum() -> None:
    """Show the fields after every module, and let one of them be chosen; the answer leaves before the choice."""
    summary = _summary()
    found = spectra(summary)
    st.session_state[_MODULE] = _module(found).module
    above = st.container()
    chart(
        pictures.spectrum_rows(found, st.session_state[_MODULE], max(summary.config.input_shape[1:])),
        "each tick is a field in pixels that some way has; the stronger its colour, the more ways have it.",
        "spectrum",
        [
            {"module": one.module, "field_px": field, "ways": count}
            for one in found
            for field, count in one.ways.items()
        ],
    )
    let_browser_draw()
    above.segmented_control("Module", [one.module for one in found], key=_MODULE, required=True)


def on_picture() -> None:
    """Draw the fields of one position of the chosen module on the sample picture."""
    found = _module(spectra(_summary()))
    rows, columns = found.positions
    with st.container(horizontal=True):
        row = _place("Row", "field_row", rows, found.module)
        column = _place("Column", "field_column", columns, found.module)
    chart(
        pictures.field_on_picture(found, _summary().config.input_shape[1:], (row, column)),
        f"{found.module} has {fmt.size(found.positions)} positions, {found.jump} pixels apart. What lies outside the "
        "picture is padding: a position knows nothing of it.",
        "field_windows",
        [{"field_px": field, "ways": count} for field, count in found.ways.items()],
    )


def _place(label: str, key: str, count: int, module: str) -> int:
    if count < 2:
        return 0
    return st.slider(label, 0, count - 1, count // 2, key=f"{key}_{module}_{count}", width=260)


def without() -> None:
    """Take one branch out of every module and compare the spectrum of the chosen one."""
    config = state.current().config
    now = _module(spectra(_summary()))
    branch = st.segmented_control(
        "Take out of every module", BRANCHES, default="5x5", key="field_without", format_func=BRANCH_NAMES.get
    )
    other = None
    if branch in BRANCHES:
        less = without_branch(config, branch)
        other = next(one for one in spectra(cache.summary(less)) if one.module == now.module)
        if less == config:
            st.caption("No module of this network can do without that branch, or none has it.")
    names = ("this network", f"without the {BRANCH_NAMES.get(branch, '')} branches")
    chart(
        pictures.spectrum_columns(now, other, names),
        "which share of the ways through the branches has which field, each way counted once.",
        "field_without",
        [{"field_px": field, "ways": count} for field, count in now.ways.items()],
    )


def doctor() -> None:
    """Send a picture of any size through the network under every pooling rule."""
    config = state.current().config
    height, width = st.session_state.get(_SIZE, config.input_shape[1:])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        lesson_number.whole_number("Height", "doctor_height", height, lambda value: _take((value, width)), width=150)
        lesson_number.whole_number("Width", "doctor_width", width, lambda value: _take((height, value)), width=150)
        st.button("Apply to the network", icon=":material/upload:", key="doctor_apply", on_click=_apply)
    held = state.refused("doctor_apply")
    for problem in held[1][:2] if held else ():
        st.error(problem.message, icon=":material/block:")
    st.markdown(pictures.passages_table(resolution.passages(config, height, width), config.pooling))
    st.caption(
        f"Height × width after each layer that changes it. The network's own rule: {POOL_RULES[config.pooling].title}. "
        "Sizes on which the rules disagree are bold."
    )
    found = resolution.diagnosis(config, height, width)
    if isinstance(found, str):
        st.warning(f"At {height}×{width} this network cannot be built. {found}", icon=":material/block:")
    else:
        st.success(
            f"At {height}×{width} this network takes {fmt.short(found.macs())} MACs and has "
            f"{fmt.exact(found.parameters())} parameters in training.",
            icon=":material/check:",
        )


def _take(size: tuple[int, int]) -> tuple[Problem, ...]:
    for label, side in zip(("Height", "Width"), size, strict=True):
        if not 1 <= side <= MAX_SIDE:
            shown = fmt.exact(side) if abs(side) < 10**15 else "a number of over 15 digits"
            message = f"{label}: {shown} is out of range. Write a whole number from 1 to {fmt.exact(MAX_SIDE)}."
            return (Problem("lesson", "size", message),)
    st.session_state[_SIZE] = size
    return ()


def _apply() -> None:
    config = state.current().config
    new = resolution.at_side(config, *st.session_state.get(_SIZE, config.input_shape[1:]))
    if found := problems(new):
        state.refuse("doctor_apply", None, found)
        return
    state.accept()
    state.commit(new)


def limits() -> None:
    """Show the smallest inputs, with the network's stem and with the small one."""
    config = state.current().config
    small = config.replace(stem=config.stem.replace(kind="small"))
    left, right = st.columns(2)
    kinds = {"paper": "7×7/2 stem, divides by 8", "small": "small stem, divides by 2"}
    left.markdown(f"**This network** ({kinds[config.stem.kind]})\n" + pictures.limits_text(resolution.limits(config)))
    if config.stem.kind == "paper":
        right.markdown(f"**With a {kinds['small']}**\n" + pictures.limits_text(resolution.limits(small)))
    st.caption("Smallest square inputs in pixels, under the network's own pooling rule and auxiliary pool.")
