"""The live parts of the lesson on the 1×1 reduction.

Those of the case are its costs, its limits and a measurement; the others show a branch and the whole current network.
"""

from functools import partial

import streamlit as st

from explorer.analysis import problems, summarize
from explorer.errors import Problem
from explorer.jobs.requests import ReductionTiming, ReductionTimingRequest
from explorer.lessons import reduction as core
from explorer.lessons.reduction import ARTICLE
from explorer.lessons.statistics import Quartiles, quartiles, speedup
from explorer.lessons.text import read
from explorer.reduction import ReductionCase, case_problems, direct_path, reduction_path
from explorer.ui import messages, state
from explorer.ui.components.chart import show_chart, show_svg
from explorer.ui.components.measurement import measurement
from explorer.ui.components.number import Accept, number_input
from explorer.ui.learn import quiz
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import let_browser_draw
from explorer.views import formatting as fmt
from explorer.views import reduction_charts as charts
from explorer.views import reduction_paths
from explorer.views.heroes import reduction as channel_flow
from explorer.views.heroes.timeline import Hero

_CASE = SessionValue("reduction_case", ARTICLE)
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
_PIXELS = {
    "a pixel": (3, -1, 4, 0, 2, -2, 1, 5),
    "its neighbour": (-2, 3, 0, 5, -1, 1, 4, 2),
    "a dark one": (0, 0, 1, 0, 0, 0, 0, 0),
}
_MATRIX = ((2, 0, 1, 0, -1, 0, 0, 1), (0, 1, 0, -2, 0, 1, 0, 2), (-1, 0, 0, 1, 3, 0, 1, 0))


# ── the case ─────────────────────────────────────────────────────────────────────────────────────────────────────


def hero(is_open: bool) -> Hero:
    """Return the 5×5 branch of a module of the current network as channels that flow; weights only if ``is_open``."""
    summary = summarize(state.current().config)
    names = [module.name for module in summary.config.modules if module.ch5x5 and module.ch5x5_reduce]
    if not names:
        return channel_flow.flow(ARTICLE, "An example", shows_weights=is_open)
    name = "4b" if "4b" in names else names[0]
    case = core.branch_case(summary, name, "5x5", biases=False, default_reduction=ARTICLE.reduction)
    return channel_flow.flow(case, f"The 5×5 branch of {name}", shows_weights=is_open)


def predict() -> None:
    """Ask what the reduction saves before it is shown."""
    quiz.predict("reduction")


def cost() -> None:
    """Show the controls of the case, its formulas and its bars; the bars reach the browser before the controls."""
    above = st.container(gap="small")
    show_chart(
        partial(charts.cost_bars, _CASE.get()),
        "each pair has its own scale. MACs are multiply-accumulates for one image (FLOPs = 2 × MACs); activations "
        "are the numbers in the outputs, to which the 1×1 adds its own.",
        "cost",
        charts.cost_rows(_CASE.get()),
    )
    let_browser_draw()
    with above:
        _case_controls()


def _case_controls() -> None:
    case = _CASE.get()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="case"):
        for field, label in _FIELDS:
            number_input(label, f"case_{field}", getattr(case, field), _accept_field(field), width=214)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.session_state["case_biases"] = case.biases
        st.toggle("with biases", key="case_biases", on_change=_set_biases)
        st.space("stretch")
        st.button(
            "Back to the article's case",
            icon=":material/restart_alt:",
            on_click=_set_case,
            args=(ARTICLE,),
            disabled=case == ARTICLE,
            key="case_article",
        )


def _accept_field(field: str) -> Accept:
    def accept(value: int) -> tuple[Problem, ...]:
        changed = _CASE.get().replace(**{field: value})
        found = case_problems(changed)
        if not found:
            _CASE.set(changed)
        return found

    return accept


def _set_case(case: ReductionCase) -> None:
    _CASE.set(case)
    state.clear_rejected_input()


def _set_biases() -> None:
    _set_case(_CASE.get().replace(biases=st.session_state["case_biases"]))


def break_even() -> None:
    """Show up to which width the reduction saves parameters, and MACs."""
    case = _CASE.get()
    st.latex(charts.break_even_formula(case))
    show_chart(
        partial(charts.break_even_curve, case),
        "the grey line is the convolution alone, the violet one rises with the width of the 1×1. Where they cross, "
        f"nothing is saved any more; for MACs the limit is {fmt.exact(core.break_even_macs(case))}.",
        "break_even",
        charts.curve_rows(case),
    )


