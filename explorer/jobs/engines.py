"""Engines: the libraries and precisions that can run a network at inference, and requests about them. Free of torch.

Only PyTorch is needed. The others are optional (``requirements-engines.txt``): where one is not installed, nothing
breaks, and the page says what it would bring.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import MappingProxyType
from typing import Literal, NamedTuple

from explorer.config import Frozen
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.jobs.job import JobRequest

Precision = Literal["float32", "bfloat16", "int8"]
Obstacle = Literal["", "package", "processor", "compiler", "cpu_only", "calibration", "failed"]
AUTO = "auto"  # the first of FASTEST_EXACT that can be used
REFERENCE = "default"  # the engine with which the outputs of all others are compared
LIBRARIES = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}


class Engine(NamedTuple):
    """A library, in the name of its package, with its precision and its memory format or compiler."""

    library: str
    precision: Precision = "float32"
    variant: Literal["", "default", "channels_last", "compiled"] = ""

    @property
    def title(self) -> str:
        """The engine in words."""
        return ", ".join(filter(None, (LIBRARIES[self.library], _VARIANTS.get(self.variant, ""), self.precision)))

    @property
    def is_exact(self) -> bool:
        """Whether it computes in float32, so that its outputs equal PyTorch's to rounding."""
        return self.precision == "float32"


_VARIANTS = {"default": "default memory format", "channels_last": "channels-last", "compiled": "torch.compile"}
ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        REFERENCE: Engine("torch", variant="default"),
        "channels_last": Engine("torch", variant="channels_last"),
        "channels_last_bfloat16": Engine("torch", "bfloat16", "channels_last"),
        "compiled": Engine("torch", variant="compiled"),
        "onnxruntime": Engine("onnxruntime"),
        "onnxruntime_int8": Engine("onnxruntime", "int8"),
        "openvino": Engine("openvino"),
        "openvino_bfloat16": Engine("openvino", "bfloat16"),
        "openvino_int8": Engine("openvino", "int8"),
    }
)
FASTEST_EXACT = ("openvino", "onnxruntime", "channels_last")  # measured: python -m benchmarks engines


@cache
def installed_version(library: str) -> str:
    """Return the version of a library; empty if it is not installed."""
    try:
        return version(library) if find_spec(library) else ""
    except PackageNotFoundError:
        return ""


def resolve_engine(choice: str, *, on_cpu: bool = True) -> str:
    """Return the engine that answers: the chosen one, or for ``auto`` the fastest exact one that is installed.

    An engine that is unknown or not installed gives way to PyTorch; on an accelerator only PyTorch runs.
    """
    candidates = FASTEST_EXACT if choice == AUTO else (choice,)
    usable = (name for name in candidates if name in ENGINES and installed_version(ENGINES[name].library))
    chosen = next(usable, "channels_last")
    return chosen if on_cpu or ENGINES[chosen].library == "torch" else "channels_last"


class EngineTiming(Frozen):
    """What was measured of one engine; if it cannot run here, ``obstacle`` says why and the numbers are missing.

    ``ms`` are the milliseconds of each round for the whole batch, ``build_s`` the seconds until the first output,
    ``memory_mb`` by how much the process grew meanwhile, in MB. ``deviation`` is the largest difference of a logit from
    the reference, PyTorch in its default memory format, as a fraction of the largest logit. ``correct`` counts the test
    images classified correctly; ``gained`` are those among them that the reference misclassifies, ``lost`` those that
    only the reference classifies correctly. ``detail`` is an error in the library's words.
    """

    engine: str
    obstacle: Obstacle = ""
    detail: str = ""
    ms: tuple[float, ...] = ()
    build_s: float | None = None
    memory_mb: float | None = None
    deviation: float | None = None
    correct: int | None = None
    gained: int | None = None
    lost: int | None = None


class EngineTimings(Frozen):
    """All engines, measured in turn in one run, ``batch`` images at once; ``test_images`` is 0 without a dataset."""

    engines: tuple[EngineTiming, ...]
    batch: int
    test_images: int
    device: str
    note: str = ""


class EngineTimingRequest(JobRequest[EngineTimings]):
    """Measure every engine that is installed, on the same images.

    If the dataset on which the weights were trained is still in the data directory ``folder``, its images are used.
    """

    function = "explorer.live.engine_timing:time_engines"
    slow = True
    longest_step_s = 300  # torch.compile takes a minute on an idle core
    kind: Literal["engine_timing"] = "engine_timing"
    network: Network
    preprocessing: Preprocessing = Preprocessing()
    batch: int = 1
    device: str = AUTO
    folder: str = ""
