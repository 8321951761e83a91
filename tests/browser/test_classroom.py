"""A class in Chromium, on a class server with its headers: a teacher and a student, each in a browser of their own."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from benchmarks.classroom import class_server
from explorer.classroom.store import ClassStore
from tests.browser.app import set_theme, wait_until_idle
from tests.browser.test_axe import OPTIONS, find_violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class OpenClass(NamedTuple):
    """A class on a server: its address, its store and its code."""

    address: str
    store: ClassStore
    code: str


@pytest.fixture
def room() -> Iterator[OpenClass]:
    """Serve a class."""
    with class_server() as (address, store, code):
        yield OpenClass(address, store, code)


def enter_as_teacher(page: Page, room: OpenClass) -> None:
    """Open the teacher's link."""
    page.goto(f"{room.address}/class/teacher#{room.store.reopen_class(room.code)}")
    page.wait_for_url("**/teach*")
    expect(page.locator(".class-code b")).to_have_text(room.code)


def press(page: Page, name: str) -> None:
    """Press a button, and wait for the answer."""
    page.get_by_role("button", name=name, exact=True).click()
    wait_until_idle(page)


def select_view(page: Page, name: str) -> None:
    """Choose a view of the teacher's page."""
    page.get_by_role("radio", name=name, exact=True).click()
    wait_until_idle(page)


def violations(page: Page) -> list[tuple[str, ...]]:
    """Return what axe finds in light and dark; the page is light again afterwards."""
    page.evaluate(AXE_SCRIPT)
    found = []
    for theme in ("light", "dark"):
        set_theme(page, theme)
        found += find_violations(page, theme, OPTIONS[theme])
    set_theme(page, "light")
    return found


def test_a_class_votes_twice_and_follows(room: OpenClass, new_page: Callable[[], Page]) -> None:
    """Counts are hidden until they are revealed, with the second vote below the first; no violation on either page."""
    teacher, student = new_page(), new_page()
    enter_as_teacher(teacher, room)
    student.goto(f"{room.address}/join")
    student.get_by_role("textbox", name="Code").fill(room.code.lower())
    student.get_by_role("button", name="Join", exact=True).click()
    expect(student.get_by_text(f"You are in the class {room.code}")).to_be_visible()
    expect(teacher.get_by_role("heading", name="1 joined")).to_be_visible()

    select_view(teacher, "Vote")
    press(teacher, "Start the vote")
    poll, counts = student.locator(".st-key-class_poll"), teacher.locator(".votes")
    poll.get_by_text("Your class votes", exact=True).wait_for()
    poll.get_by_role("radio").first.check(force=True)
    expect(poll.get_by_text("Your vote is")).to_be_visible()
    press(teacher, "Vote again")
    poll.get_by_text("Your class votes again", exact=True).wait_for()
    poll.get_by_role("radio").nth(1).check(force=True)
    expect(poll.get_by_text("Your vote is")).to_be_visible()
    expect(counts).to_have_count(0)
    expect(student.locator(".votes")).to_have_count(0)
    assert [] == violations(student)
    press(teacher, "Reveal")
    for page in (teacher, student):
        expect(page.get_by_role("img", name="First vote: 1 of 1 (100 %)")).to_have_count(1)
        expect(page.get_by_role("img", name="Second vote: 1 of 1 (100 %)")).to_have_count(1)
    assert [] == violations(teacher)

    select_view(teacher, "Follow me")
    press(teacher, "Bring everyone there")
    expect(student.get_by_text("This is where your teacher leads the class.")).to_be_visible()
    expect(student.locator(".st-key-strip .box").first).to_be_visible()
    assert student.url.partition("?")[0] == f"{room.address}/"
