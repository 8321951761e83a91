"""Some feature maps of a module and what they are made of, from one recording; the network does not run again.

The last layer of each branch shows its maps with the highest mean response. Every layer before it, and the input,
shows those that the shown maps read most: at the largest value of each map, a channel counts with its fraction of the
sum of all absolute contributions.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.jobs.inspection import TILE, Scale
from explorer.jobs.units import ModuleMaps, Source, SourcedMap
from explorer.live.recording import Recording, record
from explorer.live.tensor_images import average_down, heat_map
from explorer.live.units import branch_paths, compute, largest_index, terms_of
from explorer.units import Unit

LAYER_MAPS, INPUT_MAPS = 4, 16  # of a layer, and of the module's input


class _Value(NamedTuple):
    """The largest value of a map, and the contributions to it by channel, the largest absolute value first."""

    unit: Unit
    value: float
    contributions: dict[int, float]


def module_maps(
    network: Network,
    images: Sequence[str],
    preprocessing: Preprocessing,
    scales: Sequence[Scale] = (),
    device: str = "auto",
    *,
    block: str,
) -> ModuleMaps:
    """Return feature maps of each layer of a module and of its input, with the contributions of one to another.

    Raises InputError or UnbuildableError with the reason.
    """
    recording = record(network, images[0], preprocessing, scales, device)
    paths = branch_paths(recording, block)
    source = recording.graph.source(paths[0])
    values = _choose(recording, paths)
    order = [source, *paths]
    shown = {path: [value.unit.channel for value in values[path]] for path in order}
    return ModuleMaps(
        block=block,
        layers={path: tuple(_sourced(recording, value, shown) for value in values[path]) for path in order},
    )


def _choose(recording: Recording, paths: Sequence[str]) -> dict[str, list[_Value]]:
    """Choose the maps of each layer, from the last layers of the branches back to the input."""
    graph = recording.graph
    scores: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    chosen: dict[str, list[_Value]] = {}
    for path in reversed(paths):
        channels = _most(scores[path], LAYER_MAPS) if path in scores else _strongest(recording, path)
        chosen[path] = [_value(recording, path, channel) for channel in channels]
        for value in chosen[path]:
            whole = sum(map(abs, value.contributions.values())) or 1.0
            for channel, contribution in value.contributions.items():
                scores[graph.source(path)][channel] += abs(contribution) / whole
    source = graph.source(paths[0])
    chosen[source] = [_input_value(recording, source, channel) for channel in _most(scores[source], INPUT_MAPS)]
    return chosen


def _most(scores: dict[int, float], count: int) -> list[int]:
    """Return the channels with the highest scores, in their order."""
    return sorted(sorted(scores, key=lambda channel: (-scores[channel], channel))[:count])


def _strongest(recording: Recording, path: str) -> list[int]:
    """Return the channels with the highest mean response, in their order."""
    means = recording.outputs[path].mean((1, 2))
    return sorted(means.argsort(descending=True, stable=True)[:LAYER_MAPS].tolist())


def _largest_unit(recording: Recording, path: str, channel: int) -> Unit:
    _, row, column = largest_index(recording.outputs[path][channel : channel + 1])
    return Unit(path, channel, row, column)


def _value(recording: Recording, path: str, channel: int) -> _Value:
    found = compute(recording, _largest_unit(recording, path, channel))
    contributions = {term.channel: term.contribution for term in terms_of(found)}
    return _Value(
        _largest_unit(recording, path, channel),
        found.rounded.value,
        contributions or {found.place.channel: found.rounded.value},  # a pool has no sum
    )


def _input_value(recording: Recording, path: str, channel: int) -> _Value:
    unit = _largest_unit(recording, path, channel)
    return _Value(unit, recording.outputs[path][channel, unit.row, unit.column].item(), {})


def _sourced(recording: Recording, value: _Value, shown: dict[str, list[int]]) -> SourcedMap:
    """Return a map with the contributions of the shown maps, and the sum of the others."""
    unit = value.unit
    feature_map = recording.outputs[unit.path][unit.channel].float()
    heat = heat_map(average_down(feature_map[None], TILE)[0])
    if not value.contributions:
        return SourcedMap(unit, value.value, heat)
    source = recording.graph.source(unit.path)
    sources = tuple(
        Source(source, channel, contribution)
        for channel, contribution in value.contributions.items()
        if channel in shown[source]
    )
    rest = sum(value.contributions.values()) - sum(one.contribution for one in sources)
    return SourcedMap(unit, value.value, heat, sources, rest, len(value.contributions) - len(sources))
