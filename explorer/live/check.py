"""The check behind the live badge: closed form = live network row by row, = torchinfo and FlopCounterMode in total."""

import warnings
from collections.abc import Iterator, Mapping
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
from explorer.live.devices import Device, resolve_device
from explorer.live.model import GoogLeNet, build_model
from explorer.live.trace import LiveRow, trace
from explorer.settings import setting

LIVE_MACS = 20_000_000_000  # about a second per image on one core
_COMPARED = tuple(field for field in LiveRow._fields if field != "path")

# At its first use FlopCounterMode loads torch's whole compiler, only to keep itself out of it: a second and 40 MB.
# A method that already carries this mark (as of torch 2.13) is run as it is.
if _dispatch := getattr(flop_counter._FlopCounterMode.__torch_dispatch__, "__wrapped__", None):
    setattr(_dispatch, "__dynamo_disable", _dispatch)


def check(config: GoogLeNetConfig, device: str = "auto") -> CheckReport:
    """Build the network, run one image through it and its heads, and hold what happened against ``summarize``.

    A network above the limits of memory or work is checked on the meta device, where shapes are worked out and no
    number is computed; the note says so. Raises UnbuildableError for a config with problems, before anything is
    allocated.
    """
    summary = summarize(config)
    too_large = _too_large(summary)
    place = Device(device, torch.device("meta"), too_large) if too_large else resolve_device(device)
    started = perf_counter()
    model = build_model(config, place.torch)
    build_ms = (perf_counter() - started) * 1e3
    image = _image(config, place.torch)
    with FlopCounterMode(display=False) as counter:
        live = {row.path: row for row in trace(model, image)}
    parameters = _torchinfo(model).total_params
    logits, forward_ms = _forward(model, image)
    totals = (
        ("torchinfo", "parameters", summary.parameters(), parameters),
        ("FlopCounterMode", "flops", 2 * summary.macs(aux=True), counter.get_total_flops()),
        ("logits", "out_shape", (1, config.classes), logits),
    )
    found = [*_differing_rows(summary.by_path, live), *(Disagreement(*row) for row in totals if row[2] != row[3])]
    ran = not too_large
    return CheckReport(
        rows=len(summary.by_path | live),
        differing=len(found),
        disagreements=tuple(found[:MAX_DISAGREEMENTS]),
        torchinfo_parameters=parameters,
        ran=ran,
        build_ms=build_ms if ran else None,
        forward_ms=forward_ms if ran else None,
        output_shape=logits,
        device="meta (shapes only)" if too_large else place.description,
        note=place.note,
    )


def live_megabytes(summary: NetworkSummary) -> int:
    """Estimate the memory of the live network with its heads at work, in MB (10⁶ bytes), numbers as float32.

    All parameters and all activations, and as workspace the largest layer once more: PyTorch may reorder its weights
    and copy what goes in and out.
    """
    workspace = max(row.weights + prod(row.in_shape) + row.activations for row in summary.rows)
    return round(4 * (summary.whole.parameters + summary.whole.activations + workspace) / 1e6)


def _too_large(summary: NetworkSummary) -> str:
    """Say why the network is not run for real here; empty when it can be."""
    needed, limit = live_megabytes(summary), setting("EXPLORER_LIVE_MB")
    macs = summary.macs(aux=True)
    if needed > limit:
        reason = f"Running it would need about {needed:,} MB; the limit here is {limit:,} MB (EXPLORER_LIVE_MB)."
    elif macs > LIVE_MACS:
        reason = f"One image would take {macs / 1e9:,.1f} · 10⁹ MACs; the limit here is {LIVE_MACS / 1e9:,.0f} · 10⁹."
    else:
        return ""
    return reason


def _image(config: GoogLeNetConfig, device: torch.device) -> Tensor:
    """Return one random image, always the same; without numbers on the meta device."""
    if device.type == "meta":
        return torch.empty(1, *config.input_shape, device=device)
    return torch.randn(1, *config.input_shape, generator=torch.Generator().manual_seed(0)).to(device)


def _forward(model: GoogLeNet, image: Tensor, runs: int = 3, seconds: float = 0.3) -> tuple[tuple[int, ...], float]:
    """Return the logits' shape and the median milliseconds of plain inference passes, without hooks.

    There is at least one pass, and no more than fit in ``runs`` or ``seconds``. The network must be warm: have run.
    """
    model.eval()
    taken: list[float] = []
    with torch.inference_mode():
        while not taken or (len(taken) < runs and sum(taken) < seconds):
            started = perf_counter()
            logits = model(image)
            if logits.device.type != "meta":
                logits.cpu()  # to fetch the answer is to wait until the device has it
            taken.append(perf_counter() - started)
    return tuple(logits.shape), median(taken) * 1e3


def _differing_rows(closed: Mapping[str, LayerRow], live: Mapping[str, LiveRow]) -> Iterator[Disagreement]:
    for path in dict.fromkeys(chain(closed, live)):
        if path not in live:
            yield Disagreement(path, "row", closed[path].kind, None)
        elif path not in closed:
            yield Disagreement(path, "row", None, live[path].kind)
        else:
            for field in _COMPARED:
                expected, found = getattr(closed[path], field), getattr(live[path], field)
                if expected != found:
                    yield Disagreement(path, field, expected, found)


def _torchinfo(model: GoogLeNet, **options: object) -> torchinfo.ModelStatistics:
    with warnings.catch_warnings():
        # torchinfo asks torch's storage for its size through a deprecated name (torchinfo 1.8).
        warnings.filterwarnings("ignore", "TypedStorage is deprecated", UserWarning)
        return torchinfo.summary(model, verbose=0, **options)


def torchinfo_text(config: GoogLeNetConfig) -> str:
    """Return torchinfo's own table of the network at inference, below a heading that explains its way of counting.

    Raises UnbuildableError for a config with problems. Works on shapes alone (meta device), whatever the size.
    """
    summary = summarize(config)
    statistics = _torchinfo(
        build_model(config, "meta"),
        input_size=(1, *config.input_shape),
        device="meta",
        mode="eval",
        depth=3,
        col_names=("input_size", "output_size", "num_params", "mult_adds"),
    )
    statistics.formatting.macs_units = torchinfo.Units.NONE  # exact, where it would write "(Units.GIGABYTES): 1.59"
    root = statistics.summary_list[0]
    root.num_params -= root.leftover_params()  # the heads' parameters, which it shows as if they were the whole's
    root.trainable_params -= root.leftover_trainable_params()
    return "\n".join((*_heading(summary, statistics), "", str(statistics)))


def _heading(summary: NetworkSummary, statistics: torchinfo.ModelStatistics) -> Iterator[str]:
    shape = " × ".join(map(str, summary.config.input_shape))
    heads = summary.parameters() - summary.parameters(aux=False)
    yield f"torchinfo {torchinfo.__version__}, the network at inference (eval mode), one image of {shape}."
    yield (
        f"Its mult-adds are neither MACs nor FLOPs: {statistics.total_mult_adds:,} where there are {summary.macs():,} "
        "MACs, because each bias is counted at each position and BatchNorm's parameters once."
    )
    if heads:
        yield (
            f"Its total of parameters includes {heads:,} of the auxiliary heads, which do not run at inference and "
            f"have no row: {summary.parameters(aux=False):,} without them."
        )
