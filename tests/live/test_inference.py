"""Inference on pictures: what is said, in which layout, from which weights, and that no network is ever changed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from explorer import PRESETS
from explorer.jobs.inspection import InputError, Network, Scale
from explorer.live import inference
from explorer.live.devices import resolve_device
from explorer.live.inference import ResponseNorm, in_chunks, live_network, predict, prepare_inputs, scale_branches
from explorer.live.model import GoogLeNet, build_model
from explorer.live.weights import load_weights, restore_model, to_safetensors
from tests.looking import HOW, SMALL, network, pictures

CPU = resolve_device("cpu")


@pytest.fixture(autouse=True)
def none_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts with no network kept."""
    monkeypatch.setattr(inference, "_kept", inference._Kept())


@pytest.fixture
def small(tmp_path: Path) -> Network:
    """The small network with weights from a file."""
    return network(tmp_path)


def plain(small: Network) -> GoogLeNet:
    """The same network as PyTorch builds it, untouched by inference."""
    return restore_model(load_weights(small.weights)).eval()


def snapshot(model: GoogLeNet) -> list[Any]:
    """All that could be changed in a network: its numbers, its modes, its hooks."""
    return [
        *(tensor.clone() for tensor in model.state_dict().values()),
        *((part.training, len(part._forward_hooks), len(part._forward_pre_hooks)) for part in model.modules()),
    ]


def same(one: list[Any], other: list[Any]) -> bool:
    """Whether nothing was changed between two snapshots."""
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(one, other, strict=True))


def test_the_answer_is_the_networks(small: Network, tmp_path: Path) -> None:
    """Classes, probabilities and entropy of the main classifier and of the head follow from the plain logits."""
    shown = pictures(tmp_path, 3)
    found = predict(small, shown, HOW, top=3)
    with torch.inference_mode():
        out = plain(small).forward_with_heads(prepare_inputs(small, shown, HOW, CPU))
    for logits, said in (
        (out.logits, [prediction.main for prediction in found.predictions]),
        (out.aux["3b"], [prediction.aux["3b"] for prediction in found.predictions]),
    ):
        probabilities = logits.double().softmax(1)
        for row, told in zip(probabilities, said, strict=True):
            best = row.sort(descending=True)
            assert told.classes == tuple(best.indices[:3].tolist())
            assert told.probabilities == pytest.approx(best.values[:3].tolist(), abs=1e-6)
            assert told.entropy == pytest.approx(-(row * row.log2()).sum().item(), abs=1e-5)
    assert found.forward_ms > 0
    assert found.device.startswith("CPU")


def test_more_classes_than_there_are_is_all_of_them(small: Network, tmp_path: Path) -> None:
    """And their probabilities add up to one."""
    (prediction,) = predict(small, pictures(tmp_path), HOW, top=100).predictions
    assert len(prediction.main.classes) == 7
    assert sum(prediction.main.probabilities) == pytest.approx(1)


@pytest.mark.parametrize("name", ["paper", "torchvision", "mini"])
def test_the_layout_changes_no_answer(name: str) -> None:
    """Channels-last with our LRN, against the network as it is built."""
    preset = PRESETS[name]
    config = preset.replace(input_shape=(preset.input_shape[0], 64, 64), aux=preset.aux.replace(taps=()))
    image = torch.randn(2, *config.input_shape, generator=torch.Generator().manual_seed(0))
    model = live_network(Network(config=config, seed=5), CPU)
    assert model.stem.conv1.conv.weight.is_contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = build_model(config, seed=5).eval()(image)
        found = model(image.to(memory_format=torch.channels_last))
    assert (expected - found).abs().max() < 1e-4
    assert expected.abs().max() > 0.1


