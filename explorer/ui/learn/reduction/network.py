"""More live parts of the lesson on the 1×1 reduction: see it, measure it, take it out of the whole network."""

import streamlit as st

from explorer.analysis import problems
from explorer.jobs.requests import ReductionTiming, ReductionTimingRequest
from explorer.lessons import reduction as core
from explorer.lessons.spread import Spread, speedup, spread
from explorer.lessons.text import read
from explorer.ui import state
from explorer.ui.components.chart import chart, picture
from explorer.ui.components.measurement import measurement
from explorer.ui.learn.reduction.case import case
from explorer.views import formatting as fmt
from explorer.views import reduction_charts as pictures
from explorer.views.reduction_paths import paths as drawn_paths

_PIXELS = {
    "a pixel": (3, -1, 4, 0, 2, -2, 1, 5),
    "its neighbour": (-2, 3, 0, 5, -1, 1, 4, 2),
    "a dark one": (0, 0, 1, 0, 0, 0, 0, 0),
}
_MATRIX = ((2, 0, 1, 0, -1, 0, 0, 1), (0, 1, 0, -2, 0, 1, 0, 2), (-1, 0, 0, 1, 3, 0, 1, 0))


def mixing() -> None:
    """Show the channel mixing of a 1×1 at one position, with a choice of pixels."""
    which = st.segmented_control("Position", list(_PIXELS), default="a pixel", required=True, key="mixing_pixel")
    picture(
        pictures.mixing(_MATRIX, _PIXELS.get(which, _PIXELS["a pixel"])),
        "mixing",
        "blue is positive, orange negative. The matrix is the same at every position; only the pixel changes. The "
        "numbers are made up; a trained 1×1 has learned its own.",
    )


def paths() -> None:
    """Show the two paths of the case as a diagram."""
    how = "the wider an arrow, the more channels it carries. Beside it stands their shape."
    picture(drawn_paths(case()), "paths", how)


def timing() -> None:
    """Offer to build both versions and time them in turn."""
    measurement(
        "reduction_timing",
        _request,
        _show_timing,
        "Measure",
        "Builds both versions of the case above and runs them in turn, up to 60 rounds or 4 seconds.",
    )


def _request(seed: int) -> ReductionTimingRequest:

    return ReductionTimingRequest(case=case(), device=st.session_state.get("device", "auto"), seed=seed)


def _show_timing(report: ReductionTiming) -> None:
    picture(pictures.timing_dots(report.direct_ms, report.reduced_ms), "timing")
    found = speedup(report.direct_ms, report.reduced_ms)
    fewer = core.direct(report.case).macs / core.reduced(report.case).macs
    half = [spread(times) for times in (report.direct_ms, report.reduced_ms)]
    st.markdown(_verdict(found, fewer))
    note = f" {report.note}" if report.note else ""
    st.caption(
        f"Each dot is a round; line: median; bar: half of the rounds ({fmt.milliseconds(half[0].low)} to "
        f"{fmt.milliseconds(half[0].high)} without, {fmt.milliseconds(half[1].low)} to "
        f"{fmt.milliseconds(half[1].high)} with). {len(report.direct_ms)} rounds in turn, seed {report.seed}, "
        f"{report.device}, one image, float32.{note}"
    )


def _verdict(found: Spread, fewer: float) -> str:
    """Say how the time fell against the MACs, and no more than the spread of the rounds allows."""
    if found.holds(1):
        return "The two are about equally fast here: the rounds differ among each other more than the two versions do."
    how = (
        f"{fmt.ratio(found.middle)} times faster"
        if found.middle > 1
        else f"{fmt.ratio(1 / found.middle)} times slower with the 1×1"
    )
    first = (
        f"Measured **{how}** (half of the rounds: {fmt.ratio(found.low)} to {fmt.ratio(found.high)}), "
        f"at {fmt.ratio(fewer)} times fewer MACs."
    )
    if found.holds(fewer):
        return f"{first} Within the spread of the rounds, the time fell as far as the MACs."
    if found.middle > fewer:
        return f"{first} Here the time fell even further than the MACs: MACs count arithmetic only."
    return (
        f"{first} The time saved is less than the MACs saved. Known causes: two layers are started instead of one, the "
        "1×1's output is written to memory and read again, and narrow layers leave arithmetic units idle. MACs count "
        "arithmetic only."
    )


def whole_network() -> None:
    """Take the reductions out of the present network, module by module or all at once."""
    config = state.current().config
    names = [module.name for module in config.modules]
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = st.pills("Without reductions", names, selection_mode="multi", default=names, key="naive_modules")
        st.button(
            "Apply to the network", icon=":material/upload:", key="naive_apply", on_click=_make_naive, args=(chosen,)
        )
    _chosen_numbers(tuple(name for name in names if name in chosen))
    steps = core.explosion(config)
    if steps[-1].problem:
        st.warning(f"Without all its reductions this network cannot be built. {steps[-1].problem}")
    if len([step for step in steps if not step.problem]) < 2:
        return
    parameters, macs = pictures.explosion_charts(steps)
    left, right = st.columns(2)
    for column, drawn, name in ((left, parameters, "parameters"), (right, macs, "MACs")):
        with column:
            chart(
                drawn,
                f"{name} at inference when the reductions are taken out of the first modules, up to the one named.",
                f"explosion_{name}",
                [step._asdict() for step in steps],
            )


def _chosen_numbers(chosen: tuple[str, ...]) -> None:
    config = state.current().config
    now, then = core.step(config, ()), core.step(config, chosen)
    if then.problem:
        st.warning(f"Without these reductions the network cannot be built. {then.problem}", icon=":material/block:")
        return
    with st.container(horizontal=True):
        for label, field in (("parameters at inference", "parameters"), ("MACs", "macs")):
            before, after = getattr(now, field), getattr(then, field)
            st.metric(
                label,
                fmt.exact(after) if field == "parameters" else fmt.short(after),
                fmt.change(after, before).replace("−", "-") or None,
                delta_color="inverse",
                width=260,
            )
    names = [module.name for module in config.modules]
    chart(
        pictures.width_chart(names, now.widths, then.widths),
        "channels that leave each module. Without a projection the pool passes all its channels on, so each module "
        "feeds more to the next.",
        "widths",
        [{"module": name, "now": a, "without": b} for name, a, b in zip(names, now.widths, then.widths, strict=True)],
    )


def _make_naive(chosen: list[str]) -> None:
    config = state.current().config
    naive = core.without_reductions(config, tuple(chosen))
    if not problems(naive):
        state.commit(naive)


def slips() -> None:
    """Show the common slips as cards, each with the correct working and its source."""
    text = "\n".join(block.content for block in read("slips").blocks)
    with st.container(key="slips"):
        for card in text.split("### ")[1:]:
            title, _, body = card.partition("\n")
            st.markdown(f"**{title}**\n{body}")
