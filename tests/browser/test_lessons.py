"""Every lesson walked as a student: predict, reveal, change something, apply it to the network, go back."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from explorer.lessons.openings import opening
from explorer.views import formatting as fmt

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000


@pytest.fixture
def student(page: Page, serve: Callable[[str], str]) -> Iterator[Page]:
    """A student who has opened the app; nothing may be asked of another machine or go wrong."""
    complaints: list[str] = []
    page.set_viewport_size({"width": 1400, "height": 950})
    page.on("request", lambda request: complaints.append(request.url) if "127.0.0.1" not in request.url else None)
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(serve("streamlit_app.py"))
    yield page
    assert [said for said in complaints if not said.startswith(("data:", "blob:"))] == []


def go_to(page: Page, title: str) -> None:
    """Choose a lesson in the menu at the top and wait until all of it is there."""
    page.get_by_test_id("stTopNavSection").filter(has_text="Learn").click(timeout=PATIENCE_MS)
    page.get_by_test_id("stTopNavDropdownLink").filter(has_text=title).click()
    expect(page.get_by_text("Test yourself")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press("Escape")


def predict(page: Page, topic: str) -> None:
    """Choose the right option of the opening question, reveal, and read why."""
    question = opening(topic)
    box = page.locator(".st-key-predict")
    box.get_by_text(f"{fmt.exact(question.value)} {question.unit}", exact=True).click()
    box.get_by_role("button", name="Reveal").click()
    expect(box.get_by_text("Right.")).to_be_visible(timeout=PATIENCE_MS)
    expect(box.get_by_text(question.formula)).to_be_visible()
    expect(page.get_by_text("1 of 1 right")).to_be_visible()


def fill(page: Page, label: str, value: str) -> None:
    """Type a number into a field and leave it with Enter."""
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def bar(page: Page) -> Locator:
    """The bar that says which network this is."""
    return page.locator(".st-key-bar")


def back_to_the_paper(page: Page) -> None:
    """One click, and the bar says so."""
    page.get_by_role("button", name="Back to the paper's network").click()
    expect(bar(page).get_by_text("6,998,552")).to_be_visible(timeout=PATIENCE_MS)


def test_the_reduction(student: Page) -> None:
    """From the article's case to an own one, a bad one, into the network and back."""
    go_to(student, "1×1 reduction")
    predict(student, "reduction")
    picture = student.get_by_role("img", name="weights 819,200 without and 50,688 with the reduction")
    expect(picture).to_be_visible()
    fill(student, "Reduction r", "48")
    expect(student.get_by_role("img", name="weights 819,200 without and 101,376 with")).to_be_visible()
    fill(student, "Kernel size k", "4")
    expect(student.get_by_text("4 is even, so it has no middle")).to_be_visible()
    expect(student.get_by_role("img", name="weights 819,200 without and 101,376 with")).to_be_visible()
    with student.expect_download() as saved:
        student.get_by_title("break_even.csv").click()
    assert saved.value.suggested_filename == "break_even.csv"
    assert "\n48,101376," in saved.value.path().read_text("utf-8")
    student.get_by_role("button", name="Apply to the network").first.click()
    expect(bar(student).get_by_text("paper + 1 edit")).to_be_visible(timeout=PATIENCE_MS)
    student.get_by_role("button", name="Back to the article's case").click()
    expect(picture).to_be_visible()
    back_to_the_paper(student)


def test_the_auxiliary_heads(student: Page) -> None:
    """Another input, another weight into the network, and back."""
    go_to(student, "Auxiliary classifiers")
    predict(student, "auxiliary")
    fill(student, "Another input, side in pixels", "46")
    expect(student.get_by_role("cell", name="does not fit").first).to_be_visible()
    slider = student.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    expect(student.get_by_role("button", name="Apply to the network")).to_be_enabled(timeout=PATIENCE_MS)
    student.get_by_role("button", name="Apply to the network").click()
    expect(bar(student).get_by_text("paper + 1 edit")).to_be_visible(timeout=PATIENCE_MS)
    back_to_the_paper(student)


def test_which_googlenet(student: Page) -> None:
    """Put torchvision's network on the bench, read what changed, see the counts follow, and go back."""
    go_to(student, "Which GoogLeNet?")
    predict(student, "which_googlenet")
    expect(student.get_by_role("cell", name="1,585,899,032")).to_be_visible()
    student.locator(".st-key-googlenet").get_by_text("torchvision", exact=True).click()
    expect(student.get_by_text("torchvision against the paper")).to_be_visible(timeout=PATIENCE_MS)
    expect(bar(student).get_by_text("6,624,904")).to_be_visible()
    expect(student.get_by_role("cell", name="1,585,899,032")).not_to_be_visible()
    back_to_the_paper(student)


