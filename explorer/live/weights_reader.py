"""Convert an uploaded file of weights: ``python -m explorer.live.weights_reader FILE FOLDER NAME``.

It reads a config from stdin and prints an ``ImportedWeights`` or a ``Failure`` as JSON. PyTorch's own files are read
with ``weights_only``, which runs no code in them. Should that fail one day, or should a file be made to fill the
memory, it happens in a process with limits on memory and time that does nothing else and inherits a low priority. The
weights are written to the folder as a safetensors file, with the name that the file had on the user's machine.
"""

import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from explorer.config import GoogLeNetConfig
from explorer.data.content_store import ContentStore, ContentStoreError
from explorer.data.weight_files import (
    COUNTER,
    MAX_NAME,
    METADATA_KEY,
    NAME,
    ORIGIN,
    TORCHVISION,
    UPLOADED,
    expected_shapes,
    is_torchvision,
    read_weights_info,
    shape_mismatches,
    to_app_name,
    torchvision_config,
)
from explorer.data.weight_kinds import STATE_DICT, describe_other_weights
from explorer.errors import InputError, UnbuildableError
from explorer.jobs.inspection import ImportedWeights
from explorer.jobs.job import Failure
from explorer.jobs.process import end_with_parent, limit_resources, take_stdout
from explorer.live.weights import file_pieces, to_metadata
from explorer.share import ShareError, from_json

MAX_FILE_BYTES = 256_000_000
MAX_ENTRIES = 20_000  # of a PyTorch file, which is a zip archive
MAX_MISMATCHES = 300  # that are reported; a network has fewer tensors, a hostile file may have more
MAX_METADATA = 64_000  # characters on how the weights were trained; the names of classes take most of them
MEMORY_BYTES = 1_000_000_000  # above what PyTorch takes: the file, its tensors, and a copy of them
CPU_SECONDS = 60

_STATE_DICT_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "weights")  # of checkpoints
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")  # DataParallel, torch.compile, Lightning
_FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
_State = dict[str, Tensor]
_Items = list[tuple[object, object]]  # of what should be a state dict


def main(path: str, folder: str, name: str = "") -> None:
    """Convert the file and print the result."""
    output = take_stdout()
    end_with_parent()
    config = GoogLeNetConfig.model_validate_json(sys.stdin.buffer.read())
    torch.set_num_threads(1)
    limit_resources(MEMORY_BYTES, CPU_SECONDS, 2 * MAX_FILE_BYTES)
    output.write(read(Path(path), config, Path(folder), name).model_dump_json())


def read(path: Path, config: GoogLeNetConfig, folder: Path | None = None, name: str = "") -> ImportedWeights | Failure:
    """Convert a file of weights to this app's format; ``config`` is the network of tensors that come without one.

    The new file is written to ``folder``, by default that of the old one; ``name`` becomes its title.
    """
    try:
        return _convert(path, config, folder or path.parent, name)
    except (InputError, UnbuildableError, ContentStoreError) as error:
        return Failure(reason=str(error))
    except MemoryError:
        return Failure(
            reason=f"Reading the file needs more than {MEMORY_BYTES / 1e6:,.0f} MB of memory. If it holds more than "
            f"weights, save them alone: {STATE_DICT}."
        )


def _convert(path: Path, config: GoogLeNetConfig, folder: Path, name: str) -> ImportedWeights:
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise InputError(
            f"The file has {size:,} bytes; the limit is {MAX_FILE_BYTES:,}. Save the weights alone, without an "
            f"optimizer: {STATE_DICT}."
        )
    if other := describe_other_weights(path):
        raise InputError(other)
    items, metadata = _read_safetensors(path) if _is_safetensors(path) else (_read_torch(path), {})
    state = _without_prefix(_check_tensors(items, size))
    items.clear()  # the tensors are many megabytes
    new_metadata = {ORIGIN: UPLOADED}
    if is_torchvision(state):
        config = torchvision_config(_shapes(state))
        state = {to_app_name(name): tensor for name, tensor in state.items()}
        new_metadata = {ORIGIN: TORCHVISION}
    elif "config" in metadata:
        config = _read_config(metadata["config"])
        if 0 < len(metadata.get(METADATA_KEY, "")) <= MAX_METADATA:
            new_metadata[METADATA_KEY] = metadata[METADATA_KEY]
    elif not any(name.startswith("stem.") for name in state):
        names = ", ".join(list(state)[:3])[:120]
        raise InputError(
            f"The file has no GoogLeNet of torchvision or of this app: its tensors are {names} … Choose weights of a "
            "GoogLeNet."
        )
    if mismatches := shape_mismatches(config, _shapes(state)):
        count = "1 tensor does" if len(mismatches) == 1 else f"{len(mismatches):,} tensors do"
        return ImportedWeights(
            network=None, about=f"{count} not fit the network.", mismatches=mismatches[:MAX_MISMATCHES]
        )
    if name:
        new_metadata[NAME] = name[:MAX_NAME]
    return _save(folder, config, state, new_metadata)


