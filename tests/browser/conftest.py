"""What browser tests share: Chromium by its path, and a Streamlit server for one app."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
DATA = TemporaryDirectory(prefix="explorer-")  # a data directory for each server in it; gone when the tests end
PATIENCE_S = 60  # for a server to start, on a machine that may be busy
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where no Chromium is found; in CI they run and fail."""
    if CHROMIUM is None and not os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium found: install the package chromium"))


# pytest-playwright's own fixtures stand on pytest-base-url, whose way of defining them is an error since pytest 9.
@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the Chromium of this machine, in a way that works in a container too."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab in a session of its own."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[str], str]]:
    """Return a function that serves an app by its path in the project and gives its address; each is started once."""
    running: dict[str, tuple[subprocess.Popen, str]] = {}

    def start(app: str) -> str:
        if app not in running:
            running[app] = _start(app)
        return running[app][1]

    yield start
    for process, _ in running.values():
        process.terminate()
    for process, _ in running.values():
        process.wait(PATIENCE_S)


def _start(app: str) -> tuple[subprocess.Popen, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
    options |= {"server.fileWatcherType": "none"}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", app, *(f"--{name}={value}" for name, value in options.items())],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "EXPLORER_DATA": str(Path(DATA.name) / str(port))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address, deadline = f"http://127.0.0.1:{port}", monotonic() + PATIENCE_S
    while monotonic() < deadline:
        try:
            urlopen(f"{address}/_stcore/health", timeout=2).close()
        except (URLError, OSError):
            sleep(0.2)
        else:
            return process, address
    process.kill()
    raise RuntimeError(f"{app} did not start within {PATIENCE_S} s")
