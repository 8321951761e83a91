"""The whole page *Look inside*: the first visit, all views, and a server that never loads torch for it."""

import json
import re
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.history import Version
from explorer.share import to_token
from tests.ui.app import ROOT, alt_texts, click, page_text
from tests.ui.lab.look_inside.conftest import DirectQueue, choose_view, open_page

MINI = PRESETS["mini"]
SMALL = MINI.replace(input_shape=(3, 32, 32), modules=MINI.modules[:4], aux=MINI.aux.replace(taps=("4a",)))
VIEWS = (
    "Feature maps",
    "One number",
    "Flow",
    "Effective receptive field",
    "Branch ablation",
    "Attribution",
    "Activation maximization",
    "Layer timing",
    "Side by side",
)
TESTED_ELSEWHERE = ("Test images", "Engines")  # one begins without images, the other runs a compiler


def test_the_first_visit_uses_bundled_weights(queue: DirectQueue) -> None:
    """Without a setting: a network trained here, its accuracy, an image, its prediction, and its label."""
    at = open_page()
    text = page_text(at)
    assert "mini, trained on Fashion-MNIST" in text
    assert "** of 2,000 test images classified correctly (95 % interval " in text
    assert "Predicted class: T-shirt/top" in alt_texts(at)
    assert "Correct: the label is **T-shirt/top**." in text
    assert "entropy" in text
    assert "forward pass" not in text  # one cold pass is no measurement
    assert "Auxiliary head at 4a" in alt_texts(at)
    assert "of 20** classified correctly (95 % interval " in text
    assert queue.of_kind("prediction")[0].images != ()


def test_the_tested_views_are_all_views(queue: DirectQueue) -> None:
    """The tests below run for each view that the page offers."""
    options = open_page().segmented_control(key="look_inside_view").options
    assert list(VIEWS) == [view for view in options if view not in TESTED_ELSEWHERE]


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("network", ["trained", "untrained"])
def test_every_view_has_an_image_and_an_explanation(queue: DirectQueue, view: str, network: str) -> None:
    """With the bundled weights, whose network a title of the view names, and with an edited network and random ones."""
    at = open_page(net=to_token(Version("mini", SMALL)))
    if network == "untrained":
        click(at, "look_inside_use_random")
    before = alt_texts(at)
    choose_view(at, view)
    assert not at.error
    assert "Reading this chart: " in page_text(at)
    assert view == "Feature maps" or alt_texts(at) != before
    if network == "trained":
        named = [text for text in drawn_texts(at) if "· mini" in text]
        assert [text for text in named if not text.startswith("Predicted class")]


def drawn_texts(at: AppTest) -> list[str]:
    """Return the texts in each chart, from the title on, and each Markdown of the page."""
    data = [json.loads(element.proto.json) for element in at.get("bidi_component") if element.proto.json]
    charts = [" ".join(re.findall(r">([^<>]+)</text>", str(part))) for one in data for part in one.values()]
    return [*charts, *(element.value for element in at.markdown)]


@pytest.mark.slow
def test_the_server_never_loads_torch_for_the_page() -> None:
    """A process whose results are always pending, as in the server, draws the page without torch."""
    code = (
        "import sys\n"
        "from explorer.jobs.queue import Pending\n"
        "from explorer.ui import cache\n"
        "from explorer.ui.lab.look_inside import requests, session\n"
        "class Waiting:\n"
        "    def submit(self, *_): return Pending(0, 0.3)\n"
        "    check = submit\n"
        "cache.inspection_jobs = Waiting\n"
        "cache.check_jobs = Waiting\n"
        "requests.WAIT_S = 0\n"
        "from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('streamlit_app.py', default_timeout=300).run()\n"
        "at.switch_page('pages/lab/look_inside.py').run()\n"
        "assert not at.exception, at.exception\n"
        "assert at.segmented_control(key='look_inside_view').value == 'Feature maps'\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr[-2_000:]


@pytest.mark.slow
def test_a_network_that_does_not_take_images_shows_an_error(queue: DirectQueue) -> None:
    """Five channels are neither grey nor colour."""
    five_channels = SMALL.replace(input_shape=(5, 32, 32))
    at = open_page(net=to_token(Version("mini", five_channels)))
    click(at, "look_inside_use_random")
    assert any("an image has 1 (grey) or 3 (colour)" in error.value for error in at.error)
    click(at, "look_inside_use_mini")
    assert not at.error
