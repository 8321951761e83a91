"""What the tests of the lessons share: opening one, answering questions, and a checker that does as it is told."""

import json
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.jobs.queue import Pending
from explorer.lessons.questions import Question
from explorer.ui import cache
from tests.ui.conftest import open_app


def open_lesson(name: str, **query: str) -> AppTest:
    """Open a session and go to a lesson."""
    at = open_app()
    for key, value in query.items():
        at.query_params[key] = value
    at.switch_page(f"pages/learn/{name}.py").run()
    assert not at.exception
    return at


def run(at: AppTest) -> AppTest:
    """Run once more; nothing may raise."""
    at.run()
    assert not at.exception
    return at


def type_into(at: AppTest, key: str, value: Any) -> AppTest:
    """Type a value into a number field."""
    at.number_input(key=key).set_value(value)
    return run(at)


def click(at: AppTest, key: str) -> AppTest:
    """Click a button by its key."""
    at.button(key=key).click()
    return run(at)


def answer(at: AppTest, question: Question, option: int) -> AppTest:
    """Choose an option of a question on the page and reveal."""
    radio = next(radio for radio in at.radio if radio.label == question.text)
    radio.set_value(option)
    run(at)
    return click(at, f"{radio.key}_reveal")


def words(at: AppTest) -> str:
    """Return everything that is written on the page: text, captions, formulas, messages, badges."""
    kinds = ("markdown", "caption", "latex", "success", "error", "info", "warning")
    written = [str(element.value) for kind in kinds for element in at.get(kind)]
    return "\n".join([*written, *(picture.get("how", "") for picture in _pictures(at))])


def pictures(at: AppTest) -> str:
    """Return what the pictures on the page say of themselves to a screen reader."""
    return "\n".join(label for shown in _pictures(at) for label in re.findall('aria-label="(.*?)"', shown["svg"]))


def _pictures(at: AppTest) -> list[dict[str, str]]:
    """Return what each picture on the page was given: its SVG, how to read it, and the data of a chart."""
    shown = [json.loads(element.proto.json) for element in at.get("bidi_component") if element.proto.json]
    return [data for data in shown if "svg" in data]


def charts(at: AppTest) -> dict[str, str]:
    """Return the data that can be taken away from the page: what is in each file, by its name."""
    return {shown["file"]: shown["csv"] for shown in _pictures(at) if "csv" in shown}


class FakeChecker:
    """Answers each request as the test sets it, and notes what was asked and cancelled."""

    def __init__(self) -> None:
        self.answer: Any = Pending(0, 0.3)
        self.asked: list[Any] = []
        self.cancelled: list[Any] = []
        self.forgotten: list[Any] = []

    def ask(self, request: Any, session: str = "") -> Any:
        """Return what the test has set."""
        self.asked.append(request)
        return self.answer

    def cancel(self, request: Any, session: str = "") -> None:
        """Note it."""
        self.cancelled.append(request)

    def forget(self, request: Any) -> None:
        """Note it."""
        self.forgotten.append(request)

    def request(self, *_: Any) -> Pending:
        """The badge of the network page waits."""
        return Pending(0, 0.3)


@pytest.fixture
def checker(monkeypatch: pytest.MonkeyPatch) -> FakeChecker:
    """Put a checker that does as it is told in the place of the real one."""
    fake = FakeChecker()
    monkeypatch.setattr(cache, "checker", lambda: fake)
    return fake
