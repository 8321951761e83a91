"""What a student waits for after changing a control of a lesson, over the same on the network page.

The clock runs inside the page: from Enter in a number field until the watched part has changed. The network page's
field is its number of classes, the watched part its total of parameters. All pages take turns in one run.
"""

from collections.abc import Iterator
from statistics import median
from typing import Any, NamedTuple

from playwright.sync_api import Page

from benchmarks.browser import APP, browser, server
from benchmarks.report import Figure

CHANGES = 12

# Returns the milliseconds from Enter until the watched part differs from what it was.
_CLOCK = """
(selector) => {
  const watched = () => document.querySelector(selector);
  const state = () => watched()?.innerText ?? "";
  const clock = (window.__control = { start: 0, changed: 0 });
  let before = state();
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { before = state(); Object.assign(clock, { start: performance.now(), changed: 0 }); }
  }, true);
  const look = () => {
    if (clock.start && !clock.changed && state() !== before) clock.changed = performance.now();
    requestAnimationFrame(look);
  };
  look();
}
"""


class Control(NamedTuple):
    """A number field by its label on a page, what changes with it, and the first of the values to type."""

    page: str
    label: str
    watched: str
    first: int


NETWORK = Control("", "Classes", ".st-key-bar strong", 500)
LESSONS = (
    Control("reduction", "Kernels", ".st-key-part_bench .katex", 65),
    Control("auxiliary", "Another input, side in pixels", ".st-key-part_other_inputs table", 200),
    Control("receptive_field", "Height", ".st-key-part_doctor table", 200),
)


def control_ms(page: Page, control: Control, value: int) -> float:
    """Type a value into a control of an opened page and return the milliseconds until its part has changed."""
    field = page.get_by_label(control.label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    page.wait_for_function("window.__control.changed > 0", timeout=20_000)
    page.wait_for_timeout(400)
    clock = page.evaluate("window.__control")
    return clock["changed"] - clock["start"]


def opened(chromium: Any, address: str, control: Control) -> Page:
    """Open the page of a control in a session of its own, at rest, with its clock running."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address + control.page)
    page.get_by_label(control.label, exact=True).wait_for(timeout=60_000)
    page.wait_for_timeout(2_000)
    page.evaluate(_CLOCK, control.watched)
    return page


def figures() -> Iterator[Figure]:
    """Yield, per lesson with a number to change, its answer over the network page's."""
    controls = (NETWORK, *LESSONS)
    with server(APP.script) as (address, _), browser() as chromium:
        pages = {control: opened(chromium, address, control) for control in controls}
        seen: dict[Control, list[float]] = {control: [] for control in controls}
        for number in range(CHANGES):
            for control, page in pages.items():
                seen[control].append(control_ms(page, control, control.first + number))
    for lesson in LESSONS:
        ratio = median(a / b for a, b in zip(seen[lesson], seen[NETWORK], strict=True))
        yield Figure(f"a control of the lesson {lesson.page}, over the network page's", ratio, most=1.2)
