"""What a person waits for, in a real Chromium, as ratios to a bare Streamlit page with the same editor.

The clock runs inside the page. ``totals``: from Enter in a cell to the first new number. ``idle``: from Enter until
the script is no longer running and stays so. Both pages are edited in turn in one run.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from playwright.sync_api import Page, TimeoutError, sync_playwright

from benchmarks.report import Figure

ROOT = Path(__file__).parent.parent
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
ROW_HEIGHT = 35

EDITS = 15
VISITS = 7
STARTS = 3

# Notes when the watched text first holds a digit; performance.now() counts from the start of the navigation.
_FIRST_PAINT = """
(selector) => {
  const look = () => {
    if (/[0-9]/.test(document.querySelector(selector)?.innerText ?? "")) window.__painted = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}
"""

# Notes when Enter is pressed, when the watched text changes, and each time the script comes to rest. It looks until it
# is told to stop: a page that waits for its turn takes nothing from the one whose turn it is.
_CLOCK = """
(selector) => {
  const w = (window.__clock = { start: 0, changed: 0, rest: 0, running: false, looking: false });
  const text = () => document.querySelector(selector)?.innerText ?? "";
  let before = text();
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    before = text();
    Object.assign(w, { start: performance.now(), changed: 0, rest: 0, looking: true });
    requestAnimationFrame(look);
  }, true);
  const app = () => document.querySelector("[data-testid=stApp]");
  const look = () => {
    const now = performance.now();
    const waiting = !!document.querySelector("[data-testid=stSkeleton]");
    const running = waiting || app().dataset.testScriptState !== "notRunning";
    if (!w.changed && text() !== before) { w.changed = now; w.running = true; } // a short run goes unseen
    if (w.running && !running) w.rest = now;
    w.running = running;
    if (w.looking) requestAnimationFrame(look);
  };
}
"""


class Times(NamedTuple):
    """Milliseconds from Enter to the new number, and to an idle page."""

    totals: float
    idle: float


class Target(NamedTuple):
    """A page to edit: its script, what shows the number, and how far right the ``#3×3`` column lies, in pixels."""

    script: str
    watched: str
    x: int


BARE = Target("benchmarks/apps/bare.py", "[data-testid=stMarkdown]", 3 * 75 + 37)
APP = Target("streamlit_app.py", ".st-key-bar strong", 58 + 32 + 80 + 122 + 40)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(script: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a Streamlit script and give its address and process; it ends with the block.

    It runs in the script's folder: the app with its settings, the bare page as Streamlit comes.
    """
    port = free_port()
    path = ROOT / script
    command = [sys.executable, "-m", "streamlit", "run", path.name, "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--server.address", "127.0.0.1", "--server.headless", "true", "--server.fileWatcherType", "none"],
        cwd=path.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}/", process
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(address: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=1)
            return
        except OSError:
            time.sleep(0.02)
    raise OSError(f"no server at {address}")


@contextmanager
def browser() -> Iterator[Any]:
    """Give a headless Chromium."""
    with sync_playwright() as playwright:
        found = shutil.which("chromium")
        running = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        try:
            yield running
        finally:
            running.close()


def settle(page: Page) -> None:
    """Wait until the grid is drawn and nothing runs."""
    page.wait_for_selector("[data-testid=stDataFrame] canvas")
    page.wait_for_function("document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")
    page.wait_for_timeout(1_500)


def edit(page: Page, target: Target, row: int, value: int) -> Times:
    """Type a value into a cell of the ``#3×3`` column and return what the page's clock saw."""
    for attempt in range(5):
        try:
            _type(page, target, row, value + attempt)  # the same value twice would change nothing
            page.wait_for_function("window.__clock.changed > 0 && window.__clock.rest > 0", timeout=5_000)
            break
        except TimeoutError:  # a busy machine can swallow half a double click
            page.keyboard.press("Escape")
    else:
        raise RuntimeError(f"the cell in row {row} could not be edited")
    page.wait_for_timeout(200)
    clock = page.evaluate("Object.assign(window.__clock, { looking: false })")
    return Times(clock["changed"] - clock["start"], max(clock["rest"], clock["changed"]) - clock["start"])


def _type(page: Page, target: Target, row: int, value: int) -> None:
    grid = page.get_by_test_id("stDataFrame").first
    y = ROW_HEIGHT * (row + 1) + ROW_HEIGHT // 2
    grid.click(position={"x": 20, "y": y})  # so that the double click does not meet a cell already chosen
    grid.dblclick(position={"x": target.x, "y": y})
    field = page.get_by_test_id("portal").locator(".gdg-clip-region input").first
    field.fill(str(value), timeout=5_000)
    field.press("Enter")


def figures() -> Iterator[Figure]:
    """Yield what a person waits for on the network page, over the bare page."""
    with server(BARE.script) as (bare, _), server(APP.script) as (app, _), browser() as chromium:
        yield from _edit_figures(chromium, bare, app)
        yield _paired(
            "first paint on a warm server",
            lambda: _first_paint(chromium, app, APP),
            lambda: _first_paint(chromium, bare, BARE),
            VISITS,
            most=1.3,
        )
    with browser() as chromium:
        yield _paired(
            "from `streamlit run` to the first number",
            lambda: _cold_start(chromium, APP),
            lambda: _cold_start(chromium, BARE),
            STARTS,
            most=1.5,
        )


def _edit_figures(chromium: Any, bare: str, app: str) -> Iterator[Figure]:
    pages = {target: opened(chromium, address, target) for target, address in ((BARE, bare), (APP, app))}
    seen: dict[Target, list[Times]] = {BARE: [], APP: []}
    for number in range(EDITS):
        for target, page in pages.items():
            seen[target].append(edit(page, target, 1 + number % 6, 300 + number))
    for claim, field, most in (("totals", "totals", 1.2), ("an idle page", "idle", 2)):
        ratios = [getattr(a, field) / getattr(b, field) for a, b in zip(seen[APP], seen[BARE], strict=True)]
        yield Figure(f"from Enter in a cell to {claim}, over the bare page", median(ratios), most=most)


def _paired(claim: str, ours: Callable[[], float], theirs: Callable[[], float], times: int, most: float) -> Figure:
    return Figure(f"{claim}, over the bare page", median(ours() / theirs() for _ in range(times)), most=most)


def opened(chromium: Any, address: str, target: Target) -> Page:
    """Open a page to be edited, with the clock in it."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address)
    settle(page)
    page.evaluate(_CLOCK, target.watched)
    return page


def _first_paint(chromium: Any, address: str, target: Target) -> float:
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.add_init_script(f"addEventListener('DOMContentLoaded', () => ({_FIRST_PAINT})({target.watched!r}))")
    page.goto(address)
    page.wait_for_function("window.__painted > 0")
    painted = page.evaluate("window.__painted")
    page.close()
    return painted


def _cold_start(chromium: Any, target: Target) -> float:
    started = time.monotonic()
    with server(target.script) as (address, _):
        page = chromium.new_page()
        page.goto(address)
        page.wait_for_function("(s) => /[0-9]/.test(document.querySelector(s)?.innerText ?? '')", arg=target.watched)
        seconds = time.monotonic() - started
        page.close()
    return seconds
