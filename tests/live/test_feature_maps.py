"""Feature maps equal the outputs that hooks see, statistics equal their definitions, and no network is changed."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from explorer import PRESETS
from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Heat, Scale
from explorer.live.devices import resolve_device
from explorer.live.feature_maps import activity, channel_ranges, check_channel, feature_map, filters, maps
from explorer.live.inference import live_network, prepare_inputs
from explorer.live.model import build_model
from explorer.live.weights import load_weights, restore_model, to_safetensors
from tests.small_network import PREPROCESSING, SMALL, save_images, save_network

BLOCKS = ("stem", "3a", "3b", "4a")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return save_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Three images."""
    return save_images(tmp_path_factory.mktemp("scratch"), 3)


def hook_output(small: Network, images: tuple[str, ...], path: str) -> Tensor:
    """Return the output N × C × H × W that a hook sees in the network as PyTorch runs it."""
    model, outputs = restore_model(load_weights(small.weights)).eval(), []
    model.get_submodule(path).register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    with torch.inference_mode():
        model(prepare_inputs(small, images, PREPROCESSING, resolve_device("cpu")))
    return outputs[0]


def values(heat: Heat) -> np.ndarray:
    """The numbers behind a heat map, as exactly as a byte holds them."""
    shades = np.asarray(Image.open(io.BytesIO(heat.png)), np.float64)
    return heat.low + shades / 255 * (heat.high - heat.low)


@pytest.mark.parametrize("block", BLOCKS)
def test_strips_show_the_maps_of_a_layer(small: Network, images: tuple[str, ...], block: str) -> None:
    """Every tile is the map of its channel, scaled by itself; the strongest response comes first."""
    for strip in maps(small, images, PREPROCESSING, block=block).strips:
        output = hook_output(small, images, strip.path)[0]
        assert sorted(strip.channels) == list(range(len(output)))
        assert list(strip.responses) == sorted(strip.responses, reverse=True)
        assert strip.responses == pytest.approx([output[channel].mean().item() for channel in strip.channels], abs=1e-5)
        assert strip.map_size == tuple(output.shape[1:]) == strip.tile
        pixels = np.asarray(Image.open(io.BytesIO(strip.png)), np.int64)
        height, width = strip.tile
        for place, channel in enumerate(strip.channels):
            row, column = divmod(place, strip.columns)
            tile = pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
            expected = output[channel] / max(output[channel].max().item(), 1e-12) * 255
            assert np.abs(tile - expected.numpy()).max() <= 1


@pytest.mark.parametrize("block", ["3a", "3b", "4a"])
def test_channels_are_numbered_as_they_are_concatenated(small: Network, images: tuple[str, ...], block: str) -> None:
    """The strips in order make up the module's output."""
    concat = hook_output(small, images, f"inception_{block}.concat")
    strips = maps(small, images, PREPROCESSING, block=block).strips
    assert [strip.first for strip in strips] == [0, *(strip.last + 1 for strip in strips[:-1])]
    assert strips[-1].last == concat.shape[1] - 1
    for strip in strips:
        torch.testing.assert_close(concat[:, strip.first : strip.last + 1], hook_output(small, images, strip.path))
    assert [strip.branch for strip in strips] == list(small.config.module(block).branches)


def test_large_maps_are_shrunk_and_many_are_limited(images: tuple[str, ...]) -> None:
    """The size of a result is bounded for any network."""
    wide = SMALL.modules[0].replace(ch1x1=300)
    config = SMALL.replace(input_shape=(3, 150, 100), modules=(wide, *SMALL.modules[1:]))
    first = maps(Network(config=config), images, PREPROCESSING, block="stem").strips[0]
    assert first.map_size == (150, 100)
    assert first.tile == (30, 20)
    strip = maps(Network(config=config), images, PREPROCESSING, block="3a").strips[0]
    assert len(strip.channels) == 256
    assert (strip.first, strip.last) == (0, 299)
    assert Image.open(io.BytesIO(strip.png)).size == (16 * strip.tile[1], 16 * strip.tile[0])


@pytest.mark.parametrize("path", ["stem.conv1", "inception_3a.branch_5x5.reduce", "inception_3b.branch_pool", "pool3"])
def test_a_feature_map_is_what_a_hook_sees(small: Network, images: tuple[str, ...], path: str) -> None:
    """Within half a step of a byte."""
    result = feature_map(small, images, PREPROCESSING, path=path, channel=1)
    expected = hook_output(small, images, path)[0, 1]
    step = (result.heat.high - result.heat.low) / 255
    assert result.heat.size == tuple(expected.shape)
    assert np.abs(values(result.heat) - expected.numpy()).max() <= step / 2 + 1e-5
    assert result.response == pytest.approx(expected.mean().item(), abs=1e-5)


