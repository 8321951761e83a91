"""Server time of the compare page: a rerun with four networks, as a ratio to a rerun of the network page, in turn."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from streamlit.testing.v1 import AppTest

from benchmarks.report import Measurement

_APP = Path(__file__).parents[1] / "streamlit_app.py"
_NETWORKS = ["paper", "batch_norm", "torchvision", "half"]
_ROUNDS = 12
VIEWS = ("Tables", "Layers", "Diagrams", "Charts")


def measurements() -> Iterator[Measurement]:
    """Yield a measurement per view of the compare page."""
    single = _open("pages/explore/network.py")
    for view in VIEWS:
        several = _open("pages/explore/compare.py", compare=".".join(_NETWORKS))
        several.session_state["compare_view"] = view
        _seconds(several), _seconds(single)
        rounds = [(_rerun_seconds(several, number), _seconds(single)) for number in range(_ROUNDS)]
        yield Measurement(
            f"compare, {view}: rerun with four networks / rerun of the network page",
            median(four / one for four, one in rounds),
            maximum=1.5,
        )


def _open(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(_APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    return at.switch_page(page).run()


def _rerun_seconds(at: AppTest, number: int) -> float:
    """Compare the networks with another base, so that everything on the page is new."""
    rotated = _NETWORKS[number % 4 :] + _NETWORKS[: number % 4]
    at.query_params["compare"] = ".".join(rotated)
    return _seconds(at)


def _seconds(at: AppTest) -> float:
    started = perf_counter()
    at.run()
    assert not at.exception
    return perf_counter() - started
