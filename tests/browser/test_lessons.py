"""Every lesson walked as a page: predict, reveal, change something, apply it to the network, go back."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from explorer.lessons.openings import opening_question
from explorer.views import formatting as fmt
from tests.browser.app import ADDRESSES, APP, is_too_wide, open_page, wait_until_idle

pytestmark = pytest.mark.browser

LESSONS = ("1×1 reduction", "Auxiliary classifiers", "Which GoogLeNet?", "Receptive field")


@pytest.fixture
def lesson(page: Page, serve: Callable[[str], str]) -> Callable[[str], Page]:
    """Return a function that opens a lesson, as a student who follows a link does, and waits for all of it.

    Its opening question is skipped, or else waits for an answer.
    """

    def open_lesson(title: str, *, skip: bool = True) -> Page:
        page.goto(f"{serve(APP)}/{ADDRESSES[title]}")
        if skip:
            skip_question(page)
            wait_for_lesson(page)
        return page

    return open_lesson


def wait_for_lesson(page: Page) -> None:
    """Wait until all of a lesson is there."""
    wait_until_idle(page)
    expect(page.get_by_text("Test yourself")).to_be_visible()
    wait_until_idle(page)


def skip_question(page: Page) -> None:
    """Skip the opening question."""
    wait_until_idle(page)
    page.get_by_role("button", name="Skip the question").click()


def predict(page: Page, topic: str) -> None:
    """Choose the right option of the opening question, reveal, and read why."""
    question = opening_question(topic)
    box = page.locator(".st-key-predict")
    box.get_by_text(f"{fmt.exact(question.value)} {question.unit}", exact=True).click()
    box.get_by_role("button", name="Reveal").click()
    expect(box.get_by_text("Correct.")).to_be_visible()
    expect(box.get_by_text(question.formula)).to_be_visible()
    expect(page.get_by_text("1 of 1 correct")).to_be_visible()
    wait_for_lesson(page)


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
    expect(bar(page).get_by_text("6,998,552", exact=True)).to_be_visible()


def test_the_reduction(lesson: Callable[[str], Page]) -> None:
    """From the article's case to an own one, a bad one, into the network and back."""
    page = lesson("1×1 reduction", skip=False)
    predict(page, "reduction")
    formula = page.locator(".katex-display").first
    assert formula.evaluate("formula => formula.scrollHeight <= formula.clientHeight")  # no numerator is cut off
    picture = page.get_by_role("img", name="weights 819,200 without and 50,688 with the reduction")
    expect(picture).to_be_visible()
    fill(page, "Reduction r", "48")
    expect(page.get_by_role("img", name="weights 819,200 without and 101,376 with")).to_be_visible()
    fill(page, "Kernel size k", "4")
    expect(page.get_by_text("4 is even, so it has no middle")).to_be_visible()
    expect(page.get_by_role("img", name="weights 819,200 without and 101,376 with")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_title("break_even.csv").click()
    assert saved.value.suggested_filename == "break_even.csv"
    assert "\n48,101376," in saved.value.path().read_text("utf-8")
    page.get_by_role("button", name="Apply to the network").first.click()
    expect(bar(page).get_by_text("paper + 1 edit")).to_be_visible()
    page.get_by_role("button", name="Back to the article's case").click()
    expect(picture).to_be_visible()
    back_to_the_paper(page)


def test_the_auxiliary_heads(lesson: Callable[[str], Page]) -> None:
    """Another input, another weight into the network, and back."""
    page = lesson("Auxiliary classifiers", skip=False)
    predict(page, "auxiliary")
    fill(page, "Another input, side in pixels", "46")
    expect(page.get_by_role("cell", name="does not fit").first).to_be_visible()
    slider = page.get_by_role("slider").first
    slider.focus()
    slider.press("ArrowRight")
    expect(page.get_by_role("button", name="Apply to the network")).to_be_enabled()
    page.get_by_role("button", name="Apply to the network").click()
    expect(bar(page).get_by_text("paper + 1 edit")).to_be_visible()
    back_to_the_paper(page)


def test_which_googlenet(lesson: Callable[[str], Page]) -> None:
    """Load torchvision's network, read what changed, see the counts follow, and go back."""
    page = lesson("Which GoogLeNet?", skip=False)
    predict(page, "which_googlenet")
    expect(page.get_by_role("cell", name="1,585,899,032")).to_be_visible()
    page.locator(".st-key-googlenet").get_by_text("torchvision", exact=True).click()
    expect(page.get_by_text("torchvision against the paper")).to_be_visible()
    expect(bar(page).get_by_text("6,624,904", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="1,585,899,032")).not_to_be_visible()
    back_to_the_paper(page)


def test_the_receptive_field(lesson: Callable[[str], Page]) -> None:
    """Move a window, choose a module, take a branch out, send another picture through, apply it and go back."""
    page = lesson("Receptive field", skip=False)
    predict(page, "receptive_field")
    layer = page.locator(".st-key-part_one_layer")
    layer.get_by_text("3×3/2 pool", exact=True).click()
    output = layer.locator(".output-map")
    expect(output).to_have_attribute("data-rows", "4")
    output.press("ArrowDown")
    expect(layer.get_by_role("status")).to_contain_text("Output row 1, column 0 reads the rows 2 to 4")
    page.locator(".st-key-field_module").get_by_text("4a", exact=True).click()
    expect(page.get_by_role("img", name="What one position of 4a sees")).to_be_visible()
    fill(page, "Height", "97")
    expect(page.get_by_role("cell", name="97×224").first).to_be_visible()
    page.get_by_role("button", name="Apply to the network").click()
    expect(bar(page).get_by_text("paper + 1 edit")).to_be_visible()
    back_to_the_paper(page)


def test_a_measurement_runs_and_its_result_stays(lesson: Callable[[str], Page]) -> None:
    """The clock in the lesson on the reduction: progress or result at once, and the verdict is still there later."""
    page = lesson("1×1 reduction")
    page.get_by_role("button", name="Measure", exact=True).click()
    verdict = page.get_by_text("rounds in turn, seed")
    expect(verdict).to_be_visible()
    fill(page, "Reduction r", "32")
    expect(page.get_by_text("Measured before your last change")).to_be_visible()
    expect(verdict).to_be_visible()


@pytest.mark.parametrize(
    ("title", "measurement", "enlarge"),
    [
        ("1×1 reduction", "reduction_timing", {"Height": "96", "Width": "96"}),
        ("Auxiliary classifiers", "gradients", {}),
    ],
)
def test_a_measurement_shows_progress_and_can_be_stopped(
    lesson: Callable[[str], Page], title: str, measurement: str, enlarge: dict[str, str]
) -> None:
    """How far it is stands there while it runs; stopped, nothing is shown as measured and it can begin again."""
    page = lesson(title)
    for label, value in enlarge.items():  # so that it takes its seconds
        fill(page, label, value)
    if enlarge:
        expect(page.get_by_role("img", name="Two paths from 512 × 96 × 96")).to_be_visible()
    start = page.locator(f".st-key-{measurement}_start").get_by_role("button")
    start.click()
    progress = page.get_by_test_id("stProgress")
    expect(progress.get_by_text(re.compile(r"· \d+ of \d+$"))).to_be_visible()
    expect(start).to_be_disabled()
    page.locator(f".st-key-{measurement}_stop").get_by_role("button").click()
    expect(progress).not_to_be_visible()
    expect(start).to_be_enabled()
    expect(page.get_by_text(re.compile("rounds in turn, seed|random images each"))).not_to_be_visible()


def test_what_shows_the_same_case_follows_its_control(lesson: Callable[[str], Page]) -> None:
    """Bars, curve, diagram and the comparison with the table; and a network applied there is the whole page's."""
    page = lesson("1×1 reduction")
    fill(page, "Reduction r", "48")
    expect(page.get_by_role("img", name="then the 5×5, 101,376 weights")).to_be_visible()
    expect(page.get_by_text("Applying writes 5×5 reduce = 48")).to_be_visible()
    page.locator(".st-key-naive_apply").get_by_role("button").click()
    expect(bar(page).get_by_text("97,526,008", exact=True)).to_be_visible()
    expect(page.get_by_text("4b, 5×5 branch:")).to_be_visible()
    expect(page.get_by_text("no reduction, 64 kernels")).to_be_visible()
    back_to_the_paper(page)


def test_a_teachers_link_survives_a_reload(page: Page, serve: Callable[[str], str]) -> None:
    """What the link hides stays hidden, and the network it names is the current one."""
    page.goto(f"{serve('streamlit_app.py')}/reduction?net=1.half&hide=predict,quiz,teacher")
    for _ in range(2):
        expect(page.get_by_text("Sources", exact=True)).to_be_visible()
        expect(bar(page).get_by_text("2,010,560", exact=True)).to_be_visible()
        expect(page.get_by_text("Test yourself")).not_to_be_visible()
        assert "hide=predict,quiz,teacher" in page.url.replace("%2C", ",")
        page.reload()


def test_nothing_is_cut_off(lesson: Callable[[str], Page]) -> None:
    """No lesson is wider than the window; wide tables scroll in their own box."""
    page = lesson(LESSONS[0])
    for title in (*LESSONS[1:], LESSONS[0]):
        open_page(page, title)
        if title != LESSONS[0]:
            skip_question(page)
        wait_for_lesson(page)
        for width in (390, 800, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            wait_until_idle(page)
            assert not is_too_wide(page), (title, width)
            stage = page.locator(".hero .stage")
            assert stage.evaluate("stage => stage.scrollWidth <= stage.clientWidth"), (title, width)
            chart = "box => box.scrollWidth <= box.clientWidth"
            assert all(box.evaluate(chart) for box in page.locator(".chart > div").all()), (title, width)
            assert stage.locator("> svg").evaluate("svg => svg.viewBox.baseVal.width") == (400 if width < 600 else 1100)


def test_the_picture_of_a_lesson_plays_pauses_and_can_be_moved(lesson: Callable[[str], Page]) -> None:
    """Its slider goes to any moment, and the sentence below it follows."""
    page = lesson("1×1 reduction")
    page.emulate_media(reduced_motion="no-preference")
    hero = page.locator(".hero")
    slider, sentence = hero.get_by_role("slider"), hero.locator("span")
    slider.press("End")
    expect(sentence).to_contain_text("819,200 weights without the 1×1, 50,688 with it.")
    slider.press("Home")
    expect(sentence).to_contain_text("512 channels arrive")
    hero.get_by_role("button", name="Play").click()
    expect(sentence).to_contain_text("The 1×1 mixes them at each position into 24.")
    hero.get_by_role("button", name="Pause").click()
    expect(hero.get_by_role("button", name="Play")).to_be_visible()


def test_nothing_moves_for_readers_who_prefer_no_motion(page: Page, serve: Callable[[str], str]) -> None:
    """The picture stands at its end from the beginning."""
    page.goto(f"{serve(APP)}/reduction")
    hero = page.locator(".hero")
    expect(hero.locator("span")).to_contain_text("Both ways give 64 channels.")
    expect(hero.get_by_role("button", name="Play")).to_be_visible()
    assert hero.locator("svg").evaluate("svg => svg.animationsPaused()")
