"""The badge says what was checked, and no more than that."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.jobs.queue import Pending
from explorer.jobs.requests import CheckReport, Disagreement
from explorer.ui import cache
from tests.ui.conftest import open_app, texts

RAN = CheckReport(
    rows=94, ran=True, build_ms=30.0, forward_ms=40.0, output_shape=(1, 1_000), device="CPU (1 thread)", note=""
)


class Known:
    """A checker that has one answer to everything."""

    def __init__(self, answer: CheckReport | Pending) -> None:
        self.answer = answer

    def request(self, *_: object) -> CheckReport | Pending:
        """Return the answer."""
        return self.answer

    def ask(self, *_: object) -> Pending:
        """Other questions stay open."""
        return Pending(0, 1)


def shown(answer: CheckReport | Pending, monkeypatch: pytest.MonkeyPatch) -> tuple[AppTest, str]:
    """Return the first page with this answer, and what is written on it."""
    monkeypatch.setattr(cache, "checker", lambda: Known(answer))
    app = open_app()
    return app, texts(app)


def test_a_network_that_ran_and_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Green, with rows, times, device and output."""
    _, text = shown(RAN, monkeypatch)
    assert ":green-badge[:material/check: closed form = live network = torchinfo]" in text
    assert "94 rows · built in 30 ms · forward 40 ms · CPU (1 thread) · output 1 × 1,000" in text


def test_a_network_that_did_not_run_is_not_called_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes and parameters were checked, which is said, with the reason why no more was."""
    reason = "Running it would need about 417 MB; the limit here is 300 MB (EXPLORER_LIVE_MB)."
    _, text = shown(CheckReport(rows=94, output_shape=(1, 1_000), note=reason), monkeypatch)
    assert "shapes and parameters checked; not run]" in text
    assert "live network = torchinfo" not in text
    assert "417 MB; the limit here is 300 MB" in text


def test_no_check_is_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the note stays text, whatever is in it."""
    _, text = shown(CheckReport(note="It ![broke](//evil)] :red[now]."), monkeypatch)
    assert "not checked]" in text
    assert r"It !\[broke\](//evil)\] :red\[now\]." in text


def test_a_disagreement_is_shown_with_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red, and the table says which number."""
    wrong = Disagreement("inception_4a.branch_3x3.conv", "weights", 1, 2)
    app, text = shown(RAN.replace(differing=1, disagreements=(wrong,)), monkeypatch)
    assert "1 number disagrees" in text
    assert "inception_4a.branch_3x3.conv" in app.dataframe[1].value.to_string()


def test_while_it_is_checked_the_badge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the place in the queue."""
    _, text = shown(Pending(3, 1.0), monkeypatch)
    assert "checking]" in text
    assert "3 before it." in text
