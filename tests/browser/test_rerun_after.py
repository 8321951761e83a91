"""Looking again in a moment, in Chromium: it goes on, whatever happens, and no click is undone by it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

APP = "tests/browser/apps/rerun_after_app.py"
JS = (Path(__file__).parents[2] / "assets" / "rerun_after.js").read_text("utf-8")
# The component as Streamlit calls it, without Streamlit: looks() tells how often it asked.
ALONE = """
async (js) => {
  document.body.innerHTML = `<div data-testid="stApp" data-test-script-state="notRunning"></div>
    <a href="/second">Second</a>`
  document.querySelector("a").onclick = (event) => event.preventDefault()
  const module = await import(URL.createObjectURL(new Blob([js], { type: "text/javascript" })))
  const parentElement = document.createElement("div")
  window.asked = 0
  window.call = (ms) => module.default({ data: { ms }, parentElement, setTriggerValue: () => (window.asked += 1) })
  window.say = (state) => (document.querySelector("[data-testid=stApp]").dataset.testScriptState = state)
}
"""
pytestmark = pytest.mark.browser


def wait_for_looks(page: Page, name: str, least: int) -> None:
    """Wait until a page of the app is there and has looked that often."""
    page.wait_for_function(
        "([name, least]) => Number(document.body.innerText.match(`${name}: look (\\\\d+)`)?.[1]) >= least",
        arg=[name, least],
    )


def test_it_goes_on_on_each_page(page: Page, serve: Callable[[str], str]) -> None:
    """Until the page is left, and from when it is there."""
    page.goto(serve(APP))
    for looks, (here, there) in enumerate((("First", "Second"), ("Second", "First"), ("First", "Second")), start=2):
        wait_for_looks(page, here, looks)
        page.get_by_role("link", name=there, exact=True).click()
        wait_for_looks(page, there, looks + 3)


def test_the_page_follows_a_change_in_the_same_request(
    new_page: Callable[[], Page], serve: Callable[[str], str]
) -> None:
    """The browser sends what comes close together at once, as a request of the fragment that looks again.

    Here it collects for half a second, as it does when it is busy.
    """
    page = new_page()
    page.goto(serve("tests/browser/apps/same_request_app.py"))
    expect(page.get_by_text(re.compile("look [3-9]"))).to_be_visible()
    expect(page.get_by_text("run 1", exact=True)).to_be_visible()  # the fragment alone runs again
    page.evaluate("{ const soon = setTimeout; setTimeout = (task, ms = 0) => soon(task, ms || 500) }")
    for text in ("something", "more"):
        page.get_by_label("Text").fill(text)
        page.get_by_label("Text").press("Enter")
        expect(page.get_by_text(f"The page has {text}.")).to_be_visible()


@pytest.fixture
def alone(new_page: Callable[[], Page]) -> Page:
    """The component on an empty page, with a clock that the test moves."""
    page = new_page()
    page.clock.install(time=0)
    page.route("**/*", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
    page.goto("http://127.0.0.1/first")
    page.clock.pause_at(3_600)  # seconds; one that is only installed goes on by itself while the test is slow
    page.evaluate(ALONE, JS)
    return page


def asked(page: Page, after_ms: int) -> int:
    """Return how often it has asked when some time has gone by."""
    page.clock.run_for(after_ms)
    return page.evaluate("asked")


def test_it_asks_once_for_each_call(alone: Page) -> None:
    """When its time has come, and not before."""
    alone.evaluate("call(100); 0")
    assert asked(alone, 90) == 0
    assert asked(alone, 20) == 1
    assert asked(alone, 1_000) == 1


def test_a_newer_call_takes_the_place_of_the_older(alone: Page) -> None:
    """And the older one may be cleaned up after it has begun, as Streamlit does while the component loads."""
    alone.evaluate("window.end = call(100); call(200); end(); 0")
    assert asked(alone, 150) == 0
    assert asked(alone, 100) == 1


def test_it_waits_for_a_run_to_end(alone: Page) -> None:
    """A request meanwhile would break it off, or be folded into it."""
    alone.evaluate("say('running'); call(100); 0")
    assert asked(alone, 2_000) == 0
    alone.evaluate("say('notRunning')")
    assert asked(alone, 100) == 1


def test_it_waits_for_a_page_that_was_asked_for(alone: Page) -> None:
    """Streamlit would fold both into one run of the page that is left; but not for ever, as the page may not come."""
    alone.evaluate("call(100); document.querySelector('a').click()")
    assert asked(alone, 5_000) == 0
    alone.evaluate("history.pushState({}, '', '/second')")
    assert asked(alone, 100) == 1
    alone.evaluate("history.pushState({}, '', '/first'); call(100); document.querySelector('a').click()")
    assert asked(alone, 9_000) == 1
    assert asked(alone, 1_500) == 2


def test_it_waits_a_second_after_the_browser_s_own_buttons(alone: Page) -> None:
    """They change the address at once, before the server knows."""
    alone.evaluate("call(100); window.dispatchEvent(new PopStateEvent('popstate')); 0")
    assert asked(alone, 900) == 0
    assert asked(alone, 300) == 1


def test_it_asks_again_where_nothing_came_of_it(alone: Page) -> None:
    """Until there is a newer call, or the element is gone."""
    alone.evaluate("window.end = call(100); 0")
    assert asked(alone, 200) == 1
    assert asked(alone, 5_000) == 2
    alone.evaluate("end()")
    assert asked(alone, 20_000) == 2
