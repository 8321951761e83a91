"""Inference on images: predictions, memory format, weights, and that a cached network never changes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from explorer import PRESETS
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.engines import resolve_engine
from explorer.jobs.inspection import Scale
from explorer.live import inference
from explorer.live.devices import resolve_device
from explorer.live.engines import EngineCache, ResponseNorm
from explorer.live.inference import in_chunks, live_network, predict, prepare_inputs, scale_branches
from explorer.live.model import GoogLeNet, build_model
from explorer.live.weights import load_weights, restore_model, to_safetensors
from tests.small_network import PREPROCESSING, SMALL, save_images, save_network

CPU = resolve_device("cpu")


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts with empty caches."""
    monkeypatch.setattr(inference, "_network_cache", inference._NetworkCache())
    monkeypatch.setattr(inference, "_engine_cache", EngineCache())


@pytest.fixture
def small(tmp_path: Path) -> Network:
    """The small network with weights from a file."""
    return save_network(tmp_path)


def plain(small: Network) -> GoogLeNet:
    """Return the same network as PyTorch builds it, not prepared for inference."""
    return restore_model(load_weights(small.weights)).eval()


def snapshot(model: GoogLeNet) -> list[Any]:
    """Return everything that could change in a network: its tensors, modes and hooks."""
    return [
        *(tensor.clone() for tensor in model.state_dict().values()),
        *((part.training, len(part._forward_hooks), len(part._forward_pre_hooks)) for part in model.modules()),
    ]


def same(one: list[Any], other: list[Any]) -> bool:
    """Return whether two snapshots are equal."""
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(one, other, strict=True))


def test_predictions_follow_from_the_logits(small: Network, tmp_path: Path) -> None:
    """Classes, probabilities and entropy, for the main classifier and the auxiliary head."""
    images = save_images(tmp_path, 3)
    result = predict(small, images, PREPROCESSING, top=3)
    with torch.inference_mode():
        output = plain(small).forward_with_heads(prepare_inputs(small, images, PREPROCESSING, CPU))
    for logits, scores_of_images in (
        (output.logits, [prediction.main for prediction in result.predictions]),
        (output.aux["3b"], [prediction.aux["3b"] for prediction in result.predictions]),
    ):
        probabilities = logits.double().softmax(1)
        for row, scores in zip(probabilities, scores_of_images, strict=True):
            best = row.sort(descending=True)
            assert scores.classes == tuple(best.indices[:3].tolist())
            assert scores.probabilities == pytest.approx(best.values[:3].tolist(), abs=1e-6)
            assert scores.entropy == pytest.approx(-(row * row.log2()).sum().item(), abs=1e-5)
    assert result.device.startswith("CPU")


