"""Files that an earlier version of the app wrote can be opened. ``compatibility/README.md`` says what wrote them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer import GoogLeNetConfig, InceptionModule
from explorer.config import AuxiliaryHeads, Stem
from explorer.data.weight_files import read_metadata
from explorer.history import Version
from explorer.live.training import train
from explorer.live.weights import load_weights, restore_model
from explorer.runs.store import Store
from explorer.share import from_json, from_shelf_token, from_token, shelf_from_json
from explorer.shelf import Variant
from explorer.training.events import Evaluated, Stepped
from explorer.training.plan import DATASETS

FOLDER = Path(__file__).parent / "compatibility"
LINKS = json.loads((FOLDER / "links.json").read_text("utf-8"))
RUNS = json.loads((FOLDER / "run_store" / "expected.json").read_text("utf-8"))


def modules(*rows: tuple[str, int, int | None, int, int | None, int, int | None]) -> tuple[InceptionModule, ...]:
    """Return the rows of a table from the cells, in the paper's order."""
    fields = ("name", "ch1x1", "ch3x3_reduce", "ch3x3", "ch5x5_reduce", "ch5x5", "pool_proj")
    return tuple(InceptionModule(**dict(zip(fields, row, strict=True))) for row in rows)


# The paper's table with five of its rows: 3a, 3b and 4a edited, 4d under another name.
EDITED = GoogLeNetConfig(
    input_shape=(3, 128, 160),
    stem=Stem(kind="paper", conv1=64, conv2_reduce=64, conv2=192),
    modules=modules(
        ("3a", 70, 96, 128, 16, 32, 32),
        ("3b", 128, 128, 192, None, 96, 64),
        ("4a", 192, 96, 300, 16, 48, 0),
        ("4b", 160, 112, 224, 24, 64, 64),
        ("4z", 112, 144, 288, 32, 64, 64),
    ),
    kernel_5x5="5x5",
    normalisation="batch_norm",
    conv_bias=False,
    pooling="padded",
    aux=AuxiliaryHeads(taps=("4a", "4z"), pool="ceil", conv=128, hidden=1_024, dropout=0.7, loss_weight=0.5),
    classes=1_000,
    dropout=0.4,
)
TINY = GoogLeNetConfig(
    input_shape=(1, 28, 28),
    stem=Stem(kind="small", conv1=8, conv2_reduce=16, conv2=48),
    modules=modules(
        ("3a", 16, 24, 32, 4, 8, 8),
        ("3b", 32, 32, 48, 8, 24, 16),
        ("4a", 48, 24, 52, 4, 12, 16),
        ("4b", 40, 28, 56, 6, 16, 16),
        ("4c", 32, 32, 64, 6, 16, 16),
        ("4d", 28, 36, 72, 8, 16, 16),
        ("4e", 64, 40, 80, 8, 32, 32),
        ("5a", 64, 40, 80, 8, 32, 32),
        ("5b", 96, 48, 96, 12, 32, 32),
    ),
    kernel_5x5="5x5",
    normalisation="batch_norm",
    conv_bias=False,
    pooling="ceil",
    aux=AuxiliaryHeads(taps=("4a", "4d"), pool="ceil", conv=32, hidden=256, dropout=0.3, loss_weight=0.3),
    classes=12,
    dropout=0.0,
)
PAPER = GoogLeNetConfig(
    input_shape=(3, 224, 224),
    stem=Stem(kind="paper", conv1=64, conv2_reduce=64, conv2=192),
    modules=modules(
        ("3a", 64, 96, 128, 16, 32, 32),
        ("3b", 128, 128, 192, 32, 96, 64),
        ("4a", 192, 96, 208, 16, 48, 64),
        ("4b", 160, 112, 224, 24, 64, 64),
        ("4c", 128, 128, 256, 24, 64, 64),
        ("4d", 112, 144, 288, 32, 64, 64),
        ("4e", 256, 160, 320, 32, 128, 128),
        ("5a", 256, 160, 320, 32, 128, 128),
        ("5b", 384, 192, 384, 48, 128, 128),
    ),
    kernel_5x5="5x5",
    normalisation="lrn",
    conv_bias=True,
    pooling="ceil",
    aux=AuxiliaryHeads(taps=("4a", "4d"), pool="ceil", conv=128, hidden=1_024, dropout=0.7, loss_weight=0.3),
    classes=1_000,
    dropout=0.4,
)
TWO_3X3 = PAPER.replace(
    kernel_5x5="two_3x3",
    normalisation="batch_norm",
    conv_bias=False,
    pooling="torchvision",
    aux=PAPER.aux.replace(pool="adaptive"),
    dropout=0.25,
)
HALF = PAPER.replace(
    stem=Stem(kind="paper", conv1=32, conv2_reduce=32, conv2=96),
    modules=modules(
        ("3a", 32, 48, 64, 8, 16, 16),
        ("3b", 64, 64, 96, 16, 48, 32),
        ("4a", 96, 48, 104, 8, 24, 32),
        ("4b", 80, 56, 112, 12, 32, 32),
        ("4c", 64, 64, 128, 12, 32, 32),
        ("4d", 56, 72, 144, 16, 32, 32),
        ("4e", 128, 80, 160, 16, 64, 64),
        ("5a", 128, 80, 160, 16, 64, 64),
        ("5b", 192, 96, 192, 24, 64, 64),
    ),
    aux=PAPER.aux.replace(conv=64, hidden=512),
)
NAIVE = PAPER.replace(
    modules=tuple(row.replace(ch3x3_reduce=None, ch5x5_reduce=None, pool_proj=None) for row in PAPER.modules)
)
SHELF = (
    Variant("wide_4a", Version("paper", EDITED), "more 3×3, “quoted”"),
    Variant("Half_2", Version("half", HALF)),
    Variant("tiny", Version("mini", TINY)),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("edited", Version("paper", EDITED)),
        ("tiny", Version("mini", TINY)),
        ("two_3x3", Version("torchvision", TWO_3X3)),
        ("preset", Version("half", HALF)),
    ],
)
def test_links_of_version_2(name: str, expected: Version) -> None:
    """A link of version 2 gives the network it was made from."""
    assert expected == from_token(LINKS["network"][name])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("edited", Version("paper", EDITED)),
        ("stem", Version("paper", PAPER.replace(stem=PAPER.stem.replace(conv1=8), classes=12))),
        ("preset", Version("naive", NAIVE)),
    ],
)
def test_links_of_version_1(name: str, expected: Version) -> None:
    """A link of version 1 gives the network it was made from."""
    assert expected == from_token(LINKS["network_version_1"][name])


