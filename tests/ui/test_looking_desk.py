"""The pictures on the desk and the weights that people bring: uploads, bad files row by row, runs, a download."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.data.metadata import KEY, WeightsMetadata
from explorer.jobs.inspection import ImportedWeights, Misfit
from explorer.jobs.queue import Pending
from explorer.jobs.requests import Failure, Progress
from explorer.jobs.weights import import_weights
from explorer.live import inference
from explorer.live.model import build_model
from explorer.live.weights import to_safetensors
from explorer.runs.links import weights_token
from explorer.runs.records import Run, TrainerProgress
from explorer.training.plan import DATASETS, NamedNetwork, Plan
from explorer.ui import cache, runs
from explorer.ui.lab.look_inside import images as desk
from explorer.ui.lab.look_inside import preprocessing, samples, selection
from tests.ui.lessons import click, pictures, run, words
from tests.ui.looking import DirectLooker, looker, open_page

__all__ = ["looker"]


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is brought in a data directory of the test."""
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    return tmp_path


def picture(colour: tuple[int, int, int], form: str = "PNG") -> bytes:
    """Return a file of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, form)
    return file.getvalue()


def upload(at: AppTest, *files: tuple[str, bytes, str]) -> AppTest:
    """Choose files, as name, content and type."""
    at.segmented_control(key="look_kind").set_value("upload")
    run(at)
    at.file_uploader[-1].set_value(list(files))
    return run(at)


def test_several_uploads_are_a_batch_and_bad_files_are_explained_row_by_row(looker: DirectLooker) -> None:
    """Good ones lie on the desk; of each bad one its name and the reason are said, as text."""
    at = upload(
        open_page(),
        ("red.png", picture((255, 0, 0)), "image/png"),
        ("<b>not.png", b"<svg onload=alert(1)>", "image/png"),
        ("blue.jpg", picture((0, 0, 255), "JPEG"), "image/jpeg"),
        ("cut.png", picture((0, 255, 0))[:60], "image/png"),
    )
    assert "2 pictures to choose from" in pictures(at)
    said = [error.value for error in at.error]
    assert len(said) == 2
    assert r"\<b>not.png: The file is no PNG, JPEG or WebP picture." in said
    assert any(one.startswith("cut.png: ") for one in said)
    assert len(looker.of("prediction")[-1].images) == 2
    assert "True label" not in words(at)


def test_a_batch_of_only_bad_files_leaves_the_desk_as_it_was(looker: DirectLooker) -> None:
    """What was looked at stays."""
    at = upload(open_page(), ("red.png", picture((255, 0, 0)), "image/png"))
    before = looker.of("prediction")[-1].images
    at.file_uploader[-1].set_value([("bad.png", b"GIF89a", "image/png")])
    run(at)
    assert at.error
    assert looker.of("prediction")[-1].images == before


def test_a_picture_that_has_gone_is_said(looker: DirectLooker, own_data: Path) -> None:
    """The scratch folder is bounded, so an old picture may be gone; nothing else breaks."""
    at = upload(open_page(), ("red.png", picture((255, 0, 0)), "image/png"))
    for file in (own_data / "scratch").glob("*.png"):
        file.unlink()
    looker.known.clear()
    for memory in (preprocessing.steps, inference._pixels, desk._thumbnail):
        memory.cache_clear()
    run(at)
    assert any("no longer there" in error.value for error in at.error)


def test_samples_are_test_images_and_photographs_with_their_licences() -> None:
    """Two of each class, which no network trained here has seen; every photograph names who made it."""
    clothes = samples.samples("fashion_mnist")
    assert [one.truth for one in clothes[:4]] == ["T-shirt/top", "T-shirt/top", "Trouser", "Trouser"]
    assert len(clothes) == 20
    readme = (Path(samples.__file__).parents[3] / "assets" / "samples" / "README.md").read_text("utf-8")
    files = {path.stem for path in (Path(samples.__file__).parents[3] / "assets" / "samples").glob("*.jpg")}
    assert files == set(samples.PHOTOGRAPHS)
    assert all(f"`{name}.jpg`" in readme for name in files)
    assert all("CC0" in one.credit or "public domain" in one.credit for one in samples.samples("photographs"))


def bring(at: AppTest, content: bytes = b"weights") -> AppTest:
    """Open the menu and choose a file of weights."""
    at.session_state["look_weights_menu"] = True
    run(at)
    next(one for one in at.file_uploader if one.label.startswith("A file of weights")).set_value(
        [("own.safetensors", content, "application/octet-stream")]
    )
    return run(at)


def test_weights_that_do_not_fit_are_explained_row_by_row(looker: DirectLooker) -> None:
    """The weights in use stay; each tensor that differs has its row with both shapes."""
    at = open_page()
    looker.known = dict(looker.known)
    misfit = Misfit("inception_4a.branch_3x3.conv", "conv.weight", (208, 96, 3, 3), (204, 96, 3, 3))
    found = ImportedWeights(network=None, about="The weights are of another width.", misfits=(misfit,))
    work = looker._done
    looker._done = lambda request: found if request.kind == "weights" else work(request)
    bring(at)
    assert "The weights are of another width." in [error.value for error in at.error]
    table = at.dataframe[0].value
    assert list(table["expected"]) == ["208 × 96 × 3 × 3"]
    assert list(table["in the file"]) == ["204 × 96 × 3 × 3"]
    assert "mini, trained here on Fashion-MNIST" in words(at)


def test_a_file_that_is_refused_says_why(looker: DirectLooker) -> None:
    """And another try is one click."""
    at = open_page()
    work = looker._done
    looker._done = lambda request: Failure(reason="It holds code.") if request.kind == "weights" else work(request)
    bring(at)
    assert "It holds code." in [error.value for error in at.error]


def test_weights_of_a_file_are_used_and_the_link_finds_them_again(looker: DirectLooker, own_data: Path) -> None:
    """A file of ours is read, used at once, and named in the URL for as long as it is kept."""
    at = open_page()
    config = PRESETS["mini"].replace(classes=3)
    kept = selection.scratch().keep(to_safetensors(build_model(config)), ".safetensors")
    found = ImportedWeights(
        network=selection.resolved(selection.token_of(str(kept))).network, about="weights from a file"
    )
    work = looker._done
    looker._done = lambda request: found if request.kind == "weights" else work(request)
    bring(at)
    run(at)
    assert looker.of("prediction")[-1].network.config == config
    token = at.query_params["weights"]
    assert token == selection.token_of(str(kept))
    again = open_page(weights=token)
    assert "weights from a file, 3 classes" in words(again)
    assert not again.error


def test_a_brought_file_speaks_for_itself_alone(looker: DirectLooker) -> None:
    """What it says of its training is its own account, and no badge of ours is put to it."""
    facts = DATASETS["fashion_mnist"]
    training = WeightsMetadata(
        name="mine", facts=facts, mean=(0.3,), std=(0.35,), seed=0, steps=9, seconds=1.0, accuracy=0.999
    )
    content = to_safetensors(build_model(PRESETS["mini"]), {KEY: training.model_dump_json()})
    found = import_weights(str(selection.scratch().keep(content, ".weights")), PRESETS["mini"])
    said = words(open_page(weights=selection.token_of(found.network.weights)))
    assert "mine, by its own account trained on Fashion-MNIST" in said
    assert "by its own account 99.9 % of its test images told right" in said
    assert "trained here" not in said
    assert "from a file" in said


def test_a_download_that_fails_is_polite(looker: DirectLooker) -> None:
    """It is asked of the other process, and its reason stands on the page."""
    at = open_page()
    work = looker._done
    looker._done = lambda request: Failure(reason="No internet here.") if request.kind == "download" else work(request)
    at.session_state["look_weights_menu"] = True
    run(at)
    click(at, "look_fetch")
    assert "No internet here." in [error.value for error in at.error]


def test_looks_go_on_while_weights_are_brought(looker: DirectLooker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download and a file have a process each: none waits for the other, and nobody's answers for either."""
    bringers = {kind: DirectLooker() for kind in ("weights", "download")}
    bringers["download"].answer = bringers["weights"].answer = Pending(0, 0.3, Progress(done=12, total=52, doing="MB"))
    monkeypatch.setattr(cache, "bringer", bringers.get)
    at = open_page()
    at.session_state["look_weights_menu"] = True
    run(at)
    click(at, "look_fetch")
    (request,) = dict.fromkeys(bringers["download"].asked)
    assert bringers["download"].forgotten == [request]
    assert "T-shirt" in pictures(at)
    click(at, "look_import_stop")
    assert bringers["download"].cancelled == [request]
    bring(at)
    assert bringers["weights"].of("weights")
    assert {one.kind for one in looker.asked}.isdisjoint(bringers)


