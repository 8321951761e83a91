"""What looking inside costs: inference beside PyTorch's default layout, the first answer, and the memory of it all."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from benchmarks.browser import APP, browser, server
from benchmarks.memory import megabytes
from benchmarks.report import Figure
from explorer import PRESETS
from explorer.data import images
from explorer.data.content_store import ContentStore
from explorer.diff import with_module
from explorer.history import Version
from explorer.jobs.inspection import Network, Predictions, Preprocessing
from explorer.live.devices import resolve_device
from explorer.live.inference import live_network, predict, prepare_inputs
from explorer.live.model import build_model
from explorer.share import to_token

PHOTOGRAPHS = Path(__file__).parents[1] / "assets" / "samples"
PAPER = Network(config=PRESETS["paper"])
HOW = Preprocessing(margin=256 / 224)
ROUNDS = 25
SESSIONS = 10


def figures() -> Iterator[Figure]:
    """Yield the speed of inference and of the first answer, and the memory while ten sessions look at maps."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = ContentStore(Path(folder))
        yield from _speed(scratch)
    yield from _memory()


def _speed(scratch: ContentStore) -> Iterator[Figure]:
    """The paper's network on one photograph, 224 × 224, all in turn in one run."""
    place = resolve_device("cpu")
    photographs = [path.read_bytes() for path in sorted(PHOTOGRAPHS.glob("*.jpg"))]
    image = prepare_inputs(PAPER, (_kept(scratch, photographs[0]),), HOW, place)
    plain, model = build_model(PAPER.config).eval(), live_network(PAPER, place)
    usual = image.contiguous()
    with torch.inference_mode():
        difference = (plain(usual) - model(image)).abs().max().item()
        bare, ours = _in_turn(lambda _: plain(usual), lambda _: model(image))
    yield Figure("largest difference of a logit between the layouts", difference, "", most=1e-4)
    yield Figure(
        "inference of paper: default layout / ours", median(a / b for a, b in zip(bare, ours, strict=True)), least=1.5
    )

    def first(number: int) -> Predictions:
        """From the bytes that were uploaded to what the network and its heads say."""
        content = photographs[number % len(photographs)] + bytes([number])  # never the same picture twice
        return predict(PAPER, (_kept(scratch, content),), HOW, device="cpu")

    with torch.inference_mode():
        answers, passes = _in_turn(first, lambda _: model(image))
    ratios = [a / b for a, b in zip(answers, passes, strict=True)]
    yield Figure("first answer to a new photograph / a bare forward pass", median(ratios), most=3)


def _kept(scratch: ContentStore, content: bytes) -> str:
    return str(scratch.keep(images.decode(content).png, ".png"))


def _in_turn(*versions: Callable[[int], object]) -> tuple[list[float], ...]:
    """Run the versions in turn and return the seconds of each; the first two rounds warm up."""
    taken: tuple[list[float], ...] = tuple([] for _ in versions)
    for number in range(ROUNDS + 2):
        for seconds, version in zip(taken, versions, strict=True):
            started = perf_counter()
            version(number)
            if number >= 2:
                seconds.append(perf_counter() - started)
    return taken


def _memory() -> Iterator[Figure]:
    """Ten people with a page each, in the way that takes most: each with a network of their own."""
    edits = [
        with_module(PRESETS["paper"], PRESETS["paper"].module("4a").replace(ch3x3=208 + n)) for n in range(SESSIONS)
    ]
    for claim, configs in (("paper", [PRESETS["paper"]] * SESSIONS), ("their own edit of paper", edits)):
        with server(APP.script) as (address, process), browser() as chromium:
            most = 0.0
            for config in configs:
                page = chromium.new_page()
                page.goto(f"{address}infer?weights=random&net={to_token(Version('paper', config))}")
                page.get_by_text("What the channels of").wait_for(timeout=120_000)
                most = max(most, megabytes(process.pid))
            yield Figure(
                f"server and children while {SESSIONS} sessions look at maps of {claim}", most, "MB", most=1_200
            )
