"""The export on the page Compare is that of the comparison; the bar exports the current network."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui.explore.compare import export
from tests.ui.app import open_app, open_compare, run


@pytest.fixture
def app() -> AppTest:
    """Compare mini and half."""
    return open_compare(open_app(compare="mini.half"), "Export")


def test_it_offers_the_comparison_alone(app: AppTest) -> None:
    """As a handout and as tables."""
    assert [b.proto.label for b in app.get("download_button")] == ["Handout", "CSV", "LaTeX", "Markdown"]


def test_its_files_hold_all_compared_networks(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handout draws the selected modules."""
    offered = []
    monkeypatch.setattr(export, "download_buttons", lambda files, *_: offered.extend(file.make() for file in files))
    app.multiselect(key="comparison_modules").set_value(["4a"])
    run(app)
    assert all("mini" in text and "half" in text for text in (offered[0], *offered[2:]))
    assert "B half width: module 4a" in offered[0]
