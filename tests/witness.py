"""A witness of what PyTorch allocates."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Devices(TorchDispatchMode):
    """Notes the devices of all tensors that PyTorch makes while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and note where its result is."""
        result = func(*args, **(kwargs or {}))
        self.seen |= {part.device.type for part in tree_leaves(result) if isinstance(part, Tensor)}
        return result


@contextmanager
def devices() -> Iterator[set[str]]:
    """Collect the devices of all tensors that are made within."""
    with Devices() as mode:
        yield mode.seen
