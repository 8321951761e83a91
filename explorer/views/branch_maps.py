"""Maps of all branches of a network as SVG, a column per module and a row per branch: ablation and sparsity."""

from collections.abc import Sequence
from typing import NamedTuple

from explorer.data.class_names import shorten
from explorer.jobs.inspection import Ablation, Activity
from explorer.views import formatting as fmt
from explorer.views import map_images, palette, svg
from explorer.views.labels import BRANCH_NAMES, with_network


class _Box(NamedTuple):
    """A branch of a module in a map of all branches: its colour (0 to 1), the text in it and its label."""

    module: str
    branch: str
    fraction: float
    text: str
    label: str


def _branch_map(
    boxes: Sequence[_Box], title: str, alt: str, scale: tuple[float, str], width: float, *, choose: bool
) -> str:
    """Return all branches of all modules, a column per module and a row per branch, with the legend below.

    A narrow drawing has a row per module and a column per branch. ``scale`` is the end of the colour scale and its
    unit. With ``choose`` each box is selectable; its id is its module, a colon, and its branch.
    """
    modules = list(dict.fromkeys(box.module for box in boxes))
    branches = [branch for branch in BRANCH_NAMES if any(box.branch == branch for box in boxes)]
    is_narrow = width <= svg.NARROW
    left, top, wide, high = (44, 64, 89, 40) if is_narrow else (110, 64, 84, 40)
    body = []
    for place, module in enumerate(modules):
        x, y = (0, top + place * high + 23) if is_narrow else (left + place * wide + wide / 2 - 2, top - 10)
        body.append(svg.text(x, y, module, anchor="start" if is_narrow else "middle", weight=600))
    for place, branch in enumerate(branches):
        x, y = (left + place * wide, top - 22) if is_narrow else (0, top + place * high + 12)
        body.append(svg.rect(x, y, 12, 12, palette.BRANCH[branch]))
        body.append(svg.text(x + 20, y + 11, BRANCH_NAMES[branch], weight=600))
    for box in boxes:
        places = modules.index(box.module), branches.index(box.branch)
        column, row = reversed(places) if is_narrow else places
        x, y = left + column * wide, top + row * high
        fill = palette.scale(box.fraction)
        body.append(svg.rect(x, y, wide - 4, high - 4, fill, hint=box.label))
        body.append(svg.text(x + wide / 2 - 2, y + 23, box.text, anchor="middle", colour=palette.text_on(fill)))
        if choose:
            body.append(map_images.choice(f"{box.module}:{box.branch}", box.label, x, y, wide - 4, high - 4))
    foot = top + len(modules if is_narrow else branches) * high
    body += map_images.scale_bar(left, foot + 8, 260, 0, *scale)
    room = width if is_narrow else max(left + len(modules) * wide, 620)
    whole = svg.chart(room, foot + 46, title, alt, body)
    return whole.replace('role="img"', 'role="group"', 1) if choose else whole


def ablation_map(
    found: Ablation, scaled: Sequence[tuple[str, str]], name: str, network: str = "", width: float = svg.WIDE
) -> str:
    """Return the probability that the class loses without a branch, module by branch; each box is selectable.

    ``scaled`` are the branches that are scaled now, as (module, branch).
    """
    most = max([-cell.change for cell in found.cells] + [1e-3])
    boxes = []
    for cell in found.cells:
        flips = f", the predicted class changes in {100 * cell.flip_rate:.0f} % of the images" if cell.flip_rate else ""
        mark = ", scaled now" if (cell.module, cell.branch) in scaled else ""
        label = f"{cell.module}, {BRANCH_NAMES[cell.branch]}: {percentage_points(cell.change)} points{flips}{mark}"
        text = percentage_points(cell.change) + (" ⇄" if cell.flip_rate else "")
        boxes.append(_Box(cell.module, cell.branch, -cell.change / most, text, label))
    whole = f"Probability that “{name}” loses without a branch, in percentage points"
    title = with_network(f"Probability that “{shorten(name, 24)}” loses without a branch", network)
    worst = min(found.cells, key=lambda cell: cell.change)
    largest = f"{worst.module}, {BRANCH_NAMES[worst.branch]}, {percentage_points(worst.change)} points"
    alt = f"{with_network(whole, network)}. The largest loss: {largest}."
    return _branch_map(boxes, title, alt, (100 * most, "percentage points lost"), width, choose=True)


def percentage_points(change: float) -> str:
    """Return a change of probability in percentage points with its sign."""
    text = f"{100 * change:+.1f}".replace("-", "−")
    return "±0.0" if text in ("+0.0", "−0.0") else text


def activity_map(found: Activity, network: str = "", width: float = svg.WIDE) -> str:
    """Return how sparse each branch of each module is over the batch, with its dead channels."""
    boxes = [
        _Box(
            branch.module,
            branch.branch,
            branch.sparsity,
            f"{100 * branch.sparsity:.0f} %" + (f" · {branch.dead}†" if branch.dead else ""),
            f"{branch.module}, {BRANCH_NAMES[branch.branch]}: "
            f"mean {fmt.number(branch.mean)}, {branch.dead:,} dead channels",
        )
        for branch in found.branches
    ]
    images = f"{found.image_count} image{'s' * (found.image_count != 1)}"
    title = with_network(f"Sparsity of each branch, over {images}", network)
    dead = sum(branch.dead for branch in found.branches)
    alt = f"{title}. {dead:,} channels are 0 everywhere in all images."
    return _branch_map(boxes, title, alt, (100, "% zeros"), width, choose=False)
