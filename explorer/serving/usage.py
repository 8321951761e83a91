"""What the server is doing: connections, what was refused, memory, and how late its event loop is."""

import asyncio
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

_PERIOD_S = 0.5
_SAMPLES = 120  # of lateness: the last minute
_PAGE = 4_096  # bytes


@dataclass
class Usage:
    """Counts since the start of this process. ``delays_ms`` are how late its event loop was, twice a second."""

    sessions: int = 0
    refused: int = 0
    slowed: int = 0
    delays_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    async def measure_delays(self) -> None:
        """Measure until cancelled."""
        while True:
            start = monotonic()
            await asyncio.sleep(_PERIOD_S)
            self.delays_ms.append(1_000 * (monotonic() - start - _PERIOD_S))

    def delay_ms(self) -> float:
        """Return the delay that 95 % of the samples of the last minute stay below; 0 without samples."""
        ordered = sorted(self.delays_ms)
        return ordered[int(0.95 * (len(ordered) - 1))] if ordered else 0.0

    def report(self) -> Mapping[str, float]:
        """Return the figures by name."""
        return {
            "sessions": self.sessions,
            "refused": self.refused,
            "slowed": self.slowed,
            "memory_mb": round(memory_bytes() / 1e6),
            "delay_ms": round(self.delay_ms(), 1),
        }


def memory_bytes() -> int:
    """Return the memory of this process; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE


USAGE = Usage()  # of this process: the server counts, a teacher's page shows
