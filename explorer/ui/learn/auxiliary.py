"""The live parts of the lesson on the auxiliary heads."""

from statistics import fmean

import streamlit as st

from explorer.config import MAX_SIDE, Problem
from explorer.jobs.requests import LOSS_WEIGHTS, GradientReport, GradientRequest, GradientRun
from explorer.lessons import auxiliary as core
from explorer.ui import cache, state
from explorer.ui.components import lesson_number
from explorer.ui.components.chart import chart
from explorer.ui.components.diagram import diagram
from explorer.ui.components.measurement import measurement
from explorer.ui.learn import quiz
from explorer.views import auxiliary_charts as pictures
from explorer.views import diagrams
from explorer.views import formatting as fmt

_SIDE = "auxiliary_side"
_SIDES = (224, 192, 160, 128, 96)


def predict() -> None:
    """Ask how much of the network the heads are."""
    quiz.predict("auxiliary")


def _taps() -> tuple[str, ...]:
    """Return the tapped modules of the present network; says so when there are none."""
    taps = state.current().config.aux.taps
    if not taps:
        st.info("The present network has no auxiliary head. Put one on a module on the network page, under More.")
    return taps


def steps() -> None:
    """Show one head of the present network step by step, and as a diagram."""
    taps = _taps()
    if not taps:
        return
    tap = st.segmented_control("Head on", taps, default=taps[0], required=True, key="head_tap")
    tap = tap if tap in taps else taps[0]
    summary = cache.summary(state.current().config)
    st.markdown(pictures.steps_table(core.head_steps(summary, tap)))
    diagram(diagrams.auxiliary(summary, tap), key="head_diagram", height=250)


def other_inputs() -> None:
    """Show what other inputs and pooling rules make of the heads."""
    if not _taps():
        return
    config = state.current().config
    side = st.session_state.get(_SIDE, config.input_shape[1])
    lesson_number.whole_number("Another input, side in pixels", "auxiliary_side_input", side, _take_side, width=230)
    sides = tuple(dict.fromkeys((side, *_SIDES)))
    st.markdown(pictures.fates_table(core.pool_fates(config, sides), side))
    st.caption(
        "How to read this: height × width after the average pool of the heads, and the parameters of all heads, for "
        "square inputs to the present network."
    )


def _take_side(value: int) -> tuple[Problem, ...]:
    if not 1 <= value <= MAX_SIDE:
        shown = fmt.exact(value) if abs(value) < 10**15 else "a number of over 15 digits"
        message = f"Side: {shown} is out of range. Write a whole number from 1 to {fmt.exact(MAX_SIDE)}."
        return (Problem("lesson", "side", message),)
    st.session_state[_SIDE] = value
    return ()


def ledger() -> None:
    """Show what the heads cost in training, and that nothing is left of it at inference."""
    if not _taps():
        return
    book = core.ledger(cache.summary(state.current().config))
    chart(
        pictures.ledger_bars(book),
        "each bar is the whole network in training. At inference the heads are gone: "
        f"{fmt.exact(book.main_parameters)} parameters and {fmt.short(book.main_macs)} MACs remain.",
        "ledger",
        [
            {"part": "network", "parameters": book.main_parameters, "macs": book.main_macs},
            *({"part": f"head on {tap}", "parameters": p, "macs": m} for tap, p, m in book.heads),
        ],
    )


def loss() -> None:
    """Let the weight of the auxiliary losses be chosen, and show the loss of a network that knows nothing."""
    taps = _taps()
    if not taps:
        return
    config = state.current().config
    weight = st.slider("λ, weight of each head's loss", 0.0, 1.0, 0.3, 0.05, key="loss_weight", persist_state="session")
    heads = len(taps)
    value = core.loss_at_equal_logits(config.classes, heads, weight)
    terms = " + ".join(["L_{main}", *(rf"{weight:g} \, L_{{{tap}}}" for tap in taps)])
    st.latex(f"L = {terms}")
    st.latex(
        rf"(1 + {heads} \cdot {weight:g}) \cdot \ln {config.classes} = {1 + heads * weight:g} \cdot "
        rf"{core.loss_at_equal_logits(config.classes, 0, 0):.3f} = \mathbf{{{value:.3f}}}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"The loss in nats while all {fmt.exact(config.classes)} classes look equally likely: what training starts "
            "near to. A first loss far above it means that the first logits are far from equal.",
            width="stretch",
        )
        st.button(
            "Apply to the network",
            icon=":material/upload:",
            on_click=_apply_weight,
            args=(weight,),
            disabled=weight == config.aux.loss_weight,
            key="weight_apply",
        )