def test_a_link_with_a_shelf() -> None:
    """It gives all variants, with their names, bases and notes."""
    assert SHELF == from_shelf_token(LINKS["shelf"])


def test_documents() -> None:
    """The JSON documents of a network and of a shelf can be read."""
    assert EDITED == from_json((FOLDER / "network.json").read_bytes())
    assert SHELF == shelf_from_json((FOLDER / "shelf.json").read_bytes())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A copy of the run store."""
    folder = tmp_path / "run_store"
    shutil.copytree(FOLDER / "run_store", folder)
    store = Store(folder)
    yield store
    store.close()


@pytest.mark.parametrize("name", ["done", "half_way"])
def test_a_run_store(store: Store, name: str) -> None:
    """Runs, plans, curves, events and checkpoints are those that were stored."""
    (run,) = [run for run in store.runs() if run.name == name]
    expected = RUNS[name]
    assert (run.id, run.state, run.step, run.checkpoint_step) == (
        expected["id"],
        expected["state"],
        expected["step"],
        expected["checkpoint_step"],
    )
    assert [network.name for network in run.plan.networks] == (["mini"] if name == "done" else ["mini", "plain"])
    assert run.plan.seeds == ((0, 1) if name == "done" else (0,))
    for trainer in run.trainers:
        curves = expected["curves"][trainer.number]
        assert curves == {
            kind: [[point.step, point.images, point.value] for point in store.curve(run.id, kind, trainer.number)]
            for kind in curves
        }
        for kind in ("evaluated", "finished"):
            event, stored = store.latest_event(run.id, kind, trainer.number), expected[kind][trainer.number]
            assert (stored is None) == (event is None)
            if event:  # it may have fields that the older version did not know
                assert stored.items() <= json.loads(event.model_dump_json()).items()
        assert trainer.progress == (1 if name == "done" else pytest.approx(trainer.step / 120))
        weights = load_weights(store.weights_path(run.id, trainer.number))
        assert weights.config == run.plan.networks[run.plan.trainers[trainer.number].network].config
        restore_model(weights)


def test_an_evaluation_in_a_run_store(store: Store) -> None:
    """Its misclassifications have their parts under today's names."""
    event = store.latest_event(RUNS["done"]["id"], "evaluated", 1)
    assert isinstance(event, Evaluated)
    stored = RUNS["done"]["evaluated"][1]
    assert (event.trainer, event.progress, event.final) == (stored["lane"], stored["share"], stored["final"])
    mistake = event.mistakes[0]
    assert [mistake.image, mistake.label, mistake.predicted, mistake.probability] == stored["mistakes"][0]


@pytest.mark.slow
def test_a_paused_run_resumes(store: Store) -> None:
    """Its next steps are those of the version that paused it."""
    run = store.run(RUNS["half_way"]["id"])
    assert run.is_resumable
    training = train(run.plan, store.folder, store.checkpoint(run.id))
    losses: list[dict[int, float]] = [{}, {}]
    for event in training:
        if isinstance(event, Stepped):
            losses[event.trainer][event.step] = event.loss
        if event.step == run.checkpoint_step + 5:
            break
    for trainer, curves in enumerate(RUNS["half_way_resumed"]["curves"]):
        expected = {step: value for step, _, value in curves["train_loss"] if step in losses[trainer]}
        assert len(expected) >= 4
        assert losses[trainer] == pytest.approx(expected, rel=1e-3)


def test_a_weights_file() -> None:
    """Network and metadata can be read, and the weights belong to the network."""
    path = FOLDER / "weights.safetensors"
    metadata = read_metadata(path)
    assert (metadata.name, metadata.steps, metadata.facts) == ("mini", 40, DATASETS["fashion_mnist"])
    restore_model(load_weights(path))
