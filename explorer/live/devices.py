"""Where the network runs: CPU, CUDA or Apple's MPS, with a polite way back to the CPU."""

from typing import NamedTuple

import torch


class Device(NamedTuple):
    """A device that exists: what was asked for, what is used, and why when the two differ."""

    choice: str
    torch: torch.device
    note: str

    @property
    def name(self) -> str:
        """The device in words, e.g. ``CPU`` or the GPU's product name."""
        if self.torch.type == "cuda":
            return torch.cuda.get_device_name(self.torch)
        return self.torch.type.upper()

    @property
    def description(self) -> str:
        """What a measurement was made on: the name, for the CPU with the number of threads."""
        threads = torch.get_num_threads()
        return f"CPU ({threads} thread{'s' * (threads > 1)})" if self.torch.type == "cpu" else self.name


def available_devices() -> tuple[str, ...]:
    """Return the kinds of device that are here, the CPU first."""
    found = ["cpu"]
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return tuple(found)


def resolve_device(choice: str = "auto") -> Device:
    """Return the device asked for, or the CPU with the reason when there is none.

    ``auto`` takes CUDA, then MPS, then the CPU. Unknown names fall back to the CPU too.
    """
    have = available_devices()
    if choice == "auto":
        best = next(kind for kind in ("cuda", "mps", "cpu") if kind in have)
        return Device(choice, torch.device(best), "")
    if choice in have:
        return Device(choice, torch.device(choice), "")
    known = choice in ("cuda", "mps")
    reason = f"This server has no {choice.upper()} device" if known else "That is no known device"
    return Device(choice, torch.device("cpu"), f"{reason}: the CPU is used instead.")
