"""Charts of the page *Look inside* as SVG: samples, preprocessing, predictions, maps, heat maps, maximization, times.

Those of ablation and sparsity are in :mod:`explorer.views.branch_maps`. Each has a text alternative. Selectable parts
carry an id (:func:`explorer.views.map_images.choice`).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from explorer.data.class_names import unique_names
from explorer.data.preprocessing import MAX_ASPECT, Preprocessing, StepCode
from explorer.jobs.inspection import ClassScores, Filters, Heat, InputStep, Maximization, Strip
from explorer.views import formatting as fmt
from explorer.views import map_images, palette, svg
from explorer.views.labels import BRANCH_NAMES, with_network

THUMB, THUMB_GAP, IN_A_ROW = 48, 4, 10  # of the gallery; the first two in pixels
STRIP_WIDTH, SIDE = 1100.0, 250.0
_APART = 20  # pixels between two images of a row
_SPACE = 4

EMPTY = map_images.png(np.zeros((1, 1), np.uint8))


def thumbnail(image_png: bytes) -> bytes:
    """Return a small copy of a PNG."""
    return map_images.shrink(image_png, 2 * THUMB)


def gallery(samples: Sequence[tuple[str, bytes]]) -> str:
    """Return thumbnails (name, PNG) in rows; each is selectable by its number."""
    step = THUMB + THUMB_GAP
    columns = min(IN_A_ROW, len(samples))
    rows = -(-len(samples) // columns)
    body = []
    for number, (name, png) in enumerate(samples):
        row, column = divmod(number, columns)
        x, y = 2 + column * step, 2 + row * step
        height, width = map_images.pixels(png).shape[:2]
        wide, high = THUMB * min(1, width / height), THUMB * min(1, height / width)
        body.append(map_images.image(x + (THUMB - wide) / 2, y + (THUMB - high) / 2, wide, high, png))
        body.append(map_images.choice(str(number), f"{number + 1}: {name}", x, y, THUMB, THUMB))
    alt = f"{len(samples)} images to select from"
    return _bare(columns * step + 4, rows * step + 4, alt, body)


def _bare(width: float, height: float, alt: str, body: Sequence[str]) -> str:
    """Return an SVG without a title, whose parts a screen reader can reach."""
    return svg.chart(width, height, "", alt, body).replace('role="img"', 'role="group"', 1)


def preprocessing_steps(steps: Sequence[InputStep], how: Preprocessing, width: float = svg.WIDE) -> str:
    """Return the steps from an image to the network input, from left to right, each with its effect.

    A narrow drawing has three in a row.
    """
    is_narrow = width <= svg.NARROW
    side, gap, size = (107, 26, svg.FONT) if is_narrow else (104, 26, 11)
    columns = 3 if is_narrow else len(steps)
    names, effects = [_STEP_NAMES[step.code] for step in steps], [_effect(step, how) for step in steps]
    texts = [svg.broken(effect, side + gap - 8, size) for effect in effects]
    row_height = side + 33 + (size + 4) * max(3, *map(len, texts))
    body = []
    for number, step in enumerate(steps):
        row, column = divmod(number, columns)
        x, y = column * (side + gap), row * row_height
        high, wide = (side * min(1, length / max(step.size)) for length in step.size)
        body.append(map_images.image(x, y + 4, wide, high, step.png))
        body.append(svg.text(x, y + side + 24, names[number], weight=600))
        for place, line in enumerate(texts[number]):
            body.append(svg.text(x, y + side + 41 + (size + 4) * place, line, size=size, faint=True))
        if number < len(steps) - 1:
            body.append(svg.text(x + side + gap / 2, y + side / 2 + 8, "→", anchor="middle"))
    alt = f"How the image is preprocessed: {'; '.join(map(', '.join, zip(names, effects, strict=True)))}"
    whole = width if is_narrow else len(steps) * (side + gap)
    return svg.chart(whole, row_height * -(-len(steps) // columns), "", alt, body)


_STEP_NAMES: Mapping[StepCode, str] = {
    "image": "image",
    "grey_image": "image",
    "grey": "grey",
    "inverted": "inverted",
    "trimmed": "trimmed",
    "resized": "resized",
    "padded": "padded",
    "cropped": "cropped",
    "normalised": "normalised",
}


def _effect(step: InputStep, how: Preprocessing) -> str:
    """Return what a step of preprocessing does, with its numbers."""
    size = f"{step.size[0]} × {step.size[1]}"
    match step.code:
        case "image":
            return f"{size}, RGB, 0 to 255"
        case "grey_image":
            return f"{size}, grey, 0 to 255"
        case "grey":
            return "0.299 · red + 0.587 · green + 0.114 · blue"
        case "inverted":
            return "255 − value"
        case "trimmed":
            return f"to {MAX_ASPECT} : 1, more than the network input uses"
        case "resized":
            return f"to {size}"
        case "padded" | "cropped":
            return f"{size} around the centre"
        case "normalised":
            low, high = fmt.number(step.low), fmt.number(step.high)
            return f"(value / 255 − {_numbers(how.mean)}) / {_numbers(how.std)}: from {low} to {high}"


def _numbers(values: tuple[float, ...]) -> str:
    shown = ", ".join(map(fmt.number, values))
    return shown if len(values) == 1 and values[0] >= 0 else f"({shown})"


class Bar(NamedTuple):
    """A class and its probability. ``before`` is the one without scaled branches, None where none is scaled."""

    name: str
    probability: float
    before: float | None = None
    is_label: bool = False


def class_bars(bars: Sequence[Bar], title: str, width: float = svg.WIDE) -> str:
    """Return the most probable classes as bars with their probabilities; a line marks the one before scaling."""
    width = min(width, 520)
    left, high = max(110.0, 0.29 * width), 26
    room = width - left - (118 if any(bar.before is not None for bar in bars) else 62)
    names = unique_names((("✓ " if bar.is_label else "") + bar.name for bar in bars), int(left / 7.4))
    body = []
    for place, (bar, name) in enumerate(zip(bars, names, strict=True)):
        y = 34 + place * high
        body.append(svg.text(left - 8, y + 14, name, anchor="end", weight=600 if place == 0 else 400))
        body.append(svg.rect(left, y, room, 18, "currentColor", opacity=0.08))
        body.append(svg.rect(left, y, room * bar.probability, 18, palette.SERIES[0], hint=bar.name))
        text = probability(bar.probability)
        if bar.before is not None:
            body.append(svg.rect(left + room * bar.before - 1.5, y - 3, 3, 24, palette.AUX))
            text += f" ({probability(bar.before)})"
        body.append(svg.text(left + room + 8, y + 14, text))
    alt = f"{title}: " + ", ".join(f"{bar.name} {probability(bar.probability)}" for bar in bars)
    return svg.chart(width, 34 + len(bars) * high + 6, title, alt, body)


def probability(fraction: float) -> str:
    """Return a probability in percent: ``97.3 %``, ``< 0.1 %``."""
    if 0 < fraction < 0.0005:
        return "< 0.1 %"
    if 0.9995 < fraction < 1:
        return "> 99.9 %"
    return f"{100 * fraction:.1f} %"


def confidence_text(scores: ClassScores, classes: int) -> str:
    """Return the highest probability in words and as a number, and the entropy with the most that it can be.

    A probability below 1.5 times that of a uniform guess is very low, however few the classes are.
    """
    most = float(np.log2(classes)) if classes > 1 else 0.0
    highest = scores.probabilities[0]
    levels = _CONFIDENCE if highest >= 1.5 / classes or classes == 1 else ()
    level = next((level for limit, level in levels if highest >= limit), "very low")
    return (
        f"Confidence is {level}: {probability(highest)} for one class (entropy {scores.entropy:.2f} bits; 0 = certain, "
        f"{most:.2f} = uniform guess)."
    )


_CONFIDENCE = ((0.99, "very high"), (0.9, "high"), (0.6, "medium"), (0.3, "low"))  # from these probabilities


def strips(found: Sequence[Strip], *, every: bool = False, width: float = STRIP_WIDTH) -> str:
    """Return the maps of each branch in the order of concatenation, the highest response first; each is selectable.

    The id of a map is its path, a colon, and its channel. Without ``every`` the first two rows of a branch are shown.
    """
    body: list[str] = []
    y = 8.0
    for strip in found:
        tile = 38.0 if max(strip.tile) >= 12 else 30.0
        columns = int((width - 2 * _SPACE) // (tile + _SPACE))
        most = len(strip.channels) if every else min(len(strip.channels), 2 * columns)
        rows = -(-most // columns)
        body += _strip_heading(strip, y, width)
        y += 24 if width > svg.NARROW else 42
        picture = map_images.strip_png(strip, columns, most)
        sprite = map_images.pixels(picture).shape
        scale = (tile + _SPACE) / (strip.tile[1] + map_images.GAP)
        body.append(map_images.image(_SPACE, y, sprite[1] * scale, sprite[0] * scale, picture))
        wide, high = strip.tile[1] * scale, strip.tile[0] * scale
        for place in range(most):
            row, column = divmod(place, columns)
            channel = strip.channels[place]
            label = f"channel {strip.first + channel:,} of the block, mean {fmt.number(strip.responses[place])}"
            left = _SPACE + column * (strip.tile[1] + map_images.GAP) * scale
            top = y + row * (strip.tile[0] + map_images.GAP) * scale
            body.append(map_images.choice(f"{strip.path}:{channel}", label, left, top, wide, high))
        y += rows * (strip.tile[0] + map_images.GAP) * scale + 14
    alt = "Feature maps: " + "; ".join(_strip_text(strip) for strip in found)
    return _bare(width, y, alt, body)


def _strip_heading(strip: Strip, y: float, width: float) -> list[str]:
    """Return the name of a branch and its numbers, in a narrow drawing below the name."""
    name = BRANCH_NAMES.get(strip.branch, strip.branch)
    facts = _strip_text(strip).removeprefix(f"{name}, ")
    x, line = (_SPACE + 34 + 8.2 * len(name), y + 11) if width > svg.NARROW else (_SPACE, y + 29)
    return [
        svg.rect(_SPACE, y, 12, 12, palette.BRANCH.get(strip.branch, palette.PLAIN)),
        svg.text(_SPACE + 20, y + 11, name, weight=600),
        svg.text(x, line, facts, faint=True),
    ]


def _strip_text(strip: Strip) -> str:
    name = BRANCH_NAMES.get(strip.branch, strip.branch)
    dead = f", {strip.dead:,} dead" if strip.dead else ""
    return (
        f"{name}, channels {strip.first:,}–{strip.last:,}, {fmt.size(strip.map_size)} each, "
        f"mean {fmt.number(strip.mean)}, {100 * strip.sparsity:.0f} % zeros{dead}"
    )


class Panel(NamedTuple):
    """One image of a row: its title, and the PNG layers it consists of, each smooth or not."""

    title: str
    layers: Sequence[tuple[bytes, bool]]


def panels(title: str, shown: Sequence[Panel], heat: Heat, texts: tuple[str, str], width: float = svg.WIDE) -> str:
    """Return images of one size side by side, with a title above and the legend of the heat map below.

    ``texts`` are the unit of the legend and the text alternative. A narrow drawing has two images in a row.
    """
    is_narrow, (unit, alt) = width <= svg.NARROW, texts
    columns, side = (2, (width - _APART) / 2) if is_narrow else (len(shown), SIDE)
    size = map_images.pixels(shown[0].layers[0][0]).shape[:2]
    high, wide = (side * min(1, length / max(size)) for length in size)
    body: list[str] = []
    for place, panel in enumerate(shown):
        row, column = divmod(place, columns)
        x, y = column * (side + _APART), 52 + row * (high + 34)
        body.append(svg.text(x, y - 10, panel.title, weight=600))
        body += [map_images.image(x, y, wide, high, png, smooth=smooth) for png, smooth in panel.layers]
    foot = 52 + -(-len(shown) // columns) * (high + 34) - 20
    left, room = (0.0, width) if is_narrow else (side + _APART, side)
    body += map_images.scale_bar(left, foot, room, heat.low, heat.high, unit)
    return svg.chart(columns * (side + _APART) - _APART, foot + 36, title, alt, body)


class HeatTexts(NamedTuple):
    """The texts of a heat map: the title of the chart, the name of the map, its unit, and the text alternative."""

    title: str
    name: str
    unit: str
    alt: str


def heat_panels(
    image_png: bytes, heat: Heat, texts: HeatTexts, width: float = svg.WIDE, *, smooth: bool = False
) -> str:
    """Return the network's input, a heat map, and the map laid over the input."""
    shown = [
        Panel("Network input", [(image_png, False)]),
        Panel(texts.name, [(image_png, False), (map_images.heat_png(heat), smooth)]),
        Panel("Overlay", [(image_png, False), (map_images.overlay_png(heat), smooth)]),
    ]
    return panels(texts.title, shown, heat, (texts.unit, texts.alt), width)


