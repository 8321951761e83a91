"""The weights of the page: the current network, uploaded files with their errors, runs, and a download."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.data.weight_files import METADATA_KEY, WeightsMetadata
from explorer.data.weights import ShapeMismatch
from explorer.history import Version
from explorer.jobs.inspection import ImportedWeights
from explorer.jobs.job import Failure, Progress
from explorer.jobs.queue import Pending
from explorer.jobs.weights import import_weights
from explorer.live.model import build_model
from explorer.live.weights import to_safetensors
from explorer.runs.links import weights_token
from explorer.runs.records import Run, TrainerProgress
from explorer.share import to_token
from explorer.training.plan import DATASETS, NamedNetwork, Plan
from explorer.ui import cache, runs
from explorer.ui.lab.look_inside import session
from tests.ui.app import alt_texts, click, page_text, run, title
from tests.ui.lab.look_inside.conftest import DirectQueue, open_page
from tests.ui.lab.look_inside.test_look_inside import SMALL


def open_menu(at: AppTest) -> AppTest:
    """Open the menu of weights."""
    at.session_state["look_inside_weights_menu"] = True
    return run(at)


def upload_weights(at: AppTest, content: bytes = b"weights") -> AppTest:
    """Open the menu and upload a weights file."""
    open_menu(at)
    uploader = next(uploader for uploader in at.file_uploader if uploader.label.startswith("Weights file"))
    uploader.set_value([("own.safetensors", content, "application/octet-stream")])
    return run(at)


@pytest.mark.slow
def test_another_current_network_is_explained(queue: DirectQueue) -> None:
    """The page inspects the network of the weights; one click makes it the current network."""
    at = open_page()
    assert "The current network, paper, is a different one" in page_text(at)
    click(at, "look_inside_make_current")
    assert title(at).startswith("mini")
    assert "is a different one" not in page_text(at)
    assert "look_inside_use_random" not in [button.key for button in at.button]


@pytest.mark.slow
def test_random_weights_are_marked_as_meaningless(queue: DirectQueue) -> None:
    """The page says so twice, and one click returns to a trained network."""
    at = open_page(net=to_token(Version("mini", SMALL)))
    click(at, "look_inside_use_random")
    text = page_text(at)
    assert "with random weights: its predictions have no meaning" in text
    assert "The weights are random, so the prediction has no meaning." in text
    assert queue.of_kind("prediction")[-1].network.config == SMALL
    assert "Predicted class: class" in alt_texts(at)
    click(at, "look_inside_use_mini")
    assert "classified correctly" in page_text(at)


@pytest.mark.slow
def test_weights_that_do_not_fit_are_explained_by_tensor(queue: DirectQueue) -> None:
    """The weights in use stay; each tensor that differs has a row with both shapes."""
    at = open_page()
    mismatch = ShapeMismatch("inception_4a.branch_3x3.conv", "conv.weight", (208, 96, 3, 3), (204, 96, 3, 3))
    message = "The weights are of another width."
    queue.results["weights"] = ImportedWeights(network=None, about=message, mismatches=(mismatch,))
    upload_weights(at)
    assert message in [error.value for error in at.error]
    table = at.dataframe[0].value
    assert list(table["expected"]) == ["208 × 96 × 3 × 3"]
    assert list(table["in the file"]) == ["204 × 96 × 3 × 3"]
    assert "mini, trained on Fashion-MNIST" in page_text(at)


@pytest.mark.slow
def test_a_rejected_file_is_explained(queue: DirectQueue) -> None:
    """The reason is on the page."""
    at = open_page()
    queue.results["weights"] = Failure(reason="It holds code.")
    upload_weights(at)
    assert "It holds code." in [error.value for error in at.error]


@pytest.mark.slow
def test_uploaded_weights_are_used_and_a_link_finds_them_again(queue: DirectQueue) -> None:
    """The page uses a valid file at once, and the URL names it as long as it is stored."""
    at = open_page()
    config = PRESETS["mini"].replace(classes=3)
    path = session.content_store().add(to_safetensors(build_model(config)), ".safetensors")
    network = session.resolve(session.stored_token(str(path))).network
    queue.results["weights"] = ImportedWeights(network=network, about="weights from a file")
    upload_weights(at)
    run(at)
    assert queue.of_kind("prediction")[-1].network.config == config
    token = at.query_params["weights"]
    assert token == session.stored_token(str(path))
    again = open_page(weights=token)
    assert "weights from a file, 3 classes" in page_text(again)
    assert not again.error


@pytest.mark.slow
def test_the_training_of_an_uploaded_file_is_unverified(queue: DirectQueue) -> None:
    """Only the file says how it was trained, so the page says so and shows no badge of its own."""
    training = WeightsMetadata(
        name="mine",
        facts=DATASETS["fashion_mnist"],
        mean=(0.3,),
        std=(0.35,),
        seed=0,
        steps=9,
        seconds=1.0,
        accuracy=0.999,
    )
    content = to_safetensors(build_model(PRESETS["mini"]), {METADATA_KEY: training.model_dump_json()})
    found = import_weights(str(session.content_store().add(content, ".weights")), PRESETS["mini"])
    assert found.network
    text = page_text(open_page(weights=session.stored_token(found.network.weights)))
    assert f"mine, trained on {DATASETS['fashion_mnist'].title} according to the file" in text
    assert "according to the file, **99.9 %** of 2,000 test images classified correctly (95 % interval " in text
    assert "trained here" not in text
    assert "from a file" in text


def test_a_failed_download_is_explained(queue: DirectQueue) -> None:
    """The reason is on the page."""
    at = open_page()
    queue.results["download"] = Failure(reason="No internet here.")
    click(open_menu(at), "look_inside_download")
    assert "No internet here." in [error.value for error in at.error]


def test_inspection_goes_on_during_an_import(queue: DirectQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download and a file have a queue each, so neither delays the other or a prediction."""
    imports = {kind: DirectQueue() for kind in ("weights", "download")}
    for one in imports.values():
        one.result = Pending(0, 0.3, Progress(done=12, total=52, message="MB"))
    monkeypatch.setattr(cache, "import_jobs", imports.get)
    at = open_page()
    click(open_menu(at), "look_inside_download")
    (request,) = dict.fromkeys(imports["download"].submitted)
    assert imports["download"].forgotten == [request]
    assert "T-shirt" in alt_texts(at)
    click(at, "look_inside_import_stop")
    assert imports["download"].cancelled == [request]
    upload_weights(at)
    assert imports["weights"].of_kind("weights")
    assert {request.kind for request in queue.submitted}.isdisjoint(imports)