def mixing() -> None:
    """Show how a 1×1 mixes the channels at one position, for a selected pixel."""
    pixel = st.segmented_control("Position", list(_PIXELS), default="a pixel", required=True, key="mixing_pixel")
    values = _PIXELS.get(pixel, _PIXELS["a pixel"])
    show_chart(
        partial(charts.mixing, _MATRIX, values),
        "violet is positive, red negative. The matrix is the same at every position; only the pixel changes. The "
        "numbers are made up; a trained 1×1 has learned its own.",
        "mixing",
        charts.mixing_rows(_MATRIX, values),
    )


def paths() -> None:
    """Show the two paths of the case as a diagram."""
    reading = "the wider an arrow, the more channels it carries. Next to it is their shape."
    case = _CASE.get()
    show_chart(partial(reduction_paths.paths, case), reading, "paths", reduction_paths.path_rows(case))


def timing() -> None:
    """Offer to build both versions and time them in turn."""
    measurement(
        "reduction_timing",
        _timing_request,
        _show_timing,
        "Measure",
        "Builds both versions of the case above and runs them in turn, up to 60 rounds or 4 seconds.",
    )


def _timing_request(seed: int) -> ReductionTimingRequest:
    return ReductionTimingRequest(case=_CASE.get(), device=state.device(), seed=seed)


def _show_timing(report: ReductionTiming) -> None:
    show_svg(partial(charts.timing_dots, report.direct_ms, report.reduced_ms), "timing")
    fewer_macs = direct_path(report.case).macs / reduction_path(report.case).macs
    st.markdown(_verdict(speedup(report.direct_ms, report.reduced_ms), fewer_macs))
    direct, reduced = quartiles(report.direct_ms), quartiles(report.reduced_ms)
    note = f" {report.note}" if report.note else ""
    st.caption(
        f"Each dot is a round; line: median; bar: half of the rounds ({fmt.milliseconds(direct.lower)} to "
        f"{fmt.milliseconds(direct.upper)} without, {fmt.milliseconds(reduced.lower)} to "
        f"{fmt.milliseconds(reduced.upper)} with). {len(report.direct_ms)} rounds in turn, seed {report.seed}, "
        f"{report.device}, one image, float32.{note}"
    )


def _verdict(measured: Quartiles, fewer_macs: float) -> str:
    """Compare how much the time fell with how much the MACs fell, as far as the spread of the rounds allows."""
    if measured.contains(1):
        return "Both versions are about equally fast here: the rounds differ more than the two versions do."
    if measured.median > 1:
        first = (
            f"Measured **{fmt.ratio(measured.median)} times faster** (half of the rounds: "
            f"{fmt.ratio(measured.lower)} to {fmt.ratio(measured.upper)}), at {fmt.ratio(fewer_macs)} times fewer MACs."
        )
    else:
        first = (
            f"Measured **{fmt.ratio(1 / measured.median)} times slower with the 1×1** (half of the rounds: "
            f"{fmt.ratio(measured.lower)} to {fmt.ratio(measured.upper)}), at {fmt.ratio(fewer_macs)} times fewer MACs."
        )
    if measured.contains(fewer_macs):
        return f"{first} Within the spread of the rounds, the time fell as far as the MACs."
    if measured.median > fewer_macs:
        return f"{first} Here the time fell even further than the MACs: MACs count arithmetic only."
    return (
        f"{first} The time saved is less than the MACs saved. Known causes: two layers are started instead of one, the "
        "1×1's output is written to memory and read again, and narrow layers leave arithmetic units idle. MACs count "
        "arithmetic only."
    )


# ── the current network ──────────────────────────────────────────────────────────────────────────────────────────


