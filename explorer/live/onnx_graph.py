"""A network at inference as an ONNX graph. Its nodes have this app's layer paths as names; its batch size is dynamic.

The graph is built layer by layer from the rows of the closed form and the weights of the live network, without tracing.
Source: https://onnx.ai/onnx/operators, operator set 17. Dropout does nothing at inference and is omitted, and so are
the auxiliary heads unless they are asked for.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper
from torch import nn

from explorer.analysis import LayerRow, summarize
from explorer.export.source import pool_rule
from explorer.live.model import GoogLeNet
from explorer.share import to_json

_OPSET = 17
_IR_VERSION = 9
_IMAGE, _LOGITS, _BATCH = "image", "logits", "N"


def to_onnx(model: GoogLeNet, *, heads: bool = False) -> bytes:
    """Return the network with its weights as the bytes of an ONNX file, checked by onnx.

    With ``heads`` the graph computes the auxiliary heads too; their outputs are named as their last layer, such as
    ``aux_4a.classifier``, and follow the logits in the order of the taps.
    """
    config = model.config
    rows = [row for row in summarize(config).rows if heads or row.aux is None]
    outputs = [_LOGITS, *(row.path for row in rows if row.aux and row.path.endswith(".classifier"))]
    weights = {
        name: tensor.detach().cpu().numpy()
        for name, tensor in model.state_dict().items()
        if (heads or not name.startswith("aux_")) and not name.endswith("num_batches_tracked")
    }
    for row in rows:
        if row.kind == "avg_pool" and row.aux and config.aux.pool == "adaptive":
            weights |= {f"{row.path}.{side}": matrix for side, matrix in _adaptive_pool(row).items()}
    graph = helper.make_graph(
        list(_nodes(rows, model)),
        "GoogLeNet",
        [helper.make_tensor_value_info(_IMAGE, TensorProto.FLOAT, [_BATCH, *config.input_shape])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [_BATCH, config.classes]) for name in outputs],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    onnx_model = helper.make_model(
        graph,
        producer_name="Inception Explorer",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    helper.set_model_props(onnx_model, {"config": to_json(config)})
    onnx.checker.check_model(onnx_model, full_check=True)
    return bytes(onnx_model.SerializeToString())


def _nodes(rows: list[LayerRow], model: GoogLeNet) -> Iterator[NodeProto]:
    """Yield the nodes in order. The branches of a module all start from the module's input."""
    block_input = _IMAGE
    branch_outputs: dict[str, str] = {}  # the latest tensor of each branch of the current module
    head_outputs: dict[str, str] = {}  # the latest tensor of each auxiliary head; at first the output of its module
    for row in rows:
        if row.kind == "dropout":
            continue
        if row.aux:
            yield from _head_layer(row, head_outputs.get(row.aux, block_input), model)
            head_outputs[row.aux] = row.path
            continue
        if row.kind == "concat":
            yield helper.make_node("Concat", list(branch_outputs.values()), [row.path], row.path, axis=1)
            block_input, branch_outputs = row.path, {}
            continue
        yield from _layer(row, branch_outputs.get(row.branch or "", block_input), model)
        if row.branch:
            branch_outputs[row.branch] = row.path
        else:
            block_input = row.path


def _head_layer(row: LayerRow, source: str, model: GoogLeNet) -> Iterator[NodeProto]:
    """Yield the nodes of one layer of an auxiliary head. Its module's output is still ``source`` when it begins."""
    path = row.path
    match row.kind:
        case "conv":
            yield from _convolution(row, source, model)
        case "avg_pool" if model.config.aux.pool == "adaptive":
            yield helper.make_node("MatMul", [f"{path}.rows", source], [f"{path}.pooled"], f"{path}.rows")
            yield helper.make_node("MatMul", [f"{path}.pooled", f"{path}.columns"], [path], path)
        case "avg_pool":
            rounding = int(model.config.aux.pool == "ceil")
            yield helper.make_node("AveragePool", [source], [path], path, ceil_mode=rounding, **_window(row, model))
        case _ if path.endswith(".fc"):
            yield helper.make_node("Flatten", [source], [f"{path}.flat"], f"{path}.flatten")
            weights = [f"{path}.weight", f"{path}.bias"]
            yield helper.make_node("Gemm", [f"{path}.flat", *weights], [f"{path}.linear"], path, transB=1)
            yield helper.make_node("Relu", [f"{path}.linear"], [path], f"{path}.relu")
        case _:
            yield helper.make_node("Gemm", [source, f"{path}.weight", f"{path}.bias"], [path], path, transB=1)