@pytest.mark.parametrize("size", [2, 5])
def test_our_lrn_is_pytorchs(size: int) -> None:
    """Also in its gradient, for even and odd sizes."""
    x = torch.randn(2, 7, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    ours = ResponseNorm(size, alpha=0.3, beta=0.75, k=1.5)(x)
    theirs = F.local_response_norm(x, size, alpha=0.3, beta=0.75, k=1.5)
    torch.testing.assert_close(ours, theirs)
    ours_back, theirs_back = (torch.autograd.grad(y.square().sum(), x)[0] for y in (ours, theirs))
    torch.testing.assert_close(ours_back, theirs_back)


def test_scaling_a_branch_scales_its_channels_before_the_concatenation(small: Network, tmp_path: Path) -> None:
    """0 puts zeros there, another factor multiplies, and all others stay."""
    model, (image,) = plain(small), [prepare_inputs(small, pictures(tmp_path), HOW, CPU)]
    seen = {}
    handle = model.inception_3b.concat.register_forward_hook(lambda _m, _i, output: seen.update(joined=output))
    with torch.inference_mode():
        model(image)
        whole = seen["joined"]
        with scale_branches(model, (Scale("3b", "3x3", 0.0), Scale("3b", "pool", -2.0))):
            model(image)
    handle.remove()
    expected = whole.clone()
    expected[:, 5:9] = 0  # 1×1: 0 to 4; 3×3: 5 to 8; the pool passes all 18 channels of 3a
    expected[:, 9:] *= -2
    torch.testing.assert_close(seen["joined"], expected)
    assert whole.shape[1] == 27


def test_a_scaled_answer_is_that_of_weights_scaled(small: Network, tmp_path: Path) -> None:
    """Zeroing a branch is zeroing what the next layers read of it: checked through the whole network."""
    shown = pictures(tmp_path)
    model = plain(small)
    with torch.no_grad():
        model.classifier.fc.weight[:, 6:14] = 0  # of 4a's channels, those of its 3×3 branch
        expected = model(prepare_inputs(small, shown, HOW, CPU)).softmax(1)[0]
    (found,) = predict(small, shown, HOW, (Scale("4a", "3x3", 0.0),), top=7).predictions
    assert found.main.probabilities == pytest.approx(expected[list(found.main.classes)].tolist(), abs=1e-6)
    assert found != predict(small, shown, HOW, top=7).predictions[0]


def test_a_kept_network_is_never_changed(small: Network, tmp_path: Path) -> None:
    """Not by scaling, nor by an error amid a pass."""
    shown, model = pictures(tmp_path), live_network(small, CPU)
    before = snapshot(model)
    predict(small, shown, HOW, (Scale("3a", "1x1", 0.0), Scale("4a", "pool", 3.0)))
    with pytest.raises(RuntimeError), scale_branches(model, (Scale("3a", "1x1", 0.0),)):
        model(torch.zeros(1, 5, 8, 8))
    assert live_network(small, CPU) is model
    assert same(before, snapshot(model))


def test_as_many_networks_are_kept_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was not used for longest goes first; a network with other weights is another one."""
    monkeypatch.setenv("EXPLORER_LOOK_MB", "8")  # in the half of it, two of mini with 1.8 MB each, but not three
    first, second, third = (Network(config=PRESETS["mini"], seed=seed) for seed in range(3))
    kept = live_network(first, CPU), live_network(second, CPU)
    assert (live_network(second, CPU), live_network(first, CPU)) == (kept[1], kept[0])
    live_network(third, CPU)
    assert live_network(first, CPU) is kept[0]
    assert live_network(second, CPU) is not kept[1]
    assert first.replace(stamp="x") != first


def test_a_network_too_large_is_refused_before_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names need and limit."""
    monkeypatch.setattr(inference, "_built", lambda _: pytest.fail("it was built"))
    monkeypatch.setenv("EXPLORER_LOOK_MB", "20")
    with pytest.raises(InputError, match=r"needs about .* MB; the limit here is 20 MB"):
        live_network(Network(config=PRESETS["paper"]), CPU)


def test_a_large_batch_is_cut_into_parts(monkeypatch: pytest.MonkeyPatch, small: Network, tmp_path: Path) -> None:
    """So that memory stays bounded; nothing is lost and nothing changes."""
    shown = pictures(tmp_path, 9)
    images = prepare_inputs(small, shown, HOW, CPU)
    assert [len(part) for part in in_chunks(images, small)] == [9]
    whole = predict(small, shown, HOW).predictions
    monkeypatch.setenv("EXPLORER_LOOK_MB", "1")
    parts = in_chunks(images, small)
    assert len(parts) > 1
    assert torch.equal(torch.cat(parts), images)
    for one, other in zip(whole, predict(small, shown, HOW).predictions, strict=True):
        assert one.main.probabilities == pytest.approx(other.main.probabilities, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"images": ()}, "Between 1 and 64"),
        ({"images": ("/no/such.png",)}, "no longer there"),
        ({"images": ("x.png",) * 65}, "these are 65"),
        ({"scales": (Scale("9z", "1x1", 0.0),)}, "no branch 1x1 in a module 9z"),
        ({"scales": (Scale("3b", "5x5", 0.0),)}, "no branch 5x5 in a module 3b"),
        ({"scales": (Scale("3a", "1x1", float("nan")),)}, "from -100 to 100"),
        ({"scales": (Scale("3a", "1x1", 101.0),)}, "from -100 to 100"),
        ({"network": Network(config=SMALL, weights="/no/such.safetensors")}, "cannot be read"),
        ({"network": Network(config=PRESETS["naive"]), "images": ("x.png",) * 64}, "That takes 64 passes"),
    ],
)
def test_what_cannot_be_looked_at_is_said(small: Network, tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    """Each with its sentence."""
    asked = {"network": small, "images": pictures(tmp_path), "preprocessing": HOW} | changes
    with pytest.raises(InputError, match=told):
        predict(**asked)


def test_weights_of_another_network_are_refused(small: Network, tmp_path: Path) -> None:
    """The config of the request must be that of the file."""
    with pytest.raises(InputError, match="another network"):
        predict(small.replace(config=SMALL.replace(classes=8)), pictures(tmp_path), HOW)


def test_numbers_that_run_over_are_no_answer(tmp_path: Path) -> None:
    """Finite weights can be so large that the logits are not."""
    huge = network(tmp_path)
    model = plain(huge)
    with torch.no_grad():
        model.inception_4a.branch_1x1.conv.conv.weight.fill_(3e38)
        model.classifier.fc.weight.fill_(3e38)
    Path(huge.weights).write_bytes(to_safetensors(model))
    with pytest.raises(InputError, match="ran over"):
        predict(huge.replace(stamp="huge"), pictures(tmp_path), HOW)
