"""Where a network runs: CPU, CUDA or Apple's MPS, with a fallback to the CPU; and how large it may be to run here."""

from typing import NamedTuple

import torch

from explorer.settings import read_setting

MAX_MACS = 20_000_000_000  # of one forward pass: about a second per image on one core


class Device(NamedTuple):
    """An available device: ``choice`` as requested, the torch device in use, and ``note``, why the two differ."""

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
        """The device as reported with a measurement: its name, and for the CPU the number of threads."""
        threads = torch.get_num_threads()
        return f"CPU ({threads} thread{'s' * (threads > 1)})" if self.torch.type == "cpu" else self.name


def available_devices() -> tuple[str, ...]:
    """Return the kinds of device on this machine, the CPU first."""
    available = ["cpu"]
    if torch.cuda.is_available():
        available.append("cuda")
    if torch.backends.mps.is_available():
        available.append("mps")
    return tuple(available)


def resolve_device(choice: str = "auto") -> Device:
    """Return the requested device, or the CPU with the reason if it is not available.

    ``auto`` picks CUDA, then MPS, then the CPU. Unknown names fall back to the CPU too.
    """
    available = available_devices()
    if choice == "auto":
        best = next(kind for kind in ("cuda", "mps", "cpu") if kind in available)
        return Device(choice, torch.device(best), "")
    if choice in available:
        return Device(choice, torch.device(choice), "")
    known = choice in ("cuda", "mps")
    reason = f"This server has no {choice.upper()} device" if known else "This is not a known device"
    return Device(choice, torch.device("cpu"), f"{reason}: the CPU is used instead.")


def computes_bfloat16(device: torch.device) -> bool:
    """Return whether a device has instructions for products of bfloat16 numbers: CUDA, or AVX-512 BF16 or AMX."""
    if device.type == "cuda":
        return True
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def size_limit_reason(megabytes: float, macs: int) -> str:
    """Return why a network is too large to run here, or an empty string if it is not.

    ``megabytes`` is its estimated memory in MB (10⁶ bytes), limited by ``EXPLORER_LIVE_MB``; ``macs`` are the
    multiply-accumulates of one forward pass, limited by MAX_MACS.
    """
    limit = read_setting("EXPLORER_LIVE_MB")
    if megabytes > limit:
        return f"Running it would need about {megabytes:,.0f} MB; the limit here is {limit:,} MB (EXPLORER_LIVE_MB)."
    if macs > MAX_MACS:
        return f"One pass would take {macs / 1e9:,.1f} · 10⁹ MACs; the limit here is {MAX_MACS / 1e9:,.0f} · 10⁹."
    return ""
