"""Export a network as one PyTorch source file, independent of this app, that loads the app's weights by name.

The source is generated from the rows of the closed form, so every channel number is a literal where it is used. Names
enter it through ``repr`` only, and the config is validated again first. Free of torch.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from explorer.analysis import LayerRow, NetworkSummary, summarize
from explorer.config import HEADINGS, POOL_RULES, GoogLeNetConfig, PoolRule
from explorer.diff import Change, find_changes
from explorer.history import Version
from explorer.presets import CATALOGUE

_INDENT = " " * 8

_IMPORTS = """\
from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F
"""

_CONV_BLOCK = '''\
class ConvBlock(nn.Module):
    """A convolution that keeps height and width (at stride 1){batch_norm_text}, and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias={bias})
{batch_norm}
    def forward(self, x: Tensor) -> Tensor:
        """N × inputs × H × W → N × outputs × H/stride × W/stride."""
        return F.relu({conv}, inplace=True)
'''

_BLOCKS = '''\
class Inception(nn.Module):
    """Branches with the same input; their outputs are concatenated along the channels."""

    def __init__(self, **branches: nn.Module) -> None:
        super().__init__()
        for name, layers in branches.items():
            self.add_module(name, layers)

    def forward(self, x: Tensor) -> Tensor:
        """N × C × H × W → N × ΣC_i × H × W."""
        return torch.cat([branch(x) for branch in self.children()], dim=1)


def chain(**layers: nn.Module) -> nn.Sequential:
    """Return a Sequential with a name for each layer."""
    return nn.Sequential(OrderedDict(layers))
