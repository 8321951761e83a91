"""The page *Look inside*, as a person works with it: weights, answer, views, bad values, and a server without torch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from explorer import PRESETS
from explorer.history import Version
from explorer.jobs.inspection import Scale
from explorer.jobs.queue import Pending
from explorer.jobs.requests import Failure, Progress
from explorer.share import to_token
from explorer.ui.lab.look_inside.views import VIEWS
from tests.ui.conftest import forge, title
from tests.ui.lessons import click, pictures, run, type_into, words
from tests.ui.looking import WAITING, DirectLooker, looker, open_page, show

__all__ = ["looker"]

ROOT = Path(__file__).parents[2]
MINI = PRESETS["mini"]
SMALL = MINI.replace(input_shape=(3, 32, 32), modules=MINI.modules[:4], aux=MINI.aux.replace(taps=("4a",)))


def test_at_first_start_it_works_with_the_shipped_weights(looker: DirectLooker) -> None:
    """Without a setting: a network trained here, its accuracy, a picture, its answer, and the true label."""
    at = open_page()
    said = words(at)
    assert "mini, trained here on Fashion-MNIST" in said
    assert "% of 2,000 test images told right" in said
    assert "It says: T-shirt/top" in pictures(at)
    assert "True label: **T-shirt/top**, so it is right." in said
    assert "entropy" in said
    assert "The head on 4a says" in pictures(at)
    assert "of 20** are told right" in said
    assert looker.of("prediction")[0].images != ()


def test_the_answer_is_that_of_the_network(looker: DirectLooker) -> None:
    """What is shown is what the looker found for the first sample, prepared as in training."""
    at = open_page()
    request = looker.of("prediction")[0]
    said = looker.known[request].predictions[0].main
    assert f"T-shirt/top {100 * said.probabilities[0]:.1f} %" in pictures(at)
    assert request.preprocessing.mean != (0.5,)


def test_another_network_on_the_bench_is_said_with_one_click_either_way(looker: DirectLooker) -> None:
    """The page looks into the weights' network; it can be put on the bench, or the bench's be looked into."""
    at = open_page()
    assert "The network on the bench, paper, is another one" in words(at)
    click(at, "look_to_bench")
    assert title(at).startswith("mini")
    assert "is another one" not in words(at)
    assert "look_random" not in [button.key for button in at.button]


def test_random_weights_say_that_the_answer_means_nothing(looker: DirectLooker) -> None:
    """And one click leads back to a trained network."""
    at = open_page(net=to_token(Version("mini", SMALL)))
    click(at, "look_random")
    said = words(at)
    assert "with random weights: its answers mean nothing" in said
    assert "The weights are random: the answer means nothing. Shapes, time and pictures still do." in said
    assert looker.of("prediction")[-1].network.config == SMALL
    assert "It says: class" in pictures(at)
    click(at, "look_mini")
    assert "told right" in words(at)


def test_the_url_carries_the_weights_and_a_link_brings_them(looker: DirectLooker) -> None:
    """A link to other weights opens with them, on their own pictures."""
    at = open_page(weights="mini_scales")
    assert "trained here on Scales" in words(at)
    assert at.segmented_control(key="look_kind").value == "scales"
    assert at.query_params["weights"] == "mini_scales"


@pytest.mark.parametrize(
    "forged", ["../../etc/passwd", "run:r0123456789ab", "kept_" + "0" * 40, "![x](http://x.y/z)", ""]
)
def test_a_forged_link_leaves_the_weights_as_they_are(looker: DirectLooker, forged: str) -> None:
    """With a message that says so; nothing it brings is read as markup."""
    at = open_page(weights=forged)
    assert "mini, trained here on Fashion-MNIST" in words(at)
    assert any("The weights in use stay." in error.value for error in at.error)
    assert "![x](" not in words(at)
    assert at.query_params["weights"] == "mini_fashion_mnist"


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("network", ["trained", "untrained"])
def test_every_view_shows_its_picture_and_how_to_read_it(looker: DirectLooker, view: str, network: str) -> None:
    """On the shipped weights, and on a network of one's own with random ones."""
    at = open_page(net=to_token(Version("mini", SMALL)))
    if network == "untrained":
        click(at, "look_random")
    before = pictures(at)
    show(at, view)
    assert not at.error
    assert "How to read this" in words(at)
    assert view == "Inside" or pictures(at) != before


