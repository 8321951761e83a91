"""What travels between the server and its checking process, as JSON. Free of torch: the server imports it too.

A new kind of request is a request model, a result model, a row in :data:`KINDS`, and a function somewhere in ``live/``.
"""

from collections.abc import Callable
from statistics import median
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from explorer.config import Frozen, GoogLeNetConfig
from explorer.jobs import inspection
from explorer.lessons.reduction import ReductionCase

MAX_DISAGREEMENTS = 20
LOSS_WEIGHTS = (0.0, 0.3, 1.0)  # of the auxiliary heads: none, the paper's, as much as the main loss

Value = int | str | tuple[int, ...] | None


class Disagreement(NamedTuple):
    """One number that the closed form and the live network do not share.

    ``path`` is the layer's, ``field`` one of ``LiveRow``'s fields. With the field ``row`` one side lacks the whole
    layer: its value is None. Three paths are no layers: ``torchinfo`` (field ``parameters``), ``FlopCounterMode``
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
        """No check took place: nothing is known, neither agreement nor disagreement."""
        return self.rows == 0


class CheckRequest(Frozen):
    """The question whether the live network agrees with the closed form."""

    kind: Literal["check"] = "check"
    config: GoogLeNetConfig
    device: str


class TorchinfoRequest(Frozen):
    """The question what torchinfo says of the network."""

    kind: Literal["torchinfo"] = "torchinfo"
    config: GoogLeNetConfig


class ReductionTimingRequest(Frozen):
    """The question how long a convolution takes, and a 1×1 with the same behind it; weights and image by ``seed``."""

    kind: Literal["reduction_timing"] = "reduction_timing"
    case: ReductionCase
    device: str
    seed: int


class ReductionTiming(Frozen):
    """Milliseconds of every round, both versions in turn in one run, for one image of the case, float32."""

    case: ReductionCase
    direct_ms: tuple[float, ...]
    reduced_ms: tuple[float, ...]
    seed: int
    device: str
    note: str = ""


class GradientRequest(Frozen):
    """The question how much gradient each loss sends to each block: one batch per seed, with and without BatchNorm."""

    kind: Literal["gradients"] = "gradients"
    config: GoogLeNetConfig
    device: str
    seed: int


class GradientRun(Frozen):
    """One batch through one untrained network, and a backward pass of its own for each loss.

    ``losses`` are ``main`` and the tapped modules; ``values`` their values in nats, unweighted. ``norms`` holds, per
    loss, the length (L2 norm) of its gradient over all parameters of each of ``blocks``. ``together`` holds the same
    for main + λ · (all heads), per λ of :data:`LOSS_WEIGHTS`.
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


class VariantTimingRequest(Frozen):
    """The question how long several whole networks take for one image; weights and images by ``seed``."""

    kind: Literal["variant_timing"] = "variant_timing"
    configs: tuple[GoogLeNetConfig, ...]
    device: str
    seed: int


class VariantTiming(Frozen):
    """Milliseconds of every lap per network, all networks in turn in one run, one image each, float32."""

    configs: tuple[GoogLeNetConfig, ...]
    ms: tuple[tuple[float, ...], ...]
    device: str
    note: str = ""


class LayerTimingRequest(Frozen):
    """The question how long each layer takes for ``batch`` images at once; weights and images by ``seed``."""

    kind: Literal["layer_timing"] = "layer_timing"
    config: GoogLeNetConfig
    device: str
    batch: int = 1
    seed: int = 0


