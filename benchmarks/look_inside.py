"""Cost of the page Look inside: inference against PyTorch's default memory format, the first prediction, memory."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from benchmarks.browser import APP, browser, server
from benchmarks.memory import megabytes
from benchmarks.report import Measurement
from explorer import PRESETS
from explorer.data import images
from explorer.data.content_store import ContentStore
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.diff import with_module
from explorer.history import Version
from explorer.jobs.inspection import Predictions
from explorer.live.devices import resolve_device
from explorer.live.inference import live_network, predict, prepare_inputs
from explorer.live.model import build_model
from explorer.share import to_token

PHOTOGRAPHS = Path(__file__).parents[1] / "assets" / "samples"
PAPER = Network(config=PRESETS["paper"])
PREPROCESSING = Preprocessing(margin=256 / 224)
ROUNDS = 25
SESSIONS = 10


def measurements() -> Iterator[Measurement]:
    """Yield the speed of inference and of a first prediction, and the memory while ten sessions show feature maps."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = ContentStore(Path(folder))
        yield from _speed(scratch)
    yield from _memory()


def _speed(scratch: ContentStore) -> Iterator[Measurement]:
    """Run the paper's network on one photograph, 224 × 224; all versions in turn in one run."""
    device = resolve_device("cpu")
    photographs = [path.read_bytes() for path in sorted(PHOTOGRAPHS.glob("*.jpg"))]
    image = prepare_inputs(PAPER, (_save(scratch, photographs[0]),), PREPROCESSING, device)
    plain, model = build_model(PAPER.config).eval(), live_network(PAPER, device)
    default_image = image.contiguous()
    with torch.inference_mode():
        difference = (plain(default_image) - model(image)).abs().max().item()
        default, channels_last = _in_turn(lambda _: plain(default_image), lambda _: model(image))
    yield Measurement("largest difference of a logit between the memory formats", difference, "", maximum=1e-4)
    yield Measurement(
        "inference of paper: default memory format / channels-last",
        median(a / b for a, b in zip(default, channels_last, strict=True)),
        minimum=1.5,
    )

    def predict_upload(number: int) -> Predictions:
        """Go from the bytes of an upload to the predictions of the network and its heads."""
        content = photographs[number % len(photographs)] + bytes([number])  # never the same image twice
        return predict(PAPER, (_save(scratch, content),), PREPROCESSING, device="cpu")

    with torch.inference_mode():
        predictions, passes = _in_turn(predict_upload, lambda _: model(image))
    ratios = [a / b for a, b in zip(predictions, passes, strict=True)]
    yield Measurement("first prediction for a new photograph / a forward pass", median(ratios), maximum=3)


def _save(scratch: ContentStore, content: bytes) -> str:
    return str(scratch.add(images.decode(content).png, ".png"))


def _in_turn(*versions: Callable[[int], object]) -> tuple[list[float], ...]:
    """Run the versions in turn and return the seconds of each; the first two rounds warm up."""
    times: tuple[list[float], ...] = tuple([] for _ in versions)
    for number in range(ROUNDS + 2):
        for seconds, version in zip(times, versions, strict=True):
            started = perf_counter()
            version(number)
            if number >= 2:
                seconds.append(perf_counter() - started)
    return times


def _memory() -> Iterator[Measurement]:
    """Open the page in ten sessions: with one network, and with another network each, which needs most memory."""
    edits = [
        with_module(PRESETS["paper"], PRESETS["paper"].module("4a").replace(ch3x3=208 + n)) for n in range(SESSIONS)
    ]
    for claim, configs in (("paper", [PRESETS["paper"]] * SESSIONS), ("their own edit of paper", edits)):
        with server(APP.script) as (address, process), browser() as chromium:
            peak = 0.0
            for config in configs:
                page = chromium.new_page()
                page.goto(f"{address}look_inside?weights=random&net={to_token(Version('paper', config))}")
                page.get_by_text("Select one to enlarge it.").wait_for(timeout=120_000)
                peak = max(peak, megabytes(process.pid))
            yield Measurement(
                f"server and children while {SESSIONS} sessions show feature maps of {claim}", peak, "MB", maximum=1_200
            )