def test_the_server_never_loads_torch_for_the_page() -> None:
    """The page is drawn by a process in which the answers only pend, as in the server."""
    code = (
        "import sys\n"
        "from explorer.jobs.queue import Pending\n"
        "from explorer.ui import cache\n"
        "from explorer.ui.looking import asking\n"
        "class Waiting:\n"
        "    def ask(self, *_): return Pending(0, 0.3)\n"
        "cache.looker = Waiting\n"
        "cache.checker = Waiting\n"
        "asking.PATIENCE_S = 0\n"
        "Waiting.request = Waiting.ask\n"
        "from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file('streamlit_app.py', default_timeout=60).run()\n"
        "at.switch_page('pages/lab/infer.py').run()\n"
        "assert not at.exception, at.exception\n"
        "assert at.segmented_control(key='look_view').value == 'Inside'\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr[-2_000:]


def test_it_waits_with_progress_and_can_be_stopped(looker: DirectLooker) -> None:
    """The way out takes the wish back, and a click goes on."""
    at = open_page()
    show(at, "Where it looked")
    looker.answer = Pending(0, 0.3, Progress(done=7, total=36, doing="rows"))
    at.segmented_control(key="look_method").set_value("occlusion")
    run(at)
    assert "7 of 36" in "\n".join(str(element.proto.text) for element in at.get("progress"))
    click(at, "look_where_stop")
    (stopped,) = looker.cancelled
    assert stopped.method == "occlusion"
    assert "Stopped." in words(at)
    looker.answer = None
    click(at, "look_where_again")
    assert "Occlusion for T-shirt/top" in pictures(at)


def test_a_failure_is_said_as_text_and_can_be_tried_again(looker: DirectLooker) -> None:
    """With its reason, read as text; the next try asks anew."""
    looker.answer = Failure(reason="It needs <b>too</b> much.")
    at = open_page()
    assert r"It needs \<b>too\</b> much." in [error.value for error in at.error]
    looker.answer = None
    click(at, "look_answer_retry")
    assert looker.forgotten == looker.of("prediction")[:1]
    assert "It says: T-shirt/top" in pictures(at)


def test_a_branch_that_is_scaled_changes_the_answer_and_is_put_back(looker: DirectLooker) -> None:
    """The answer before stands beside; the badge says what is scaled; one click restores."""
    at = show(open_page(), "Which branch matters")
    at.selectbox(key="look_branch").set_value("3b:1x1")
    run(at)
    type_into(at, "look_factor", 0)
    assert {request.scales for request in looker.of("prediction")[-3:]} == {(), (Scale("3b", "1x1", 0.0),)}
    assert "3b 1×1 taken away" in words(at)
    assert "Orange marks: the probabilities before." in words(at)
    click(at, "look_put_back")
    assert "taken away" not in words(at)
    assert looker.of("prediction")[-1].scales == ()


def test_what_an_ablation_loses_is_that_of_the_untouched_network(looker: DirectLooker) -> None:
    """The map does not change with what is scaled by hand."""
    at = show(open_page(), "Which branch matters")
    type_into(at, "look_factor", 0)
    assert {request.scales for request in looker.of("ablation")} == {()}
    at.segmented_control(key="look_over").set_value("all on the desk")
    run(at)
    assert len(looker.of("ablation")[-1].images) == 20
    assert "mean over 20 pictures" in words(at)


@pytest.mark.parametrize("factor", [99, -10.5, None, float("nan")])
def test_a_bad_factor_is_refused_where_it_was_typed(looker: DirectLooker, factor: Any) -> None:
    """And nothing is scaled by it."""
    at = show(open_page(), "Which branch matters")
    type_into(at, "look_factor", factor)
    assert [error.value for error in at.error] == ["× its output: write a number from −10 to 10."]
    assert looker.of("prediction")[-1].scales == ()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("prep_margin", 9, "Margin: write a number from 1 to 4."),
        ("prep_margin", None, "Margin: write a number from 1 to 4."),
        ("prep_background", 256, "Border: write a whole number from 0 to 255."),
    ],
)
def test_a_bad_preparation_is_refused_and_the_last_good_one_stays(
    looker: DirectLooker, key: str, value: Any, said: str
) -> None:
    """The message stands at the control; the answer is that of before."""
    at = open_page()
    if key == "prep_background":
        at.selectbox(key="prep_fit").set_value("pad")
        run(at)
    before = looker.of("prediction")[-1].preprocessing
    type_into(at, key, value)
    assert said in [error.value for error in at.error]
    assert looker.of("prediction")[-1].preprocessing == before


