"""Time of the diagrams against their page, on the server and in a real Chromium."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter

from benchmarks import browser
from benchmarks.report import Measurement
from explorer import PRESETS, GoogLeNetConfig
from explorer.views.canvas import Drawing

EDITS = 12
_ROW, _PAPER_WIDTH = 2, 208  # 4a, and its #3×3 in the paper


def measurements() -> Iterator[Measurement]:
    """Yield the time of a cached and of a new diagram over that of the network page, on the server and in a browser."""
    yield from _on_the_server()
    yield _in_the_browser()


def _on_the_server() -> Iterator[Measurement]:
    from streamlit.testing.v1 import AppTest

    from explorer.diff import with_module
    from explorer.ui import cache

    app = AppTest.from_file(str(browser.ROOT / "streamlit_app.py"), default_timeout=60).run()
    paper = PRESETS["paper"]
    edits = [with_module(paper, paper.module("4a").replace(ch3x3=400 + n)) for n in range(EDITS)]
    diagrams: dict[str, Callable[[GoogLeNetConfig], Drawing]] = {
        "the overview": cache.overview,
        "a module": lambda config: cache.drawing(config, "4a", "none"),
    }
    for name, diagram in diagrams.items():
        new: list[float] = []
        cached: list[float] = []
        for config in edits:
            rerun = _seconds(app.run)
            for ratios in (new, cached):
                ratios.append(_seconds(partial(_draw, diagram, config)) / rerun)
        yield Measurement(f"drawing {name} again, over a rerun of its page", median(cached), maximum=0.1)
        yield Measurement(f"drawing {name} after an edit, over a rerun of its page", median(new), maximum=1)


def _draw(diagram: Callable[[GoogLeNetConfig], Drawing], config: GoogLeNetConfig) -> str:
    return diagram(config).svg


def _in_the_browser() -> Measurement:
    """Compare edits to new networks with edits back to the paper's, whose diagrams are cached, in turn."""
    with browser.server(browser.APP.script) as (address, _), browser.browser() as chromium:
        page = browser.open_page(chromium, address, browser.APP)
        ratios = []
        for number in range(EDITS):
            new = browser.edit(page, browser.APP, _ROW, 300 + number)
            cached = browser.edit(page, browser.APP, _ROW, _PAPER_WIDTH)
            ratios.append(new.totals / cached.totals)
    return Measurement("from Enter to the totals, with new diagrams over cached ones", median(ratios), maximum=1.15)


def _seconds(call: Callable[[], object]) -> float:
    started = perf_counter()
    call()
    return perf_counter() - started
