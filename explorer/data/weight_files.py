"""Files of weights, by their head alone: which network they are of, whether they fit another. Free of torch.

The names in torchvision's GoogLeNet (torchvision 0.28 ``models/googlenet.py``) and ours stand side by side here. Its
own pretrained weights come with ``transform_input``: the network undoes ImageNet's normalisation, x · 0.229 / 0.5 +
(0.485 − 0.5) / 0.5 for red, and so computes on (v − 0.5) / 0.5. Here the network is as in the file, and its
preprocessing says so at once: mean 0.5, deviation 0.5.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open

from explorer.analysis import LayerRow, summarize
from explorer.config import Frozen, GoogLeNetConfig
from explorer.data.class_names import unique_names
from explorer.data.preprocessing import Preprocessing
from explorer.errors import InputError
from explorer.presets import PRESETS
from explorer.settings import ASSETS
from explorer.share import ShareError, from_json
from explorer.training.plan import DatasetInfo

METADATA_KEY = "training"  # in the metadata of a file: how the weights were trained, a WeightsMetadata as JSON
ORIGIN = "origin"  # in the head of a file: where the weights come from, unless they were trained here
TORCHVISION, UPLOADED = "torchvision", "brought"
MAX_NAME = 40  # characters of a name that a file gives, and of a class's
IMAGENET_NAMES = ASSETS / "classes" / "imagenet.txt"
COUNTER = "num_batches_tracked"  # BatchNorm's, which inference does not need

Shape = tuple[int, ...]


class Network(Frozen):
    """A network and its weights.

    ``weights`` is the path of a safetensors file in our format; empty for random weights, drawn from ``seed``. ``stamp``
    changes when the content of the file does (:func:`describe` sets both).
    """

    config: GoogLeNetConfig
    weights: str = ""
    stamp: str = ""
    seed: int = 0


class WeightsMetadata(Frozen):
    """How weights were trained. The network's input is (pixel / 255 − ``mean``) / ``std``, per channel.

    ``steps`` of training took ``seconds``. ``accuracy`` is the fraction of ``facts.test`` test images classified
    correctly; None if training had not ended. The names of the fields are part of the file format.
    """

    name: str
    facts: DatasetInfo
    mean: tuple[float, ...]
    std: tuple[float, ...]
    seed: int
    steps: int
    seconds: float
    accuracy: float | None = Field(None, ge=0, le=1)


class ShapeMismatch(NamedTuple):
    """A tensor that does not fit the network: the path of its row, its name there, and both shapes.

    A shape is None if the tensor is missing on that side.
    """

    path: str
    tensor: str
    expected: Shape | None
    found: Shape | None


class WeightsInfo(NamedTuple):
    """What a file of weights is.

    ``title`` is a line for the reader; ``classes`` the names of the classes, no two the same, empty where they are not
    known. ``training`` is how they were trained, None where nothing is known of it; ``claimed`` whether only a file
    that someone brought says so. ``preprocessing`` is what pictures need.
    """

    network: Network
    title: str
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    training: WeightsMetadata | None
    is_unverified: bool = False


def read_weights_info(path: Path | str) -> WeightsInfo:
    """Read the head of a safetensors file of ours. Raises InputError where it is none."""
    path = Path(path)
    try:
        facts = path.stat()
        with safe_open(path, framework="numpy") as file:
            head = file.metadata() or {}
        config = from_json(head["config"])
    except KeyError:
        raise InputError("The file does not say which network its weights are of.") from None
    except ShareError as error:
        raise InputError(f"The weights are of no network that can be built here. {error}") from error
    except (OSError, SafetensorError) as error:
        raise InputError("The file of weights is no longer there, or is damaged.") from error
    network = Network(config=config, weights=str(path), stamp=f"{facts.st_mtime_ns}-{facts.st_size}")
    return _described(network, _metadata(head), head.get(ORIGIN, ""))


def read_metadata(path: Path | str) -> WeightsMetadata | None:
    """Return how the weights in a safetensors file were trained; None if it cannot be read."""
    try:
        with safe_open(path, framework="numpy") as file:
            return _metadata(file.metadata() or {})
    except (OSError, SafetensorError):
        return None


def _metadata(head: Mapping[str, str]) -> WeightsMetadata | None:
    try:
        return WeightsMetadata.model_validate_json(head.get(METADATA_KEY, ""))
    except ValidationError:
        return None


def _described(network: Network, training: WeightsMetadata | None, origin: str) -> WeightsInfo:
    classes = network.config.classes
    heads = len(network.config.aux.taps)
    with_heads = f"{classes:,} classes, {heads or 'no'} auxiliary head{'s' * (heads != 1)}"
    if training:
        names, claimed = training.facts.classes, origin == UPLOADED
        name, title = (text[:MAX_NAME] if claimed else text for text in (training.name, training.facts.title))
        return WeightsInfo(
            network,
            f"{name}, {'by its own account trained' if claimed else 'trained here'} on {title}",
            unique_names(names, MAX_NAME) if len(names) == classes else (),
            Preprocessing(mean=training.mean, std=training.std),
            training,
            claimed,
        )
    if origin == TORCHVISION:
        names = imagenet_classes() if classes == 1_000 else ()
        return WeightsInfo(
            network, f"a GoogLeNet in torchvision's layout, {with_heads}", names, Preprocessing(margin=256 / 224), None
        )
    return WeightsInfo(network, f"weights from a file, {with_heads}", (), Preprocessing(), None)


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the names of ImageNet's 1,000 classes, in the order of the outputs: of several words for one the first.

    Where two classes share it, all the words stand, and where they share them all, a number.
    """
    lines = IMAGENET_NAMES.read_text("utf-8").splitlines()
    first = [line.split(",")[0] for line in lines]
    shared = Counter(first)
    return unique_names((line if shared[word] > 1 else word for line, word in zip(lines, first, strict=True)), MAX_NAME)