def test_pictures_can_be_prepared_otherwise_and_as_they_were(looker: DirectLooker) -> None:
    """Inverting reaches the network and the steps; one click restores what the weights need."""
    at = open_page()
    at.toggle(key="prep_invert").set_value(True)
    run(at)
    assert looker.of("prediction")[-1].preprocessing.invert
    assert "inverted" in pictures(at)
    click(at, "prep_reset")
    assert not looker.of("prediction")[-1].preprocessing.invert


def test_a_forged_way_to_fit_is_refused(looker: DirectLooker) -> None:
    """What no menu offers changes nothing, and is said."""
    at = open_page()
    forge(at.selectbox(key="prep_fit"), "melt")
    run(at)
    assert looker.of("prediction")[-1].preprocessing.fit == "crop"
    assert any("That is no way to make a picture fit." in error.value for error in at.error)


@pytest.mark.parametrize(
    ("view", "key"),
    [
        ("Which branch matters", "look_branch"),
        ("Where it looked", "look_target"),
        ("Where it looked", "look_layer"),
        ("What a channel wants", "look_wants_branch"),
        ("Side by side", "look_other"),
    ],
)
def test_a_forged_choice_is_not_taken(looker: DirectLooker, view: str, key: str) -> None:
    """What no menu offers is as if nothing had been chosen."""
    at = show(open_page(), view)
    before = at.selectbox(key=key).value
    forge(at.selectbox(key=key), "<b>x")
    run(at)
    assert at.selectbox(key=key).value == before
    assert "<b>x" not in words(at)


def test_the_class_looked_for_can_be_chosen(looker: DirectLooker) -> None:
    """Grad-CAM, occlusion and integrated gradients ask for it."""
    at = show(open_page(), "Where it looked")
    assert looker.of("attribution")[-1].target is None
    at.selectbox(key="look_target").set_value(9)
    run(at)
    assert looker.of("attribution")[-1].target == 9
    assert "Grad-CAM for Ankle boot" in pictures(at)
    at.segmented_control(key="look_method").set_value("integrated_gradients")
    run(at)
    assert "as the method promises" in words(at)


def test_a_bad_channel_is_refused(looker: DirectLooker) -> None:
    """With the channels that there are; the last good one is climbed."""
    at = show(open_page(), "What a channel wants")
    type_into(at, "look_wants_channel", 5)
    type_into(at, "look_wants_channel", 4_800)
    assert any("has the channels 0 to" in error.value for error in at.error)
    assert {0, 5} == {request.channel for request in looker.of("maximization")}


def test_time_measured_here_colours_the_network_page(looker: DirectLooker) -> None:
    """One picture and a batch are timed; the network on the bench is the same one there."""
    at = open_page()
    click(at, "look_to_bench")
    show(at, "Time")
    assert {1, 8} == {request.batch for request in looker.of("layer_timing")}
    assert "Time is not MACs" in pictures(at)
    at.switch_page("pages/explore/network.py").run()
    assert "colour: measured time" in at.selectbox(key="colour_by").options


def test_two_networks_stand_side_by_side(looker: DirectLooker) -> None:
    """The same picture through the same layout untrained, and through other weights."""
    at = show(open_page(), "Side by side")
    assert [request.network.weights != "" for request in looker.of("attribution")] == [True, False]
    at.selectbox(key="look_other").set_value("mini_scales")
    run(at)
    sides = looker.of("prediction")[-2:]
    assert [side.network.config.input_shape[0] for side in sides] == [1, 3]
    assert sides[0].images == sides[1].pictures
    at.selectbox(key="look_other").set_value("net:half")
    looker.answer = WAITING
    run(at)
    assert looker.asked[-1].network.config in (PRESETS["half"], PRESETS["mini"])


def test_a_network_that_takes_no_pictures_says_so(looker: DirectLooker) -> None:
    """Five channels are neither grey nor colour."""
    five = SMALL.replace(input_shape=(5, 32, 32))
    at = open_page(net=to_token(Version("mini", five)))
    click(at, "look_random")
    assert any("a picture has 1 (grey) or 3 (colour)" in error.value for error in at.error)
    click(at, "look_mini")
    assert not at.error


def test_the_desk_says_when_it_is_empty(looker: DirectLooker) -> None:
    """Before anything was uploaded there is nothing to look at, and no error."""
    at = open_page()
    at.segmented_control(key="look_kind").set_value("upload")
    run(at)
    assert "No picture is on the desk yet." in words(at)
    assert not at.error