def branch() -> None:
    """Copy the widths of a branch of the current network into the case, or those of the case into the branch."""
    names = [module.name for module in state.current().config.modules]
    if st.session_state.get(_MODULE) not in names:
        st.session_state[_MODULE] = "4b" if "4b" in names else names[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Module", names, key=_MODULE, width=110)
        st.segmented_control(
            "Branch", list(_BRANCHES), default="5x5", required=True, key=_BRANCH, format_func=_BRANCHES.__getitem__
        )
        st.button("Use its widths", icon=":material/download:", on_click=_use_branch, key="case_use")
        st.button("Apply to the network", icon=":material/upload:", on_click=_apply, key="case_apply", type="primary")
    messages.show_problems(state.rejection("case_apply"))
    _compare_with_branch()


def _selected_branch() -> tuple[str, str]:
    return st.session_state[_MODULE], st.session_state.get(_BRANCH, "5x5")


def _branch_case() -> ReductionCase | None:
    """Return the case of the selected branch; None if the module has no such branch."""
    case, summary = _CASE.get(), summarize(state.current().config)
    try:
        return core.branch_case(summary, *_selected_branch(), biases=case.biases, default_reduction=case.reduction)
    except KeyError:
        return None


def _use_branch() -> None:
    found = _branch_case()
    if found and not case_problems(found):
        _set_case(found)


def _apply() -> None:
    config = core.with_case(state.current().config, *_selected_branch(), _CASE.get())
    if found := problems(config):
        state.reject_input("case_apply", None, found)
        return
    state.clear_rejected_input("case_apply")
    state.commit(config)


def _compare_with_branch() -> None:
    """Show what the selected branch is now, and what applying the case would write into the table."""
    (name, branch), config, case = _selected_branch(), state.current().config, _CASE.get()
    kernel = _BRANCHES[branch]
    now = _branch_case()
    if now is None:
        st.caption(
            f"{name} has no {kernel} branch now. Applying gives it one: {kernel} reduce = {case.reduction:,} and "
            f"{case.filters:,} kernels."
        )
        return
    reduction = getattr(config.module(name), f"ch{branch}_reduce")
    if reduction is None:
        lines = [f"**{name}, {kernel} branch:** {now.inputs:,} input channels, no reduction, {now.filters:,} kernels."]
    else:
        lines = [
            f"**{name}, {kernel} branch:** {now.inputs:,} input channels, a reduction to {reduction:,}, "
            f"{now.filters:,} kernels."
        ]
    if now == case:
        lines.append("It *is* the case above.")
    else:
        lines.append(
            f"Applying writes {kernel} reduce = {case.reduction:,} and {kernel} = {case.filters:,} into the table."
        )
        if (now.inputs, now.kernel) != (case.inputs, case.kernel):
            lines.append("Its input channels and kernel size follow from the network and stay as they are.")
    st.markdown(" ".join(lines))


def whole_network() -> None:
    """Remove the reductions from the current network, module by module or all at once."""
    config = state.current().config
    names = [module.name for module in config.modules]
    with st.container(horizontal=True, vertical_alignment="center"):
        selected = st.pills("Without reductions", names, selection_mode="multi", default=names, key="naive_modules")
        st.button(
            "Apply to the network", icon=":material/upload:", key="naive_apply", on_click=_make_naive, args=(selected,)
        )
    _show_change(tuple(name for name in names if name in selected))
    steps = core.naive_steps(config)
    if steps[-1].problem:
        st.warning(f"Without all its reductions this network cannot be built. {steps[-1].problem}")
    if len([step for step in steps if not step.problem]) < 2:
        return
    parameters, macs = charts.explosion_charts(steps)
    left, right = st.columns(2)
    for column, svg, name in ((left, parameters, "parameters"), (right, macs, "MACs")):
        with column:
            show_chart(
                svg,
                f"{name} at inference without the reductions of the first modules, up to the one named.",
                f"explosion_{name}",
                [step._asdict() for step in steps],
            )


def _show_change(selected: tuple[str, ...]) -> None:
    config = state.current().config
    now, naive = core.naive_step(config, ()), core.naive_step(config, selected)
    if naive.problem:
        st.warning(f"Without these reductions the network cannot be built. {naive.problem}", icon=":material/block:")
        return
    with st.container(horizontal=True):
        for label, before, after, text in (
            ("parameters at inference", now.parameters, naive.parameters, fmt.exact),
            ("MACs", now.macs, naive.macs, fmt.short),
        ):
            st.metric(
                label,
                text(after),
                fmt.change(after, before).replace("−", "-") or None,
                delta_color="inverse",
                width=260,
            )
    names = [module.name for module in config.modules]
    show_chart(
        partial(charts.width_chart, names, now.widths, naive.widths),
        "output channels of each module. Without a projection the pool passes all its channels on, so each module "
        "gives more to the next.",
        "widths",
        [{"module": name, "now": a, "without": b} for name, a, b in zip(names, now.widths, naive.widths, strict=True)],
    )


def _make_naive(selected: list[str]) -> None:
    naive = core.without_reductions(state.current().config, tuple(selected))
    if not problems(naive):
        state.commit(naive)


def mistakes() -> None:
    """Show the common mistakes as cards, each with the correct working and its source."""
    text = "\n".join(block.content for block in read("mistakes").blocks)
    with st.container(key="mistakes"):
        for card in text.split("### ")[1:]:
            title, _, body = card.partition("\n")
            st.markdown(f"**{title}**\n{body}")
