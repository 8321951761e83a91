"""Write a picture of every page, in every view, at three widths, light and dark: ``python -m tests.browser.pictures``.

The pictures are there to be looked at after a change of the interface. A few runs that look trained are in the store.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from explorer.runs.store import Store
from tests.browser.app import APP, set_theme, wait_until_idle
from tests.browser.conftest import ARGUMENTS, CHROMIUM, SIZE, new_context, start_server
from tests.browser.walk import wait_for_results, walk
from tests.stored_runs import make_plan, store_run

WIDTHS = (1440, 800, 390)
THEMES = ("light", "dark")
HEIGHTS = {390: 844}  # of a phone; other windows are 900 high
MAX_HEIGHT = 6_000  # of a picture


def main() -> None:
    """Write the pictures into a folder."""
    options = parse_options()
    options.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data, sync_playwright() as playwright:
        runs = store_runs(Path(data))
        server, address = start_server(APP, Path(data))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            page = new_context(browser, problems := []).new_page()
            page.emulate_media(reduced_motion="reduce")  # moving pictures at their end
            for number, name in enumerate(stops(page, address, runs, present=options.present)):
                if re.search(options.only, name):
                    take_pictures(page, f"{number:02} {name}", options)
                    print(name, *problems, flush=True)
                    problems.clear()
        finally:
            browser.close()
            server.terminate()
            server.wait()


def parse_options() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="a pattern in the names of pages and views, such as 'Compare|Train'")
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS, help="of the window; 720 is a zoom of 200 %%")
    parser.add_argument("--themes", choices=THEMES, nargs="+", default=THEMES)
    parser.add_argument("--present", action="store_true", help="enlarged for a projector")
    return parser.parse_args()


def store_runs(data: Path) -> list[str]:
    """Store a run and a race, as if they had been trained; return their ids."""
    store = Store(data)
    race = make_plan("mini", "half", seeds=(0, 1, 2))
    return [store_run(store, make_plan("mini")).id, store_run(store, race, accuracies=(0.85, 0.87)).id]


def stops(page: Page, address: str, runs: list[str], *, present: bool) -> Iterator[str]:
    """Go to every page and view, and yield its name."""
    parameter = "present=1" if present else ""
    page.goto(f"{address}/?{parameter}")
    yield from walk(page)
    for name, run in zip(("a run", "a race"), runs, strict=True):
        page.goto(f"{address}/train?run={run}&{parameter}")
        wait_for_results(page)
        yield f"Train, {name}"


def take_pictures(page: Page, name: str, options: argparse.Namespace) -> None:
    """Write pictures of the page as it is, in each theme and width, with all that is below the first screen."""
    name = re.sub(r"\W+", "_", name)
    page.mouse.move(0, 0)
    for theme in options.themes:
        set_theme(page, theme)
        for width in options.widths:
            page.set_viewport_size({"width": width, "height": HEIGHTS.get(width, 900)})
            wait_until_idle(page)
            height = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight + main.offsetTop")
            page.set_viewport_size({"width": width, "height": min(height, MAX_HEIGHT)})
            wait_until_idle(page)
            page.screenshot(path=options.folder / f"{name}_{width}_{theme}.png")
    page.set_viewport_size(SIZE)  # the walk goes by the menus of a wide page
    wait_until_idle(page)


if __name__ == "__main__":
    main()
