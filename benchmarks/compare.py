"""What the compare page costs the server: four networks redrawn, as a ratio to the network page redrawn in turn."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from streamlit.testing.v1 import AppTest

from benchmarks.report import Figure

_APP = Path(__file__).parents[1] / "streamlit_app.py"
_NETWORKS = ["paper", "batch_norm", "torchvision", "half"]
_ROUNDS = 12
VIEWS = ("Tables", "Layers", "Diagrams", "Charts")


def figures() -> Iterator[Figure]:
    """Yield a figure per view of the compare page."""
    single = _open("pages/explore/network.py")
    for view in VIEWS:
        several = _open("pages/explore/compare.py", compare=".".join(_NETWORKS))
        several.session_state["compare_view"] = view
        _seconds(several), _seconds(single)
        rounds = [(_redrawn(several, number), _seconds(single)) for number in range(_ROUNDS)]
        yield Figure(
            f"compare, {view}: four networks redrawn / the network page redrawn",
            median(four / one for four, one in rounds),
            most=1.5,
        )


def _open(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(_APP), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    return at.switch_page(page).run()


def _redrawn(at: AppTest, number: int) -> float:
    """Hold the networks against another base, so that everything on the page is new."""
    turned = _NETWORKS[number % 4 :] + _NETWORKS[: number % 4]
    at.query_params["compare"] = ".".join(turned)
    return _seconds(at)


def _seconds(at: AppTest) -> float:
    started = perf_counter()
    at.run()
    assert not at.exception
    return perf_counter() - started
