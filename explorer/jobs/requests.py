"""Requests to a worker process and their results: the live check and the measurements. Free of torch.

:mod:`explorer.jobs.inspection` has those of the page *Look inside*, :mod:`explorer.jobs.protocol` all of them together.
"""

from statistics import median
from typing import Literal, NamedTuple

from explorer.config import Frozen, GoogLeNetConfig
from explorer.jobs.job import JobRequest
from explorer.reduction import ReductionCase

MAX_DISAGREEMENTS = 20
LOSS_WEIGHTS = (0.0, 0.3, 1.0)  # of the auxiliary heads: none, the paper's, as much as the main loss

Value = int | str | tuple[int, ...] | None


class Disagreement(NamedTuple):
    """One number that differs between the closed form and the live network.

    ``path`` is the layer's, ``field`` one of ``LiveRow``'s fields. With the field ``row`` one side lacks the whole
    layer: its value is None. Three paths are not layers: ``torchinfo`` (field ``parameters``), ``FlopCounterMode``
    (``flops`` = 2 × MACs) and ``logits`` (``out_shape``).
    """

    path: str
    field: str
    closed_form: Value
    live: Value


class CheckReport(Frozen):
    """What one check found. Times are milliseconds of wall clock on ``device``, for one image.

    ``rows`` counts the layers compared; 0 means that no check took place, and ``note`` says why. ``disagreements``
    holds the first of ``differing``. ``ran`` is False when only shapes were checked (on the meta device), and then
    there are no times. ``torchinfo_parameters`` includes the auxiliary heads. ``note`` is a sentence for the reader,
    or empty.
    """

    rows: int = 0
    differing: int = 0
    disagreements: tuple[Disagreement, ...] = ()
    torchinfo_parameters: int | None = None
    ran: bool = False
    build_ms: float | None = None
    forward_ms: float | None = None
    output_shape: tuple[int, ...] = ()
    device: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Closed form = live network in every row, and = torchinfo and FlopCounterMode in the totals."""
        return self.rows > 0 and self.differing == 0

    @property
    def failed(self) -> bool:
        """No check took place: neither agreement nor disagreement is known."""
        return self.rows == 0


class CheckRequest(JobRequest[CheckReport]):
    """Compare the live network with the closed form."""

    function = "explorer.live.check:check"
    kind: Literal["check"] = "check"
    config: GoogLeNetConfig
    device: str


class TorchinfoRequest(JobRequest[str]):
    """Print torchinfo's summary of the network."""

    function = "explorer.live.check:torchinfo_text"
    kind: Literal["torchinfo"] = "torchinfo"
    config: GoogLeNetConfig


class ReductionTiming(Frozen):
    """Milliseconds of each round for one image of the case, float32; both versions alternate in one run."""

    case: ReductionCase
    direct_ms: tuple[float, ...]
    reduced_ms: tuple[float, ...]
    seed: int
    device: str
    note: str = ""


class ReductionTimingRequest(JobRequest[ReductionTiming]):
    """Time a convolution, and a 1×1 convolution followed by the same one; ``seed`` draws the weights and the image."""

    function = "explorer.live.reduction_timing:time_reduction"
    slow = True
    kind: Literal["reduction_timing"] = "reduction_timing"
    case: ReductionCase
    device: str
    seed: int


class GradientRun(Frozen):
    """One batch through one untrained network, and a separate backward pass for each loss.

    ``losses`` are ``main`` and the tapped modules; ``values`` their values in nats, unweighted. ``norms`` holds, per
    loss, the L2 norm of its gradient over all parameters of each of ``blocks``. ``total_norms`` holds the same for
    main + λ · (all heads), per λ of :data:`LOSS_WEIGHTS`.
    """

    normalisation: str
    seed: int
    blocks: tuple[str, ...]
    losses: tuple[str, ...]
    values: tuple[float, ...]
    norms: tuple[tuple[float, ...], ...]
    total_norms: tuple[tuple[float, ...], ...]


class GradientReport(Frozen):
    """The runs of several seeds, as the network is and with BatchNorm switched, with ``batch`` random images each."""

    runs: tuple[GradientRun, ...]
    batch: int
    device: str
    note: str = ""


class GradientRequest(JobRequest[GradientReport]):
    """Measure the gradient that each loss sends to each block: one batch per seed, with and without BatchNorm."""

    function = "explorer.live.gradients:gradients"
    slow = True
    kind: Literal["gradients"] = "gradients"
    config: GoogLeNetConfig
    device: str
    seed: int


class VariantTiming(Frozen):
    """Milliseconds of each round per network, one image each, float32; all networks alternate in one run."""

    configs: tuple[GoogLeNetConfig, ...]
    ms: tuple[tuple[float, ...], ...]
    device: str
    note: str = ""


class VariantTimingRequest(JobRequest[VariantTiming]):
    """Time several whole networks with one image; ``seed`` draws the weights and the image."""

    function = "explorer.live.variant_timing:time_variants"
    slow = True
    kind: Literal["variant_timing"] = "variant_timing"
    configs: tuple[GoogLeNetConfig, ...]
    device: str
    seed: int


class LayerTiming(Frozen):
    """Milliseconds of each round at inference, float32, for ``batch`` images together.

    ``layers_ms`` belong to ``paths``, the rows of the closed form in the order they run. ``whole_ms`` are those of a
    pass in the same rounds, without auxiliary heads and without hooks on the layers.
    """

    config: GoogLeNetConfig
    batch: int
    paths: tuple[str, ...]
    layers_ms: tuple[tuple[float, ...], ...]
    whole_ms: tuple[float, ...]
    device: str
    note: str = ""

    @property
    def seconds(self) -> dict[str, float]:
        """The median of each layer's rounds, in seconds, by path."""
        return {path: median(rounds) / 1e3 for path, rounds in zip(self.paths, self.layers_ms, strict=True)}


class LayerTimingRequest(JobRequest[LayerTiming]):
    """Time each layer with ``batch`` images at once; ``seed`` draws the weights and the images."""

    function = "explorer.live.layer_timing:time_layers"
    slow = True
    kind: Literal["layer_timing"] = "layer_timing"
    config: GoogLeNetConfig
    device: str
    batch: int = 1
    seed: int = 0
