"""The data flow through one Inception module, step by step: an animated SVG, and stills of the same drawing.

The output of a layer is drawn as stacked sheets, whose number is in proportion to its channels. All that moves is a
:class:`Sprite`: its places over time, from which both the animation and the stills are made. The animation is SMIL
(https://www.w3.org/TR/SVG11/animate.html). Times are seconds, lengths pixels.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from explorer.summary import LayerRow, NetworkSummary
from explorer.unit_graph import graph_of
from explorer.views import formatting as fmt
from explorer.views import palette, svg
from explorer.views.labels import BRANCH_NAMES, with_network
from explorer.views.map_images import data_uri

STEP_S, SWEEP_S, MOVE_S = 2.4, 1.2, 1.4  # of a step: its length, of which a kernel sweeps and a volume moves
_FAINT = 0.16  # opacity of a volume that has yet to come
FACE = 60.0  # of a sheet's longer side
SHEETS = 36  # of the concatenation
SHIFT = (2.6, -0.7)  # from a sheet to the one behind it
TOP, BAND, LEFT, SLOT = 92.0, 124.0, 4.0, 218.0
HEIGHT = TOP + 4 * BAND


class Keyframe(NamedTuple):
    """Where a sprite is at a time, and how opaque it is; between two keyframes both change evenly."""

    time: float
    x: float
    y: float
    opacity: float = 1.0


class Sprite(NamedTuple):
    """Something that moves: stacked sheets with a map on the first one, a frame (``sheets`` 0), or a text.

    ``width`` and ``height`` are those of a sheet or a frame; ``text`` is below the first sheet.
    """

    frames: tuple[Keyframe, ...]
    colour: str = palette.PLAIN
    sheets: int = 0
    width: float = 0.0
    height: float = 0.0
    text: tuple[str, ...] = ()
    face: bytes = b""

    def at(self, time: float) -> Keyframe:
        """Return where the sprite is at a time."""
        if time <= self.frames[0].time:
            return self.frames[0]._replace(time=time)
        for first, second in pairwise(self.frames):
            if time <= second.time:
                share = (time - first.time) / (second.time - first.time)
                values = (a + (b - a) * share for a, b in zip(first[1:], second[1:], strict=True))
                return Keyframe(time, *values)
        return self.frames[-1]._replace(time=time)


class Flow(NamedTuple):
    """A scene: its size, its sprites from back to front, and its steps, each with what happens in it.

    ``name`` is the module, ``network`` the name of its network; empty for none.
    """

    name: str
    width: float
    height: float
    sprites: tuple[Sprite, ...]
    steps: tuple[str, ...]
    network: str = ""

    @property
    def duration(self) -> float:
        """The length of the animation."""
        return STEP_S * len(self.steps)

    @property
    def stills(self) -> tuple[float, ...]:
        """The time at the end of each step, when nothing moves."""
        return tuple(STEP_S * (number + 1) - 0.1 for number in range(len(self.steps)))


class _Scene:
    """Lays out the volumes of a module: its input on the left, a row per branch, the concatenation on the right."""

    def __init__(self, summary: NetworkSummary, module: str, faces: Mapping[str, bytes]) -> None:
        self.summary, self.module, self.faces = summary, module, faces
        self.concat = summary.concat(module)
        self.branches = summary.config.module(module).branches
        self.rows = [row for row in summary.rows if row.module == module and row.branch]
        self.source = graph_of(summary.config).source(self.rows[0].path)
        self.sprites: list[Sprite] = []
        self.places: dict[str, tuple[float, float]] = {}

    @cached_property
    def slots(self) -> dict[str, int]:
        """The slot of each layer: 1×1 convolutions and the pool in the first, the others after it."""
        slots: dict[str, int] = {}
        for branch in self.branches:
            slot = 0
            for row in (row for row in self.rows if row.branch == branch):
                is_first = row.kind == "max_pool" or row.kernel == (1, 1)
                slot = max(slot, 0 if is_first else 1)
                slots[row.path] = slot
                slot += 1
        return slots

    @property
    def last_step(self) -> int:
        """The number of the step that concatenates."""
        return max(self.slots.values()) + 2

    @property
    def middle(self) -> float:
        """The height of the input and of the concatenation."""
        return TOP + 1.5 * BAND

    def draw(self) -> Flow:
        """Return the whole scene."""
        shape = (self.rows[0].in_shape[0], *self.concat.out_shape[1:])
        whole = (Keyframe(0, LEFT, self.middle, 0), Keyframe(MOVE_S, LEFT, self.middle))
        self._add_volume(self.source, whole, palette.PLAIN, ("input", fmt.shape(shape)), shape)
        self.places[self.source] = (LEFT, self.middle)
        for row in self.rows:
            self._add_layer(row)
        self._add_concatenation()
        steps = tuple(self._steps(shape))
        self._add_captions(steps)
        width = LEFT + SLOT * self.last_step + FACE + SHEETS * SHIFT[0] + 20
        return Flow(self.module, width, HEIGHT, tuple(self.sprites), steps)

    def _add_volume(
        self, path: str, frames: tuple[Keyframe, ...], colour: str, text: tuple[str, ...], shape: Sequence[int]
    ) -> None:
        channels, height, width = shape
        scale = FACE / max(height, width)
        sheets = self.sheets(channels)
        face = self.faces.get(path, b"")
        self.sprites.append(Sprite(frames, colour, sheets, width * scale, height * scale, text, face))

    def _add_outline(self, place: tuple[float, float], colour: str, shape: Sequence[int]) -> None:
        """Add where a volume will be, so that the whole module is seen from the start."""
        channels, height, width = shape
        scale = FACE / max(height, width)
        frames = (Keyframe(0, *place, _FAINT),)
        self.sprites.append(Sprite(frames, colour, self.sheets(channels), width * scale, height * scale))

    def sheets(self, channels: int) -> int:
        """Return how many sheets stand for channels: in proportion, at least one."""
        return max(1, round(SHEETS * channels / max(self.concat.out_shape[0], self.rows[0].in_shape[0])))

    def _add_layer(self, row: LayerRow) -> None:
        """Add a layer: its kernel sweeps over the input, and its output moves from there to its own place."""
        source = graph_of(self.summary.config).source(row.path)
        start = (self.slots[row.path] + 1) * STEP_S
        branch = row.branch or ""
        place = (LEFT + SLOT * (self.slots[row.path] + 1), TOP + BAND * self.branches.index(branch))
        self._add_kernel(row, self.places[source], start)
        frames = (
            Keyframe(start + STEP_S - 0.4 - MOVE_S, *self.places[source], 0),
            Keyframe(start + STEP_S - 0.4, *place, 1),
        )
        part = row.path.rpartition(".")[2]
        name = BRANCH_NAMES.get(branch, branch)
        name = name if part == "conv" else f"{name} {part}" if part != branch else "3×3 max pool"
        self._add_outline(place, palette.BRANCH[branch], row.out_shape)
        self._add_volume(row.path, frames, palette.BRANCH[branch], (name, fmt.shape(row.out_shape)), row.out_shape)
        self.places[row.path] = place

    def _add_kernel(self, row: LayerRow, place: tuple[float, float], start: float) -> None:
        """Add the frame of a kernel that sweeps over the first sheet of the input, row by row."""
        _, height, width = row.in_shape
        scale = FACE / max(height, width)
        side = max(row.window.kernel[0] * scale, 5.0)
        right, bottom = place[0] + width * scale - side, place[1] + height * scale - side
        downs = [place[1], (place[1] + bottom) / 2, bottom]
        frames = [Keyframe(max(start - 0.01, 0), *place, 0)]
        for number, down in enumerate(downs):
            begin = start + SWEEP_S * number / len(downs)
            frames.append(Keyframe(begin, place[0], down))
            frames.append(Keyframe(begin + SWEEP_S / len(downs) - 0.02, right, down))
        frames.append(Keyframe(start + SWEEP_S, right, bottom, 0))
        self.sprites.append(Sprite(tuple(frames), palette.BRANCH[row.branch or ""], 0, side, side))

    def _add_concatenation(self) -> None:
        """Add the outputs of the branches again: they move behind each other in the order of concatenation."""
        start = self.last_step * STEP_S
        x, behind = LEFT + SLOT * self.last_step, 0
        blocks = graph_of(self.summary.config).channel_blocks(self.concat.path)
        moving = []
        for block in blocks:
            row = self.summary.by_path[block.path]
            place = (x + behind * SHIFT[0], self.middle + behind * SHIFT[1])
            moving.append((row, place))
            behind += self.sheets(row.out_shape[0])
        total = ("concatenation", fmt.shape(self.concat.out_shape))
        for number, (row, place) in reversed(list(enumerate(moving))):
            frames = (Keyframe(start, *self.places[row.path], 0), Keyframe(start + MOVE_S, *place))
            is_first = number == 0  # only its face can be seen
            text = total if is_first else ()
            path = row.path if is_first else ""
            self._add_volume(path, frames, palette.BRANCH[row.branch or ""], text, row.out_shape)

    def _steps(self, shape: Sequence[int]) -> list[str]:
        """Return what happens in each step, in a sentence."""
        found = [f"The input of {self.module}: {fmt.shape(shape)}. Each sheet stands for several channels."]
        for slot in range(self.last_step - 1):
            rows = [row for row in self.rows if self.slots[row.path] == slot]
            groups: dict[str, list[str]] = {}
            for row in rows:
                groups.setdefault(_verb(row), []).append(f"{row.in_shape[0]:,} → {row.out_shape[0]:,}")
            found.append(" ".join(f"{verb}: {', '.join(widths)}." for verb, widths in groups.items()))
        sum_of_widths = " + ".join(
            f"{self.summary.by_path[block.path].out_shape[0]:,}"
            for block in graph_of(self.summary.config).channel_blocks(self.concat.path)
        )
        return [*found, f"Concatenation: {sum_of_widths} = {self.concat.out_shape[0]:,} channels."]

    def _add_captions(self, steps: Sequence[str]) -> None:
        """Add the sentence of each step above the drawing."""
        for number, text in enumerate(steps):
            start, end = number * STEP_S, (number + 1) * STEP_S
            frames = [Keyframe(start, LEFT, 48, 1), Keyframe(end - 0.02, LEFT, 48, 1), Keyframe(end, LEFT, 48, 0)]
            if number:
                frames.insert(0, Keyframe(start - 0.02, LEFT, 48, 0))
            shown = frames[:-1] if number == len(steps) - 1 else frames
            self.sprites.append(Sprite(tuple(shown), text=(f"{number + 1}. {text}",)))


def _verb(row: LayerRow) -> str:
    if row.kind == "max_pool":
        return "The 3×3 max pool keeps the channels"
    if row.kernel == (1, 1):
        return "1×1 convolutions mix the channels of each position"
    return f"{fmt.size(row.window.kernel)} kernels look at a window"


def module_flow(
    summary: NetworkSummary, module: str, faces: Mapping[str, bytes] | None = None, network: str = ""
) -> Flow:
    """Return the flow through a module. ``faces`` are PNGs for the first sheets, by the path of the layer."""
    return _Scene(summary, module, faces or {}).draw()._replace(network=network)


# ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def animated_svg(flow: Flow) -> str:
    """Return the flow as an SVG that moves by itself, in the colours of the page."""
    return _document(flow, [_animated(sprite, flow.duration) for sprite in flow.sprites])


def still_svg(flow: Flow, time: float) -> str:
    """Return the flow at one time."""
    body = []
    for sprite in flow.sprites:
        _, x, y, opacity = sprite.at(time)
        if opacity:
            faint = f' opacity="{opacity:.2f}"' if opacity < 1 else ""
            body.append(f'<g transform="translate({x:.1f} {y:.1f})"{faint}>{_drawing(sprite)}</g>')
    return _document(flow, body)


def _document(flow: Flow, body: Sequence[str]) -> str:
    alt = f"The flow through {flow.name}: {' '.join(flow.steps)}"
    return svg.chart(flow.width, flow.height, with_network(f"Flow through {flow.name}", flow.network), alt, body)


def _animated(sprite: Sprite, duration: float) -> str:
    """Return a sprite with its movement; all sprites have the same duration, so that they stay together."""
    frames = [sprite.at(0.0), *(frame for frame in sprite.frames if 0 < frame.time < duration), sprite.at(duration)]
    times = ";".join(f"{frame.time / duration:.4f}" for frame in frames)
    common = f'keyTimes="{times}" dur="{duration:g}s" repeatCount="indefinite"'
    opacities = ";".join(f"{frame.opacity:g}" for frame in frames)
    parts = [_drawing(sprite)]
    if len({frame[1:3] for frame in frames}) > 1:
        places = ";".join(f"{frame.x:.1f} {frame.y:.1f}" for frame in frames)
        parts.append(f'<animateTransform attributeName="transform" type="translate" values="{places}" {common}/>')
    if len({frame.opacity for frame in frames}) > 1:
        parts.append(f'<animate attributeName="opacity" values="{opacities}" {common}/>')
    first = frames[0]
    return f'<g transform="translate({first.x:.1f} {first.y:.1f})" opacity="{first.opacity:g}">{"".join(parts)}</g>'


def sheet_edge(sprite: Sprite) -> str:
    """Return the colour of the line between two sheets."""
    return palette.mix(sprite.colour, "#ffffff", 0.7)


def _drawing(sprite: Sprite) -> str:
    """Return a sprite at the origin: its sheets from back to front, or a frame, and its text."""
    size = f'width="{sprite.width:.1f}" height="{sprite.height:.1f}"'
    if sprite.width and not sprite.sheets:
        return f'<rect {size} fill="none" stroke="{sprite.colour}" stroke-width="3"/>'
    parts = []
    edge = sheet_edge(sprite)
    for sheet in reversed(range(sprite.sheets)):
        place = f'x="{sheet * SHIFT[0]:.1f}" y="{sheet * SHIFT[1]:.1f}"'
        parts.append(f'<rect {place} {size} fill="{sprite.colour}" stroke="{edge}" stroke-width="0.6"/>')
    if sprite.face:
        style = 'preserveAspectRatio="none" style="image-rendering:pixelated"'
        parts.append(f'<image {size} href="{data_uri(sprite.face)}" {style}/>')
    if not sprite.width:
        return svg.text(0, 0, sprite.text[0])
    for line, text in enumerate(sprite.text):
        parts.append(svg.text(0, sprite.height + 16 + 15 * line, text, size=12, weight=600 if not line else 400))
    return "".join(parts)
