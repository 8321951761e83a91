"""Memory of the server with its child processes; shared pages count once."""

from collections.abc import Iterator
from typing import Any

import psutil

from benchmarks.browser import APP, browser, server
from benchmarks.report import Measurement
from explorer import PRESETS
from explorer.diff import with_module
from explorer.history import Version
from explorer.share import to_token

NETWORKS = 8
IDLE = 10


def measurements() -> Iterator[Measurement]:
    """Yield the memory after eight sessions have verified eight networks, and that of one more idle session."""
    paper = PRESETS["paper"]
    edits = [with_module(paper, paper.module("4a").replace(ch3x3=209 + n)) for n in range(NETWORKS)]
    with server(APP.script) as (address, process), browser() as chromium:
        for config in edits:
            _open(chromium, f"{address}?net={to_token(Version('paper', config))}")
        yield Measurement(
            f"server and worker with {NETWORKS} verified networks", megabytes(process.pid), "MB", maximum=650
        )
        before = megabytes(process.pid)
        for _ in range(IDLE):
            _open(chromium, address)
        yield Measurement("a further idle session", (megabytes(process.pid) - before) / IDLE, "MB", maximum=1)


def _open(chromium: Any, address: str) -> None:
    page = chromium.new_page()
    page.goto(address)
    page.get_by_text("closed form = live network = torchinfo").wait_for(timeout=60_000)


def megabytes(pid: int) -> float:
    """Return the memory of a process with all its children, in MB (10⁶ bytes); shared pages count once."""
    server_process = psutil.Process(pid)
    processes = [server_process, *server_process.children(recursive=True)]
    return float(sum(process.memory_full_info().pss for process in processes)) / 1e6