def filters(found: Filters) -> str:
    """Return the first layer's kernels in rows."""
    cut = map_images.tiles(found.png, found.kernel, found.columns, len(found.norms))
    grey = cut.ndim == 3
    cut = np.repeat(cut[..., None], 3, axis=3) if grey else cut
    columns = min(32, len(cut))
    picture = map_images.lay_out(cut, columns)
    height, width = map_images.pixels(picture).shape[:2]
    scale = min(STRIP_WIDTH / width, 34 / found.kernel[1])
    alt = f"The {len(cut)} kernels of the first convolution, {fmt.size(found.kernel)} each"
    body = [map_images.image(0, 4, width * scale, height * scale, picture)]
    return svg.chart(STRIP_WIDTH, height * scale + 8, "", alt, body)


def maximization_chart(found: Maximization, name: str, network: str = "", width: float = svg.WIDE) -> str:
    """Return the image that maximizes a channel, and the channel's response at each step: beside it, or below."""
    size = map_images.pixels(found.png).shape[:2]
    high, wide = (SIDE * min(1, length / max(size)) for length in size)
    top = 30
    body = [map_images.image(0, top, wide, high, found.png)]
    values = found.responses
    low, most = min(0.0, *values), max(1e-6, *values)
    left, room, above = (SIDE + 70, 380.0, 0.0) if width > svg.NARROW else (50.0, width - 60, high + 10)
    foot, span = above + top + SIDE - 30, most - low

    def place(number: int, value: float) -> tuple[float, float]:
        return left + room * number / max(len(values) - 1, 1), foot - (foot - above - 70) * (value - low) / span

    body.append(
        svg.text(left if not above else 0, above + 42, "Mean response before the ReLU, step by step", weight=600)
    )
    body.append(svg.line(left, foot, left + room, foot, opacity=0.4))
    body += [
        svg.text(left - 8, place(0, value)[1] + 4, fmt.number(value), anchor="end", faint=True) for value in (low, most)
    ]
    body.append(svg.path([place(number, value) for number, value in enumerate(values)], palette.SERIES[0]))
    body.append(svg.text(left + room, foot + 20, f"{len(values)} steps", anchor="end", faint=True))
    alt = f"Image that maximizes {name}; the response rose from {values[0]:.3g} to {values[-1]:.3g}."
    title = with_network(f"Activation maximization: {name}", network)
    return svg.chart(left + room + 10, max(top + high + 10, above + top + SIDE), title, alt, body)


