"""Pictures of the lesson on the auxiliary heads: what they cost, and the gradients that each loss sends."""

from collections.abc import Sequence

from explorer.lessons.auxiliary import HeadCosts, HeadStep, PoolFate
from explorer.lessons.spread import change
from explorer.views import formatting as fmt
from explorer.views import palette, svg
from explorer.views.labels import AUX_POOLS

MAIN = palette.BRANCH["1x1"]


def head_colours(count: int) -> tuple[str, ...]:
    """Return one colour per head, from the heads' own colour towards the light, so that neighbours differ."""
    return tuple(palette.mix(palette.AUX, "#ffd9a8", place / max(count, 2)) for place in range(count))


def steps_table(steps: Sequence[HeadStep]) -> str:
    """Return the way through a head as a Markdown table."""
    lines = [
        "| step | out | parameters | MACs |",
        "|:--|:--|--:|--:|",
        f"| *tapped* | {fmt.shape(steps[0].in_shape)} | | |",
    ]
    for step in steps:
        numbers = (fmt.exact(n) if n else "" for n in (step.parameters, step.macs))
        lines.append(f"| {step.what} | {fmt.shape(step.out_shape)} | {' | '.join(numbers)} |")
    total = (fmt.exact(sum(getattr(step, field) for step in steps)) for field in ("parameters", "macs"))
    return "\n".join([*lines, f"| **together** | | {' | '.join(f'**{n}**' for n in total)} |"])


def ledger_bars(book: HeadCosts) -> str:
    """Return two bars of 100 %: whose the parameters in training are, and whose the MACs of a forward pass."""
    colours = (MAIN, *head_colours(len(book.heads)))
    names = ("network", *(f"head on {tap}" for tap, _, _ in book.heads))
    rows = (
        ("parameters", book.parameter_share, (book.main_parameters, *(n for _, n, _ in book.heads))),
        ("MACs", book.mac_share, (book.main_macs, *(n for _, _, n in book.heads))),
    )
    body, spoken = [svg.legend(list(zip(names, colours, strict=True)), 0, 42)], []
    for place, (what, share, parts) in enumerate(rows):
        y, x, whole = 58 + place * 66, 0.0, sum(parts)
        body.append(svg.text(0, y + 14, f"{what} while training: {fmt.exact(whole)}", weight=600))
        body.append(svg.text(700, y + 14, f"{fmt.percent(share, 1)} in the heads", anchor="end"))
        for name, colour, part in zip(names, colours, parts, strict=True):
            width = 700 * part / whole
            body.append(svg.rect(x, y + 22, width, 26, colour, hint=f"{name}: {fmt.exact(part)} {what}"))
            x += width
        spoken.append(f"{what}: {fmt.percent(share, 1)} of {fmt.exact(whole)} in the heads")
    title = f"{fmt.percent(book.parameter_share, 1)} of the parameters, {fmt.percent(book.mac_share, 1)} of the work"
    return svg.picture(700, 184, title, "; ".join(spoken), body)


def fates_table(fates: Sequence[PoolFate], side_now: int) -> str:
    """Return, per input side and pooling rule, the size after the heads' pool and the heads' parameters."""
    pools = list(dict.fromkeys(fate.pool for fate in fates))
    lines = ["| input | " + " | ".join(AUX_POOLS[pool] for pool in pools) + " |", "|:--|" + ":--|" * len(pools)]
    for side in dict.fromkeys(fate.side for fate in fates):
        cells = [_fate(fate) for fate in fates if fate.side == side]
        name = f"**{side}×{side}**" if side == side_now else f"{side}×{side}"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _fate(fate: PoolFate) -> str:
    if fate.problem:
        return "does not fit"
    sizes = ", ".join(dict.fromkeys(fmt.size(size) for size in fate.sizes))
    return f"{sizes} · {fmt.short(fate.parameters)} parameters"


def gradient_columns(
    blocks: Sequence[str],
    losses: Sequence[str],
    norms: Sequence[Sequence[float]],
    together: Sequence[float],
    weight: float,
) -> str:
    """Return stacked bars per block: the length of each loss's gradient, the heads' times ``weight``.

    The line across each bar is the length of all of them added as arrows: shorter, where they point different ways.
    """
    heads = head_colours(len(losses) - 1)
    series = [
        svg.Series(
            "main loss" if loss == "main" else f"{weight:g} · head on {loss}",
            [norm if loss == "main" else weight * norm for norm in values],
            MAIN if loss == "main" else heads[place - 1],
        )
        for place, (loss, values) in enumerate(zip(losses, norms, strict=True))
    ]
    first = blocks[0]
    times = fmt.ratio(together[0] / norms[0][0]) if norms[0][0] else "more than 0"
    title = f"The {first} gets {times} times the gradient of the main loss alone"
    alt = "Length of the gradient per block: " + "; ".join(
        f"{block} " + ", ".join(f"{one.name} {one.values[place]:.3g}" for one in series)
        for place, block in enumerate(blocks)
    )
    return svg.columns(title, alt, blocks, series, "length of the gradient (L2)", stacked=True, marks=together)


def effect(before: Sequence[float], after: Sequence[float], block: str, weight: float) -> str:
    """Say in a sentence what the heads do to the gradient of a block, over the seeds; plainly when it is little."""
    found = change(before, after)
    if found is None:
        return f"The main loss sends no gradient to {block}."
    spread = f"from {_signed(found.least)} to {_signed(found.most)} over {len(before)} seeds"
    if found.small:
        return (
            f"With λ = {weight:g} the gradient of {block} changes by {_signed(found.mean)} ({spread}): "
            "too little, or too different from seed to seed, to build on."
        )
    return f"With λ = {weight:g} the gradient of {block} changes by **{_signed(found.mean)}** ({spread})."


def _signed(share: float) -> str:
    return f"{'+' if share >= 0 else '−'}{abs(100 * share):.0f} %"
