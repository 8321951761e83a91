"""The terms of one output value add up to the network's own activation, for every kind of layer, and without a run."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig
from explorer.analysis import summarize
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Scale
from explorer.jobs.units import UnitReport
from explorer.live import recording as recorder
from explorer.live.inference import live_network, predict
from explorer.live.units import explain, strongest_maps
from explorer.paths import ASSETS
from explorer.unit_graph import from_link, graph_of
from explorer.units import INPUT, Unit, to_link
from tests.small_network import PREPROCESSING, SMALL, save_images, save_network
from tests.strategies import examples, networks

ODD = SMALL.replace(
    input_shape=(3, 37, 29),
    normalisation="batch_norm",
    conv_bias=False,
    kernel_5x5="two_3x3",
    aux=SMALL.aux.replace(pool="ceil"),
)
STEM_7X7 = SMALL.replace(input_shape=(1, 65, 51), stem=SMALL.stem.replace(kind="paper"), aux=SMALL.aux.replace(taps=()))
CONFIGS = {"small": SMALL, "odd": ODD, "stem_7x7": STEM_7X7}
TRAINED = Network(
    config=PRESETS["mini"].replace(classes=10), weights=str(ASSETS / "weights" / "mini_fashion_mnist.safetensors")
)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One image."""
    return save_images(tmp_path_factory.mktemp("scratch"))[0]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Network]:
    """Networks with all kinds of layers, with biases and statistics that are not 0 and 1."""
    return {name: save_network(tmp_path_factory.mktemp(name), config) for name, config in CONFIGS.items()}


def report(network: Network, image: str, unit: Unit, **more: Any) -> UnitReport:
    """Explain one unit."""
    scales = more.pop("scales", ())
    return explain(
        network,
        (image,),
        PREPROCESSING,
        scales,
        "cpu",
        path=unit.path,
        channel=unit.channel,
        position=(unit.row, unit.column),
        **more,
    )


def check(found: UnitReport) -> None:
    """The terms add up to the first step, and the last step is the network's value to the rounding of float32."""
    assert found.error <= found.bound
    assert found.steps[-1].result == pytest.approx(found.value, rel=1e-4, abs=1e-5)
    if found.terms and found.kind != "avg_pool":
        total = sum(term.contribution for term in found.terms) + found.rest
        assert total == pytest.approx(found.steps[0].result, rel=1e-9, abs=1e-12)
    if found.window and found.kind == "max_pool":
        assert found.steps[0].result == max(value for row in found.window.values for value in row if value is not None)


