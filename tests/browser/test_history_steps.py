"""What is one step of the browser's history, in Chromium: arriving at a page is, however slowly its address comes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

JS = (Path(__file__).parents[2] / "assets" / "history_steps.js").read_text("utf-8")
# The component as Streamlit calls it, without Streamlit: say() sets what the app shows of its run.
ALONE = """
async (js) => {
  document.body.innerHTML = `<div data-testid="stApp"></div><button>A control</button>`
  const module = await import(URL.createObjectURL(new Blob([js], { type: "text/javascript" })))
  window.say = (state) => (document.querySelector("[data-testid=stApp]").dataset.testScriptState = state)
  say("notRunning")
  module.default()
}
"""
pytestmark = pytest.mark.browser


@pytest.fixture
def alone(new_page: Callable[[], Page]) -> Page:
    """The component on an empty page, whose address has been written, in a tab whose history can still grow."""
    page = new_page()
    page.route("http://127.0.0.1/**", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
    page.goto("http://127.0.0.1/first?net=2.half")
    page.evaluate(ALONE, JS)
    return page


def steps(page: Page, *addresses: str) -> int:
    """Write addresses as Streamlit does, and return how many steps they added to the history."""
    before = page.evaluate("history.length")
    for address in addresses:
        page.evaluate("address => history.pushState({}, '', address)", address)
    return page.evaluate("history.length") - before


def test_a_page_and_its_parameters_are_one_step(alone: Page) -> None:
    """The server writes them one after another."""
    assert steps(alone, "/second", "/second?net=2.half", "/second?net=2.half&view=Charts") == 1
    assert alone.evaluate("location.search") == "?net=2.half&view=Charts"


def test_a_key_while_the_page_arrives_adds_no_step(alone: Page) -> None:
    """Escape closes the menu before a slow server has written the address."""
    alone.evaluate("say('running')")
    assert steps(alone, "/second") == 1
    alone.keyboard.press("Escape")
    assert steps(alone, "/second?net=2.half") == 0
    alone.evaluate("say('notRunning')")
    assert steps(alone, "/second?net=2.half&weights=mini") == 0


def test_what_the_reader_does_is_a_step(alone: Page) -> None:
    """On a page that has come to rest; but not to choose another view of it."""
    alone.get_by_role("button").click()
    assert steps(alone, "/first?net=2.mini") == 1
    assert steps(alone, "/first?net=2.mini&view=Layers") == 0
    alone.evaluate("say('running')")
    assert steps(alone, "/first?net=2.paper&view=Layers") == 1