def expected_shapes(config: GoogLeNetConfig) -> dict[str, Shape]:
    """Return every tensor of a network's state dict with its shape, from the closed form; no scalar counters.

    Raises UnbuildableError for a config with problems.
    """
    return {f"{row.path}.{name}": shape for row in summarize(config).rows for name, shape in _tensors(row, config)}


def _tensors(row: LayerRow, config: GoogLeNetConfig) -> Iterator[tuple[str, Shape]]:
    out = row.out_shape[0]
    if row.kind == "conv":
        yield "conv.weight", (out, row.in_shape[0], *row.kernel)
        if config.conv_bias:
            yield "conv.bias", (out,)
        if config.normalisation == "batch_norm":
            yield from ((f"bn.{name}", (out,)) for name in ("weight", "bias", "running_mean", "running_var"))
    elif row.kind == "linear":
        yield "weight", (out, row.in_shape[0])
        yield "bias", (out,)


def shape_mismatches(config: GoogLeNetConfig, found: Mapping[str, Shape]) -> tuple[ShapeMismatch, ...]:
    """Hold the shapes in a file, by our names, against a network: row by row what differs, is missing or left over."""
    expected = expected_shapes(config)
    paths = sorted(summarize(config).by_path, key=len, reverse=True)

    def misfit(name: str) -> ShapeMismatch:
        path = next((path for path in paths if name.startswith(f"{path}.")), name.rpartition(".")[0])
        return ShapeMismatch(path, name.removeprefix(f"{path}."), expected.get(name), found.get(name))

    left_over = [name for name in found if name not in expected and not name.endswith(COUNTER)]
    return tuple(misfit(name) for name in (*expected, *left_over) if expected.get(name) != found.get(name))


_STEM = {"conv1": "stem.conv1", "conv2": "stem.conv2_reduce", "conv3": "stem.conv2"}
_BRANCHES = {
    "branch1": "branch_1x1.conv",
    "branch2.0": "branch_3x3.reduce",
    "branch2.1": "branch_3x3.conv",
    "branch3.0": "branch_5x5.reduce",
    "branch3.1": "branch_5x5.conv",
    "branch4.1": "branch_pool.proj",
}
_HEAD = {"conv": "conv", "fc1": "fc", "fc2": "classifier"}
HEADS = {"aux1": "4a", "aux2": "4d"}


@cache
def torchvision_layers() -> dict[str, str]:
    """Return torchvision's name of each layer with parameters, and ours."""
    names = dict(_STEM)
    for module in PRESETS[TORCHVISION].modules:
        names |= {
            f"inception{module.name}.{theirs}": f"inception_{module.name}.{_BRANCHES[theirs]}" for theirs in _BRANCHES
        }
    for theirs, tap in HEADS.items():
        names |= {f"{theirs}.{layer}": f"aux_{tap}.{ours}" for layer, ours in _HEAD.items()}
    return names | {"fc": "classifier.fc"}


def is_torchvision(names: Mapping[str, object]) -> bool:
    """Whether tensors go by torchvision's names."""
    return "conv1.conv.weight" in names or any(name.startswith("inception3a.") for name in names)


def to_app_name(theirs: str) -> str:
    """Return our name of a tensor by torchvision's; the same where we have none."""
    for layer in (theirs.rsplit(".", cut)[0] for cut in (1, 2)):
        if layer in torchvision_layers():
            return torchvision_layers()[layer] + theirs[len(layer) :]
    return theirs


def torchvision_config(found: Mapping[str, Shape]) -> GoogLeNetConfig:
    """Return the preset ``torchvision`` with the heads and as many classes as the file has; names are torchvision's."""
    config = PRESETS[TORCHVISION]
    taps = tuple(tap for head, tap in HEADS.items() if any(name.startswith(f"{head}.") for name in found))
    classes = found.get("fc.bias", (config.classes,))
    return config.replace(
        classes=classes[0] if len(classes) == 1 else config.classes, aux=config.aux.replace(taps=taps)
    )
