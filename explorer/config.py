"""The description of a network: frozen, typed, and the only thing that packages exchange about it.

A config says *what* a network is, in the words of the paper (Szegedy et al. 2014, "Going deeper with
convolutions", arXiv:1409.4842, Table 1). Creating one checks types and names; :func:`explorer.problems` checks
whether the network can be built. So a table with a bad cell can be described, explained and corrected instead of
raising an exception.
"""

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

# What one small classroom server can show and build. The message that refuses a network names the limit.
MAX_CHANNELS = 4_096
MAX_MODULES = 64
MAX_SIDE = 1_024
MAX_INPUT_CHANNELS = 64
MAX_CLASSES = 32_768
MAX_PARAMETERS = 500_000_000
MAX_ACTIVATIONS = 250_000_000

BRANCHES = ("1x1", "3x3", "5x5", "pool")

# The six columns of Table 1 under the names they have in the paper.
HEADINGS = {
    "ch1x1": "#1×1",
    "ch3x3_reduce": "#3×3 reduce",
    "ch3x3": "#3×3",
    "ch5x5_reduce": "#5×5 reduce",
    "ch5x5": "#5×5",
    "pool_proj": "pool proj",
}

ModuleName = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]?)[a-z]$")]
Kernel5x5 = Literal["5x5", "3x3", "two_3x3"]
Normalisation = Literal["lrn", "batch_norm", "none"]
Pooling = Literal["ceil", "torchvision", "padded", "floor"]
AuxiliaryPool = Literal["ceil", "floor", "adaptive"]
StemKind = Literal["paper", "small"]


class Frozen(BaseModel):
    """An immutable value: strict types, no unknown fields, hashable."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    def replace(self, **changes: Any) -> Self:
        """Return a new value with the given fields changed. Raises ValidationError for a wrong type."""
        return type(self)(**(dict(self) | changes))


class InceptionModule(Frozen):
    """One row of Table 1. The fields are the numbers of filters, in the paper's order.

    In the three reducing fields ``None`` (a blank cell) means "no 1×1 convolution here": the 3×3 or 5×5 sees
    all input channels, and the pooling passes on all of them. In the other fields, and in ``pool_proj``, 0 means
    "no such branch"; the reduction of a missing branch is ignored.
    """

    name: ModuleName
    ch1x1: int
    ch3x3_reduce: int | None
    ch3x3: int
    ch5x5_reduce: int | None
    ch5x5: int
    pool_proj: int | None

    @property
    def stage(self) -> int:
        """The number in the name. There is a max pool between two stages."""
        return int(self.name[:-1])

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches this module has, in the order of concatenation."""
        filters = (self.ch1x1, self.ch3x3, self.ch5x5, self.pool_proj)
        return tuple(branch for branch, n in zip(BRANCHES, filters, strict=True) if n != 0)


class Stem(Frozen):
    """The layers before the first Inception module.

    ``paper``: conv 7×7/2, pool, conv 1×1, conv 3×3, pool (divides the image by 8).
    ``small``: conv 3×3/1 instead of 7×7/2 and no first pool (divides by 2), for images of about 28×28.
    """

    kind: StemKind = "paper"
    conv1: int = 64
    conv2_reduce: int = 64
    conv2: int = 192


class AuxiliaryHeads(Frozen):
    """The classifiers that are attached to inner modules in training. ``taps`` names those modules.

    ``pool``: average pooling 5×5/3 rounding down (``floor``) or up as Caffe does (``ceil``), or torchvision's
    adaptive average to 4×4.
    """

    taps: tuple[ModuleName, ...] = ("4a", "4d")
    pool: AuxiliaryPool = "ceil"
    conv: int = 128
    hidden: int = 1_024
    dropout: float = 0.7
    loss_weight: float = 0.3


class GoogLeNetConfig(Frozen):
    """A whole network. ``input_shape`` is C × H × W of one image.

    ``normalisation``: ``lrn`` as in the paper (after pool1 and after conv2), ``batch_norm`` after every
    convolution, or none. ``pooling`` names the rule by which 3×3/2 max pools round; see :data:`POOL_RULES`.
    """

    input_shape: tuple[int, int, int] = (3, 224, 224)
    stem: Stem = Stem()
    modules: tuple[InceptionModule, ...]
    kernel_5x5: Kernel5x5 = "5x5"
    normalisation: Normalisation = "lrn"
    conv_bias: bool = True
    pooling: Pooling = "ceil"
    aux: AuxiliaryHeads = AuxiliaryHeads()
    classes: int = 1_000
    dropout: float = 0.4

    def module(self, name: str) -> InceptionModule:
        """Return the module of that name. Raises KeyError when there is none."""
        for module in self.modules:
            if module.name == name:
                return module
        raise KeyError(name)


class PoolRule(NamedTuple):
    """A max pool that halves the feature map: kernel, stride and padding in positions; ``ceil`` rounds the size up."""

    kernel: int
    stride: int
    padding: int
    ceil: bool


class PoolRules(NamedTuple):
    """The max pools of a family of networks: the usual one, and the one before the last stage."""

    title: str
    usual: PoolRule
    last: PoolRule


_CEIL = PoolRule(3, 2, 0, True)
_PADDED = PoolRule(3, 2, 1, False)
_FLOOR = PoolRule(3, 2, 0, False)

# The paper's sizes 112, 56, 28, 14, 7 need "ceil" or "padded"; "floor" gives 112, 55, 27, 13, 6.
POOL_RULES: dict[str, PoolRules] = {
    "ceil": PoolRules("3×3/2, rounding up (Caffe)", _CEIL, _CEIL),
    "torchvision": PoolRules("3×3/2 rounding up, the last 2×2/2 (torchvision)", _CEIL, PoolRule(2, 2, 0, True)),
    "padded": PoolRules("3×3/2 with padding 1 (TensorFlow, d2l)", _PADDED, _PADDED),
    "floor": PoolRules("3×3/2, rounding down (plain PyTorch default)", _FLOOR, _FLOOR),
}