class OneRunStore:
    """A store with one finished run of two networks; only the second has weights."""

    def __init__(self, folder: Path) -> None:
        networks = tuple(NamedNetwork(name=name, config=PRESETS["mini"]) for name in ("wide", "narrow"))
        plan = Plan(networks=networks, seeds=(7,))
        trainers = tuple(TrainerProgress(n, 1, 1.0, 1, 1.0, 1, "finished") for n in range(2))
        self.run = Run("r0123456789ab", "Race", "", plan.model_dump_json(), "finished", "", 0.0, 0.0, 0.0, trainers)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "lane1.weights.safetensors"
        self.path.write_bytes(to_safetensors(build_model(PRESETS["mini"])))

    def runs(self, _states: object) -> list[Run]:
        """Return the run."""
        return [self.run]

    def weights_path(self, run_id: str, trainer: int = 0) -> Path | None:
        """Return the weights file of the second trainer."""
        return self.path if (run_id, trainer) == (self.run.id, 1) else None


@pytest.mark.slow
def test_the_weights_of_a_run_can_be_chosen(
    queue: DirectQueue, monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    """Each trainer with weights is offered, with network and seed if there are several."""
    store = OneRunStore(data_folder)
    monkeypatch.setattr(runs, "store", lambda: store)
    at = open_menu(open_page())
    choice = at.radio(key="look_inside_weights_choice")
    assert [option for option in choice.options if option.startswith("run ")] == ["run Race, narrow, seed 7"]
    choice.set_value(weights_token("r0123456789ab", 1))
    run(at)
    assert queue.of_kind("prediction")[-1].network.weights == str(store.path)
    assert at.query_params["weights"] == "run:r0123456789ab:1"


@pytest.mark.slow
def test_a_failed_import_can_be_dismissed(queue: DirectQueue) -> None:
    """The banner goes, by its button or when other weights are chosen."""
    at = open_page()
    queue.results["download"] = Failure(reason="No internet here.")
    click(open_menu(at), "look_inside_download")
    click(at, "look_inside_import_dismiss")
    assert not at.error
    click(open_menu(at), "look_inside_download")
    assert at.error
    at.radio(key="look_inside_weights_choice").set_value("mini_scales")
    run(at)
    assert not at.error


@pytest.mark.slow
def test_uploaded_weights_keep_the_name_of_their_file_and_can_be_renamed(queue: DirectQueue) -> None:
    """So can their classes; a wrong number of names is refused."""
    at = open_page()
    upload_weights(at, to_safetensors(build_model(PRESETS["mini"].replace(classes=2))))
    run(at)
    assert "own.safetensors: weights from a file, 2 classes" in page_text(at)
    token = open_menu(at).query_params["weights"]
    at.text_area(key=f"look_inside_weights_classes_{token}").set_value("cat")
    run(at)
    assert "The network has 2 classes; there are 1 names." in [error.value for error in at.error]
    at.text_area(key=f"look_inside_weights_classes_{token}").set_value("cat\ndog")
    run(at)
    token = at.query_params["weights"]
    at.text_input(key=f"look_inside_weights_name_{token}").set_value("Pets")
    run(at)
    assert "Pets: weights from a file, 2 classes" in page_text(at)
    assert "Predicted class: cat" in alt_texts(at) or "Predicted class: dog" in alt_texts(at)
    options = open_menu(at).radio(key="look_inside_weights_choice").options
    assert ["Pets: weights from a file, 2 classes, 2 auxiliary heads"] == [o for o in options if "from a file" in o]


@pytest.mark.slow
def test_a_large_file_can_be_in_the_inbox(queue: DirectQueue, data_folder: Path) -> None:
    """It stays there; our copy is in the content store."""
    (data_folder / "inbox").mkdir(parents=True)
    (data_folder / "inbox" / "big.safetensors").write_bytes(to_safetensors(build_model(PRESETS["mini"])))
    at = open_menu(open_page())
    at.selectbox(key="look_inside_weights_inbox").set_value("big.safetensors")
    run(at)
    run(at)
    assert "big.safetensors: weights from a file" in page_text(at)
    assert [path.name for path in (data_folder / "inbox").iterdir()] == ["big.safetensors"]


@pytest.mark.slow
def test_the_weights_in_use_can_be_downloaded(queue: DirectQueue) -> None:
    """As the three kinds of files, with what does not fit and why; random weights have no such menu."""
    at = open_page()
    at.session_state["look_inside_export"] = True
    run(at)
    labels = {button.proto.label for button in at.get("download_button")}
    assert {"safetensors", "torchvision .pth", "ONNX"} <= labels
    assert "torchvision .pth: torchvision's GoogLeNet is the preset torchvision" in page_text(at)
    assert "Export weights" not in str(open_page(weights="random"))
