"""What the server holds: its own memory and its child's, counted once where they share pages."""

from collections.abc import Iterator
from typing import Any

import psutil

from benchmarks.browser import APP, browser, server
from benchmarks.report import Figure
from explorer import PRESETS
from explorer.diff import with_module
from explorer.history import Version
from explorer.share import to_token

NETWORKS = 8
IDLE = 10


def figures() -> Iterator[Figure]:
    """Yield the memory after eight sessions verified eight networks, and what a further idle session adds."""
    paper = PRESETS["paper"]
    edits = [with_module(paper, paper.module("4a").replace(ch3x3=209 + n)) for n in range(NETWORKS)]
    with server(APP.script) as (address, process), browser() as chromium:
        for config in edits:
            _open(chromium, f"{address}?net={to_token(Version('paper', config))}")
        yield Figure(f"server and checker with {NETWORKS} verified networks", megabytes(process.pid), "MB", most=650)
        before = megabytes(process.pid)
        for _ in range(IDLE):
            _open(chromium, address)
        yield Figure("a further idle session", (megabytes(process.pid) - before) / IDLE, "MB", most=1)


def _open(chromium: Any, address: str) -> None:
    page = chromium.new_page()
    page.goto(address)
    page.get_by_text("closed form = live network = torchinfo").wait_for(timeout=60_000)


def megabytes(pid: int) -> float:
    """Return the size of a process with all its children, in MB (10⁶ bytes), what they share counted once."""
    server_process = psutil.Process(pid)
    family = [server_process, *server_process.children(recursive=True)]
    return sum(member.memory_full_info().pss for member in family) / 1e6
