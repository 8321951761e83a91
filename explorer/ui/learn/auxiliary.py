"""The live parts of the lesson on auxiliary classifiers."""

from functools import partial
from statistics import fmean

import streamlit as st

from explorer.analysis import summarize
from explorer.config import MAX_SIDE
from explorer.jobs.requests import LOSS_WEIGHTS, GradientReport, GradientRequest, GradientRun
from explorer.lessons import auxiliary as core
from explorer.lessons.statistics import relative_change
from explorer.ui import cache, state
from explorer.ui.components.chart import show_chart
from explorer.ui.components.diagram import diagram
from explorer.ui.components.measurement import measurement
from explorer.ui.components.number import in_range, number_input
from explorer.ui.components.width import PHONE, is_narrow
from explorer.ui.learn import quiz
from explorer.ui.state import SessionValue
from explorer.views import auxiliary_charts as pictures
from explorer.views import formatting as fmt
from explorer.views.heroes import auxiliary as gradients_back
from explorer.views.heroes.timeline import Hero

_SIDE = SessionValue[int | None]("auxiliary_side", None)
_SIDES = (224, 192, 160, 128, 96)


def hero(_: bool) -> Hero:
    """Return one step of training of the current network: forward, and the gradients back."""
    return gradients_back.gradients(summarize(state.current().config))


def predict() -> None:
    """Ask what fraction of the network the heads are."""
    quiz.predict("auxiliary")


def _taps() -> tuple[str, ...]:
    """Return the modules with a head in the current network, and show a hint if there are none."""
    taps = state.current().config.aux.taps
    if not taps:
        st.info("The current network has no auxiliary head. Add one on the page Network, under More settings.")
    return taps


def steps() -> None:
    """Show one head of the current network step by step, and as a diagram."""
    taps = _taps()
    if not taps:
        return
    tap = st.segmented_control("Head on", taps, default=taps[0], required=True, key="head_tap")
    tap = tap if tap in taps else taps[0]
    summary = summarize(state.current().config)
    st.markdown(pictures.steps_table(core.head_steps(summary, tap)))
    narrow = is_narrow(PHONE)
    drawing = cache.drawing(summary.config, f"aux_{tap}", "none", narrow=narrow)
    diagram(drawing, key="head_diagram", height=250, max_height=800 if narrow else 0, narrow_below=(PHONE,))


def other_inputs() -> None:
    """Show the heads for other input sizes and pooling rules."""
    if not _taps():
        return
    config = state.current().config
    side = _SIDE.get() or config.input_shape[1]
    problem = f"Side: enter a whole number from 1 to {fmt.exact(MAX_SIDE)}."
    accept = in_range(1, MAX_SIDE, problem, _SIDE.set)
    number_input("Another input, side in pixels", "auxiliary_side_input", side, accept, width=230)
    sides = tuple(dict.fromkeys((side, *_SIDES)))
    st.markdown(pictures.pool_table(core.pool_results(config, sides), side))
    st.caption(
        "Reading this table: height × width after the average pool of the heads, and the parameters of all heads, for "
        "square inputs to the current network."
    )


def head_costs() -> None:
    """Show what the heads cost in training, and that they cost nothing at inference."""
    if not _taps():
        return
    costs = core.head_costs(summarize(state.current().config))
    show_chart(
        partial(pictures.cost_bars, costs),
        "each bar is the whole network in training. Inference runs without the heads: "
        f"{fmt.exact(costs.main_parameters)} parameters and {fmt.short(costs.main_macs)} MACs remain.",
        "ledger",
        [
            {"part": "network", "parameters": costs.main_parameters, "macs": costs.main_macs},
            *({"part": f"head at {tap}", "parameters": p, "macs": m} for tap, p, m in costs.heads),
        ],
    )


def loss() -> None:
    """Let the reader set the weight of the auxiliary losses, and show the loss at equal logits."""
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
        rf"\begin{{gathered}}(1 + {heads} \cdot {weight:g}) \cdot \ln {config.classes} \\ = {1 + heads * weight:g} "
        rf"\cdot {core.loss_at_equal_logits(config.classes, 0, 0):.3f} = \mathbf{{{value:.3f}}}\end{{gathered}}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"The loss in nats if all {fmt.exact(config.classes)} classes are equally likely. Training starts near it; "
            "a first loss far above it means that the first logits are far from equal.",
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


