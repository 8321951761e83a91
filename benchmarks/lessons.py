"""The time from a change of a lesson's control to its effect, over the same on the network page.

JavaScript in the page measures it: from Enter in a number field, or from the click on a choice, until all selected
elements have changed: the numbers and charts that depend on the control. On the network page the control is the number
of classes, and the element is the total of parameters. All pages are changed in turn in one run.
"""

from collections.abc import Iterator
from statistics import median
from typing import NamedTuple

from playwright.sync_api import Browser, Page

from benchmarks.browser import APP, browser, server
from benchmarks.report import Measurement

CHANGES = 12
PAUSE_MS = 2_500  # between two changes: after its numbers, the network page has each network built and run

# Records when a change begins, and when all selected elements have changed. A component has its text in a shadow root.
# It polls between the two only, so that a page takes no time from the other pages' turns.
_CONTROL_TIMER = """
(selectors) => {
  const text = (root) => [...root.querySelectorAll("*")].reduce(
    (sum, element) => sum + (element.shadowRoot?.textContent ?? ""), root.textContent);
  const state = () => selectors.map((selector) => [...document.querySelectorAll(selector)].map(text).join());
  const timer = (window.__control = { start: 0, changed: 0 });
  let before = [];
  const begin = () => {
    before = state();
    Object.assign(timer, { start: performance.now(), changed: 0 });
    requestAnimationFrame(poll);
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Enter") begin(); }, true);
  document.addEventListener("click", begin, true);
  const poll = () => {
    const now = state();
    if (now.every((text, place) => text && text !== before[place])) timer.changed = performance.now();
    else requestAnimationFrame(poll);
  };
}
"""


class Control(NamedTuple):
    """A control on a page: the label of a number field with the values to type, or the key of a choice to click.

    ``selectors`` are the CSS selectors of the elements that change with it.
    """

    page: str
    label: str
    values: tuple[int | str, ...]
    selectors: tuple[str, ...]

    @property
    def is_field(self) -> bool:
        """Whether it is a number field."""
        return isinstance(self.values[0], int)


def _numbers(first: int) -> tuple[int, ...]:
    return tuple(range(first, first + CHANGES))


NETWORK = Control("", "Classes", _numbers(500), (".st-key-bar strong",))
LESSONS = (
    Control("reduction", "Kernels", _numbers(65), (".st-key-lesson_chart_cost",)),
    Control("auxiliary", "Another input, side in pixels", _numbers(230), (".st-key-part_other_inputs table",)),
    Control("which_googlenet", "googlenet", ("torchvision", "batch norm"), (".st-key-part_presets",)),
    Control("receptive_field", "Height", _numbers(200), (".st-key-part_input_size table",)),
    Control("receptive_field", "field_module", ("4a", "4c"), (".st-key-lesson_chart_spectrum",)),
)


def control_ms(page: Page, control: Control, number: int) -> float:
    """Make the ``number``-th change of a control; return the milliseconds until all its elements have changed."""
    value = control.values[number % len(control.values)]
    if control.is_field:
        field = page.get_by_label(control.label, exact=True)
        field.fill(str(value))
        field.press("Enter")
    else:
        page.locator(f".st-key-{control.label}").get_by_text(str(value), exact=True).click()
    page.wait_for_function("window.__control.changed > 0", timeout=20_000)
    page.wait_for_timeout(PAUSE_MS)
    timer = page.evaluate("window.__control")
    return float(timer["changed"] - timer["start"])


def open_page(chromium: Browser, address: str, control: Control) -> Page:
    """Open the page of a control in a new session, wait until it is idle, and install the timer."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address + control.page)
    if control.page:
        page.get_by_role("button", name="Skip the question").click(timeout=60_000)
    page.locator(control.selectors[0]).first.wait_for(timeout=60_000)
    if control is NETWORK:
        page.locator(".st-key-more_settings summary").click()
    page.wait_for_timeout(2_000)
    page.evaluate(_CONTROL_TIMER, list(control.selectors))
    return page


def measurements() -> Iterator[Measurement]:
    """Yield, per control of a lesson, its time over the network page's."""
    controls = (NETWORK, *LESSONS)
    with server(APP.script) as (address, _), browser() as chromium:
        pages = {control: open_page(chromium, address, control) for control in controls}
        times: dict[Control, list[float]] = {control: [] for control in controls}
        for number in range(CHANGES):
            for control, page in pages.items():
                times[control].append(control_ms(page, control, number))
    for lesson in LESSONS:
        ratio = median(a / b for a, b in zip(times[lesson], times[NETWORK], strict=True))
        yield Measurement(
            f"{lesson.page}, {lesson.label}: time of a change, over the network page's", ratio, maximum=1.2
        )