def test_a_scaled_branch_changes_the_concatenation(small: Network, images: tuple[str, ...]) -> None:
    """The module's output has zeros there; the branch itself is unchanged."""
    zeroed = (Scale("3a", "3x3", 0.0),)
    after = feature_map(small, images, PREPROCESSING, zeroed, path="inception_3a.concat", channel=5)
    assert (after.heat.low, after.heat.high) == (0, 0)
    assert feature_map(small, images, PREPROCESSING, zeroed, path="inception_3a.branch_3x3", channel=1).heat.high > 0


def test_activity_is_mean_zeros_and_dead_channels(small: Network, images: tuple[str, ...]) -> None:
    """Over all images together, for every branch of every module."""
    result = activity(small, images, PREPROCESSING)
    assert result.image_count == 3
    assert [(line.module, line.branch) for line in result.branches] == [
        (module.name, branch) for module in SMALL.modules for branch in module.branches
    ]
    for line in result.branches:
        output = hook_output(small, images, f"inception_{line.module}.branch_{line.branch}")
        assert line.last - line.first + 1 == output.shape[1]
        assert line.mean == pytest.approx(output.mean().item(), abs=1e-5)
        assert line.sparsity == pytest.approx((output == 0).float().mean().item(), abs=1e-3)
        assert line.dead == (output.amax((0, 2, 3)) == 0).sum().item()


def test_a_channel_that_is_always_zero_is_dead(tmp_path: Path, images: tuple[str, ...]) -> None:
    """A bias far below zero makes it so."""
    saved = save_network(tmp_path)
    model = restore_model(load_weights(saved.weights))
    with torch.no_grad():
        model.inception_3a.branch_1x1.conv.conv.bias[2] = -1e9
    Path(saved.weights).write_bytes(to_safetensors(model))
    strip = maps(saved, images, PREPROCESSING, block="3a").strips[0]
    assert strip.dead >= 1
    assert strip.channels.index(2) >= len(strip.channels) - strip.dead


@pytest.mark.parametrize("name", ["mini", "paper"])
def test_filters_are_the_first_kernels(name: str) -> None:
    """Grey for one channel, in colour for three; mid-grey is 0, and the largest value is black or white."""
    config = PRESETS[name]
    result = filters(Network(config=config, seed=2))
    weight = build_model(config, seed=2).stem.conv1.conv.weight.detach()
    pixels = np.asarray(Image.open(io.BytesIO(result.png)), np.float64)
    height, width = result.kernel
    assert result.kernel == tuple(weight.shape[2:])
    assert pixels.ndim == (3 if weight.shape[1] == 3 else 2)
    assert result.norms == pytest.approx([kernel.norm().item() for kernel in weight], rel=1e-4)
    for number in (0, len(weight) - 1):
        row, column = divmod(number, result.columns)
        tile = pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
        kernel = weight[number].permute(1, 2, 0).squeeze(-1)
        assert np.abs(tile - (kernel / kernel.abs().max() * 127.5 + 127.5).numpy()).max() <= 1


def test_the_network_has_no_hooks_afterwards(small: Network, images: tuple[str, ...]) -> None:
    """Also after an error."""
    model = live_network(small, resolve_device("cpu"))
    with pytest.raises(InputError):
        maps(small, images, PREPROCESSING, (Scale("3a", "1x1", float("inf")),), block="3a")
    maps(small, images, PREPROCESSING, block="3a")
    activity(small, images, PREPROCESSING)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert not model.training


@pytest.mark.parametrize("name", PRESETS)
def test_channel_ranges_cover_the_output_of_a_module(name: str) -> None:
    """In every preset, the last branch ends with the last channel of the concatenation."""
    model = build_model(PRESETS[name], "meta")
    for module in PRESETS[name].modules:
        assert (
            channel_ranges(PRESETS[name], module.name)[-1].last + 1
            == model.get_submodule(f"inception_{module.name}").outputs
        )


@pytest.mark.parametrize(
    ("path", "channel", "message"),
    [
        ("inception_9z.concat", 0, "no layer inception_9z.concat"),
        ("classifier.fc", 0, "no layer classifier.fc"),
        ("aux_3b.conv", 0, "no layer aux_3b.conv"),
        ("inception_3a", 0, "no layer inception_3a "),
        ("inception_3b.branch_5x5", 0, "no layer"),
        ("stem.conv1", 8, "the channels 0 to 7"),
        ("inception_3b.branch_pool", -1, "the channels 0 to 17"),
    ],
)
def test_an_unknown_channel_is_refused(path: str, channel: int, message: str) -> None:
    """The message names the unknown layer, or the channels of the layer."""
    with pytest.raises(InputError, match=message):
        check_channel(SMALL, path, channel)


def test_an_unknown_block_is_refused(small: Network, images: tuple[str, ...]) -> None:
    """Also a block that is not a module."""
    for block in ("9z", "classifier", "aux_3b"):
        with pytest.raises(InputError, match=f"no module {block}"):
            maps(small, images, PREPROCESSING, block=block)