def gradients() -> None:
    """Offer to measure the gradient of each loss separately."""
    if not _taps():
        return
    measurement(
        "gradients",
        _request,
        _show_gradients,
        "Measure",
        "One batch of random images and labels per seed, three seeds, with and without BatchNorm. On an idle core "
        "the paper's network takes about ten seconds.",
    )


def _request(seed: int) -> GradientRequest:
    return GradientRequest(config=state.current().config, device=state.device(), seed=seed)


def _show_gradients(report: GradientReport) -> None:
    kinds = list(dict.fromkeys(run.normalisation for run in report.runs))
    names = {"batch_norm": "with BatchNorm", "lrn": "with LRN, no BatchNorm", "none": "without BatchNorm"}
    with st.container(horizontal=True):
        weight = st.segmented_control(
            "λ", LOSS_WEIGHTS, default=0.3, required=True, key="gradient_weight", format_func=lambda w: f"{w:g}"
        )
        kind = st.segmented_control(
            "Network", kinds, default=kinds[0], required=True, key="gradient_kind", format_func=names.__getitem__
        )
    runs = [run for run in report.runs if run.normalisation == kind] or list(report.runs)[:1]
    weight_index = LOSS_WEIGHTS.index(weight) if weight in LOSS_WEIGHTS else 1
    norms, together = _means(runs, weight_index)
    weight, change = LOSS_WEIGHTS[weight_index], relative_change(*_totals(runs, weight_index, runs[0].blocks[0]))
    show_chart(
        partial(pictures.gradient_columns, runs[0].blocks, runs[0].losses, norms, together, weight, change),
        "mean over the seeds. Each colour is the gradient norm of one loss over all parameters of a block. The "
        "horizontal line is the norm of their sum, lower than the bar where the gradients have different directions.",
        "gradients",
        [run.model_dump(include={"normalisation", "seed", "losses", "blocks", "norms"}) for run in report.runs],
    )
    _describe(runs, weight_index)
    seeds = sorted({run.seed for run in runs})
    note = f" {report.note}" if report.note else ""
    st.caption(
        f"Seeds {seeds[0]} to {seeds[-1]}, {report.batch} random images each, untrained, {report.device}. This is the "
        f"first step of training only, and shows nothing about accuracy.{note}"
    )


def _means(runs: list[GradientRun], weight_index: int) -> tuple[list[list[float]], list[float]]:
    """Return the mean over seeds of the norms (losses × blocks) and of the sum's norm (blocks)."""
    blocks, losses = range(len(runs[0].blocks)), range(len(runs[0].losses))
    norms = [[fmean(run.norms[loss][block] for run in runs) for block in blocks] for loss in losses]
    return norms, [fmean(run.total_norms[weight_index][block] for run in runs) for block in blocks]


def _totals(runs: list[GradientRun], weight_index: int, block: str) -> tuple[list[float], list[float]]:
    """Return the gradient norm of a block by run, without the heads and with them at a weight."""
    index = runs[0].blocks.index(block)
    before, after = ([run.total_norms[weight][index] for run in runs] for weight in (0, weight_index))
    return before, after


def _describe(runs: list[GradientRun], weight_index: int) -> None:
    """Describe which blocks each head reaches, and its effect on the first and the last of them."""
    config, blocks = state.current().config, runs[0].blocks
    lines = []
    for number, tap in enumerate(runs[0].losses[1:], 1):
        reached = [block for block, norm in zip(blocks, runs[0].norms[number], strict=True) if norm > 0]
        beyond = [block for block in blocks if block not in reached]
        lines.append(f"- The head at {tap} reaches {reached[0]} to {reached[-1]}; {', '.join(beyond)} get exactly 0.")
    if LOSS_WEIGHTS[weight_index]:
        for block in dict.fromkeys((blocks[0], runs[0].losses[-1])):
            before, after = _totals(runs, weight_index, block)
            lines.append(f"- {pictures.effect_text(before, after, block, LOSS_WEIGHTS[weight_index])}")
    else:
        lines.append("- With λ = 0 the heads contribute nothing: the line is the main loss alone.")
    if config.normalisation == runs[0].normalisation:
        lines.append("- These are the settings of the current network.")
    st.markdown("\n".join(lines))
