"""Files of weights: what their header says about the network and its training, and whether they fit a network.

Only headers are read, so nothing here loads torch. The names in torchvision's GoogLeNet (torchvision 0.28
``models/googlenet.py``) are mapped to this app's. Its pretrained weights come with ``transform_input``: the network
undoes ImageNet's normalisation, x · 0.229 / 0.5 + (0.485 − 0.5) / 0.5 for red, so its input is (v − 0.5) / 0.5. Here
the network has no such layer, and its preprocessing is the same from the start: mean 0.5, standard deviation 0.5.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open

from explorer.analysis import LayerRow, summarize
from explorer.config import Frozen, GoogLeNetConfig
from explorer.data.class_names import unique_names
from explorer.data.content_store import ContentStore, is_named_by_content
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network, Shape, ShapeMismatch
from explorer.errors import InputError
from explorer.paths import ASSETS
from explorer.presets import PRESETS
from explorer.share import ShareError, from_json
from explorer.training.plan import DatasetInfo

# Keys and values in the metadata of a safetensors file; they are part of the file format.
METADATA_KEY = "training"  # how the weights were trained: a WeightsMetadata as JSON
ORIGIN = "origin"  # where the weights come from, unless they were trained here
TORCHVISION, UPLOADED = "torchvision", "brought"

NAME = "name"  # the title that a user gave, or the name of the uploaded file
CLASS_NAMES = "class_names"  # that a user gave, as a JSON list
MAX_NAME = 40  # characters of a name in an uploaded file, and of the name of a class
IMAGENET_NAMES = ASSETS / "classes" / "imagenet.txt"
_LENGTH = 8  # bytes at the start of a safetensors file, with the length of its header
_NAMES: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])
COUNTER = "num_batches_tracked"  # a tensor of BatchNorm that inference does not need


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


class WeightsInfo(NamedTuple):
    """The content of a file of weights.

    ``title`` describes it in a line. ``class_names`` are all different; empty if they are unknown. ``training`` is None
    if nothing is known about it; ``is_unverified`` if only an uploaded file says so. ``preprocessing`` is the one that
    images need. ``name`` is the one that a user gave to the file; empty if there is none.
    """

    network: Network
    title: str
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    training: WeightsMetadata | None
    is_unverified: bool = False
    name: str = ""


def read_weights_info(path: Path | str, *, is_local: bool = False) -> WeightsInfo:
    """Read the header of a safetensors file in this app's format. Raises InputError for any other file.

    ``is_local``: a run of this server wrote the file.
    """
    path = Path(path)
    try:
        status = path.stat()
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        config = from_json(metadata["config"])
    except KeyError:
        raise InputError("The file does not contain the configuration of its network.") from None
    except ShareError as error:
        raise InputError(f"The network of these weights cannot be built here. {error}") from error
    except (OSError, SafetensorError) as error:
        raise InputError("The weights file is missing or damaged.") from error
    stamp = "" if is_named_by_content(path) else f"{status.st_mtime_ns}-{status.st_size}"
    network = Network(config=config, weights=str(path), stamp=stamp)
    training, is_unverified = _training(metadata), metadata.get(ORIGIN) == UPLOADED
    title, names, preprocessing = _describe(config, metadata.get(ORIGIN, ""))
    if training:
        title = _training_title(training, is_unverified=is_unverified, is_local=is_local)
        names = unique_names(training.facts.classes, MAX_NAME) if len(training.facts.classes) == config.classes else ()
        preprocessing = Preprocessing(mean=training.mean, std=training.std)
    if name := metadata.get(NAME, "")[:MAX_NAME]:
        title = f"{name}: {title}"
    names = _class_names(metadata, config) or names
    return WeightsInfo(network, title, names, preprocessing, training, is_unverified, name)


def _describe(config: GoogLeNetConfig, origin: str) -> tuple[str, tuple[str, ...], Preprocessing]:
    """Return the title, the names of the classes and the preprocessing of weights without a record of training."""
    classes, heads = config.classes, len(config.aux.taps)
    size = f"{classes:,} classes, {heads or 'no'} auxiliary head{'s' * (heads != 1)}"
    if origin == TORCHVISION:
        names = imagenet_classes() if classes == 1_000 else ()
        return f"a GoogLeNet in torchvision's layout, {size}", names, Preprocessing(margin=256 / 224)
    return f"weights from a file, {size}", (), Preprocessing()


def _training_title(training: WeightsMetadata, *, is_unverified: bool, is_local: bool) -> str:
    name, dataset = training.name[:MAX_NAME], training.facts.title[:MAX_NAME]
    if is_unverified:
        return f"{name}, trained on {dataset} according to the file"
    return f"{name}, trained here on {dataset}" if is_local else f"{name}, trained on {dataset}"


def _class_names(metadata: Mapping[str, str], config: GoogLeNetConfig) -> tuple[str, ...]:
    """Return the names that a user gave to the classes; empty if there are none."""
    try:
        names = _NAMES.validate_json(metadata.get(CLASS_NAMES, "[]"))
    except ValidationError:
        return ()
    return unique_names(names, MAX_NAME) if len(names) == config.classes else ()


def rename_weights(path: Path, store: ContentStore, name: str, classes: Sequence[str]) -> Path:
    """Write a file of weights again with another name and other names of its classes; return its path.

    Raises InputError if the file is missing or damaged, and ContentStoreError if it cannot be written.
    """
    try:
        content = path.read_bytes()
        metadata = _read_header(content).get("__metadata__", {})
        new = with_metadata(content, {**metadata, NAME: name, CLASS_NAMES: json.dumps(list(classes))})
    except (OSError, ValueError) as error:
        raise InputError("The weights file is missing or damaged.") from error
    return store.add(new, ".safetensors")


def with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return a safetensors file with this metadata instead of its own. Raises ValueError for a damaged file."""
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    return b"".join((file_header(_tensor_entries(content), metadata), memoryview(content)[start:]))