def _apply_weight(weight: float) -> None:
    config = state.current().config
    state.commit(config.replace(aux=config.aux.replace(loss_weight=weight)))


def microscope() -> None:
    """Offer to measure the gradient of each loss apart."""
    if not _taps():
        return
    measurement(
        "gradients",
        _request,
        _show_gradients,
        "Measure",
        "One batch of random images and labels per seed, three seeds, with and without BatchNorm. With a core to "
        "itself the paper's network takes about ten seconds.",
    )


def _request(seed: int) -> GradientRequest:

    return GradientRequest(config=state.current().config, device=st.session_state.get("device", "auto"), seed=seed)


def _show_gradients(report: GradientReport) -> None:

    kinds = list(dict.fromkeys(run.normalisation for run in report.runs))
    names = {"batch_norm": "with BatchNorm", "lrn": "with LRN, no BatchNorm", "none": "without BatchNorm"}
    with st.container(horizontal=True):
        weight = st.segmented_control(
            "λ", LOSS_WEIGHTS, default=0.3, required=True, key="gradient_weight", format_func=lambda w: f"{w:g}"
        )
        kind = st.segmented_control(
            "Network", kinds, default=kinds[0], required=True, key="gradient_kind", format_func=names.get
        )
    runs = [run for run in report.runs if run.normalisation == kind] or list(report.runs)[:1]
    place = LOSS_WEIGHTS.index(weight) if weight in LOSS_WEIGHTS else 1
    norms, together = _means(runs, place)
    chart(
        pictures.gradient_columns(runs[0].blocks, runs[0].losses, norms, together, LOSS_WEIGHTS[place]),
        "mean over the seeds. Each colour is the gradient of one loss over all parameters of a block. The line across "
        "is the length of their sum: below the top of the bar where they point different ways.",
        "gradients",
        [run.model_dump(include={"normalisation", "seed", "losses", "blocks", "norms"}) for run in report.runs],
    )
    _say(runs, place)
    seeds = sorted({run.seed for run in runs})
    note = f" {report.note}" if report.note else ""
    st.caption(
        f"Seeds {seeds[0]} to {seeds[-1]}, {report.batch} random images each, untrained, {report.device}. This is the "
        f"first step of training only, and says nothing about accuracy.{note}"
    )


def _means(runs: list[GradientRun], place: int) -> tuple[list[list[float]], list[float]]:
    """Return the mean over seeds of the norms (losses × blocks) and of the sum's norm (blocks)."""
    blocks, losses = range(len(runs[0].blocks)), range(len(runs[0].losses))
    norms = [[fmean(run.norms[loss][block] for run in runs) for block in blocks] for loss in losses]
    return norms, [fmean(run.total_norms[place][block] for run in runs) for block in blocks]


def _say(runs: list[GradientRun], place: int) -> None:
    """Say whom each head reaches, and what the heads do to the first and the last block that they reach."""
    config, blocks = state.current().config, runs[0].blocks
    lines = []
    for number, tap in enumerate(runs[0].losses[1:], 1):
        reached = [block for block, norm in zip(blocks, runs[0].norms[number], strict=True) if norm > 0]
        beyond = [block for block in blocks if block not in reached]
        lines.append(f"- The head on {tap} reaches {reached[0]} to {reached[-1]}; {', '.join(beyond)} get exactly 0.")
    if LOSS_WEIGHTS[place]:
        for block in dict.fromkeys((blocks[0], runs[0].losses[-1])):
            at = blocks.index(block)
            before, after = ([run.total_norms[which][at] for run in runs] for which in (0, place))
            lines.append(f"- {pictures.effect(before, after, block, LOSS_WEIGHTS[place])}")
    else:
        lines.append("- With λ = 0 the heads send nothing: the line is the main loss alone.")
    if config.normalisation == runs[0].normalisation:
        lines.append("- These are the settings of the present network.")
    st.markdown("\n".join(lines))
