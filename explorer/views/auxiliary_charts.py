"""Charts and tables of the lesson on auxiliary heads: their costs, and the gradient of each loss."""

from collections.abc import Sequence

from explorer.lessons.auxiliary import HeadCosts, HeadStep, PoolResult
from explorer.lessons.statistics import RelativeChange, relative_change
from explorer.views import formatting as fmt
from explorer.views import palette, svg
from explorer.views.labels import AUX_POOLS

MAIN = palette.SERIES[0]


def head_colours(count: int) -> tuple[str, ...]:
    """Return one colour per head, from the colour of heads to a lighter one, so that neighbours differ."""
    return tuple(palette.mix(palette.AUX, "#ffd9a8", place / max(count, 2)) for place in range(count))


def steps_table(steps: Sequence[HeadStep]) -> str:
    """Return the layers of a head as a Markdown table."""
    lines = [
        "| step | out | parameters | MACs |",
        "|:--|:--|--:|--:|",
        f"| *tapped* | {fmt.shape(steps[0].in_shape)} | | |",
    ]
    for step in steps:
        numbers = (fmt.exact(n) if n else "" for n in (step.parameters, step.macs))
        lines.append(f"| {step.name} | {fmt.shape(step.out_shape)} | {' | '.join(numbers)} |")
    total = (fmt.exact(sum(getattr(step, field) for step in steps)) for field in ("parameters", "macs"))
    return "\n".join([*lines, f"| **total** | | {' | '.join(f'**{n}**' for n in total)} |"])


def cost_bars(costs: HeadCosts, width: float = svg.WIDE) -> str:
    """Return two bars of 100 %: the parameters and the MACs of a forward pass in training, split by head."""
    colours = (MAIN, *head_colours(len(costs.heads)))
    names = ("network", *(f"head at {tap}" for tap, _, _ in costs.heads))
    rows = (
        ("parameters", costs.parameter_fraction, (costs.main_parameters, *(n for _, n, _ in costs.heads))),
        ("MACs", costs.mac_fraction, (costs.main_macs, *(n for _, _, n in costs.heads))),
    )
    body, descriptions = [svg.legend(list(zip(names, colours, strict=True)), 0, 42, width)], []
    for place, (what, share, parts) in enumerate(rows):
        y, x, whole = 58 + place * 66, 0.0, sum(parts)
        body.append(svg.text(0, y + 14, f"{what} in training: {fmt.exact(whole)}", weight=600))
        body.append(svg.text(width, y + 14, f"{fmt.percent(share, 1)} in the heads", anchor="end"))
        for name, colour, part in zip(names, colours, parts, strict=True):
            length = width * part / whole
            body.append(svg.rect(x, y + 22, length, 26, colour, hint=f"{name}: {fmt.exact(part)} {what}"))
            x += length
        descriptions.append(f"{what}: {fmt.percent(share, 1)} of {fmt.exact(whole)} in the heads")
    parameters, macs = fmt.percent(costs.parameter_fraction, 1), fmt.percent(costs.mac_fraction, 1)
    title = f"In training the heads have {parameters} of the parameters and {macs} of the MACs"
    return svg.chart(width, 184, title, "; ".join(descriptions), body)


def pool_table(outcomes: Sequence[PoolResult], side_now: int) -> str:
    """Return, per input side and pooling rule, the size after the heads' pool and the heads' parameters."""
    pools = list(dict.fromkeys(outcome.pool for outcome in outcomes))
    lines = ["| input | " + " | ".join(AUX_POOLS[pool] for pool in pools) + " |", "|:--|" + ":--|" * len(pools)]
    for side in dict.fromkeys(outcome.side for outcome in outcomes):
        cells = [_pool_cell(outcome) for outcome in outcomes if outcome.side == side]
        name = f"**{side}×{side}**" if side == side_now else f"{side}×{side}"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _pool_cell(outcome: PoolResult) -> str:
    if outcome.problem:
        return "does not fit"
    sizes = ", ".join(dict.fromkeys(fmt.size(size) for size in outcome.sizes))
    return f"{sizes} · {fmt.short(outcome.parameters)} parameters"


def gradient_columns(
    blocks: Sequence[str],
    losses: Sequence[str],
    norms: Sequence[Sequence[float]],
    totals: Sequence[float],
    weight: float,
    change: RelativeChange | None,
    width: float = svg.WIDE,
) -> str:
    """Return stacked bars per block: the norm of each loss's gradient, the heads' norms times ``weight``.

    ``norms`` are by loss and block; ``totals``, drawn as a line across each bar, are the norms of the summed gradients.
    They are lower than the bar where the gradients point in different directions. ``change`` is the effect of the heads
    on the first block, which the title names; None if the main loss sends it no gradient.
    """
    heads = head_colours(len(losses) - 1)
    series = [
        svg.Series(
            "main loss" if loss == "main" else f"{weight:g} · head at {loss}",
            [norm if loss == "main" else weight * norm for norm in values],
            MAIN if loss == "main" else heads[place - 1],
        )
        for place, (loss, values) in enumerate(zip(losses, norms, strict=True))
    ]
    effect = (
        f"changes the gradient of {blocks[0]} by {_signed(change.mean)}" if change else f"alone reaches {blocks[0]}"
    )
    title = f"λ = {weight:g} {effect}"
    alt = "Gradient norm per block: " + "; ".join(
        f"{block} " + ", ".join(f"{one.name} {one.values[place]:.3g}" for one in series)
        for place, block in enumerate(blocks)
    )
    return svg.columns(title, alt, blocks, series, "gradient norm (L2)", stacked=True, marks=totals, width=width)


def effect_text(before: Sequence[float], after: Sequence[float], block: str, weight: float) -> str:
    """Return the effect of the heads on the gradient of a block over the seeds, in one sentence."""
    found = relative_change(before, after)
    if found is None:
        return f"The main loss sends no gradient to {block}."
    spread = f"from {_signed(found.minimum)} to {_signed(found.maximum)} over {len(before)} seeds"
    if found.is_negligible:
        return (
            f"With λ = {weight:g} the gradient of {block} changes by {_signed(found.mean)} ({spread}): "
            "too small, or too different between seeds, for a conclusion."
        )
    return f"With λ = {weight:g} the gradient of {block} changes by **{_signed(found.mean)}** ({spread})."


def _signed(share: float) -> str:
    return f"{'+' if share >= 0 else '−'}{abs(100 * share):.0f} %"
