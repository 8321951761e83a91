"""Cost of the page Look inside: inference against PyTorch's default memory format, the first prediction, memory."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch import nn

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
from explorer.jobs.protocol import LINE, REQUEST, Answer
from explorer.jobs.units import MAX_CHANNEL_MAPS, UnitReport, UnitRequest
from explorer.live.channel_maps import channel_maps
from explorer.live.devices import resolve_device
from explorer.live.inference import live_network, predict, prepare_inputs
from explorer.live.model import ConvBlock, build_model
from explorer.live.recording import record
from explorer.live.units import explain
from explorer.share import to_token
from explorer.unit_graph import graph_of
from explorer.views import channel_maps as channel_charts
from explorer.views import unit_charts, unit_maps
from explorer.views.unit_names import Names

PHOTOGRAPHS = Path(__file__).parents[1] / "assets" / "samples"
PAPER = Network(config=PRESETS["paper"])
PREPROCESSING = Preprocessing(margin=256 / 224)
ROUNDS = 25
NUMBERS = {  # a layer of each kind
    "a 1×1 of 512 channels": "inception_4b.branch_5x5.reduce",
    "a 3×3 of 160 channels": "inception_4e.branch_3x3.conv",
    "a 5×5 of 48 channels": "inception_5b.branch_5x5.conv",
    "the 7×7 of the stem": "stem.conv1",
    "a max pool of 3×3": "inception_3a.branch_pool.pool",
    "the global average pool": "classifier.pool",
    "a class": "classifier.fc",
}
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
    yield from _one_number(_save(scratch, photographs[0]), lambda _: model(image))


def _one_number(photograph: str, forward: Callable[[int], object]) -> Iterator[Measurement]:
    """Go from a click on a position to its charts: the worker's answer, both ways through JSON, and the drawing.

    The first pass over the photograph is recorded before; after it no move may run the network.
    """
    graph = graph_of(PAPER.config)
    names = Names(graph, ())
    runs: list[object] = []

    def move(number: int, path: str) -> int:
        sides = graph.shape(path)[1:]
        position = tuple(number * 5 % side for side in sides) or (0, 0)
        request = UnitRequest(
            network=PAPER, images=(photograph,), preprocessing=PREPROCESSING, path=path, position=position, device="cpu"
        )
        fields = dict(REQUEST.validate_json(request.model_dump_json()))
        del fields["kind"]
        result = LINE.validate_json(Answer(result=explain(**fields)).model_dump_json())
        report = result.result if isinstance(result, Answer) else None
        assert isinstance(report, UnitReport)
        whole = unit_maps.position_maps(report, names) + unit_charts.window_charts(report)
        whole += channel_charts.channel_maps_line(report, names)
        return len(whole + unit_charts.arithmetic(report, names) + unit_charts.terms_chart(report, names))

    for name, path in NUMBERS.items():
        move(0, path)
        with torch.inference_mode():
            moves, passes = _in_turn(partial(move, path=path), forward)
        claim = f"one number, from click to shown sum, {name}"
        yield Measurement(
            f"{claim} / a forward pass", median(a / b for a, b in zip(moves, passes, strict=True)), maximum=1
        )
        yield Measurement(claim, 1e3 * median(moves), "ms", maximum=150)
    yield from _intermediate_maps(photograph, forward)
    stem = live_network(PAPER, resolve_device("cpu")).get_submodule("stem")  # each pass begins with it
    handle = stem.register_forward_pre_hook(lambda *_: runs.append(None))
    for number, path in enumerate(NUMBERS.values()):
        move(number, path)
    handle.remove()
    yield Measurement("forward passes while the position moves", len(runs), "", maximum=0)


def _intermediate_maps(photograph: str, forward: Callable[[int], object]) -> Iterator[Measurement]:
    """Compute the intermediate maps of a convolution, with their images, from the recording."""
    recording = record(PAPER, photograph, PREPROCESSING, (), "cpu")
    for name, path in NUMBERS.items():
        layer = recording.model.get_submodule(path)
        if isinstance(layer, ConvBlock):
            inputs = recording.inputs[path]
            channels = range(min(MAX_CHANNEL_MAPS, len(inputs)))
            with torch.inference_mode():
                maps, passes = _in_turn(partial(_maps_of, layer.conv, inputs, channels), forward)
            ratio = median(a / b for a, b in zip(maps, passes, strict=True))
            yield Measurement(f"intermediate maps of {name} / a forward pass", ratio, maximum=1)


def _maps_of(conv: nn.Conv2d, inputs: torch.Tensor, channels: Sequence[int], number: int) -> object:
    """Compute the maps of another output channel in each round."""
    return channel_maps(conv, inputs, number % conv.out_channels, channels)


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