def test_the_receptive_field(student: Page) -> None:
    """Choose a module, take a branch out, send another picture through, apply it and go back."""
    go_to(student, "Receptive field")
    predict(student, "receptive_field")
    student.locator(".st-key-field_module").get_by_text("4a", exact=True).click()
    expect(student.get_by_role("img", name="What one position of 4a sees")).to_be_visible(timeout=PATIENCE_MS)
    fill(student, "Height", "97")
    expect(student.get_by_role("cell", name="97×224").first).to_be_visible(timeout=PATIENCE_MS)
    student.get_by_role("button", name="Apply to the network").click()
    expect(bar(student).get_by_text("paper + 1 edit")).to_be_visible(timeout=PATIENCE_MS)
    back_to_the_paper(student)


def test_a_measurement_runs_and_its_result_stays(student: Page) -> None:
    """The clock in the lesson on the reduction: progress or result at once, and the verdict is still there later."""
    go_to(student, "1×1 reduction")
    student.get_by_role("button", name="Measure", exact=True).click()
    verdict = student.get_by_text("rounds in turn, seed")
    expect(verdict).to_be_visible(timeout=2 * PATIENCE_MS)
    fill(student, "Reduction r", "32")
    expect(student.get_by_text("Measured before you changed something")).to_be_visible(timeout=PATIENCE_MS)
    expect(verdict).to_be_visible()


@pytest.mark.parametrize(
    ("title", "measurement", "enlarge"),
    [
        ("1×1 reduction", "reduction_timing", {"Height": "96", "Width": "96"}),
        ("Auxiliary classifiers", "gradients", {}),
    ],
)
def test_a_measurement_shows_progress_and_can_be_stopped(
    student: Page, title: str, measurement: str, enlarge: dict[str, str]
) -> None:
    """How far it is stands there while it runs; stopped, nothing is shown as measured and it can begin again."""
    go_to(student, title)
    for label, value in enlarge.items():  # so that it takes its seconds
        fill(student, label, value)
    if enlarge:
        expect(student.get_by_role("img", name="Two paths from 512 × 96 × 96")).to_be_visible(timeout=PATIENCE_MS)
    start = student.locator(f".st-key-{measurement}_start").get_by_role("button")
    start.click()
    progress = student.get_by_test_id("stProgress")
    expect(progress.get_by_text(re.compile(r"· \d+ of \d+$"))).to_be_visible(timeout=2 * PATIENCE_MS)
    expect(start).to_be_disabled()
    student.locator(f".st-key-{measurement}_stop").get_by_role("button").click()
    expect(progress).not_to_be_visible(timeout=PATIENCE_MS)
    expect(start).to_be_enabled()
    expect(student.get_by_text(re.compile("rounds in turn, seed|random images each"))).not_to_be_visible()


def test_what_shows_the_same_case_follows_its_control(student: Page) -> None:
    """Bars, curve, diagram and the comparison with the table; and a network applied there is the whole page's."""
    go_to(student, "1×1 reduction")
    fill(student, "Reduction r", "48")
    expect(student.get_by_role("img", name="then the 5×5, 101,376 weights")).to_be_visible(timeout=PATIENCE_MS)
    expect(student.get_by_text("Applying writes 5×5 reduce = 48")).to_be_visible()
    student.locator(".st-key-naive_apply").get_by_role("button").click()
    expect(bar(student).get_by_text("97,526,008")).to_be_visible(timeout=PATIENCE_MS)
    expect(student.get_by_text("4b, 5×5 branch:")).to_be_visible()
    expect(student.get_by_text("no reduction, 64 kernels")).to_be_visible()
    back_to_the_paper(student)


def test_a_teachers_link_survives_a_reload(page: Page, serve: Callable[[str], str]) -> None:
    """What the link hides stays hidden, and the network it names is on the bench."""
    page.goto(f"{serve('streamlit_app.py')}/reduction?net=1.half&hide=quiz,teacher")
    for _ in range(2):
        expect(page.get_by_text("Sources", exact=True)).to_be_visible(timeout=PATIENCE_MS)
        expect(bar(page).get_by_text("2,010,560")).to_be_visible()
        expect(page.get_by_text("Test yourself")).not_to_be_visible()
        assert "hide=quiz" in page.url
        page.reload()


@pytest.mark.parametrize("width", [800, 1400])
def test_nothing_is_cut_off(student: Page, width: int) -> None:
    """No lesson is wider than the window; wide tables scroll in their own box."""
    student.set_viewport_size({"width": width, "height": 900})
    for title in ("1×1 reduction", "Auxiliary classifiers", "Which GoogLeNet?", "Receptive field"):
        go_to(student, title)
        too_wide = student.evaluate(
            "() => { const main = document.querySelector('[data-testid=stMain]');"
            "return main.scrollWidth - main.clientWidth }"
        )
        assert too_wide <= 0, title
