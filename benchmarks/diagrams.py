"""The pictures against the page that shows them, on the server and as a person waits in a real Chromium."""

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter

from benchmarks import browser
from benchmarks.report import Figure

EDITS = 12
_ROW, _PAPERS = 2, 208  # 4a, and its #3×3


def figures() -> Iterator[Figure]:
    """Yield what a cached and a new picture cost, over one rerun of the network page on the server and for a person."""
    yield from _on_the_server()
    yield _for_a_person()


def _on_the_server() -> Iterator[Figure]:
    from streamlit.testing.v1 import AppTest

    from explorer import PRESETS
    from explorer.diff import with_module
    from explorer.ui import cache
    from explorer.views.layout import svg

    app = AppTest.from_file(str(browser.ROOT / "streamlit_app.py"), default_timeout=60).run()
    paper = PRESETS["paper"]
    edits = [with_module(paper, paper.module("4a").replace(ch3x3=400 + n)) for n in range(EDITS)]
    pictures = {"the overview": cache.overview, "a module": lambda config: cache.drawing(config, "4a", "none")}
    for name, picture in pictures.items():
        new, known = [], []
        for config in edits:
            rerun = _seconds(app.run)
            for taken in (new, known):
                taken.append(_seconds(lambda config=config, picture=picture: svg(picture(config).dot)) / rerun)
        yield Figure(f"drawing {name} again, over a rerun of its page", median(known), most=0.1)
        yield Figure(f"drawing {name} after an edit, over a rerun of its page", median(new), most=1)


def _for_a_person() -> Figure:
    """Compare edits to networks never seen with edits back to the paper's, whose pictures are known, in turn."""
    with browser.server(browser.APP.script) as (address, _), browser.browser() as chromium:
        page = browser.opened(chromium, address, browser.APP)
        ratios = []
        for number in range(EDITS):
            new = browser.edit(page, browser.APP, _ROW, 300 + number)
            known = browser.edit(page, browser.APP, _ROW, _PAPERS)
            ratios.append(new.totals / known.totals)
    return Figure("from Enter to the totals, with pictures to lay out over known ones", median(ratios), most=1.15)


def _seconds(call: Callable[[], object]) -> float:
    started = perf_counter()
    call()
    return perf_counter() - started
