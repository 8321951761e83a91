"""Requests about single output values of a network, and about what they depend on. Free of torch.

See :mod:`explorer.jobs.inspection` for what all requests about images share.
"""

from typing import Literal, NamedTuple

from explorer.config import Frozen
from explorer.jobs.inspection import Heat, ImageResult, InspectionRequest, Size
from explorer.unit_arithmetic import Softmax, Step
from explorer.units import Place, Unit

MAX_TERMS = 64  # that are sent one by one; the others are added up
MAX_CHANNEL_MAPS = 4  # input channels whose intermediate maps are sent; the others are added up
MAX_MAP_SIDE = 64  # pixels: of a heat map among these, which are drawn small
MAX_CLASSES = 5  # whose terms of a softmax are sent one by one

WindowValues = tuple[tuple[float | None, ...], ...]  # rows; None in the padding


class Term(NamedTuple):
    """What one input channel (or one input after flattening) contributes to a sum.

    ``value`` and ``weight`` are the factors of a single product; None where the channel contributes several.
    """

    channel: int
    contribution: float
    value: float | None = None
    weight: float | None = None


class Window(NamedTuple):
    """What one unit reads of the input channel ``channel``: the values and, of a convolution, the kernel's weights.

    ``top`` and ``left`` are the position of the first value in the input. ``values`` in the padding are None.
    """

    channel: int
    top: int
    left: int
    values: WindowValues
    weights: tuple[tuple[float, ...], ...] = ()


class ChannelMap(NamedTuple):
    """An input channel of a convolution: its map, its kernel, and its intermediate map, the convolution of the two."""

    channel: int
    input_map: Heat
    kernel: tuple[tuple[float, ...], ...]
    intermediate: Heat


class ChannelMaps(NamedTuple):
    """How the intermediate maps of all input channels add up to an output map, before its bias or BatchNorm.

    ``strongest`` are the channels that contribute most at the position of the value; ``others`` is the sum of the
    intermediate maps of the ``other_count`` others, None if there are none. ``input_size`` and ``output_size`` are in
    positions; the heat maps of larger maps are averaged down to ``MAX_MAP_SIDE``.
    """

    strongest: tuple[ChannelMap, ...]
    others: Heat | None
    other_count: int
    total: Heat
    input_size: Size
    output_size: Size


class UnitReport(ImageResult):
    """How one output value is computed.

    ``kind`` is that of the layer, or ``input``. ``terms`` are the contributions with the largest absolute values, the
    largest first; ``rest`` is the sum of the ``rest_count`` others. ``value`` is the network's own, ``bound`` by how
    much the last of ``steps`` may differ from it because the network rounds to float32. ``causes`` are the units on the
    way to a pixel, each the strongest cause of the one before it; ``cause`` is where the first of them is in the
    input. ``output_map`` and ``input_map`` are the channels of this value and of the window (None for vectors).
    ``channel_maps`` belong to a convolution, ``softmax`` to a class.
    """

    unit: Unit
    kind: str
    terms: tuple[Term, ...] = ()
    rest: float = 0.0
    rest_count: int = 0
    window: Window | None = None
    steps: tuple[Step, ...]
    value: float
    bound: float
    causes: tuple[Unit, ...] = ()
    cause: Place | None = None
    output_map: Heat | None = None
    input_map: Heat | None = None
    channel_maps: ChannelMaps | None = None
    softmax: Softmax | None = None
    input_png: bytes

    @property
    def error(self) -> float:
        """How much the value by the shown arithmetic differs from the network's."""
        return abs(self.steps[-1].result - self.value)


class UnitRequest(InspectionRequest[UnitReport]):
    """Show how one output value is computed, for the first image.

    ``channel`` and ``position`` (row, column) are those of the largest value if they are None. ``source`` is the input
    channel whose window is returned; None is the one with the strongest cause.
    """

    function = "explorer.live.units:explain"
    kind: Literal["unit"] = "unit"
    path: str
    channel: int | None = None
    position: tuple[int, int] | None = None
    source: int | None = None


class StrongestMaps(ImageResult):
    """The feature map with the highest mean response in each layer of a module and in its input, by path."""

    maps: dict[str, Heat]


class StrongestMapsRequest(InspectionRequest[StrongestMaps]):
    """Return a feature map of each layer of a module for the first image; ``block`` is the module's name."""

    function = "explorer.live.units:strongest_maps"
    kind: Literal["strongest_maps"] = "strongest_maps"
    block: str


class Source(NamedTuple):
    """What a feature map adds to a value of another one: the path and the channel of the map, and its contribution."""

    path: str
    channel: int
    contribution: float


class SourcedMap(NamedTuple):
    """A feature map with its largest value, and what that value is made of.

    ``unit`` is the value; of the module's input its path may be a concatenation. ``sources`` are the contributions of
    the maps that are shown too, the largest absolute value first; ``rest`` is the sum of the ``rest_count`` other
    channels that the value reads. The value of a pool is that of its only source. The module's input has no sources.
    """

    unit: Unit
    value: float
    heat: Heat
    sources: tuple[Source, ...] = ()
    rest: float = 0.0
    rest_count: int = 0


class ModuleMaps(ImageResult):
    """Some feature maps of a module's input and of each of its layers, by path in order, and how they are connected."""

    block: str
    layers: dict[str, tuple[SourcedMap, ...]]


class ModuleMapsRequest(InspectionRequest[ModuleMaps]):
    """Return connected feature maps of a module for the first image; ``block`` is the module's name."""

    function = "explorer.live.module_maps:module_maps"
    kind: Literal["module_maps"] = "module_maps"
    block: str


class EffectiveField(ImageResult):
    """The effective receptive field of a branch at the centre of its map, beside the one that its kernels allow.

    ``heat`` is the mean absolute gradient at each pixel. ``field`` is left, top and side of the receptive field in
    pixels; ``within`` the fraction of the gradient in it. ``effective_side`` is the side of the smallest square around
    its centre that holds 95 % of the gradient; 0 if all gradients are 0. ``trained`` is False for random weights.
    """

    branch: str
    trained: bool
    heat: Heat
    field: tuple[float, float, float]
    within: float
    effective_side: int


class EffectiveFields(Frozen):
    """The fields of the branches of a module, with the inspected weights, and then with random ones."""

    block: str
    image_count: int
    fields: tuple[EffectiveField, ...]


class EffectiveFieldsRequest(InspectionRequest[EffectiveFields]):
    """Measure the effective receptive field of each branch of a module; ``block`` is its name."""

    function = "explorer.live.effective_field:effective_fields"
    slow = True
    kind: Literal["effective_fields"] = "effective_fields"
    block: str