def time_bars(
    blocks: Sequence[str],
    macs: Mapping[str, float],
    times: Mapping[str, Mapping[str, float]],
    network: str = "",
    width: float = svg.WIDE,
) -> str:
    """Return each block's share of the MACs beside its share of the time, for one or more batches."""
    total_macs = sum(macs.values()) or 1
    colours = (palette.SERIES[0], palette.SERIES[2])
    series = [svg.Series("MACs", [100 * macs[block] / total_macs for block in blocks], palette.PLAIN)]
    for colour, (name, seconds) in zip(colours, times.items(), strict=False):
        whole = sum(seconds.values()) or 1
        series.append(svg.Series(name, [100 * seconds[block] / whole for block in blocks], colour))
    apart = max(
        blocks, key=lambda block: abs(series[0].values[blocks.index(block)] - series[1].values[blocks.index(block)])
    )
    at = blocks.index(apart)
    title = (
        f"Time is not MACs: {apart} has {series[0].values[at]:.0f} % of the MACs and "
        f"{series[1].values[at]:.0f} % of the time"
    )
    title = with_network(title, network)
    room = max(width, 74 * len(blocks)) if width > svg.NARROW else width
    return svg.columns(title, f"{title}.", list(blocks), series, "% of the whole", width=room)


def attribution_panel(image_png: bytes, heat: Heat, title: str, width: float = svg.WIDE) -> str:
    """Return the network's input, and a heat map laid over it."""
    shown = [
        Panel("Network input", [(image_png, False)]),
        Panel("Overlay", [(image_png, False), (map_images.overlay_png(heat), True)]),
    ]
    return panels(title, shown, heat, ("weighted feature maps", title), width)