def units(config: GoogLeNetConfig) -> st.SearchStrategy[Unit]:
    """Any unit of any layer that computes something."""
    rows = [row for row in summarize(config).rows if row.kind not in ("concat", "dropout")]

    def of(row: Any) -> st.SearchStrategy[Unit]:
        return st.tuples(*(st.integers(0, side - 1) for side in row.out_shape)).map(lambda at: Unit(row.path, *at))

    return st.sampled_from(rows).flatmap(of)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_layer_adds_up_at_a_corner_and_inside(saved: dict[str, Network], image: str, name: str) -> None:
    """Each kind of layer with random weights: convolutions of all kernels, pools, LRN or BatchNorm, classifiers."""
    network = saved[name]
    for row in summarize(network.config).rows:
        if row.kind not in ("concat", "dropout"):
            *_, height, width = (1, 1, *row.out_shape) if len(row.out_shape) == 1 else row.out_shape
            height, width = (height, width) if len(row.out_shape) == 3 else (1, 1)
            for position in ((0, 0), (height - 1, width - 1), (height // 2, width // 2)):
                found = report(network, image, Unit(row.path, row.out_shape[0] - 1, *position))
                assert row.kind == found.kind
                check(found)


@pytest.mark.slow
@given(st.data())
@settings(examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_position_adds_up(saved: dict[str, Network], image: str, data: st.DataObject) -> None:
    """Of random and of trained weights; any input channel has its window, which contributes what is shown."""
    network = data.draw(st.sampled_from([*saved.values(), TRAINED]))
    unit = data.draw(units(network.config))
    found = report(network, image, unit)
    check(found)
    row = summarize(network.config).by_path[unit.path]
    if row.kind == "conv":
        source = data.draw(st.sampled_from([term.channel for term in found.terms]))
        chosen = report(network, image, unit, source=source)
        products = sum(
            value * weight
            for values, weights in zip(chosen.window.values, chosen.window.weights, strict=True)
            for value, weight in zip(values, weights, strict=True)
            if value is not None
        )
        shown = next(term for term in found.terms if term.channel == source)
        assert products == pytest.approx(shown.contribution, rel=1e-9, abs=1e-12)


@given(networks(), st.data())
@settings(examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_network_adds_up(image: str, config: GoogLeNetConfig, data: st.DataObject) -> None:
    """Odd sizes, missing branches, blanks, every pooling rule and normalisation."""
    config = config.replace(input_shape=(data.draw(st.sampled_from([1, 3])), *config.input_shape[1:]))
    check(report(Network(config=config), image, data.draw(units(config))))


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_adds_up(image: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the predicted class to a pixel, with every kind of layer on the way; a smaller image of the same network."""
    monkeypatch.setenv("EXPLORER_LOOK_MB", "2000")
    config = PRESETS[name]
    config = config.replace(input_shape=(config.input_shape[0], *(min(side, 64) for side in config.input_shape[1:])))
    config = config.replace(aux=config.aux.replace(pool="adaptive"))
    network = Network(config=config)
    first = explain(network, (image,), PREPROCESSING, device="cpu", path="classifier.fc")
    for unit in (first.unit, *first.causes):
        check(report(network, image, unit))


def test_a_walk_follows_the_strongest_cause_to_a_pixel(saved: dict[str, Network], image: str) -> None:
    """Each cause is an input of the one before, with the largest product; the walk fits into a link."""
    first = explain(saved["odd"], (image,), PREPROCESSING, device="cpu", path="classifier.fc")
    walk = (first.unit, *first.causes)
    assert walk[-1].path == INPUT
    assert walk == from_link(to_link(walk), graph_of(ODD))
    logits = recorder.record(saved["odd"], image, PREPROCESSING, (), "cpu").outputs["classifier.fc"]
    assert first.unit.channel == int(logits.argmax())
    assert first.terms[0].channel == first.causes[0].channel or first.terms[0].contribution < 0
    assert first.causes == (first.causes[0], *report(saved["odd"], image, first.causes[0]).causes)


def test_a_moved_position_does_not_run_the_network_again(
    saved: dict[str, Network], image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording of the image answers; another image or a scaled branch needs a pass of its own."""
    recorder._recordings.clear()
    passes: list[int] = []
    forward = recorder.GoogLeNet.forward_with_heads
    monkeypatch.setattr(
        recorder.GoogLeNet, "forward_with_heads", lambda self, x: (passes.append(len(x)), forward(self, x))[1]
    )
    for column in range(4):
        report(saved["small"], image, Unit("inception_3a.branch_3x3.conv", column, 0, column))
    assert [1] == passes
    explain(saved["small"], (image,), PREPROCESSING, (Scale("3a", "3x3", 0.5),), "cpu", path="classifier.fc")
    assert [1, 1] == passes


def test_intermediate_maps_belong_to_the_strongest_terms(saved: dict[str, Network], image: str) -> None:
    """In order; their sum is the map before BatchNorm, whose value at the position is the first step."""
    unit = Unit("inception_4a.branch_3x3.conv", 2, 1, 0)
    found = report(saved["odd"], image, unit)
    maps = found.channel_maps
    assert [term.channel for term in found.terms[:4]] == [one.channel for one in maps.strongest]
    assert maps.other_count == len(found.terms) - len(maps.strongest)
    recording = recorder.record(saved["odd"], image, PREPROCESSING, (), "cpu")
    layer = recording.model.get_submodule(unit.path)
    with torch.inference_mode():
        live = layer.conv(recording.inputs[unit.path][None])[0, unit.channel]
    assert live[unit.row, unit.column].item() == pytest.approx(found.steps[0].result, rel=1e-5)
    assert (maps.total.low, maps.total.high) == pytest.approx((min(live.min().item(), 0), max(live.max().item(), 0)))
    assert report(saved["odd"], image, Unit("classifier.fc", 0)).channel_maps is None


@pytest.mark.parametrize("path", ["classifier.fc", "aux_3b.classifier"])
@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_the_softmax_is_the_probability_of_the_prediction(
    saved: dict[str, Network], image: str, path: str, factor: float
) -> None:
    """Of the classifier and of an auxiliary head, of each class, also with a scaled branch."""
    scales = (Scale("3a", "3x3", factor),)
    prediction = predict(saved["small"], (image,), PREPROCESSING, scales, "cpu", top=7).predictions[0]
    scores = prediction.main if path == "classifier.fc" else prediction.aux["3b"]
    for number, probability in zip(scores.classes, scores.probabilities, strict=True):
        found = report(saved["small"], image, Unit(path, number), scales=scales).softmax
        assert found.probability == pytest.approx(probability, rel=1e-5)
        assert [term.number for term in found.largest] == list(scores.classes[:5])
        assert found.rest_count == 2


def test_a_hidden_layer_has_no_softmax(saved: dict[str, Network], image: str) -> None:
    """The first fully connected layer of a head has no classes."""
    assert report(saved["small"], image, Unit("aux_3b.fc", 0)).softmax is None


def test_recordings_are_bounded(saved: dict[str, Network], image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as fit into a quarter of the limit; what does not fit at all is refused before the network runs."""
    recorder._recordings.clear()
    size = 4 * summarize(SMALL).activations(aux=True)
    monkeypatch.setattr(recorder, "_limit_bytes", lambda: 4 * 2 * size + 1)
    for factor in (0.0, 0.5, 2.0):
        recorder.record(saved["small"], image, PREPROCESSING, (Scale("3a", "3x3", factor),), "cpu")
    assert len(recorder._recordings) == 2
    recorder._recordings.clear()
    monkeypatch.setattr(recorder, "_limit_bytes", lambda: size)
    with pytest.raises(InputError, match="EXPLORER_LOOK_MB"):
        recorder.record(saved["small"], image, PREPROCESSING, (), "cpu")


def test_a_scaled_branch_multiplies_the_value_that_is_concatenated(saved: dict[str, Network], image: str) -> None:
    """The factor is the last step, and the value is the one that the next layer reads."""
    unit = explain(saved["small"], (image,), PREPROCESSING, device="cpu", path="inception_3a.branch_3x3.conv").unit
    plain = report(saved["small"], image, unit)
    halved = report(saved["small"], image, unit, scales=(Scale("3a", "3x3", 0.5),))
    assert halved.steps[-1].code == "factor"
    assert halved.value == pytest.approx(plain.value / 2)
    check(halved)


def test_the_border_shows_padding(saved: dict[str, Network], image: str) -> None:
    """The corner's window has values only where there is an input."""
    window = report(saved["small"], image, Unit("inception_4a.branch_5x5.conv", 0)).window
    assert (window.top, window.left) == (-2, -2)
    assert [[value is None for value in row] for row in window.values][:3] == [
        [True] * 5,
        [True] * 5,
        [True, True, False, False, False],
    ]


@pytest.mark.parametrize(
    ("path", "channel", "position", "source"),
    [
        ("nothing", None, None, None),
        ("inception_3a.concat", None, None, None),
        ("inception_3a.branch_3x3.conv", 6, None, None),
        ("inception_3a.branch_3x3.conv", -1, None, None),
        ("inception_3a.branch_3x3.conv", 0, (0, 99), None),
        ("inception_3a.branch_3x3.conv", 0, (0, 0), 99),
    ],
)
def test_what_the_network_does_not_compute_is_refused(
    saved: dict[str, Network], image: str, path: str, channel: int | None, position: Any, source: int | None
) -> None:
    """Unknown layers, channels, positions and sources."""
    with pytest.raises(InputError):
        explain(saved["small"], (image,), PREPROCESSING, path=path, channel=channel, position=position, source=source)


def test_the_largest_value_is_chosen(saved: dict[str, Network], image: str) -> None:
    """Of the layer, or of a channel."""
    output = recorder.record(saved["small"], image, PREPROCESSING, (), "cpu").outputs["inception_3a.branch_1x1.conv"]
    found = explain(saved["small"], (image,), PREPROCESSING, path="inception_3a.branch_1x1.conv")
    assert found.value == output.max().item()
    found = explain(saved["small"], (image,), PREPROCESSING, path="inception_3a.branch_1x1.conv", channel=2)
    assert (found.unit.channel, found.value) == (2, output[2].max().item())


def test_an_overflow_is_explained(image: str, tmp_path: Path) -> None:
    """No arithmetic of infinite numbers."""
    network = save_network(tmp_path)
    weights = live_network(network, recorder.resolve_device("cpu"))
    recorder._recordings.clear()
    before = weights.classifier.fc.bias.clone()
    weights.classifier.fc.bias.fill_(torch.inf)
    with pytest.raises(InputError, match="overflowed"):
        explain(network, (image,), PREPROCESSING, path="classifier.fc")
    weights.classifier.fc.bias.copy_(before)


@pytest.mark.parametrize(
    "path", ["stem.conv2", "pool3", "inception_3a.branch_5x5.conv2", "inception_4a.branch_1x1.conv"]
)
def test_the_gradient_lies_within_the_receptive_field(saved: dict[str, Network], path: str) -> None:
    """At any position, also at the border, and it reaches the field's edges there or is cut off by the image's."""
    model = live_network(saved["odd"], recorder.resolve_device("cpu"))
    image = torch.rand(1, *ODD.input_shape, generator=torch.Generator().manual_seed(3), requires_grad=True)
    outputs: list[torch.Tensor] = []
    handle = model.get_submodule(path).register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    model(image)
    handle.remove()
    height, width = outputs[0].shape[2:]
    for row, column in ((0, 0), (height // 2, width // 2), (height - 1, width - 1)):
        (gradient,) = torch.autograd.grad(outputs[0][0, :, row, column].sum(), image, retain_graph=True)
        left, top, side = graph_of(ODD).receptive_field(Unit(path, 0, row, column))
        rows, columns = (gradient[0].abs().sum((0, axis)).nonzero()[:, 0] for axis in (2, 1))
        assert top <= rows.min() <= rows.max() < top + side
        assert left <= columns.min() <= columns.max() < left + side


def test_the_strongest_maps_of_a_module(saved: dict[str, Network], image: str) -> None:
    """One for its input and each of its layers, the one with the highest mean."""
    found = strongest_maps(saved["small"], (image,), PREPROCESSING, device="cpu", block="3b").maps
    outputs = recorder.record(saved["small"], image, PREPROCESSING, (), "cpu").outputs
    assert set(found) == {"inception_3a.concat", *(path for path in outputs if path.startswith("inception_3b.branch"))}
    for path, heat in found.items():
        assert heat.high == pytest.approx(outputs[path][outputs[path].mean((1, 2)).argmax()].max().item())
    with pytest.raises(InputError):
        strongest_maps(saved["small"], (image,), PREPROCESSING, device="cpu", block="<b>")
