"""A network ready to run in one of the engines of :mod:`explorer.jobs.engines`, with its auxiliary heads.

ONNX Runtime and OpenVINO read our own ONNX graph; BatchNorm is merged into the convolutions first. All run on as many
threads as PyTorch has here.
"""

import copy
import shutil
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from explorer.config import GoogLeNetConfig
from explorer.data.weights import Network
from explorer.errors import UserError
from explorer.jobs.engines import ENGINES, Obstacle, installed_version
from explorer.live.model import ConvBlock, GoogLeNet, GoogLeNetOutput
from explorer.live.onnx_graph import to_onnx

MAX_ENGINES = 2  # that the worker keeps: each holds a copy of its network
CALIBRATION_IMAGES = 64
_BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16")  # in /proc/cpuinfo

# Imported, OpenVINO sends a report to its makers over the network, from a fork that keeps the server's pipes open.
# It does without where it does not find this package.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # Python takes None for a module that is not there

Run = Callable[[Tensor], GoogLeNetOutput]


class EngineError(UserError):
    """An engine cannot run here; ``obstacle`` says why, the message in the library's words."""

    def __init__(self, obstacle: Obstacle, message: str = "") -> None:
        super().__init__(message or obstacle)
        self.obstacle = obstacle


def obstacle(name: str, device: torch.device) -> Obstacle:
    """Return why an engine cannot run on this device; empty if nothing is known against it."""
    engine = ENGINES[name]
    if not installed_version(engine.library):
        return "package"
    if engine.library != "torch" and device.type != "cpu":
        return "cpu_only"
    if engine.precision == "bfloat16" and device.type == "cpu" and not _has_bfloat16():
        return "processor"
    if engine.variant == "compiled" and device.type == "cpu" and not (shutil.which("g++") or shutil.which("clang++")):
        return "compiler"
    return ""