class OneRun:
    """A store with one finished run of two entrants."""

    def __init__(self, folder: Path) -> None:
        entrants = tuple(NamedNetwork(name=name, config=PRESETS["mini"]) for name in ("wide", "narrow"))
        plan = Plan(entrants=entrants, seeds=(7,))
        lanes = tuple(TrainerProgress(n, 1, 1.0, 1, 1.0, 1, "finished") for n in range(2))
        self.run = Run("r0123456789ab", "Race", "", plan.model_dump_json(), "finished", "", 0.0, 0.0, 0.0, lanes)
        self.path = folder / "lane1.weights.safetensors"
        self.path.write_bytes(to_safetensors(build_model(PRESETS["mini"])))

    def runs(self, _states: object) -> list[Run]:
        """The one."""
        return [self.run]

    def weights_path(self, run_id: str, lane: int = 0) -> Path | None:
        """Only the second lane has weights."""
        return self.path if (run_id, lane) == (self.run.id, 1) else None


def test_the_weights_of_a_run_can_be_chosen(
    looker: DirectLooker, monkeypatch: pytest.MonkeyPatch, own_data: Path
) -> None:
    """By lane, where there are several; a lane without weights is not offered."""
    store = OneRun(own_data)
    monkeypatch.setattr(runs, "store", lambda: store)
    at = open_page()
    at.session_state["look_weights_menu"] = True
    run(at)
    offered = at.radio(key="look_weights_choice").options
    assert [one for one in offered if one.startswith("run ")] == ["run Race, narrow, seed 7"]
    at.radio(key="look_weights_choice").set_value(weights_token("r0123456789ab", 1))
    run(at)
    assert looker.of("prediction")[-1].network.weights == str(store.path)
    assert at.query_params["weights"] == "run:r0123456789ab:1"


def test_a_drawing_is_taken_as_any_picture_that_someone_brought() -> None:
    """What a browser sends may be anything; only what decodes is laid on the desk."""
    import base64

    from explorer.ui.lab.look_inside import drawing_pad

    good = base64.b64encode(picture((9, 9, 9))).decode()
    for sent, expected in ((good, picture((9, 9, 9))), ("!!", b""), (7, b""), ("A" * 400_004, b""), (None, b"")):
        shown = type("Shown", (), {"picture": sent})
        original, drawing_pad._view = drawing_pad._view, lambda shown=shown, **_: shown
        try:
            assert expected == drawing_pad.drawing_pad("pad")
        finally:
            drawing_pad._view = original


def test_a_picture_is_prepared_as_the_network_gets_it() -> None:
    """The picture shown is the last step before the values are normalised."""
    from explorer.ui.lab.look_inside.preprocessing import steps

    kept = selection.scratch().keep(picture((10, 200, 30)), ".png")
    made = steps(str(kept), PRESETS["mini"], selection.untrained(PRESETS["mini"], "").preprocessing)
    assert made[-2].pixels.shape == (28, 28)
    assert np.unique(made[-2].pixels).tolist() == [124]  # luma of that green