def test_top_is_limited_by_the_number_of_classes(small: Network, tmp_path: Path) -> None:
    """The probabilities of all classes add up to one."""
    (prediction,) = predict(small, save_images(tmp_path), PREPROCESSING, top=100).predictions
    assert len(prediction.main.classes) == 7
    assert sum(prediction.main.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("name", ["paper", "torchvision", "mini"])
def test_the_memory_format_does_not_change_the_logits(name: str) -> None:
    """Channels-last with the app's own LRN, against the network as it is built."""
    preset = PRESETS[name]
    config = preset.replace(input_shape=(preset.input_shape[0], 64, 64), aux=preset.aux.replace(taps=()))
    image = torch.randn(2, *config.input_shape, generator=torch.Generator().manual_seed(0))
    model = live_network(Network(config=config, seed=5), CPU)
    assert model.stem.conv1.conv.weight.is_contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = build_model(config, seed=5).eval()(image)
        actual = model(image.to(memory_format=torch.channels_last))
    assert (expected - actual).abs().max() < 1e-4
    assert expected.abs().max() > 0.1


@pytest.mark.parametrize("size", [2, 5])
def test_response_norm_equals_pytorchs(size: int) -> None:
    """Also in its gradient, for even and odd sizes."""
    x = torch.randn(2, 7, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    actual = ResponseNorm(size, alpha=0.3, beta=0.75, k=1.5)(x)
    expected = F.local_response_norm(x, size, alpha=0.3, beta=0.75, k=1.5)
    torch.testing.assert_close(actual, expected)
    actual_gradient, expected_gradient = (torch.autograd.grad(y.square().sum(), x)[0] for y in (actual, expected))
    torch.testing.assert_close(actual_gradient, expected_gradient)


def test_a_scaled_branch_is_scaled_before_the_concatenation(small: Network, tmp_path: Path) -> None:
    """Its channels are multiplied by the factor; all others stay the same."""
    model, (image,) = plain(small), [prepare_inputs(small, save_images(tmp_path), PREPROCESSING, CPU)]
    outputs = []
    handle = model.inception_3b.concat.register_forward_hook(lambda _m, _i, output: outputs.append(output))
    with torch.inference_mode():
        model(image)
        with scale_branches(model, (Scale("3b", "3x3", 0.0), Scale("3b", "pool", -2.0))):
            model(image)
    handle.remove()
    before, after = outputs
    expected = before.clone()
    expected[:, 5:9] = 0  # 1×1: 0 to 4; 3×3: 5 to 8; the pool passes all 18 channels of 3a
    expected[:, 9:] *= -2
    torch.testing.assert_close(after, expected)
    assert before.shape[1] == 27


def test_scaling_a_branch_by_zero_equals_zeroing_the_weights_that_read_it(small: Network, tmp_path: Path) -> None:
    """The probabilities of the whole network agree."""
    images = save_images(tmp_path)
    model = plain(small)
    with torch.no_grad():
        model.classifier.fc.weight[:, 6:14] = 0  # of 4a's channels, those of its 3×3 branch
        expected = model(prepare_inputs(small, images, PREPROCESSING, CPU)).softmax(1)[0]
    (prediction,) = predict(small, images, PREPROCESSING, (Scale("4a", "3x3", 0.0),), top=7).predictions
    assert prediction.main.probabilities == pytest.approx(expected[list(prediction.main.classes)].tolist(), abs=1e-6)
    assert prediction != predict(small, images, PREPROCESSING, top=7).predictions[0]


def test_a_cached_network_never_changes(small: Network, tmp_path: Path) -> None:
    """Neither by scaling nor by an error during a pass."""
    images, model = save_images(tmp_path), live_network(small, CPU)
    before = snapshot(model)
    predict(small, images, PREPROCESSING, (Scale("3a", "1x1", 0.0), Scale("4a", "pool", 3.0)))
    with pytest.raises(RuntimeError), scale_branches(model, (Scale("3a", "1x1", 0.0),)):
        model(torch.zeros(1, 5, 8, 8))
    assert live_network(small, CPU) is model
    assert same(before, snapshot(model))


def test_the_cache_drops_the_least_recently_used_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has as many networks as fit; a network with other weights is another one."""
    monkeypatch.setenv("EXPLORER_LOOK_MB", "8")  # two networks of 1.8 MB fit into half of it, but not three
    first, second, third = (Network(config=PRESETS["mini"], seed=seed) for seed in range(3))
    models = live_network(first, CPU), live_network(second, CPU)
    assert (live_network(second, CPU), live_network(first, CPU)) == (models[1], models[0])
    live_network(third, CPU)
    assert live_network(first, CPU) is models[0]
    assert live_network(second, CPU) is not models[1]
    assert first.replace(stamp="x") != first


def test_a_network_that_is_too_large_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message states its memory and the limit."""
    monkeypatch.setattr(inference, "build_network", lambda _: pytest.fail("it was built"))
    monkeypatch.setenv("EXPLORER_LOOK_MB", "20")
    with pytest.raises(InputError, match=r"needs about .* MB; the limit here is 20 MB"):
        live_network(Network(config=PRESETS["paper"]), CPU)


def test_a_large_batch_is_split_into_chunks(monkeypatch: pytest.MonkeyPatch, small: Network, tmp_path: Path) -> None:
    """The chunks bound the memory; no image is lost and no prediction changes."""
    images = save_images(tmp_path, 9)
    inputs = prepare_inputs(small, images, PREPROCESSING, CPU)
    assert [len(chunk) for chunk in in_chunks(inputs, small)] == [9]
    single = predict(small, images, PREPROCESSING).predictions
    monkeypatch.setenv("EXPLORER_LOOK_MB", "1")
    chunks = in_chunks(inputs, small)
    assert len(chunks) > 1
    assert torch.equal(torch.cat(chunks), inputs)
    for one, other in zip(single, predict(small, images, PREPROCESSING).predictions, strict=True):
        assert one.main.probabilities == pytest.approx(other.main.probabilities, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": ()}, "between 1 and 64"),
        ({"images": ("/no/such.png",)}, "no longer there"),
        ({"images": ("x.png",) * 65}, "this one has 65"),
        ({"scales": (Scale("9z", "1x1", 0.0),)}, "no branch 1x1 in a module 9z"),
        ({"scales": (Scale("3b", "5x5", 0.0),)}, "no branch 5x5 in a module 3b"),
        ({"scales": (Scale("3a", "1x1", float("nan")),)}, "from -100 to 100"),
        ({"scales": (Scale("3a", "1x1", 101.0),)}, "from -100 to 100"),
        ({"network": Network(config=SMALL, weights="/no/such.safetensors")}, "cannot be read"),
        ({"network": Network(config=PRESETS["naive"]), "images": ("x.png",) * 64}, "That takes 64 passes"),
    ],
)
def test_invalid_requests_are_refused_with_the_reason(
    small: Network, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    """The message says what is wrong."""
    request = {"network": small, "images": save_images(tmp_path), "preprocessing": PREPROCESSING} | changes
    with pytest.raises(InputError, match=message):
        predict(**request)


def test_weights_of_another_network_are_refused(small: Network, tmp_path: Path) -> None:
    """The config of the request must be that of the file."""
    with pytest.raises(InputError, match="another network"):
        predict(small.replace(config=SMALL.replace(classes=8)), save_images(tmp_path), PREPROCESSING)


def test_overflowing_activations_are_refused(tmp_path: Path) -> None:
    """Finite weights can be so large that the logits are not."""
    huge = save_network(tmp_path)
    model = plain(huge)
    with torch.no_grad():
        model.inception_4a.branch_1x1.conv.conv.weight.fill_(3e38)
        model.classifier.fc.weight.fill_(3e38)
    Path(huge.weights).write_bytes(to_safetensors(model))
    with pytest.raises(InputError, match="overflowed"):
        predict(huge.replace(stamp="huge"), save_images(tmp_path), PREPROCESSING)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["auto", "default", "onnxruntime", "openvino"])
def test_every_exact_engine_gives_the_same_prediction(engine: str, small: Network, tmp_path: Path) -> None:
    """Of the network and its head, for one image and several; the result names the engine that answered."""
    for images in (save_images(tmp_path, 1), save_images(tmp_path, 3)):
        expected = predict(small, images, PREPROCESSING, engine="channels_last")
        found = predict(small, images, PREPROCESSING, engine=engine)
        assert found.engine == resolve_engine(engine)
        for one, other in zip(expected.predictions, found.predictions, strict=True):
            for scores, same_scores in ((one.main, other.main), (one.aux["3b"], other.aux["3b"])):
                assert same_scores.classes == scores.classes
                assert same_scores.probabilities == pytest.approx(scores.probabilities, abs=1e-5)


def test_pytorch_answers_where_another_engine_cannot(small: Network, tmp_path: Path) -> None:
    """Without images to calibrate on int8 cannot; and branches are scaled in PyTorch."""
    images = save_images(tmp_path, 1)
    assert predict(small, images, PREPROCESSING, engine="onnxruntime_int8").engine == "channels_last"
    scales = (Scale("3b", "1x1", 0.0),)
    assert predict(small, images, PREPROCESSING, scales, engine="auto").engine == "channels_last"


@pytest.mark.parametrize("engine", ["channels_last", "default"])
def test_the_cached_network_can_be_differentiated_after_a_prediction(
    engine: str, small: Network, tmp_path: Path
) -> None:
    """Attribution uses the same network as the prediction before it, and needs its gradients."""
    images = save_images(tmp_path, 1)
    predict(small, images, PREPROCESSING, engine=engine)
    inputs = prepare_inputs(small, images, PREPROCESSING, CPU).requires_grad_()
    live_network(small, CPU)(inputs).sum().backward()
    assert inputs.grad.abs().sum() > 0


def test_a_network_that_inference_mode_asked_for_can_be_differentiated(small: Network, tmp_path: Path) -> None:
    """The cache builds it outside of that mode."""
    images = save_images(tmp_path, 1)
    with torch.inference_mode():
        live_network(small, CPU)
    inputs = prepare_inputs(small, images, PREPROCESSING, CPU).requires_grad_()
    live_network(small, CPU)(inputs).sum().backward()
    assert inputs.grad.abs().sum() > 0
