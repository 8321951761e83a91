"""Record on which devices PyTorch makes tensors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class TensorDeviceMode(TorchDispatchMode):
    """Collects the devices of all tensors that PyTorch makes while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.devices: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and add the devices of its results."""
        result = func(*args, **(kwargs or {}))
        self.devices |= {leaf.device.type for leaf in tree_leaves(result) if isinstance(leaf, Tensor)}
        return result


@contextmanager
def record_tensor_devices() -> Iterator[set[str]]:
    """Yield a set that collects the devices of all tensors made in the block."""
    with TensorDeviceMode() as mode:
        yield mode.devices
