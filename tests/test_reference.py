"""GoogLeNet compared with external sources, row by row: Caffe's prototxt, torchvision, the paper's Table 1."""

import csv
from math import prod
from pathlib import Path

import pytest

from explorer import CATALOGUE, PRESETS, GoogLeNetConfig, summarize
from explorer.analysis import LayerRow
from explorer.diff import with_module
from explorer.live.model import build_model

REFERENCE = Path(__file__).parent / "reference"
HEADS = {"loss1": "4a", "loss2": "4d"}


def read(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the reference tables."""
    with (REFERENCE / name).open(newline="") as file:
        return list(csv.DictReader(file))


CAFFE = [
    row
    for row in read("bvlc_googlenet_layers.csv")
    if row["type"] not in {"ReLU", "SoftmaxWithLoss", "Accuracy"}  # inside our conv and linear rows, or no layer
]
CAFFE_KINDS = {
    "Convolution": "conv",
    "Pooling/MAX": "max_pool",
    "Pooling/AVE": "avg_pool",
    "LRN": "lrn",
    "Concat": "concat",
    "Dropout": "dropout",
    "InnerProduct": "linear",
}
TORCHVISION = {
    row["name"]: () if row["shape"] == "scalar" else tuple(map(int, row["shape"].split("x")))
    for row in read("torchvision_parameters.csv")
}
TABLE_1 = [row for row in read("paper_table1.csv") if row["type"].startswith("inception")]


def path_of_caffe_layer(name: str) -> str:
    """Return our path of a layer of Caffe's reference model."""
    block, layer = name.split("/")
    if block in HEADS:
        layers = {"ave_pool": "pool", "conv": "conv", "fc": "fc", "drop_fc": "dropout", "classifier": "classifier"}
        return f"aux_{HEADS[block]}.{layers[layer]}"
    if block.startswith("inception_"):
        layers = {
            "1x1": "branch_1x1.conv",
            "3x3_reduce": "branch_3x3.reduce",
            "3x3": "branch_3x3.conv",
            "5x5_reduce": "branch_5x5.reduce",
            "5x5": "branch_5x5.conv",
            "pool": "branch_pool.pool",
            "pool_proj": "branch_pool.proj",
            "output": "concat",
        }
        return f"{block}.{layers[layer]}"
    return {
        "conv1/7x7_s2": "stem.conv1",
        "pool1/3x3_s2": "stem.pool1",
        "pool1/norm1": "stem.norm1",
        "conv2/3x3_reduce": "stem.conv2_reduce",
        "conv2/3x3": "stem.conv2",
        "conv2/norm2": "stem.norm2",
        "pool2/3x3_s2": "stem.pool2",
        "pool3/3x3_s2": "pool3",
        "pool4/3x3_s2": "pool4",
        "pool5/7x7_s1": "classifier.pool",
        "pool5/drop_7x7_s1": "classifier.dropout",
        "loss3/classifier": "classifier.fc",
    }[name]


def caffe_shape(text: str) -> tuple[int, ...]:
    """Read ``64x28x28``; the inputs of a concatenation (``64x28x28+128x28x28``) are one shape with all channels."""
    parts = [tuple(map(int, part.split("x"))) for part in text.split("+")]
    return (sum(part[0] for part in parts), *parts[0][1:])


def paper_row(name: str) -> LayerRow:
    """Return the closed form's row of a layer of Caffe's reference model."""
    return summarize(PRESETS["paper"]).by_path[path_of_caffe_layer(name)]


def test_paper_has_caffes_layers_in_caffes_order() -> None:
    """The paper's network has the layers of Caffe's reference model, heads included, in the same order."""
    expected = [(path_of_caffe_layer(layer["name"]), CAFFE_KINDS[layer["type"]]) for layer in CAFFE]
    assert expected == [(row.path, row.kind) for row in summarize(PRESETS["paper"]).rows]


@pytest.mark.parametrize("layer", CAFFE, ids=lambda layer: layer["name"])
def test_paper_layer_counts_as_in_caffe(layer: dict[str, str]) -> None:
    """Weights, biases and MACs of each layer are those of Caffe's reference model."""
    row = paper_row(layer["name"])
    expected = (int(layer["weights"]), int(layer["biases"]), 0, int(layer["macs"]))
    assert expected == (row.weights, row.biases, row.norm, row.macs)


@pytest.mark.parametrize("layer", CAFFE, ids=lambda layer: layer["name"])
def test_paper_layer_has_caffes_shapes(layer: dict[str, str]) -> None:
    """Input and output of each layer are shaped as in Caffe, which keeps vectors as C × 1 × 1 or C × H × W."""
    row = paper_row(layer["name"])
    expected = (caffe_shape(layer["in_shape"]), caffe_shape(layer["out_shape"]))
    if row.kind in {"dropout", "linear"}:
        expected = tuple((prod(shape),) for shape in expected)
    assert expected == (row.in_shape, row.out_shape)


@pytest.mark.parametrize("layer", [layer for layer in CAFFE if layer["kernel"]], ids=lambda layer: layer["name"])
def test_paper_layer_has_caffes_window(layer: dict[str, str]) -> None:
    """Kernel, stride and padding of each convolution and pool are Caffe's."""
    row = paper_row(layer["name"])
    kernel = int(layer["kernel"])
    assert ((kernel, kernel), int(layer["stride"]), int(layer["pad"])) == (row.kernel, row.stride, row.padding)


def test_caffes_branch_column_is_our_aux_field() -> None:
    """A row belongs to the auxiliary head at 4a or 4d, or to none, as Caffe's loss1 and loss2."""
    taps = {"main": None, "aux1": "4a", "aux2": "4d"}
    assert [taps[layer["branch"]] for layer in CAFFE] == [row.aux for row in summarize(PRESETS["paper"]).rows]


def test_paper_has_caffes_dropout_and_loss_weights() -> None:
    """Dropout probabilities and the weight of the auxiliary losses are those of Caffe's reference model."""
    paper = PRESETS["paper"]
    extra = {row["name"]: row["extra"] for row in read("bvlc_googlenet_layers.csv")}
    for head in HEADS:
        assert extra[f"{head}/drop_fc"] == f"dropout_ratio={paper.aux.dropout}"
        assert extra[f"{head}/loss"] == f"loss_weight={paper.aux.loss_weight}"
    assert extra["pool5/drop_7x7_s1"] == f"dropout_ratio={paper.dropout}"


def name_of_torchvision_entry(name: str) -> str:
    """Return our state-dict name of an entry of torchvision's state dict."""
    block, *rest = name.split(".")
    if block.startswith("inception"):
        prefix = f"inception_{block.removeprefix('inception')}"
        branch = rest.pop(0)
        if branch == "branch1":
            return ".".join((prefix, "branch_1x1.conv", *rest))
        layer = {
            ("branch2", "0"): "branch_3x3.reduce",
            ("branch2", "1"): "branch_3x3.conv",
            ("branch3", "0"): "branch_5x5.reduce",
            ("branch3", "1"): "branch_5x5.conv",
            ("branch4", "1"): "branch_pool.proj",
        }[branch, rest.pop(0)]
        return ".".join((prefix, layer, *rest))
    if block in {"aux1", "aux2"}:
        prefix = {"aux1": "aux_4a", "aux2": "aux_4d"}[block]
        layer = {"conv": "conv", "fc1": "fc", "fc2": "classifier"}[rest.pop(0)]
        return ".".join((prefix, layer, *rest))
    prefix = {"conv1": "stem.conv1", "conv2": "stem.conv2_reduce", "conv3": "stem.conv2", "fc": "classifier.fc"}[block]
    return ".".join((prefix, *rest))


def test_torchvision_state_dict_entry_by_entry() -> None:
    """The live network has each parameter and buffer of torchvision's googlenet, in the same shape, and no other."""
    expected = {name_of_torchvision_entry(name): shape for name, shape in TORCHVISION.items()}
    live = build_model(PRESETS["torchvision"], "meta").state_dict()
    assert expected == {name: tuple(tensor.shape) for name, tensor in live.items()}


def test_torchvision_counts_module_by_module() -> None:
    """The closed form counts the weights, biases and BatchNorm parameters of each torchvision layer."""
    expected: dict[str, list[int]] = {}
    for name, shape in TORCHVISION.items():
        part, _, entry = name_of_torchvision_entry(name).rpartition(".")
        if entry in {"weight", "bias"}:
            path = part.removesuffix(".conv").removesuffix(".bn")
            column = 2 if part.endswith(".bn") else ("weight", "bias").index(entry)
            expected.setdefault(path, [0, 0, 0])[column] += prod(shape)
    trainable = [row for row in summarize(PRESETS["torchvision"]).rows if row.parameters]
    assert expected == {row.path: [row.weights, row.biases, row.norm] for row in trainable}


# (parameters without heads, with both heads, MACs without heads, MACs with heads; None where no source gives it)
TOTALS = {
    "paper": (6_998_552, 13_378_280, 1_582_671_872, 1_591_044_096),
    "batch_norm": (7_005_832, None, 1_582_671_872, None),
    "torchvision": (6_624_904, 13_004_888, 1_498_376_192, None),
    "inception5h": (7_066_380, None, 1_584_881_536, None),
    "naive": (97_526_008, None, 12_568_061_056, None),
}


@pytest.mark.parametrize("name", TOTALS)
def test_totals_are_the_published_ones(name: str) -> None:
    """The totals of each network equal those of its source."""
    summary = summarize(PRESETS[name])
    totals = (summary.parameters(aux=False), summary.parameters(), summary.macs(), summary.macs(aux=True))
    assert TOTALS[name] == tuple(
        None if expected is None else value for expected, value in zip(TOTALS[name], totals, strict=True)
    )


def test_paper_has_weights_and_biases_as_published() -> None:
    """Without heads the paper's network has 6,990,272 weights and 8,280 biases."""
    rows = [row for row in summarize(PRESETS["paper"]).rows if row.aux is None]
    assert (6_990_272, 8_280) == (sum(row.weights for row in rows), sum(row.biases for row in rows))


@pytest.mark.parametrize(
    ("block", "parameters", "macs"),
    [("aux_4a", 3_188_840, 4_169_728), ("aux_4d", 3_190_888, 4_202_496)],
)
def test_auxiliary_heads_cost_what_is_published(block: str, parameters: int, macs: int) -> None:
    """Each head has about 3.2 M parameters and 4.2 M MACs."""
    totals = summarize(PRESETS["paper"]).by_module[block]
    assert (parameters, macs) == (totals.parameters, totals.macs)


def test_heads_have_half_the_parameters_and_few_macs() -> None:
    """The two heads are 48 % of the training network's parameters and 0.5 % of its MACs."""
    summary = summarize(PRESETS["paper"])
    parameters = 1 - summary.parameters(aux=False) / summary.parameters()
    macs = 1 - summary.macs() / summary.macs(aux=True)
    assert (48, 0.5) == (round(100 * parameters), round(100 * macs, 1))


@pytest.mark.parametrize(
    ("path", "parameters", "macs"),
    [
        ("stem.conv1", 9_472, 118_013_952),
        ("stem.conv2_reduce", 4_160, 12_845_056),
        ("stem.conv2", 110_784, 346_816_512),
    ],
)
def test_stem_layers_cost_what_is_published(path: str, parameters: int, macs: int) -> None:
    """The three convolutions of the stem have the known parameters and MACs."""
    row = summarize(PRESETS["paper"]).by_path[path]
    assert (parameters, macs) == (row.parameters, row.macs)


@pytest.mark.parametrize(
    ("block", "parameters", "macs"),
    [
        ("3a", 163_696, 128_049_152),
        ("3b", 388_736, 304_267_264),
        ("4a", 376_176, 73_608_192),
        ("4b", 449_160, 87_908_352),
        ("4c", 510_104, 99_850_240),
        ("4d", 605_376, 118_515_712),
        ("4e", 868_352, 169_996_288),
        ("5a", 1_043_456, 51_079_168),
        ("5b", 1_444_080, 70_697_984),
        ("classifier", 1_025_000, 1_024_000),
    ],
)
def test_modules_cost_what_is_published(block: str, parameters: int, macs: int) -> None:
    """Each Inception module and the classifier have the known parameters and MACs."""
    totals = summarize(PRESETS["paper"]).by_module[block]
    assert (parameters, macs) == (totals.parameters, totals.macs)


@pytest.mark.parametrize("row", TABLE_1, ids=lambda row: row["type"])
def test_table_1_as_printed(row: dict[str, str]) -> None:
    """The paper preset has each row of Table 1 as printed, with the weights and MACs that follow from it."""
    name = row["type"].split("(")[1].rstrip(")")
    module, summary = PRESETS["paper"].module(name), summarize(PRESETS["paper"])
    columns = ("n1x1", "n3x3_reduce", "n3x3", "n5x5_reduce", "n5x5", "pool_proj")
    assert [int(row[column]) for column in columns] == list(module.model_dump(exclude={"name"}).values())
    height, width, channels = map(int, row["output_size"].split("x"))
    assert (channels, height, width) == summary.concat(name).out_shape
    weights = sum(layer.weights for layer in summary.rows if layer.module == name)
    expected = (int(row["calc_weights"]), int(row["calc_params_with_bias"]), int(row["calc_macs"]))
    assert expected == (weights, summary.by_module[name].parameters, summary.by_module[name].macs)


@pytest.mark.parametrize("row", TABLE_1, ids=lambda row: row["type"])
def test_inception5h_has_the_widths_google_released(row: dict[str, str]) -> None:
    """Google's released network has the weights per module of its graph file."""
    name = row["type"].split("(")[1].rstrip(")")
    layers = [layer for layer in summarize(PRESETS["inception5h"]).rows if layer.module == name]
    assert int(row["inception5h_weights"]) == sum(layer.weights for layer in layers)


def branch_5x5(config: GoogLeNetConfig, module: str) -> tuple[int, int]:
    """Return weights, and weights with biases, of the 5×5 branch of a module."""
    rows = [row for row in summarize(config).rows if (row.module, row.branch) == (module, "5x5")]
    return sum(row.weights for row in rows), sum(row.parameters for row in rows)


@pytest.mark.parametrize("module", ["4b", "4c"])
def test_the_1x1_example_is_the_5x5_branch_of_4b_and_4c(module: str) -> None:
    """512 → 64 with 5×5 kernels needs 819,200 weights, and 50,688 with the reduction to 24."""
    paper = PRESETS["paper"]
    assert (512, 14, 14) == summarize(paper).by_path[f"inception_{module}.branch_5x5.reduce"].in_shape
    assert (50_688, 50_776) == branch_5x5(paper, module)
    plain = with_module(paper, paper.module(module).replace(ch5x5_reduce=None))
    assert (819_200, 819_264) == branch_5x5(plain, module)


def test_the_reduction_saves_weights_up_to_387_channels() -> None:
    """In 4b the 1×1 before the 5×5 saves weights for widths up to 387, and costs some from 388."""
    paper = PRESETS["paper"]

    def weights(width: int) -> int:
        return branch_5x5(with_module(paper, paper.module("4b").replace(ch5x5_reduce=width)), "4b")[0]

    assert weights(387) < 819_200 < weights(388)


def test_naive_modules_become_wider() -> None:
    """Without reductions and projections each module passes on more channels than the last: 416 … 4944."""
    summary = summarize(PRESETS["naive"])
    expected = [416, 832, 1_280, 1_728, 2_176, 2_640, 3_344, 4_048, 4_944]
    assert expected == [summary.concat(module.name).out_shape[0] for module in summary.config.modules]


@pytest.mark.parametrize(
    ("preset", "module", "pixels"),
    [("paper", "3a", 59), ("paper", "5b", 715), ("torchvision", "5b", 379), ("two_3x3", "5b", 715)],
)
def test_receptive_fields_are_the_known_ones(preset: str, module: str, pixels: int) -> None:
    """A position of 3a depends on 59 pixels, one of 5b on 715; with torchvision's 3×3 kernels and last pool 379."""
    assert pixels == summarize(PRESETS[preset]).concat(module).receptive_field


@pytest.mark.parametrize(
    ("pooling", "sides"),
    [
        ("ceil", [112, 56, 28, 14, 7]),
        ("padded", [112, 56, 28, 14, 7]),
        ("torchvision", [112, 56, 28, 14, 7]),
        ("floor", [112, 55, 27, 13, 6]),
    ],
)
def test_pooling_rules_give_the_known_sizes(pooling: str, sides: list[int]) -> None:
    """At 224 the paper's sizes need pooling that rounds up or pads; plain floor gives 55, 27, 13 and 6."""
    rows = summarize(PRESETS["paper"].replace(pooling=pooling)).by_path
    paths = ("stem.conv1", "stem.pool1", "stem.pool2", "pool3", "pool4")
    assert sides == [rows[path].out_shape[1] for path in paths]


def test_catalogue_has_the_published_totals() -> None:
    """The totals in the catalogue agree with the published ones, because screens show them."""
    for name, (parameters, with_aux, macs, _) in TOTALS.items():
        preset = CATALOGUE[name]
        assert (parameters, macs) == (preset.parameters, preset.macs)
        assert with_aux in (None, preset.parameters_with_aux)
