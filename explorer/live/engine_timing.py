"""Every engine measured in turn: its time, building it, its memory, its deviation from PyTorch and its accuracy."""

import gc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor

from explorer.analysis import summarize
from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.errors import Problem, UnbuildableError
from explorer.jobs.engines import ENGINES, REFERENCE, EngineTiming, EngineTimings
from explorer.jobs.job import Progress
from explorer.jobs.process import resident_mb
from explorer.live.devices import MAX_MACS, resolve_device
from explorer.live.engine_images import EngineImages
from explorer.live.engines import EngineError, Run, build_engine
from explorer.live.inference import build_network
from explorer.live.model import GoogLeNet, GoogLeNetOutput
from explorer.live.timing import time_in_turn
from explorer.memory import peak_activations
from explorer.settings import read_setting

ROUNDS, SECONDS = 20, 10.0


def time_engines(
    network: Network,
    preprocessing: Preprocessing = Preprocessing(),  # noqa: B008  # it is immutable
    batch: int = 1,
    device: str = "auto",
    folder: str = "",
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
) -> Iterator[Progress | EngineTimings]:
    """Yield progress, then what was measured of each engine in :data:`~explorer.jobs.engines.ENGINES`.

    The images are those of the dataset on which the weights were trained, if it is still in the data directory
    ``folder``: its training images calibrate int8, and its test images measure the accuracy. Otherwise the images are
    random. Raises UnbuildableError, InputError or DataError before anything large is allocated.
    """
    _check_size(network, batch)
    resolved_device = resolve_device(device)
    images = EngineImages(network, preprocessing, Path(folder), resolved_device.torch)
    model = build_network(network).eval().requires_grad_(False).to(resolved_device.torch)
    measurement = _Measurement(model, images, batch)
    with torch.inference_mode():
        yield from measurement.build_engines()
        yield from measurement.time_engines(rounds, seconds)
        yield from measurement.test_engines()
    yield EngineTimings(
        engines=measurement.results(),
        batch=batch,
        test_images=images.test_count,
        device=resolved_device.description,
        note=resolved_device.note,
    )


class _Measurement:
    """The engines that could be built, and what is known of each so far, by name."""

    def __init__(self, model: GoogLeNet, images: EngineImages, batch: int) -> None:
        self._model, self._images, self._batch = model, images, images.batch(batch)
        self._engines: dict[str, Run] = {}
        self._errors: dict[str, EngineError] = {}
        self._outputs: dict[str, GoogLeNetOutput] = {}
        self._build_s: dict[str, float] = {}
        self._memory_mb: dict[str, float] = {}
        self._ms: dict[str, tuple[float, ...]] = {}
        self._correct: dict[str, Tensor] = {}  # whether each test image is classified correctly

    def build_engines(self) -> Iterator[Progress]:
        """Build each engine and run it once."""
        calibration = self._images.calibration()
        for number, name in enumerate(ENGINES):
            yield Progress(done=number, total=len(ENGINES), message=f"Building: {ENGINES[name].title}")
            memory, started = resident_mb(), perf_counter()
            try:
                self._engines[name] = build_engine(name, self._model, len(self._batch), calibration)
                self._outputs[name] = self._engines[name](self._batch)
            except EngineError as error:
                self._errors[name] = error
                continue
            self._build_s[name] = perf_counter() - started
            gc.collect()
            self._memory_mb[name] = max(0.0, resident_mb() - memory)

    def time_engines(self, rounds: int, seconds: float) -> Iterator[Progress]:
        """Run all engines in turn."""
        calls = [partial(run, self._batch) for run in self._engines.values()]
        samples: list[tuple[float, ...]] = []
        for one in time_in_turn(calls, self._batch.device, rounds=rounds, seconds=seconds):
            samples.append(tuple(1e3 * second for second in one.seconds))
            yield Progress(done=one.number + 1, total=rounds, message="All engines run in turn")
        self._ms = dict(zip(self._engines, zip(*samples, strict=True), strict=True))

    def test_engines(self) -> Iterator[Progress]:
        """Find which test images each engine classifies correctly."""
        for name, run in self._engines.items() if self._images.test_count else ():
            found: list[Tensor] = []
            for images, labels in self._images.test_batches():
                done, title = sum(map(len, found)), ENGINES[name].title
                yield Progress(done=done, total=self._images.test_count, message=f"Testing: {title}")
                found.append((run(images).logits.argmax(dim=1) == labels).cpu())
            self._correct[name] = torch.cat(found)

    def results(self) -> tuple[EngineTiming, ...]:
        """Return the result of each engine, in the order of the catalogue."""
        return tuple(self._result(name) for name in ENGINES)

    def _result(self, name: str) -> EngineTiming:
        if name in self._errors:
            error = self._errors[name]
            return EngineTiming(engine=name, obstacle=error.obstacle, detail=str(error)[:200])
        correct, gained, lost = self._counts(name)
        return EngineTiming(
            engine=name,
            ms=self._ms[name],
            build_s=self._build_s[name],
            memory_mb=self._memory_mb[name],
            deviation=_deviation(self._outputs[name], self._outputs[REFERENCE]),
            correct=correct,
            gained=gained,
            lost=lost,
        )

    def _counts(self, name: str) -> tuple[int, int, int] | tuple[None, None, None]:
        """Return how many test images an engine classifies correctly, only it does, and only the reference does."""
        if name not in self._correct:
            return None, None, None
        correct, reference = self._correct[name], self._correct[REFERENCE]
        return int(correct.sum()), int((correct & ~reference).sum()), int((reference & ~correct).sum())


def _deviation(output: GoogLeNetOutput, reference: GoogLeNetOutput) -> float:
    """Return the largest difference of a logit, of network and heads, as a fraction of the largest logit there."""
    pairs = [(output.logits, reference.logits), *((output.aux[tap], reference.aux[tap]) for tap in reference.aux)]
    return max(float((found - expected).abs().max() / expected.abs().max()) for found, expected in pairs)


def _check_size(network: Network, batch: int) -> None:
    """Raise UnbuildableError if the batch is empty, or the engines together need too much memory or work.

    Memory holds the parameters once for each engine, and the activations of the batch at their peak with as much
    workspace.
    """
    summary, limit = summarize(network.config), read_setting("EXPLORER_ENGINES_MB")
    parameters = (len(ENGINES) + 1) * summary.training_totals.parameters
    megabytes = 4 * (parameters + 2 * batch * peak_activations(summary)) / 1e6
    macs = batch * summary.macs(aux=True)
    reason = ""
    if batch < 1:
        reason = "A batch has at least one image."
    elif megabytes > limit:
        reason = (
            f"Comparing all engines would need about {megabytes:,.0f} MB; the limit here is {limit:,} MB "
            "(EXPLORER_ENGINES_MB). Choose fewer images, a smaller input or a smaller network."
        )
    elif macs > MAX_MACS:
        reason = (
            f"One pass would take {macs / 1e9:,.1f} · 10⁹ MACs; the limit here is {MAX_MACS / 1e9:,.0f} · 10⁹. "
            "Choose fewer images, a smaller input or a smaller network."
        )
    if reason:
        raise UnbuildableError((Problem("timing", "batch", reason),))
