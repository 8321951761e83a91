"""The pictures against the page that shows them."""

from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter

from benchmarks.browser import ROOT
from benchmarks.report import Figure


def figures() -> Iterator[Figure]:
    """Yield what a cached and a new picture cost, over one rerun of the network page on the server."""
    from streamlit.testing.v1 import AppTest

    from explorer import PRESETS
    from explorer.changes import with_module
    from explorer.ui import cache
    from explorer.views.layout import svg

    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
    paper = PRESETS["paper"]
    edits = [with_module(paper, paper.module("4a").replace(ch3x3=400 + n)) for n in range(12)]

    for block, name in ((None, "the overview"), ("4a", "a module")):

        def draw(config: object, block: str | None = block) -> None:
            svg(cache.drawing(config, block, "none").dot)

        new, known = [], []
        for config in edits:
            rerun = _seconds(app.run)
            new.append(_seconds(lambda config=config: draw(config)) / rerun)
            known.append(_seconds(lambda config=config: draw(config)) / rerun)
        yield Figure(f"drawing {name} again, over a rerun of its page", median(known), most=0.1)
        yield Figure(f"drawing {name} after an edit, over a rerun of its page", median(new))


def _seconds(call: Callable[[], object]) -> float:
    started = perf_counter()
    call()
    return perf_counter() - started