class LayerTiming(Frozen):
    """Milliseconds of every round at inference, float32, for ``batch`` images together.

    ``layers_ms`` belong to ``paths``, the rows of the closed form in the order they run. ``whole_ms`` are those of a
    pass in the same rounds, without auxiliary heads and with no layer watched.
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
        return {path: median(taken) / 1e3 for path, taken in zip(self.paths, self.layers_ms, strict=True)}


class Failure(Frozen):
    """There is no result; ``reason`` is a sentence for the reader."""

    reason: str


Request = (
    CheckRequest
    | TorchinfoRequest
    | ReductionTimingRequest
    | GradientRequest
    | VariantTimingRequest
    | LayerTimingRequest
    | inspection.PredictionRequest
    | inspection.ActivityRequest
    | inspection.MapsRequest
    | inspection.MapRequest
    | inspection.FiltersRequest
    | inspection.AblationRequest
    | inspection.AttributionRequest
    | inspection.MaximizationRequest
    | inspection.ImportRequest
    | inspection.DownloadRequest
)
Result = (
    CheckReport
    | str
    | ReductionTiming
    | GradientReport
    | VariantTiming
    | LayerTiming
    | inspection.Predictions
    | inspection.Activity
    | inspection.Maps
    | inspection.FeatureMap
    | inspection.Filters
    | inspection.Ablation
    | inspection.Attribution
    | inspection.Maximization
    | inspection.ImportedWeights
    | Failure
)


class Kind(NamedTuple):
    """One kind of request, as the server and the child see it.

    ``work`` is the function, as ``module:name``, that the child calls with the request's fields by name. It returns
    the result, or yields :class:`Progress` and at last the result. ``failed`` makes a result of the reason why there
    is none. What is ``slow`` takes seconds, and waits until nothing else does.
    """

    request: type[Frozen]
    result: type[Frozen] | type[str]
    work: str
    failed: Callable[[str], Result]
    slow: bool = False


def _looking(request: type[Frozen], result: type[Frozen], work: str, *, slow: bool = False) -> Kind:
    return Kind(request, result, f"explorer.{work}", lambda reason: Failure(reason=reason), slow)


KINDS: dict[str, Kind] = {
    "check": Kind(
        CheckRequest,
        CheckReport,
        "explorer.live.check:check",
        lambda reason: CheckReport(note=f"The live network could not be checked. {reason}"),
    ),
    "torchinfo": Kind(
        TorchinfoRequest,
        str,
        "explorer.live.check:torchinfo_text",
        lambda reason: f"torchinfo's summary could not be made. {reason}",
    ),
    "reduction_timing": Kind(
        ReductionTimingRequest,
        ReductionTiming,
        "explorer.live.reduction_timing:time_reduction",
        lambda reason: Failure(reason=reason),
        slow=True,
    ),
    "gradients": Kind(
        GradientRequest,
        GradientReport,
        "explorer.live.gradients:gradients",
        lambda reason: Failure(reason=reason),
        slow=True,
    ),
    "layer_timing": Kind(
        LayerTimingRequest,
        LayerTiming,
        "explorer.live.layer_timing:time_layers",
        lambda reason: Failure(reason=reason),
        slow=True,
    ),
    "variant_timing": Kind(
        VariantTimingRequest,
        VariantTiming,
        "explorer.live.variant_timing:time_variants",
        lambda reason: Failure(reason=reason),
        slow=True,
    ),
    "prediction": _looking(inspection.PredictionRequest, inspection.Predictions, "live.inference:predict"),
    "activity": _looking(inspection.ActivityRequest, inspection.Activity, "live.feature_maps:activity"),
    "maps": _looking(inspection.MapsRequest, inspection.Maps, "live.feature_maps:maps"),
    "map": _looking(inspection.MapRequest, inspection.FeatureMap, "live.feature_maps:feature_map"),
    "filters": _looking(inspection.FiltersRequest, inspection.Filters, "live.feature_maps:filters"),
    "ablation": _looking(inspection.AblationRequest, inspection.Ablation, "live.ablation:ablate", slow=True),
    "attribution": _looking(
        inspection.AttributionRequest, inspection.Attribution, "live.attribution:attribute", slow=True
    ),
    "maximization": _looking(
        inspection.MaximizationRequest, inspection.Maximization, "live.maximization:maximize", slow=True
    ),
    "weights": _looking(inspection.ImportRequest, inspection.ImportedWeights, "jobs.weights:import_weights", slow=True),
    "download": _looking(
        inspection.DownloadRequest, inspection.ImportedWeights, "jobs.weights:download_weights", slow=True
    ),
}


class Progress(Frozen):
    """How far a request has come: ``done`` of ``total`` steps, and in a few words what is being done."""

    done: int
    total: int
    doing: str = ""


class Answer(Frozen):
    """The process's answer: a result, or, without one, the ``error`` in a sentence.

    ``retire``: the process has grown too large; it should be ended, and the next request start a new one.
    """

    result: Result | None = None
    error: str = ""
    retire: bool = False


REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
LINE: TypeAdapter[Progress | Answer] = TypeAdapter(Progress | Answer)  # one line of the process's output
