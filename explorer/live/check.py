"""The check behind the live badge: closed form = live network in each row, = torchinfo and FlopCounterMode in total."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from math import prod
from statistics import median
from time import perf_counter

import torch
import torchinfo
from torch import Tensor
from torch.utils import flop_counter
from torch.utils.flop_counter import FlopCounterMode

from explorer.analysis import LayerRow, NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.jobs.requests import MAX_DISAGREEMENTS, CheckReport, Disagreement
from explorer.live.devices import Device, resolve_device, size_limit_reason
from explorer.live.model import GoogLeNet, build_model
from explorer.live.trace import LiveRow, trace

_ROW_FIELDS = tuple(field for field in LiveRow._fields if field != "path")

# On first use FlopCounterMode loads torch's whole compiler, which takes a second and 40 MB, only to exclude itself from
# compilation. torch 2.13 does not do so for a method with this mark.
if _dispatch := getattr(flop_counter._FlopCounterMode.__torch_dispatch__, "__wrapped__", None):
    setattr(_dispatch, "__dynamo_disable", _dispatch)


def check(config: GoogLeNetConfig, device: str = "auto") -> CheckReport:
    """Build the network, run one image through it and its heads, and compare the result with ``summarize``.

    A network above the limits of memory or work is checked on the meta device, which works out shapes and computes
    no numbers; the note gives the reason. Raises UnbuildableError for a config with problems, before anything is
    allocated.
    """
    summary = summarize(config)
    too_large = size_limit_reason(live_megabytes(summary), summary.macs(aux=True))
    meta = Device(device, torch.device("meta"), too_large)
    resolved_device = meta if too_large else resolve_device(device)
    started = perf_counter()
    model = build_model(config, resolved_device.torch)
    build_ms = (perf_counter() - started) * 1e3
    image = _image(config, resolved_device.torch)
    with FlopCounterMode(display=False) as counter:
        live = {row.path: row for row in trace(model, image)}
    with _ignore_typed_storage():
        parameters = torchinfo.summary(model, verbose=0).total_params
    logits_shape, forward_ms = _forward(model, image)
    totals = (
        ("torchinfo", "parameters", summary.parameters(), parameters),
        ("FlopCounterMode", "flops", 2 * summary.macs(aux=True), counter.get_total_flops()),
        ("logits", "out_shape", (1, config.classes), logits_shape),
    )
    disagreements = [
        *_row_disagreements(summary.by_path, live),
        *(Disagreement(*total) for total in totals if total[2] != total[3]),
    ]
    ran = not too_large
    return CheckReport(
        rows=len(summary.by_path | live),
        differing=len(disagreements),
        disagreements=tuple(disagreements[:MAX_DISAGREEMENTS]),
        torchinfo_parameters=parameters,
        ran=ran,
        build_ms=build_ms if ran else None,
        forward_ms=forward_ms if ran else None,
        output_shape=logits_shape,
        device="meta (shapes only)" if too_large else resolved_device.description,
        note=resolved_device.note,
    )


def live_megabytes(summary: NetworkSummary) -> int:
    """Estimate the memory of one pass through the network and its heads, in MB (10⁶ bytes), float32.

    The sum of all parameters, all activations, and the largest layer once more as workspace: PyTorch may reorder its
    weights and copy its input and output.
    """
    workspace = max(row.weights + prod(row.in_shape) + row.activations for row in summary.rows)
    return round(4 * (summary.training_totals.parameters + summary.training_totals.activations + workspace) / 1e6)


def _image(config: GoogLeNetConfig, device: torch.device) -> Tensor:
    """Return one random image, 1 × C × H × W, the same each time; on the meta device only its shape."""
    if device.type == "meta":
        return torch.empty(1, *config.input_shape, device=device)
    return torch.randn(1, *config.input_shape, generator=torch.Generator().manual_seed(0)).to(device)


def _forward(model: GoogLeNet, image: Tensor, runs: int = 3, seconds: float = 0.3) -> tuple[tuple[int, ...], float]:
    """Return the logits' shape and the median milliseconds of inference passes without hooks.

    At least one pass runs, then more until there are ``runs`` or they have taken ``seconds``. The network must be
    warm, that is, have run before.
    """
    model.eval()
    times: list[float] = []
    with torch.inference_mode():
        while not times or (len(times) < runs and sum(times) < seconds):
            started = perf_counter()
            logits = model(image)
            if logits.device.type != "meta":
                logits.cpu()  # the copy waits until the device is done
            times.append(perf_counter() - started)
    return tuple(logits.shape), median(times) * 1e3


def _row_disagreements(closed: Mapping[str, LayerRow], live: Mapping[str, LiveRow]) -> Iterator[Disagreement]:
    """Compare the rows of both sides, by path: a missing row, then each field."""
    for path in dict.fromkeys(chain(closed, live)):
        if path not in live:
            yield Disagreement(path, "row", closed[path].kind, None)
        elif path not in closed:
            yield Disagreement(path, "row", None, live[path].kind)
        else:
            for field in _ROW_FIELDS:
                expected, measured = getattr(closed[path], field), getattr(live[path], field)
                if expected != measured:
                    yield Disagreement(path, field, expected, measured)


@contextmanager
def _ignore_typed_storage() -> Iterator[None]:
    """Ignore the warning that torchinfo 1.8 causes: it reads the size of torch's storage by a deprecated name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "TypedStorage is deprecated", UserWarning)
        yield


def torchinfo_text(config: GoogLeNetConfig) -> str:
    """Return torchinfo's own table of the network at inference, below a heading that explains how torchinfo counts.

    Raises UnbuildableError for a config with problems. Networks of any size work: the meta device has shapes only.
    """
    summary = summarize(config)
    with _ignore_typed_storage():
        statistics = torchinfo.summary(
            build_model(config, "meta"),
            input_size=(1, *config.input_shape),
            device="meta",
            mode="eval",
            depth=3,
            col_names=("input_size", "output_size", "num_params", "mult_adds"),
            verbose=0,
        )
    statistics.formatting.macs_units = torchinfo.Units.NONE  # exact numbers instead of "(Units.GIGABYTES): 1.59"
    root = statistics.summary_list[0]
    root.num_params -= root.leftover_params()  # torchinfo adds the heads' parameters to the root row
    root.trainable_params -= root.leftover_trainable_params()
    return "\n".join((*_heading(summary, statistics), "", str(statistics)))


def _heading(summary: NetworkSummary, statistics: torchinfo.ModelStatistics) -> Iterator[str]:
    shape = " × ".join(map(str, summary.config.input_shape))
    heads = summary.parameters() - summary.parameters(aux=False)
    yield f"torchinfo {torchinfo.__version__}, the network at inference (eval mode), one image of {shape}."
    yield (
        f"Its mult-adds are neither MACs nor FLOPs: {statistics.total_mult_adds:,}, where the network has "
        f"{summary.macs():,} MACs, because torchinfo counts each bias at each position and BatchNorm's parameters once."
    )
    if heads:
        yield (
            f"Its total of parameters includes {heads:,} of the auxiliary heads, which do not run at inference and "
            f"have no row. Without them it is {summary.parameters(aux=False):,}."
        )
