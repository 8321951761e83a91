"""The process that reads weights from anywhere: ``python -m explorer.live.weights_reader FILE``, config on stdin.

It prints an ``Imported`` or a ``Failure`` as JSON. PyTorch's own files are read with ``weights_only``, which runs no
code from them; should that be wrong one day, or a file be made to fill the memory, there is nothing here but a process
with little memory and little time, which has no other work. What it keeps is a safetensors file of ours in the folder
of the file that it read.
"""

import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from explorer.config import GoogLeNetConfig, UnbuildableError
from explorer.data.content_store import ContentStore, ContentStoreError
from explorer.data.metadata import KEY
from explorer.data.weight_files import (
    BROUGHT,
    COUNTER,
    ORIGIN,
    TORCHVISION,
    describe,
    expected_shapes,
    is_torchvision,
    misfits,
    our_name,
    torchvision_config,
)
from explorer.jobs.inspection import ImportedWeights, InputError
from explorer.jobs.process import end_with_parent, limit_resources, lower_priority, take_stdout
from explorer.jobs.requests import Failure
from explorer.share import ShareError, from_json, to_json

if TYPE_CHECKING:
    from torch import Tensor

MAX_FILE = 256_000_000  # bytes
MAX_ENTRIES = 20_000  # of a PyTorch file, which is a zip archive
MAX_MISFITS = 300  # that are told; a network has fewer tensors, a hostile file may have more
MAX_ABOUT = 64_000  # characters on how the weights were trained, of which the names of classes take most
MEMORY = 1_000_000_000  # bytes above what PyTorch takes: the file, its tensors, and our copy of them
SECONDS = 60  # of computing
NICE = 10


def main(path: str) -> None:
    """Read the file and say what became of it."""
    output = take_stdout()
    lower_priority(NICE)
    end_with_parent()
    config = GoogLeNetConfig.model_validate_json(sys.stdin.buffer.read())
    import torch

    torch.set_num_threads(1)
    limit_resources(MEMORY, SECONDS, 2 * MAX_FILE)
    output.write(read(Path(path), config).model_dump_json())


def read(path: Path, config: GoogLeNetConfig) -> ImportedWeights | Failure:
    """Make a file of ours from one that someone brought; ``config`` is the network of tensors that name none."""
    try:
        return _imported(path, config)
    except (InputError, UnbuildableError, ContentStoreError) as error:
        return Failure(reason=str(error))
    except MemoryError:
        return Failure(reason="Reading the file needs more memory than weights of its size do.")


def _imported(path: Path, config: GoogLeNetConfig) -> ImportedWeights:
    if path.stat().st_size > MAX_FILE:
        raise InputError(f"The file has {path.stat().st_size:,} bytes; at most {MAX_FILE:,} are read.")
    state, head = _from_safetensors(path) if _is_safetensors(path) else (_from_torch(path), {})
    _judge_tensors(state, path.stat().st_size)
    more = {ORIGIN: BROUGHT}
    if is_torchvision(state):
        config = torchvision_config({name: tuple(tensor.shape) for name, tensor in state.items()})
        state, more = {our_name(name): tensor for name, tensor in state.items()}, {ORIGIN: TORCHVISION}
    elif "config" in head:
        config = _named(head["config"])
        more |= {KEY: head[KEY]} if 0 < len(head.get(KEY, "")) <= MAX_ABOUT else {}
    elif not any(name.startswith("stem.") for name in state):
        names = ", ".join(list(state)[:3])[:120]
        raise InputError(
            f"The file holds no GoogLeNet of torchvision's or of this app: its tensors are called {names} …"
        )
    if found := misfits(config, {name: tuple(tensor.shape) for name, tensor in state.items()}):
        told = "1 tensor does" if len(found) == 1 else f"{len(found):,} tensors do"
        return ImportedWeights(network=None, about=f"{told} not fit the network.", misfits=found[:MAX_MISFITS])
    return _kept(path, config, state, more)


def _is_safetensors(path: Path) -> bool:
    """Look for the brace of its JSON head, behind eight bytes of length."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _from_safetensors(path: Path) -> tuple[dict[str, "Tensor"], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError):
        raise InputError("The file is no safetensors file, or is cut off.") from None


def _from_torch(path: Path) -> dict[str, "Tensor"]:
    """Read a file of ``torch.save`` without running anything in it."""
    import torch

    _judge_archive(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise InputError(
            "The file holds Python objects, not weights alone. Nothing in it was run. If it is a whole model, save "
            "model.state_dict() instead."
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # a hostile file can make PyTorch raise anything
        if "allocate" in str(error):
            raise MemoryError from None
        raise InputError("The file is no PyTorch file, or is damaged or cut off.") from None
    if not isinstance(loaded, Mapping) or not loaded:
        raise InputError(f"The file holds no state dict, but a value of the kind {type(loaded).__name__}.")
    return dict(loaded)


def _judge_archive(path: Path) -> None:
    """Refuse an archive that would unfold to more than its size. PyTorch stores its numbers as they are."""
    if not zipfile.is_zipfile(path):
        return  # a file of before PyTorch 1.6 is none
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise InputError("The file is no PyTorch file, or is damaged or cut off.") from None
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise InputError("The file is a packed archive: it would unfold to more than its size, and is not read.")


def _judge_tensors(state: Mapping[Any, Any], size: int) -> None:
    """Refuse what no state dict has: other values than tensors, sparse or repeated numbers, other types of numbers."""
    import torch

    floats = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise InputError(
                f"The file holds more than a state dict: {str(name)[:60]} is of the kind {type(tensor).__name__}. Save "
                "model.state_dict() by itself."
            )
        if tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise InputError(f"{name[:120]} is sparse or has no numbers; weights are dense.")
        if tensor.dtype not in floats and not name.endswith(COUNTER):
            raise InputError(f"{name[:120]} is of type {tensor.dtype}; weights are floating-point numbers.")
        if tensor.untyped_storage().nbytes() < tensor.numel() * tensor.element_size():
            raise InputError(f"{name[:120]} repeats fewer numbers than it has elements; weights have each their own.")
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > size:
        raise InputError("The tensors share their numbers: they would need more memory than the file has bytes.")


def _named(document: str) -> GoogLeNetConfig:
    try:
        return from_json(document)
    except ShareError as error:
        raise InputError(f"The weights are of no network that can be built here. {error}") from error


def _kept(path: Path, config: GoogLeNetConfig, state: dict[str, "Tensor"], more: dict[str, str]) -> ImportedWeights:
    """Write the tensors of the network, by our names, as 32-bit numbers."""
    import torch
    from safetensors.torch import save

    tensors = {}
    for name in expected_shapes(config):
        tensors[name] = state[name].to(torch.float32).contiguous().clone()
        if not tensors[name].isfinite().all():
            raise InputError(f"{name} holds numbers that are not finite (NaN or infinite).")
        if name.endswith("running_var") and tensors[name].min() < 0:
            raise InputError(f"{name} holds variances below 0.")
        if name.endswith("running_var"):
            counter = name.replace("running_var", COUNTER)
            tensors[counter] = torch.zeros((), dtype=torch.int64)
    content = save(tensors, {"format": "pt", "config": to_json(config)} | more)
    described = describe(ContentStore(path.parent).keep(content, ".safetensors"))
    return ImportedWeights(network=described.network, about=described.title)


if __name__ == "__main__":
    main(*sys.argv[1:])