def _has_bfloat16() -> bool:
    """Whether the processor computes in bfloat16; where Linux does not say, PyTorch would emulate it slowly."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.is_file() and any(flag in cpuinfo.read_text("ascii", "replace") for flag in _BFLOAT16_FLAGS)


def build_engine(name: str, model: GoogLeNet, batch: int, calibration: Tensor | None = None) -> Run:
    """Return a function from images N × C × H × W to the logits of the network and of its heads.

    ``model`` is in eval mode, in PyTorch's default memory format; the engine has its own copy. ``batch`` is the usual
    size of a batch; other sizes work too. int8 is calibrated on the images in ``calibration``. Raises EngineError.
    """
    engine = ENGINES[name]
    if found := obstacle(name, next(model.parameters()).device):
        raise EngineError(found)
    if engine.precision == "int8" and calibration is None:
        raise EngineError("calibration")
    try:
        if engine.library == "torch":
            return _pytorch(model, engine.precision, engine.variant)
        graph = to_onnx(merge_batch_norm(model), heads=True)
        if engine.precision == "int8" and calibration is not None:
            graph = quantize(graph, calibration)
        if engine.library == "onnxruntime":
            return _onnx_runtime(graph, model.config.aux.taps)
        return _openvino(graph, model.config, engine.precision, batch)
    except (RuntimeError, ValueError, ImportError, OSError) as error:  # whatever a library of its own finds
        raise EngineError("failed", str(error)) from error


def _pytorch(model: GoogLeNet, precision: str, variant: str) -> Run:
    device = next(model.parameters()).device
    if variant == "default":
        return model.forward_with_heads
    prepared = prepare_model(copy.deepcopy(model), device)
    forward: Run = prepared.forward_with_heads
    if variant == "compiled":
        forward = torch.compile(forward)

    def run(images: Tensor) -> GoogLeNetOutput:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            output = forward(images.to(memory_format=torch.channels_last))
        return GoogLeNetOutput(output.logits.float(), {tap: logits.float() for tap, logits in output.aux.items()})

    return run


def prepare_model(model: GoogLeNet, device: torch.device) -> GoogLeNet:
    """Make a network ready for inference and return it: eval mode, no gradients, channels-last, a faster LRN."""
    for layer in list(model.modules()):
        for name, child in layer.named_children():
            if type(child) is nn.LocalResponseNorm and child.beta == 0.75:
                setattr(layer, name, ResponseNorm(child.size, child.alpha, child.beta, child.k))
    model.eval().requires_grad_(False).to(device)
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # not in torch's stubs


class ResponseNorm(nn.LocalResponseNorm):
    """Local response normalization as a sum of shifted squares; PyTorch uses a three-dimensional average pool.

    PyTorch's took a quarter of the time of the paper's network. The exponent is the paper's 0.75, so that two square
    roots compute the power.
    """

    def forward(self, x: Tensor) -> Tensor:
        """N × C × H × W → the same."""
        channels = x.shape[1]
        squares = F.pad(x * x, (0, 0, 0, 0, self.size // 2, (self.size - 1) // 2))
        total = squares[:, :channels].clone()
        for shift in range(1, self.size):
            total += squares[:, shift : shift + channels]
        root = (total * (self.alpha / self.size) + self.k).rsqrt()
        return x * (root * root.sqrt())  # total to the power of −3/4


def _onnx_runtime(graph: bytes, taps: tuple[str, ...]) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return lambda images: _output(session.run(None, {"image": images.contiguous().numpy()}), taps)


def _openvino(graph: bytes, config: GoogLeNetConfig, precision: str, batch: int) -> Run:
    import openvino

    core = openvino.Core()
    network = core.read_model(graph)  # what is compiled shares its weights
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",  # its default may be bf16
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,
    }
    compiled: dict[int, Any] = {}

    def run(images: Tensor) -> GoogLeNetOutput:
        size = images.shape[0]
        if size not in compiled:
            network.reshape([size, *config.input_shape])  # a fixed size is faster than any size
            compiled.clear()
            compiled[size] = core.compile_model(network, "CPU", settings)
        return _output(list(compiled[size](images.contiguous().numpy()).values()), config.aux.taps)

    run(torch.zeros(batch, *config.input_shape))
    return run


def _output(outputs: list[np.ndarray], taps: tuple[str, ...]) -> GoogLeNetOutput:
    logits, *heads = map(torch.from_numpy, outputs)
    return GoogLeNetOutput(logits, dict(zip(taps, heads, strict=True)))


@torch.no_grad()
def merge_batch_norm(model: GoogLeNet) -> GoogLeNet:
    """Return a copy whose convolutions include the BatchNorm that follows them, which changes nothing at inference.

    It shares with the network what is not merged.
    """
    tensors = [*model.parameters(), *model.buffers()]
    merged = copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})
    for block in merged.modules():
        if isinstance(block, ConvBlock) and isinstance(block.bn, nn.BatchNorm2d):
            block.conv, block.bn = fuse_conv_bn_eval(block.conv, block.bn), nn.Identity()
    return merged


def quantize(graph: bytes, calibration: Tensor) -> bytes:
    """Return an ONNX graph with int8 weights per channel and int8 activations, whose ranges fit the given images.

    ONNX Runtime inserts the quantization; OpenVINO reads the same graph.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Images(CalibrationDataReader):  # type: ignore[misc]  # the library has no types
        def __init__(self) -> None:
            images = calibration[:CALIBRATION_IMAGES].contiguous().numpy()
            self._batches = ({"image": images[start : start + 1]} for start in range(len(images)))

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self._batches, None)

    with TemporaryDirectory(prefix="explorer-int8-") as folder:
        path = Path(folder) / "int8.onnx"
        quantize_static(
            onnx.load_from_string(graph),
            path,
            Images(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return path.read_bytes()


class EngineCache:
    """The engines used last, by network, name and size of the batch."""

    def __init__(self) -> None:
        self._engines: OrderedDict[tuple[Network, str, int], Run] = OrderedDict()

    def get(self, network: Network, name: str, batch: int, build: Callable[[], Run]) -> Run:
        """Return an engine, built by ``build`` unless it is kept."""
        key = network, name, batch
        if key not in self._engines:
            while len(self._engines) >= MAX_ENGINES:
                self._engines.popitem(last=False)
            self._engines[key] = build()
        self._engines.move_to_end(key)
        return self._engines[key]
