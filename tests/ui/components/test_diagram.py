"""The diagram view as a session sees it: it mounts, and without any Graphviz there is a simpler diagram."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.views import layout
from explorer.views.layout import LayoutUnavailableError
from tests.ui.app import TIMEOUT_S

DEMO = Path(__file__).parents[2] / "browser" / "apps" / "diagram_app.py"


@pytest.mark.parametrize("draw", ["overview", "4a", "aux_4a", "stem", "pool3", "classifier"])
def test_every_diagram_mounts(draw):
    """The view takes each kind of drawing without an error."""
    at = AppTest.from_file(DEMO, default_timeout=TIMEOUT_S)
    at.query_params["draw"] = draw
    at.run()
    assert not at.exception
    assert not at.caption


def test_without_graphviz_there_is_a_simpler_diagram(monkeypatch):
    """The browser's own Graphviz draws it, and a caption says what is missing."""

    def none(_: str) -> str:
        raise LayoutUnavailableError("Graphviz is missing.")

    monkeypatch.setattr(layout, "svg", none)
    at = AppTest.from_file(DEMO, default_timeout=TIMEOUT_S).run()
    assert not at.exception
    (chart,) = at.get("graphviz_chart")
    assert "inception_4a" in chart.proto.spec
    assert ["Graphviz is missing. This simpler diagram cannot be zoomed, clicked or saved."] == [
        caption.value for caption in at.caption
    ]
