"""A network at inference as an ONNX graph, whose nodes go by our paths and whose batch size is free.

The graph is written layer by layer from the closed form's rows and the live network's weights; nothing is traced.
Source: https://onnx.ai/onnx/operators, operator set 17. Auxiliary heads and dropout do nothing at inference and are
left out.
"""

from collections.abc import Iterator
from typing import Any

import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from explorer.analysis import LayerRow, summarize
from explorer.export.source import pool_rule
from explorer.live.model import GoogLeNet
from explorer.share import to_json

_OPSET = 17
_IR_VERSION = 9
_IMAGE, _LOGITS, _BATCH = "image", "logits", "N"


def to_onnx(model: GoogLeNet) -> bytes:
    """Return the network with its weights as the bytes of an ONNX file, checked by onnx itself."""
    config = model.config
    rows = [row for row in summarize(config).rows if row.aux is None]
    graph = helper.make_graph(
        list(_nodes(rows, model)),
        "GoogLeNet",
        [helper.make_tensor_value_info(_IMAGE, TensorProto.FLOAT, [_BATCH, *config.input_shape])],
        [helper.make_tensor_value_info(_LOGITS, TensorProto.FLOAT, [_BATCH, config.classes])],
        [
            numpy_helper.from_array(tensor.detach().cpu().numpy(), name)
            for name, tensor in model.state_dict().items()
            if not name.startswith("aux_") and not name.endswith("num_batches_tracked")
        ],
    )
    made = helper.make_model(
        graph,
        producer_name="Inception Explorer",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
    )
    helper.set_model_props(made, {"config": to_json(config)})
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString()


def _nodes(rows: list[LayerRow], model: GoogLeNet) -> Iterator[NodeProto]:
    """Wire the layers in order: the branches of a module all start where the module does."""
    entry = _IMAGE  # what the next block sees
    ends: dict[str, str] = {}  # the last tensor of each branch of the module on hand
    for row in rows:
        if row.kind == "dropout":
            continue
        if row.kind == "concat":
            yield helper.make_node("Concat", list(ends.values()), [row.path], row.path, axis=1)
            entry, ends = row.path, {}
            continue
        inputs = ends.get(row.branch, entry) if row.branch else entry
        yield from _layer(row, inputs, model)
        if row.branch:
            ends[row.branch] = row.path
        else:
            entry = row.path


def _layer(row: LayerRow, inputs: str, model: GoogLeNet) -> Iterator[NodeProto]:
    """One layer from the tensor ``inputs`` to the tensor that has the layer's path."""
    match row.kind:
        case "conv":
            yield from _convolution(row, inputs, model)
        case "max_pool":
            yield helper.make_node("MaxPool", [inputs], [row.path], row.path, **_window(row, model))
        case "lrn":
            yield helper.make_node("LRN", [inputs], [row.path], row.path, size=5, alpha=1e-4, beta=0.75, bias=1.0)
        case "avg_pool":
            pooled = f"{row.path}.pooled"
            yield helper.make_node("GlobalAveragePool", [inputs], [pooled], row.path)
            yield helper.make_node("Flatten", [pooled], [row.path], "classifier.flatten")
        case _:
            weights = [f"{row.path}.weight", f"{row.path}.bias"]
            yield helper.make_node("Gemm", [inputs, *weights], [_LOGITS], row.path, transB=1)


def _convolution(row: LayerRow, inputs: str, model: GoogLeNet) -> Iterator[NodeProto]:
    path, config = row.path, model.config
    normed = config.normalisation == "batch_norm"
    weights = [f"{path}.conv.weight", *([f"{path}.conv.bias"] if config.conv_bias else [])]
    conv = f"{path}.conv"
    yield helper.make_node("Conv", [inputs, *weights], [conv], path, **_window(row, model))
    if normed:
        norm = [f"{path}.bn.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
        epsilon = model.get_submodule(path).bn.eps
        yield helper.make_node("BatchNormalization", [conv, *norm], [f"{path}.bn"], f"{path}.bn", epsilon=epsilon)
    yield helper.make_node("Relu", [f"{path}.bn" if normed else conv], [path], f"{path}.relu")


def _window(row: LayerRow, model: GoogLeNet) -> dict[str, Any]:
    window: dict[str, Any] = {
        "kernel_shape": list(row.kernel),
        "strides": [row.stride] * 2,
        "pads": [row.padding] * 4,
    }
    if row.kind == "max_pool":
        window["ceil_mode"] = int(not row.branch and pool_rule(row, model.config).ceil)
    return window