def strongest_maps(found: Sequence[Strip], title: str, width: float = svg.WIDE) -> str:
    """Return the maps with the highest response in each branch, a row per branch."""
    body, y, tile = [], 32.0, 36
    columns, room = (10, 520.0) if width > svg.NARROW else (7, width)
    for strip in found:
        count = min(columns, len(strip.channels))
        png = map_images.strip_png(strip, columns, count)
        body.append(svg.rect(0, y + 12, 12, 12, palette.BRANCH.get(strip.branch, palette.PLAIN)))
        body.append(svg.text(20, y + 23, BRANCH_NAMES.get(strip.branch, strip.branch), weight=600))
        wide = map_images.pixels(png).shape[1] * tile / strip.tile[1]
        body.append(map_images.image(90, y, wide, strip.tile[0] * tile / strip.tile[1], png))
        y += strip.tile[0] * tile / strip.tile[1] + 8
    alt = f"{title}: " + "; ".join(_strip_text(strip) for strip in found)
    return svg.chart(room, y, title, alt, body)


def channel_name(path: str, channel: int, first: int = 0) -> str:
    """Return the name of a channel: block, branch, and number in the block, which is ``first`` + ``channel``."""
    block, _, inner = path.removeprefix("inception_").partition(".")
    branch = inner.removeprefix("branch_")
    return f"{block}, {BRANCH_NAMES.get(branch, branch)}, channel {first + channel:,}"
