"""What browser tests share: Chromium by its path, one tab for each worker, and a Streamlit server for each app."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
DATA = TemporaryDirectory(prefix="explorer-")  # a data directory for each server in it; gone when the tests end
PATIENCE_S = 120  # for anything to happen, on a machine that may be busy; whatever works takes a fraction of it
PATIENCE_MS = 1_000 * PATIENCE_S
# The headless shell is the same browser without its own windows, which cost a tenth of a test's processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
ARGUMENTS.append("--js-flags=--single-threaded")  # helper threads only compete with the other workers for the cores
SIZE = {"width": 1400, "height": 950}
HAS_FAILED = pytest.StashKey[bool]()

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where no Chromium is found; in CI they run and fail."""
    if CHROMIUM is None and not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium found: install the package chromium"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test failed, because the tab that it leaves may be in any state."""
    report = yield
    if report.failed:
        item.stash[HAS_FAILED] = True
    return report


# pytest-playwright's own fixtures stand on pytest-base-url, whose way of defining them is an error since pytest 9.
@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the Chromium of this machine, in a way that works in a container too."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


class Tab:
    """A tab that one test after another uses, and what goes wrong in it.

    Chromium holds the compiled scripts of Streamlit in the process of a tab, so a page opens there in less than half
    the time of a new tab. A page that is opened is a new session of the app all the same.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.problems: list[str] = []
        self.page: Page | None = None

    def begin(self) -> Page:
        """Return the page, empty, of the usual size, in the light scheme, and with pictures at rest.

        What moves costs a quarter of a page's time, so only a test of the motion asks for it.
        """
        if self.page is None:
            self.page = new_context(self.browser, self.problems).new_page()
        self.page.set_viewport_size(SIZE)
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.problems.clear()
        return self.page

    def end(self) -> None:
        """Leave the app, which ends the session, and undo what a test has set in the tab."""
        self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.page.unroute_all()
        self.page.mouse.move(0, 0)
        self.page.goto("about:blank")

    def close(self) -> None:
        """Close the tab; the next test gets another."""
        self.page.context.close()
        self.page = None


def new_context(browser: Browser, problems: list[str]) -> BrowserContext:
    """Return a context that notes each error and each request to another machine in a list."""
    context = browser.new_context(viewport=SIZE)
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", lambda request: problems.append(request.url) if is_outside(request.url) else None)
    context.on("console", lambda message: problems.append(message.text) if is_error(message) else None)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    return context


def is_outside(url: str) -> bool:
    """Whether a request leaves this machine."""
    return not url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:"))


def is_error(message: ConsoleMessage) -> bool:
    """Whether the console shows an error of the app.

    Streamlit first looks for its server below each part of a deep address, and on a fresh server it reports a deep link
    as a page that does not exist (explorer/ui/streamlit_workarounds.py).
    """
    is_false_report = "/_stcore/" in message.location["url"] or "does not seem to exist" in message.text
    return message.type == "error" and not is_false_report


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Tab:
    """The tab of this worker."""
    return Tab(browser)


@pytest.fixture
def page(tab: Tab, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The worker's tab, empty. Nothing may go wrong in it, and nothing may be requested from another machine."""
    page = tab.begin()
    yield page
    problems = list(tab.problems)
    if problems or request.node.stash.get(HAS_FAILED, False):
        tab.close()
    else:
        tab.end()
    assert [] == problems


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Return a function that opens a tab in a context of its own, as another visitor has it."""
    problems: list[str] = []
    contexts = []

    def open_one() -> Page:
        contexts.append(new_context(browser, problems))
        return contexts[-1].new_page()

    yield open_one
    for context in contexts:
        context.close()
    assert [] == problems


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[str], str]]:
    """Return a function that serves an app by its path in the project and gives its address; each is started once."""
    running: dict[str, tuple[subprocess.Popen[bytes], str]] = {}

    def start(app: str) -> str:
        if app not in running:
            running[app] = start_server(app)
        return running[app][1]

    yield start
    for process, _ in running.values():
        process.terminate()
    for process, _ in running.values():
        process.wait(PATIENCE_S)


def start_server(app: str, data: Path | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server for an app and return its process and its address when it answers.

    ``data`` is its data directory; without one it gets an empty directory of its own.
    """
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
        options |= {"server.fileWatcherType": "none"}
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", app, *(f"--{name}={value}" for name, value in options.items())],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": path, "EXPLORER_DATA": str(data or Path(DATA.name) / str(port))},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        address = f"http://127.0.0.1:{port}"
        while process.poll() is None and monotonic() < deadline:  # it ends where another process took the port first
            try:
                urlopen(f"{address}/_stcore/health", timeout=PATIENCE_S).close()
            except (URLError, OSError):
                sleep(0.1)
            else:
                return process, address
        process.kill()
    raise RuntimeError(f"{app} did not start within {PATIENCE_S} s")