'''

_HEAD = '''\
class AuxiliaryHead(nn.Module):
    """A small classifier on an inner module, used in training only."""

    def __init__(self, **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        """N × C × H × W → N × classes."""
        x = torch.flatten(self.conv(self.pool(x)), 1)
        return self.classifier(self.dropout(F.relu(self.fc(x), inplace=True)))
'''

_MAIN = """\
if __name__ == "__main__":
    model = GoogLeNet().eval()
    parameters = sum(parameter.numel() for parameter in model.parameters())
{count_main}    with torch.inference_mode():
        logits = model(torch.zeros(1, {shape}))
    print(f"{text}; logits", tuple(logits.shape))
"""

_PARAMETERS = "{parameters:,} parameters"
_PARAMETERS_WITH_HEADS = "{main:,} parameters at inference, {parameters:,} with auxiliary heads"
_COUNT_MAIN = """\
    main = sum(values.numel() for path, values in model.named_parameters() if not path.startswith("aux_"))
"""


def to_source(version: Version, name: str = "", note: str = "") -> str:
    """Return the network as the text of a Python file.

    ``name`` and ``note`` of a variant become the strings ``NAME`` and ``NOTE`` in it, unless they are empty.
    Raises UnbuildableError, or pydantic's ValidationError for a config whose fields were never checked.
    """
    config = GoogLeNetConfig.model_validate_json(version.config.model_dump_json(warnings="none"))
    summary = summarize(config)
    parts = [
        _docstring(Version(version.base, config), summary),
        _IMPORTS,
        *_strings(NAME=name, NOTE=note),
        "\n" + _conv_block(config),
        "\n" + _BLOCKS,
        *(["\n" + _HEAD] if config.aux.taps else []),
        "\n" + "\n".join(_network(summary)) + "\n",
        "\n"
        + _MAIN.format(
            count_main=_COUNT_MAIN if config.aux.taps else "",
            text=_PARAMETERS_WITH_HEADS if config.aux.taps else _PARAMETERS,
            shape=", ".join(map(str, config.input_shape)),
        ),
    ]
    return "\n".join(parts)


def _strings(**texts: str) -> Iterator[str]:
    """Yield one part with an assignment per text that is not empty; nothing if all are."""
    if lines := [f"{name} = {text!r}\n" for name, text in texts.items() if text]:
        yield "".join(lines)


def _docstring(version: Version, summary: NetworkSummary) -> str:
    """Return the module docstring of the file, which has no text from a user in it."""
    preset, config = CATALOGUE[version.base], version.config
    edits = find_changes(version.base_config, config)
    lines = [
        f'"""GoogLeNet in PyTorch: {preset.title}{_edit_count(edits)}. Written by Inception Explorer.',
        "",
        preset.story,
        f"Source: {preset.source}.",
        "",
        *_table(config),
        "",
        *_edit_lines(edits),
        f"{summary.parameters(aux=False):,} parameters at inference, {summary.parameters():,} with auxiliary heads.",
        f"{summary.macs():,} MACs (multiply-accumulates; FLOPs are twice as many) for one image of "
        f"{_shape(config.input_shape)}.",
        f"Pooling: {POOL_RULES[config.pooling].title}.",
        "",
        "In training mode the network returns its logits and a dictionary with the logits of each auxiliary head.",
        f"The loss is loss(logits) + {config.aux.loss_weight!r} · the sum of the heads' losses.",
        "In eval mode it returns its logits only. To load weights exported from the same network:",
        "",
        "    from safetensors.torch import load_file",
        '    model.load_state_dict(load_file("weights.safetensors"))',
        '"""',
        "",
    ]
    return "\n".join(lines)


def _edit_count(edits: Sequence[Change]) -> str:
    return f" + {len(edits)} edit{'s' if len(edits) > 1 else ''}" if edits else ""


def _table(config: GoogLeNetConfig) -> Iterator[str]:
    """Yield the rows of the network's Inception table as text."""
    yield "    ".join(("module", *HEADINGS.values()))
    for module in config.modules:
        cells = [getattr(module, field) for field in HEADINGS]
        texts = ("blank" if cell is None else str(cell) for cell in cells)
        yield "    ".join(
            (
                f"{module.name:<6}",
                *(f"{text:>{len(head)}}" for text, head in zip(texts, HEADINGS.values(), strict=True)),
            )
        )


def _edit_lines(edits: Sequence[Change]) -> Iterator[str]:
    """Yield one line per edit; for an added or removed module the label says everything."""
    if not edits:
        return
    yield "Edits:"
    for change in edits:
        values = "" if change.field == "modules" else f": {_value(change.before)} → {_value(change.after)}"
        yield f"  {change.where}, {change.label}{values}"
    yield ""


def _value(value: Any) -> str:
    """Return the value of a validated config as text."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "blank" if value is None else str(value)


def _conv_block(config: GoogLeNetConfig) -> str:
    """Return the source of the convolution block, with BatchNorm if the network uses it."""
    has_norm = config.normalisation == "batch_norm"
    return _CONV_BLOCK.format(
        batch_norm_text=", BatchNorm" if has_norm else "",
        bias=config.conv_bias,
        batch_norm=f"{_INDENT}self.bn = nn.BatchNorm2d(outputs, eps=1e-3)\n" if has_norm else "",
        conv="self.bn(self.conv(x))" if has_norm else "self.conv(x)",
    )


def _network(summary: NetworkSummary) -> Iterator[str]:
    """Yield the lines of the network's class."""
    blocks = [(block, list(rows)) for block, rows in groupby(summary.rows, key=lambda row: row.path.split(".")[0])]
    yield "class GoogLeNet(nn.Module):"
    yield '    """The whole network. Comments give the shapes for one image, C × H × W."""'
    yield ""
    yield "    def __init__(self) -> None:"
    yield f"{_INDENT}super().__init__()"
    for block, rows in blocks:
        yield from _block(block, rows, summary.config)
    yield ""
    yield "    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, dict[str, Tensor]]:"
    yield f'{_INDENT}"""N × {_shape(blocks[0][1][0].in_shape)} → logits N × {summary.config.classes}."""'
    yield f"{_INDENT}aux: dict[str, Tensor] = {{}}"
    for block, rows in blocks:
        if rows[0].aux:
            yield f"{_INDENT}if self.training:"
            yield f"{_INDENT}    aux[{rows[0].aux!r}] = self.{block}(x)"
        else:
            yield f"{_INDENT}x = self.{block}(x)  # {_shape(rows[-1].out_shape)}"
    yield f"{_INDENT}return (x, aux) if self.training else x"


def _block(block: str, rows: Sequence[LayerRow], config: GoogLeNetConfig) -> Iterator[str]:
    """Yield the lines that construct one block."""
    start = f"{_INDENT}self.{block} = "
    if len(rows) == 1 and rows[0].path == block:
        yield f"{start}{_layer(rows[0], config)}"
    elif block.startswith("inception_"):
        yield f"{start}Inception("
        for branch, layers in groupby((row for row in rows if row.branch), key=lambda row: row.path.split(".")[1]):
            arguments = ", ".join(f"{_name(row)}={_layer(row, config)}" for row in layers)
            yield f"{_INDENT}    {branch}=chain({arguments}),"
        yield f"{_INDENT})  # {_shape(rows[0].in_shape)} → {_shape(rows[-1].out_shape)}"
    else:
        yield f"{start}{'AuxiliaryHead' if rows[0].aux else 'chain'}("
        for row in rows:
            yield f"{_INDENT}    {_name(row)}={_layer(row, config)},  # {_shape(row.out_shape)}"
            if row.path == "classifier.pool":
                yield f"{_INDENT}    flatten=nn.Flatten(),  # {row.out_shape[0]}"
        yield f"{_INDENT})"


def _layer(row: LayerRow, config: GoogLeNetConfig) -> str:
    """Return the expression that constructs one layer."""
    match row.kind:
        case "conv" if row.kernel:
            stride = f", stride={row.stride}" if row.stride != 1 else ""
            return f"ConvBlock({row.in_shape[0]}, {row.out_shape[0]}, {row.kernel[0]}{stride})"
        case "max_pool" if row.branch:
            return "nn.MaxPool2d(3, stride=1, padding=1)"
        case "max_pool":
            return _max_pool(pool_rule(row, config))
        case "avg_pool" if row.path == "classifier.pool":
            return "nn.AdaptiveAvgPool2d(1)"
        case "avg_pool" if config.aux.pool == "adaptive":
            return "nn.AdaptiveAvgPool2d(4)"
        case "avg_pool":
            return f"nn.AvgPool2d(5, stride=3, ceil_mode={config.aux.pool == 'ceil'})"
        case "lrn":
            return "nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)"
        case "dropout":
            return f"nn.Dropout({(config.aux if row.aux else config).dropout!r})"
        case _:
            return f"nn.Linear({row.in_shape[0]}, {row.out_shape[0]})"


def pool_rule(row: LayerRow, config: GoogLeNetConfig) -> PoolRule:
    """Return the rule of a max pool that halves the size: kernel, padding and rounding. The last one may differ."""
    rules, stages = POOL_RULES[config.pooling], list(dict.fromkeys(module.stage for module in config.modules))
    return rules.last if len(stages) > 1 and row.path == f"pool{stages[-2]}" else rules.usual


def _max_pool(rule: PoolRule) -> str:
    padding = f", padding={rule.padding}" if rule.padding else ""
    return f"nn.MaxPool2d({rule.kernel}, stride={rule.stride}{padding}{', ceil_mode=True' if rule.ceil else ''})"


def _name(row: LayerRow) -> str:
    """Return the layer's name in its block or branch: the last part of its path."""
    return row.path.rpartition(".")[2]


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))