def file_header(tensors: Mapping[str, object], metadata: Mapping[str, str]) -> bytes:
    """Return how a safetensors file begins: entries of tensors as the format defines them, and metadata by key.

    The library writes metadata in a random order. So equal tensors (names, types, shapes and numbers) with equal
    metadata are equal bytes, which have one name in the content store.
    """
    header = json.dumps({"__metadata__": dict(sorted(metadata.items())), **tensors}).encode()
    header += b" " * (-len(header) % _LENGTH)  # tensors start at a multiple of eight bytes
    return len(header).to_bytes(_LENGTH, "little") + header


def _tensor_entries(content: bytes) -> dict[str, object]:
    return {name: entry for name, entry in _read_header(content).items() if name != "__metadata__"}


def _read_header(content: bytes) -> dict[str, Any]:
    size = int.from_bytes(content[:_LENGTH], "little")
    header: dict[str, Any] = json.loads(content[_LENGTH : _LENGTH + size])
    return header


def read_metadata(path: Path | str) -> WeightsMetadata | None:
    """Return how the weights in a safetensors file were trained; None if it cannot be read."""
    try:
        with safe_open(path, framework="numpy") as file:
            return _training(file.metadata() or {})
    except (OSError, SafetensorError):
        return None


def _training(metadata: Mapping[str, str]) -> WeightsMetadata | None:
    try:
        return WeightsMetadata.model_validate_json(metadata.get(METADATA_KEY, ""))
    except ValidationError:
        return None


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the names of ImageNet's 1,000 classes, in the order of the outputs: the first of several synonyms.

    If two classes share it, they have all their synonyms; if they share all, a number.
    """
    lines = IMAGENET_NAMES.read_text("utf-8").splitlines()
    first = [line.split(",")[0] for line in lines]
    counts = Counter(first)
    return unique_names((line if counts[word] > 1 else word for line, word in zip(lines, first, strict=True)), MAX_NAME)


def expected_shapes(config: GoogLeNetConfig) -> dict[str, Shape]:
    """Return the shape of each tensor in a network's state dict, from the closed form, without scalar counters.

    Raises UnbuildableError for a config with problems.
    """
    return {f"{row.path}.{name}": shape for row in summarize(config).rows for name, shape in _tensors(row, config)}


def _tensors(row: LayerRow, config: GoogLeNetConfig) -> Iterator[tuple[str, Shape]]:
    out = row.out_shape[0]
    if row.kind == "conv":
        yield "conv.weight", (out, row.in_shape[0], *(row.kernel or ()))
        if config.conv_bias:
            yield "conv.bias", (out,)
        if config.normalisation == "batch_norm":
            yield from ((f"bn.{name}", (out,)) for name in ("weight", "bias", "running_mean", "running_var"))
    elif row.kind == "linear":
        yield "weight", (out, row.in_shape[0])
        yield "bias", (out,)


def shape_mismatches(config: GoogLeNetConfig, found: Mapping[str, Shape]) -> tuple[ShapeMismatch, ...]:
    """Compare shapes in a file, by this app's names, with a network: row by row what differs, is missing or unknown."""
    expected = expected_shapes(config)
    paths = sorted(summarize(config).by_path, key=len, reverse=True)

    def mismatch(name: str) -> ShapeMismatch:
        path = next((path for path in paths if name.startswith(f"{path}.")), name.rpartition(".")[0])
        return ShapeMismatch(path, name.removeprefix(f"{path}."), expected.get(name), found.get(name))

    unknown = [name for name in found if name not in expected and not name.endswith(COUNTER)]
    return tuple(mismatch(name) for name in (*expected, *unknown) if expected.get(name) != found.get(name))


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
    """Return this app's path of each layer with parameters, by torchvision's name."""
    names = dict(_STEM)
    for module in PRESETS[TORCHVISION].modules:
        names |= {
            f"inception{module.name}.{branch}": f"inception_{module.name}.{path}" for branch, path in _BRANCHES.items()
        }
    for head, tap in HEADS.items():
        names |= {f"{head}.{layer}": f"aux_{tap}.{path}" for layer, path in _HEAD.items()}
    return names | {"fc": "classifier.fc"}


def is_torchvision(names: Mapping[str, object]) -> bool:
    """Whether tensors have torchvision's names."""
    return "conv1.conv.weight" in names or any(name.startswith("inception3a.") for name in names)


def to_app_name(torchvision_name: str) -> str:
    """Return this app's name of a tensor by torchvision's; the same name if the tensor is unknown."""
    for layer in (torchvision_name.rsplit(".", cut)[0] for cut in (1, 2)):
        if layer in torchvision_layers():
            return torchvision_layers()[layer] + torchvision_name[len(layer) :]
    return torchvision_name


def torchvision_config(found: Mapping[str, Shape]) -> GoogLeNetConfig:
    """Return the preset ``torchvision`` with as many heads and classes as a file has, by torchvision's names."""
    config = PRESETS[TORCHVISION]
    taps = tuple(tap for head, tap in HEADS.items() if any(name.startswith(f"{head}.") for name in found))
    classes = found.get("fc.bias", (config.classes,))
    return config.replace(
        classes=classes[0] if len(classes) == 1 else config.classes, aux=config.aux.replace(taps=taps)
    )


def stored_token(path: str) -> str:
    """Return the token of a weights file in the content store, which links carry."""
    return f"kept_{Path(path).stem}"
