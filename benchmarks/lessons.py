"""What a student waits for after changing a control of a lesson, over the same on the network page.

The clock runs inside the page: from Enter in a number field, or from the click on a choice, until everything that is
watched has changed: the numbers and pictures that the control is for. On the network page the control is the number
of classes, and what is watched its total of parameters. All pages take turns in one run.
"""

from collections.abc import Iterator
from statistics import median
from typing import Any, NamedTuple

from playwright.sync_api import Page

from benchmarks.browser import APP, browser, server
from benchmarks.report import Figure

CHANGES = 12
SETTLE_MS = 2_500  # between two changes: the network page has each of its networks built and run after its numbers

# Notes when a change begins, and when everything watched has become another. Components keep theirs in a shadow root.
# It looks between the two only: pages that wait for their turn take nothing from the one whose turn it is.
_CLOCK = """
(selectors) => {
  const text = (root) => [...root.querySelectorAll("*")].reduce(
    (sum, element) => sum + (element.shadowRoot?.textContent ?? ""), root.textContent);
  const state = () => selectors.map((selector) => [...document.querySelectorAll(selector)].map(text).join());
  const clock = (window.__control = { start: 0, changed: 0 });
  let before = [];
  const begin = () => {
    before = state();
    Object.assign(clock, { start: performance.now(), changed: 0 });
    requestAnimationFrame(look);
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Enter") begin(); }, true);
  document.addEventListener("click", begin, true);
  const look = () => {
    const now = state();
    if (now.every((text, place) => text && text !== before[place])) clock.changed = performance.now();
    else requestAnimationFrame(look);
  };
}
"""


class Control(NamedTuple):
    """A control on a page: the label of a number field with the values to type, or the key of a choice to click.

    ``watched`` are the CSS selectors of what changes with it.
    """

    page: str
    label: str
    values: tuple[int | str, ...]
    watched: tuple[str, ...]

    @property
    def is_field(self) -> bool:
        """Whether its values are typed."""
        return isinstance(self.values[0], int)


def _numbers(first: int) -> tuple[int, ...]:
    return tuple(range(first, first + CHANGES))


NETWORK = Control("", "Classes", _numbers(500), (".st-key-bar strong",))
LESSONS = (
    Control("reduction", "Kernels", _numbers(65), (".st-key-picture_cost",)),
    Control("auxiliary", "Another input, side in pixels", _numbers(230), (".st-key-part_other_inputs table",)),
    Control("which_googlenet", "googlenet", ("torchvision", "batch norm"), (".st-key-part_presets",)),
    Control("receptive_field", "Height", _numbers(200), (".st-key-part_doctor table",)),
    Control("receptive_field", "field_module", ("4a", "4c"), (".st-key-picture_spectrum",)),
)


def control_ms(page: Page, control: Control, number: int) -> float:
    """Make the ``number``-th change of an opened page's control; return the milliseconds until all has changed."""
    value = control.values[number % len(control.values)]
    if control.is_field:
        field = page.get_by_label(control.label, exact=True)
        field.fill(str(value))
        field.press("Enter")
    else:
        page.locator(f".st-key-{control.label}").get_by_text(str(value), exact=True).click()
    page.wait_for_function("window.__control.changed > 0", timeout=20_000)
    page.wait_for_timeout(SETTLE_MS)
    clock = page.evaluate("window.__control")
    return clock["changed"] - clock["start"]


def opened(chromium: Any, address: str, control: Control) -> Page:
    """Open the page of a control in a session of its own, at rest, with its clock running."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.goto(address + control.page)
    page.locator(control.watched[0]).first.wait_for(timeout=60_000)
    page.wait_for_timeout(2_000)
    page.evaluate(_CLOCK, list(control.watched))
    return page


def figures() -> Iterator[Figure]:
    """Yield, per control of a lesson, its answer over the network page's."""
    controls = (NETWORK, *LESSONS)
    with server(APP.script) as (address, _), browser() as chromium:
        pages = {control: opened(chromium, address, control) for control in controls}
        seen: dict[Control, list[float]] = {control: [] for control in controls}
        for number in range(CHANGES):
            for control, page in pages.items():
                seen[control].append(control_ms(page, control, number))
    for lesson in LESSONS:
        ratio = median(a / b for a, b in zip(seen[lesson], seen[NETWORK], strict=True))
        yield Figure(f"{lesson.page}, {lesson.label}: its answer, over the network page's", ratio, most=1.2)
