"""Helpers to drive the app in Streamlit's AppTest, from the entrypoint, and to read its pages."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.text_format import MessageToString
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element, Selectbox

from explorer.jobs.queue import Pending
from explorer.lessons.question import Question
from explorer.lessons.questions import BANK
from explorer.ui.components.network_settings import MORE

ROOT = Path(__file__).parents[2]


TIMEOUT_S = 300  # of a run that would never end


def open_app(page: str = "", state: Mapping[str, Any] | None = None, **query: str) -> AppTest:
    """Open the app in a new session, at the address of a page, with some session state and query parameters."""
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=TIMEOUT_S)
    for name, value in query.items():
        at.query_params[name] = value
    for name, value in (state or {}).items():
        at.session_state[name] = value
    if page:
        at.switch_page(page)
    return run(at)


def open_lesson(name: str, *, skip: bool = True, **query: str) -> AppTest:
    """Open the app at a lesson. With ``skip`` its opening question is skipped, so that all of it is shown."""
    return open_app(f"pages/learn/{name}.py", {"skipped_openings": frozenset(BANK)} if skip else {}, **query)


def open_compare(at: AppTest, view: str = "Tables") -> AppTest:
    """Go to the page Compare and select a view."""
    at.switch_page("pages/explore/compare.py").run()
    return select_view(at, view)


def select_view(at: AppTest, view: str) -> AppTest:
    """Select a view of the page Compare."""
    at.session_state["compare_view"] = view
    return run(at)


def run(at: AppTest) -> AppTest:
    """Run once more; nothing may raise."""
    at.run()
    assert not at.exception
    return at


def click(at: AppTest, key: str) -> AppTest:
    """Click a button by its key."""
    at.button(key=key).click()
    return run(at)


def open_settings(at: AppTest) -> AppTest:
    """Open the settings below the table; closed, they do not exist."""
    at.session_state[MORE] = True
    return run(at)


def select_view_of_network(at: AppTest, view: str) -> AppTest:
    """Select what is shown below the first screen of the page Network."""
    at.segmented_control(key="view").set_value(view)
    return run(at)


def type_into(at: AppTest, key: str, value: Any) -> AppTest:
    """Type a value into a number field; None empties it."""
    at.text_input(key=key).set_value("" if value is None else str(value))
    return run(at)


def answer(at: AppTest, question: Question, option: int) -> AppTest:
    """Choose an option of a question on the page and reveal."""
    radio = next(radio for radio in at.radio if radio.label == question.text)
    radio.set_value(option)
    run(at)
    return click(at, f"{radio.key}_reveal")


def forge(control: Selectbox, value: str) -> Selectbox:
    """Select what the control does not offer, as a forged message of the browser can."""
    control.options.append(value)
    control._value = value
    type(control).format_func.fget(control)  # the control must exist on the page
    return control


def totals(app: AppTest) -> dict[str, str]:
    """Return the totals at the top by their label; the label of the MACs also holds the FLOPs."""
    return {label.split(" ·")[0]: value for label, value, _ in _totals(app)}


def changes_of_totals(app: AppTest) -> dict[str, str]:
    """Return, by label, whether a total is ``more`` or ``less`` than the preset's, or neither, and by how much."""
    return {label.split(" ·")[0]: change for label, _, change in _totals(app)}


def _totals(app: AppTest) -> list[tuple[str, str, str]]:
    item = r'"total-\d">([^<]+)</span>.*?<dd>(.*?)</dd><dd class="delta (.*?)</dd>'
    return [(label, value, change.replace('">', " ")) for label, value, change in re.findall(item, html(app))]


def texts(app: AppTest) -> str:
    """Return all Markdown of the page as one text."""
    return "\n".join(element.value for element in app.markdown)


def html(app: AppTest) -> str:
    """Return all HTML of the page as one text."""
    return "\n".join(element.value for element in app.get("html"))


def other_parts(app: AppTest) -> list[str]:
    """Return the text on each part of the network outside the table: stem, heads, classifier."""
    parts = next(element.value for element in app.get("html") if "other-parts" in element.value)
    return [part.replace("</p>", "").replace("<br>", "\n") for part in parts.split("<p>")[1:]]


def title(app: AppTest) -> str:
    """Return the name of the current network in the bar."""
    return app.get("popover")[0].proto.popover.label


def page_text(at: AppTest) -> str:
    """Return everything that is written on the page: text, captions, formulas, messages, badges."""
    kinds = ("markdown", "caption", "latex", "success", "error", "info", "warning")
    written = [str(element.value) for kind in kinds for element in at.get(kind)]
    return "\n".join([*written, *(data.get("reading", "") for data in _svg_data(at))])


def everything(at: AppTest) -> str:
    """Return all that the page has been sent, also what only a tooltip or a component shows, without radio buttons."""
    nodes = [node for node in at._tree if isinstance(node, Element) and node.type != "radio"]
    return "\n".join(MessageToString(node.proto, as_utf8=True) for node in nodes)


def alt_texts(at: AppTest) -> str:
    """Return the descriptions of the page's SVGs for a screen reader."""
    return "\n".join(label for data in _svg_data(at) for label in re.findall('aria-label="(.*?)"', data["svg"]))


def chart_files(at: AppTest) -> dict[str, str]:
    """Return the data that can be saved from the page's charts: the CSV of each file, by its name."""
    return {data["file"]: data["csv"].removeprefix("\ufeff") for data in _svg_data(at) if "csv" in data}


def _svg_data(at: AppTest) -> list[dict[str, str]]:
    """Return the data of each component on the page that shows an SVG."""
    all_data = [json.loads(element.proto.json) for element in at.get("bidi_component") if element.proto.json]
    return [data for data in all_data if "svg" in data]


class FakeJobQueue:
    """A job queue that returns what the test sets, and records all calls."""

    def __init__(self) -> None:
        self.result: Any = Pending(0, 0.3)
        self.submitted: list[Any] = []
        self.cancelled: list[Any] = []
        self.forgotten: list[Any] = []

    def submit(self, request: Any, session: str = "") -> Any:
        """Return what the test has set."""
        self.submitted.append(request)
        return self.result

    def cancel(self, request: Any, session: str = "") -> None:
        """Record the call."""
        self.cancelled.append(request)

    def forget(self, request: Any) -> None:
        """Record the call."""
        self.forgotten.append(request)

    def check(self, *_: Any) -> Pending:
        """Keep the badge of the page Network waiting."""
        return Pending(0, 0.3)