def _shapes(state: _State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _is_safetensors(path: Path) -> bool:
    """Whether a JSON header follows eight bytes with its length."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _read_safetensors(path: Path) -> tuple[_Items, dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return [(name, file.get_tensor(name)) for name in file.keys()], file.metadata() or {}  # noqa: SIM118  # the file is no dict
    except (OSError, SafetensorError):
        raise InputError("The file is not a safetensors file, or it is truncated.") from None


def _read_torch(path: Path) -> _Items:
    """Read a file of ``torch.save`` without running any code in it."""
    _check_archive(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise InputError(
            "The file holds Python objects besides weights; no code in it was run. If it is a whole model or a "
            "checkpoint with other objects, save model.state_dict() alone."
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # a hostile file can make PyTorch raise anything
        if "allocate" in str(error):
            raise MemoryError from None
        raise InputError("The file is not a PyTorch file, or it is damaged or truncated.") from None
    if not isinstance(loaded, Mapping) or not loaded:
        raise InputError(f"The file does not hold a state dict, but a value of type {type(loaded).__name__}.")
    return list(_state_dict_in(loaded).items())


def _state_dict_in(loaded: Mapping[object, object]) -> Mapping[object, object]:
    """Return the state dict in a checkpoint that also holds the epoch, the optimiser and so on; else the same."""
    for key in _STATE_DICT_KEYS:
        inner = loaded.get(key)
        if isinstance(inner, Mapping) and any(isinstance(value, Tensor) for value in inner.values()):
            return inner
    return loaded


def _without_prefix(state: _State) -> _State:
    """Return the tensors without what wrappers put before every name, such as ``module.`` of DataParallel."""
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            return _without_prefix({name.removeprefix(prefix): tensor for name, tensor in state.items()})
    return state


def _check_archive(path: Path) -> None:
    """Raise InputError for an archive that would unpack to more than its size. PyTorch does not compress its files."""
    if not zipfile.is_zipfile(path):
        return  # a file written before PyTorch 1.6
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise InputError("The file is not a PyTorch file, or it is damaged or truncated.") from None
    is_compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if is_compressed or len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise InputError(
            "The file is a compressed archive, which PyTorch does not write: it would unpack to more than its size, so "
            "it is not read."
        )


def _check_tensors(items: _Items, size: int) -> _State:
    """Return the state dict. Raises InputError if the items are not one.

    No state dict has values other than tensors, sparse or repeated numbers, or numbers of other types.
    """
    state: _State = {}
    total = 0
    for name, tensor in items:
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise InputError(
                f"The file holds more than a state dict: {str(name)[:60]} is of type {type(tensor).__name__}. Save "
                "model.state_dict() alone."
            )
        if tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise InputError(f"{name[:120]} is sparse or has no data; weights must be dense.")
        if tensor.dtype not in _FLOATS and not name.endswith(COUNTER):
            raise InputError(f"{name[:120]} is of type {tensor.dtype}; weights must be floating-point numbers.")
        needed = tensor.numel() * tensor.element_size()
        if tensor.untyped_storage().nbytes() < needed:
            raise InputError(f"{name[:120]} has fewer stored numbers than elements; weights must not repeat numbers.")
        total += needed
        state[name] = tensor
    if total > size:
        raise InputError("The tensors share their numbers: they would need more memory than the file has bytes.")
    return state


def _read_config(document: str) -> GoogLeNetConfig:
    try:
        return from_json(document)
    except ShareError as error:
        raise InputError(f"The network of these weights cannot be built here. {error}") from error


def _save(folder: Path, config: GoogLeNetConfig, state: _State, metadata: dict[str, str]) -> ImportedWeights:
    """Write the network's tensors as 32-bit numbers; ``state`` loses them, so that one copy is in memory at a time."""
    tensors = {}
    for name in expected_shapes(config):
        tensors[name] = state.pop(name).to(torch.float32).contiguous().clone()
        if not tensors[name].isfinite().all():
            raise InputError(f"{name} holds numbers that are not finite (NaN or infinite).")
        if name.endswith("running_var") and tensors[name].min() < 0:
            raise InputError(f"{name} holds negative variances.")
        if name.endswith("running_var"):
            counter = name.replace("running_var", COUNTER)
            tensors[counter] = torch.zeros((), dtype=torch.int64)
    pieces = file_pieces(tensors, to_metadata(config) | metadata)
    info = read_weights_info(ContentStore(folder).add_pieces(pieces, ".safetensors"))
    return ImportedWeights(network=info.network, about=info.title)


if __name__ == "__main__":
    main(*sys.argv[1:])
