"""Times that a user waits, in a real Chromium, as ratios to a bare Streamlit page with the same editor.

JavaScript in the page measures them. ``totals``: from Enter in a cell to the first new number. ``idle``: from Enter
until the script no longer runs. Both pages are edited in turn in one run.
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
from typing import NamedTuple

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from benchmarks.report import Measurement

ROOT = Path(__file__).parent.parent
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
ROW_HEIGHT = 35

EDITS = 15
VISITS = 7
STARTS = 3

# Records when the selected text first has a digit in it; performance.now() counts from the start of the navigation.
_FIRST_PAINT = """
(selector) => {
  const poll = () => {
    if (/[0-9]/.test(document.querySelector(selector)?.innerText ?? "")) window.__painted = performance.now();
    else requestAnimationFrame(poll);
  };
  poll();
}
"""

# Records when Enter is pressed, when the selected text changes, and each time the script stops. It polls until Python
# sets ``polling`` to false, so that a page takes no time from the other page's turn.
_EDIT_TIMER = """
(selector) => {
  const w = (window.__editTimer = { start: 0, changed: 0, rest: 0, running: false, polling: false });
  const text = () => document.querySelector(selector)?.innerText ?? "";
  let before = text();
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    before = text();
    Object.assign(w, { start: performance.now(), changed: 0, rest: 0, polling: true });
    requestAnimationFrame(poll);
  }, true);
  const app = () => document.querySelector("[data-testid=stApp]");
  const poll = () => {
    const now = performance.now();
    const waiting = !!document.querySelector("[data-testid=stSkeleton]");
    const running = waiting || app().dataset.testScriptState !== "notRunning";
    if (!w.changed && text() !== before) { w.changed = now; w.running = true; } // a poll can miss a short run
    if (w.running && !running) w.rest = now;
    w.running = running;
    if (w.polling) requestAnimationFrame(poll);
  };
}
"""


class Times(NamedTuple):
    """Milliseconds from Enter to the new number, and to an idle page."""

    totals: float
    idle: float


class Target(NamedTuple):
    """A page to edit: its script, the CSS selector of its number, and the ``#3×3`` column's x position in pixels."""

    script: str
    selector: str
    x: int


BARE = Target("benchmarks/apps/bare.py", "[data-testid=stMarkdown]", 3 * 75 + 37)
APP = Target("streamlit_app.py", ".st-key-bar strong", 90 + 62 + 106 + 31)


def free_port() -> int:
    """Return a free TCP port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(script: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a Streamlit script within the block. Yields its address and its process.

    It runs in the script's folder: the app with its settings, the bare page with Streamlit's defaults.
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
def browser() -> Iterator[Browser]:
    """Yield a headless Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        try:
            yield chromium
        finally:
            chromium.close()


def wait_until_idle(page: Page) -> None:
    """Wait until the grid is drawn and the script does not run."""
    page.wait_for_selector("[data-testid=stDataFrame] canvas")
    page.wait_for_function("document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")
    page.wait_for_timeout(1_500)


def edit(page: Page, target: Target, row: int, value: int) -> Times:
    """Type a value into a cell of the ``#3×3`` column and return the times that the page measured."""
    for attempt in range(5):
        try:
            _type(page, target, row, value + attempt)  # the same value twice would change nothing
            page.wait_for_function("window.__editTimer.changed > 0 && window.__editTimer.rest > 0", timeout=5_000)
            break
        except TimeoutError:  # a busy machine can swallow half a double click
            page.keyboard.press("Escape")
    else:
        raise RuntimeError(f"the cell in row {row} could not be edited")
    page.wait_for_timeout(200)
    times = page.evaluate("Object.assign(window.__editTimer, { polling: false })")
    return Times(times["changed"] - times["start"], max(times["rest"], times["changed"]) - times["start"])


def _type(page: Page, target: Target, row: int, value: int) -> None:
    grid = page.get_by_test_id("stDataFrame").first
    y = ROW_HEIGHT * (row + 1) + ROW_HEIGHT // 2
    grid.click(position={"x": 20, "y": y})  # so that the double click does not hit a cell that is already selected
    grid.dblclick(position={"x": target.x, "y": y})
    field = page.get_by_test_id("portal").locator(".gdg-clip-region :is(input, textarea)").first
    field.fill(str(value), timeout=5_000)
    field.press("Enter")


def measurements() -> Iterator[Measurement]:
    """Yield the times of the network page over those of the bare page."""
    with server(BARE.script) as (bare, _), server(APP.script) as (app, _), browser() as chromium:
        yield from _edit_measurements(chromium, bare, app)
        yield _paired(
            "first paint on a warm server",
            lambda: _first_paint(chromium, app, APP),
            lambda: _first_paint(chromium, bare, BARE),
            VISITS,
            maximum=1.3,
        )
    with browser() as chromium:
        yield _paired(
            "from `streamlit run` to the first number",
            lambda: _cold_start(chromium, APP),
            lambda: _cold_start(chromium, BARE),
            STARTS,
            maximum=1.5,
        )


def _edit_measurements(chromium: Browser, bare: str, app: str) -> Iterator[Measurement]:
    pages = {target: open_page(chromium, address, target) for target, address in ((BARE, bare), (APP, app))}
    times: dict[Target, list[Times]] = {BARE: [], APP: []}
    for number in range(EDITS):
        for target, page in pages.items():
            times[target].append(edit(page, target, 1 + number % 6, 300 + number))
    for claim, field, maximum in (("totals", "totals", 1.2), ("an idle page", "idle", 2)):
        ratios = [getattr(a, field) / getattr(b, field) for a, b in zip(times[APP], times[BARE], strict=True)]
        yield Measurement(f"from Enter in a cell to {claim}, over the bare page", median(ratios), maximum=maximum)


def _paired(
    claim: str, measure: Callable[[], float], baseline: Callable[[], float], rounds: int, maximum: float
) -> Measurement:
    ratio = median(measure() / baseline() for _ in range(rounds))
    return Measurement(f"{claim}, over the bare page", ratio, maximum=maximum)


def open_page(chromium: Browser, address: str, target: Target) -> Page:
    """Open a page to edit, and install the timer in it."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address)
    wait_until_idle(page)
    page.evaluate(_EDIT_TIMER, target.selector)
    return page


def _first_paint(chromium: Browser, address: str, target: Target) -> float:
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.add_init_script(f"addEventListener('DOMContentLoaded', () => ({_FIRST_PAINT})({target.selector!r}))")
    page.goto(address)
    page.wait_for_function("window.__painted > 0")
    painted = float(page.evaluate("window.__painted"))
    page.close()
    return painted


def _cold_start(chromium: Browser, target: Target) -> float:
    started = time.monotonic()
    with server(target.script) as (address, _):
        page = chromium.new_page()
        page.goto(address)
        page.wait_for_function("(s) => /[0-9]/.test(document.querySelector(s)?.innerText ?? '')", arg=target.selector)
        seconds = time.monotonic() - started
        page.close()
    return seconds