def _adaptive_pool(row: LayerRow) -> dict[str, np.ndarray]:
    """Return adaptive average pooling as two matrices: ``rows`` · image · ``columns``. ONNX has no such layer.

    Output i is the mean of the inputs from ⌊i · n / m⌋ to ⌈(i + 1) · n / m⌉, for n inputs and m outputs.
    """

    def means(inputs: int, outputs: int) -> np.ndarray:
        matrix = np.zeros((outputs, inputs), np.float32)
        for output in range(outputs):
            first, end = output * inputs // outputs, -(-(output + 1) * inputs // outputs)
            matrix[output, first:end] = 1 / (end - first)
        return matrix

    (_, height, width), (_, out_height, out_width) = row.in_shape, row.out_shape
    return {"rows": means(height, out_height), "columns": means(width, out_width).T.copy()}


def _layer(row: LayerRow, source: str, model: GoogLeNet) -> Iterator[NodeProto]:
    """Yield the nodes of one layer, from the tensor ``source`` to the tensor with the layer's path as its name."""
    match row.kind:
        case "conv":
            yield from _convolution(row, source, model)
        case "max_pool":
            yield helper.make_node("MaxPool", [source], [row.path], row.path, **_window(row, model))
        case "lrn":
            yield helper.make_node("LRN", [source], [row.path], row.path, size=5, alpha=1e-4, beta=0.75, bias=1.0)
        case "avg_pool":
            pooled = f"{row.path}.pooled"
            yield helper.make_node("GlobalAveragePool", [source], [pooled], row.path)
            yield helper.make_node("Flatten", [pooled], [row.path], "classifier.flatten")
        case _:
            weights = [f"{row.path}.weight", f"{row.path}.bias"]
            yield helper.make_node("Gemm", [source, *weights], [_LOGITS], row.path, transB=1)


def _convolution(row: LayerRow, source: str, model: GoogLeNet) -> Iterator[NodeProto]:
    """Yield a convolution, its BatchNorm if it has one, and its ReLU."""
    path = row.path
    has_bias = model.get_submodule(f"{path}.conv").bias is not None  # BatchNorm that was merged into it left one
    weights = [f"{path}.conv.weight", *([f"{path}.conv.bias"] if has_bias else [])]
    output = f"{path}.conv"
    yield helper.make_node("Conv", [source, *weights], [output], path, **_window(row, model))
    norm = model.get_submodule(f"{path}.bn")
    if isinstance(norm, nn.BatchNorm2d):
        statistics = [f"{path}.bn.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
        inputs, output = [output, *statistics], f"{path}.bn"
        yield helper.make_node("BatchNormalization", inputs, [output], output, epsilon=norm.eps)
    yield helper.make_node("Relu", [output], [path], f"{path}.relu")


def _window(row: LayerRow, model: GoogLeNet) -> dict[str, Any]:
    """Return the attributes of a node that slides a window: kernel, stride and padding of its row."""
    window: dict[str, Any] = {
        "kernel_shape": list(row.kernel or ()),
        "strides": [row.stride] * 2,
        "pads": [row.padding] * 4,
    }
    if row.kind == "max_pool":
        window["ceil_mode"] = int(not row.branch and pool_rule(row, model.config).ceil)
    return window
