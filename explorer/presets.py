"""The named networks, as data. The numbers of each are parameters, parameters with aux heads, MACs without aux."""

from types import MappingProxyType
from typing import NamedTuple

from explorer.config import AuxiliaryHeads, GoogLeNetConfig, InceptionModule, Stem

PAPER = "Szegedy et al. 2014, arXiv:1409.4842"


class Preset(NamedTuple):
    """A named network: its title, a description of one sentence, its source, its config and its known totals."""

    title: str
    story: str
    source: str
    config: GoogLeNetConfig
    parameters: int
    parameters_with_aux: int
    macs: int


# Table 1: name, #1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj.
TABLE_1 = (
    ("3a", 64, 96, 128, 16, 32, 32),
    ("3b", 128, 128, 192, 32, 96, 64),
    ("4a", 192, 96, 208, 16, 48, 64),
    ("4b", 160, 112, 224, 24, 64, 64),
    ("4c", 128, 128, 256, 24, 64, 64),
    ("4d", 112, 144, 288, 32, 64, 64),
    ("4e", 256, 160, 320, 32, 128, 128),
    ("5a", 256, 160, 320, 32, 128, 128),
    ("5b", 384, 192, 384, 48, 128, 128),
)
_FIELDS = tuple(InceptionModule.model_fields)


def _modules(divide: int = 1) -> tuple[InceptionModule, ...]:
    return tuple(
        InceptionModule.model_validate(dict(zip(_FIELDS, (name, *(width // divide for width in widths)), strict=True)))
        for name, *widths in TABLE_1
    )


def _with_cells(config: GoogLeNetConfig, name: str | None = None, **changes: int | None) -> GoogLeNetConfig:
    """Return the config with fields of one module (or of every module) changed."""
    return config.replace(
        modules=tuple(module.replace(**changes) if name in (None, module.name) else module for module in config.modules)
    )


_paper = GoogLeNetConfig(modules=_modules())
_inception5h = _with_cells(_with_cells(_paper, "4a", ch3x3=204), "5a", ch5x5_reduce=48).replace(
    classes=1_008, pooling="padded", aux=AuxiliaryHeads(pool="floor")
)

CATALOGUE: MappingProxyType[str, Preset] = MappingProxyType(
    {
        "paper": Preset(
            "paper",
            "Table 1 as printed, with Caffe's sizes: true 5×5 kernels, biases and local response normalisation.",
            f"{PAPER}, Table 1; BVLC/caffe models/bvlc_googlenet",
            _paper,
            *(6_998_552, 13_378_280, 1_582_671_872),
        ),
        "batch_norm": Preset(
            "batch norm",
            "The same widths with BatchNorm after every convolution instead of biases and LRN, as trained today.",
            f"{PAPER}, Table 1; Ioffe & Szegedy 2015, arXiv:1502.03167",
            _paper.replace(normalisation="batch_norm", conv_bias=False),
            *(7_005_832, 13_385_816, 1_582_671_872),
        ),
        "torchvision": Preset(
            "torchvision",
            "The network most people load: its “5×5” branch has 3×3 kernels, and it uses BatchNorm.",
            "torchvision 0.28 models/googlenet.py; pytorch/vision issue 906",
            _paper.replace(
                kernel_5x5="3x3",
                normalisation="batch_norm",
                conv_bias=False,
                pooling="torchvision",
                aux=AuxiliaryHeads(pool="adaptive"),
                dropout=0.2,
            ),
            *(6_624_904, 13_004_888, 1_498_376_192),
        ),
        "inception5h": Preset(
            "inception5h",
            "Google's released weights: 4a has 204 3×3 kernels, 5a reduces to 48, and there are 1,008 classes.",
            "Google, inception5h.zip (tensorflow_inception_graph.pb)",
            _inception5h,
            *(7_066_380, 13_461_996, 1_584_881_536),
        ),
        "naive": Preset(
            "naive",
            "Figure 2a: no 1×1 reductions and the pooling passes every channel, so each module feeds more to the next.",
            f"{PAPER}, Figure 2a",
            _with_cells(_paper, ch3x3_reduce=None, ch5x5_reduce=None, pool_proj=None),
            *(97_526_008, 104_274_376, 12_568_061_056),
        ),
        "no_reduction": Preset(
            "no reduction",
            "Only the 1×1s before the 3×3 and 5×5 are removed; the pool projections stay, so widths do not grow.",
            f"{PAPER}, Figure 2, with the projections of 2b kept",
            _with_cells(_paper, ch3x3_reduce=None, ch5x5_reduce=None),
            *(25_305_944, 31_685_672, 4_426_547_200),
        ),
        "two_3x3": Preset(
            "two 3×3",
            "Two 3×3 in a row for each 5×5: same receptive field, but more costly here: the second has a wide input.",
            "Szegedy et al. 2015, arXiv:1512.00567, section 3.1",
            _paper.replace(kernel_5x5="two_3x3"),
            *(7_284_232, 13_663_960, 1_639_721_984),
        ),
        "half": Preset(
            "half width",
            "Every width halved: about a quarter of the weights and MACs, because both sides of each layer shrink.",
            f"{PAPER}, Table 1 divided by 2",
            _paper.replace(
                modules=_modules(2),
                stem=Stem(conv1=32, conv2_reduce=32, conv2=96),
                aux=AuxiliaryHeads(conv=64, hidden=512),
            ),
            *(2_010_560, 4_119_568, 425_427_456),
        ),
        "mini": Preset(
            "mini",
            "A quarter of the widths, for 28×28 grey images: 89 % on Fashion-MNIST after a minute on two cores.",
            f"{PAPER}, Table 1 divided by 4; small stem for 28×28 (ours)",
            GoogLeNetConfig(
                input_shape=(1, 28, 28),
                stem=Stem(kind="small", conv1=16, conv2_reduce=16, conv2=48),
                modules=_modules(4),
                normalisation="batch_norm",
                conv_bias=False,
                aux=AuxiliaryHeads(conv=32, hidden=256, dropout=0.3),
                classes=10,
                dropout=0.0,
            ),
            *(378_658, 458_294, 22_479_920),
        ),
    }
)

PRESETS: MappingProxyType[str, GoogLeNetConfig] = MappingProxyType(
    {name: preset.config for name, preset in CATALOGUE.items()}
)


class Accuracy(NamedTuple):
    """The top-1 and top-5 accuracy of a trained network, in percent, and its source."""

    top1: float
    top5: float
    source: str


# As published for the ImageNet validation images, with one crop each.
ACCURACIES: MappingProxyType[GoogLeNetConfig, Accuracy] = MappingProxyType(
    {
        PRESETS["paper"]: Accuracy(68.7, 88.9, "BVLC/caffe models/bvlc_googlenet"),
        PRESETS["torchvision"]: Accuracy(69.778, 89.53, "torchvision 0.28 GoogLeNet_Weights.IMAGENET1K_V1"),
    }
)
