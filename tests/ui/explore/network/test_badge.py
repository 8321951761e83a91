"""The badge reports what was checked, and no more."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.jobs.queue import Pending
from explorer.jobs.requests import CheckReport, Disagreement
from explorer.ui import cache
from tests.ui.app import open_app, texts

RAN = CheckReport(
    rows=94, ran=True, build_ms=30.0, forward_ms=40.0, output_shape=(1, 1_000), device="CPU (1 thread)", note=""
)


class FixedQueue:
    """A job queue with one result for all checks."""

    def __init__(self, result: CheckReport | Pending) -> None:
        self.result = result

    def check(self, *_: object) -> CheckReport | Pending:
        """Return the result."""
        return self.result

    def submit(self, *_: object) -> Pending:
        """Keep other requests pending."""
        return Pending(0, 1)


def open_with(result: CheckReport | Pending, monkeypatch: pytest.MonkeyPatch) -> tuple[AppTest, str]:
    """Return the first page with this result, and its text."""
    monkeypatch.setattr(cache, "check_jobs", lambda: FixedQueue(result))
    app = open_app()
    return app, texts(app)


def test_a_network_that_ran_and_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Green, with rows, times, device and output."""
    _, text = open_with(RAN, monkeypatch)
    assert ":green-badge[:material/check: closed form = live network = torchinfo]" in text
    assert "the formulas, PyTorch and torchinfo count the same" in text
    assert "94 rows · built in 30 ms · forward 40 ms · CPU (1 thread) · output 1 × 1,000" in text


def test_a_network_that_did_not_run_is_not_called_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """The badge says that shapes and parameters were checked, and why no more was."""
    reason = "Running it would need about 417 MB; the limit here is 300 MB (EXPLORER_LIVE_MB)."
    _, text = open_with(CheckReport(rows=94, output_shape=(1, 1_000), note=reason), monkeypatch)
    assert "shapes and parameters checked; not run]" in text
    assert "live network = torchinfo" not in text
    assert "417 MB; the limit here is 300 MB" in text


def test_no_check_is_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    """The note is shown as text, whatever it holds."""
    _, text = open_with(CheckReport(note="It ![broke](//evil)] :red[now]."), monkeypatch)
    assert "not checked]" in text
    assert r"It !\[broke\](//evil)\] :red\[now\]." in text


def test_a_disagreement_is_shown_with_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red, and the table shows which number."""
    wrong = Disagreement("inception_4a.branch_3x3.conv", "weights", 1, 2)
    app, text = open_with(RAN.replace(differing=1, disagreements=(wrong,)), monkeypatch)
    assert "1 number disagrees" in text
    assert "inception_4a.branch_3x3.conv" in app.dataframe[1].value.to_string()


def test_the_badge_shows_a_pending_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the place in the queue."""
    _, text = open_with(Pending(3, 1.0), monkeypatch)
    assert "checking]" in text
    assert "3 before it." in text
