"""What is going on inside: maps equal what hooks see, statistics their definitions, and no network is changed."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from explorer import PRESETS
from explorer.jobs.inspection import Heat, InputError, Network, Scale
from explorer.live.devices import resolve_device
from explorer.live.feature_maps import activity, check_channel, filters, feature_map, maps, parts
from explorer.live.inference import live_network, prepare_inputs
from explorer.live.model import build_model
from explorer.live.weights import load_weights, restore_model, to_safetensors
from tests.looking import HOW, SMALL, network, pictures

BLOCKS = ("stem", "3a", "3b", "4a")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Three pictures."""
    return pictures(tmp_path_factory.mktemp("scratch"), 3)


def seen(small: Network, shown: tuple[str, ...], path: str) -> Tensor:
    """What a hook of PyTorch's sees there in the plain network: N × C × H × W."""
    model, found = restore_model(load_weights(small.weights)).eval(), []
    model.get_submodule(path).register_forward_hook(lambda _module, _received, output: found.append(output))
    with torch.inference_mode():
        model(prepare_inputs(small, shown, HOW, resolve_device("cpu")))
    return found[0]


def values(heat: Heat) -> np.ndarray:
    """The numbers behind a heat map, as exactly as a byte holds them."""
    shades = np.asarray(Image.open(io.BytesIO(heat.png)), np.float64)
    return heat.low + shades / 255 * (heat.high - heat.low)


@pytest.mark.parametrize("block", BLOCKS)
def test_strips_show_the_layers_own_maps(small: Network, shown: tuple[str, ...], block: str) -> None:
    """Every tile is the map of its channel, scaled by itself; the strongest response comes first."""
    for strip in maps(small, shown, HOW, block=block).strips:
        output = seen(small, shown, strip.path)[0]
        assert sorted(strip.channels) == list(range(len(output)))
        assert list(strip.responses) == sorted(strip.responses, reverse=True)
        assert strip.responses == pytest.approx([output[channel].mean().item() for channel in strip.channels], abs=1e-5)
        assert strip.map_size == tuple(output.shape[1:]) == strip.tile
        picture = np.asarray(Image.open(io.BytesIO(strip.png)), np.int64)
        height, width = strip.tile
        for place, channel in enumerate(strip.channels):
            row, column = divmod(place, strip.columns)
            tile = picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
            expected = output[channel] / max(output[channel].max().item(), 1e-12) * 255
            assert np.abs(tile - expected.numpy()).max() <= 1


@pytest.mark.parametrize("block", ["3a", "3b", "4a"])
def test_channels_are_numbered_as_they_are_concatenated(small: Network, shown: tuple[str, ...], block: str) -> None:
    """The strips laid end to end are the module's output."""
    joined = seen(small, shown, f"inception_{block}.concat")
    strips = maps(small, shown, HOW, block=block).strips
    assert [strip.first for strip in strips] == [0, *(strip.last + 1 for strip in strips[:-1])]
    assert strips[-1].last == joined.shape[1] - 1
    for strip in strips:
        torch.testing.assert_close(joined[:, strip.first : strip.last + 1], seen(small, shown, strip.path))
    assert [strip.branch for strip in strips] == list(small.config.module(block).branches)


def test_large_maps_are_reduced_and_many_are_cut_off(shown: tuple[str, ...]) -> None:
    """What travels is bounded, whatever the network."""
    wide = SMALL.modules[0].replace(ch1x1=300)
    config = SMALL.replace(input_shape=(3, 150, 100), modules=(wide, *SMALL.modules[1:]))
    first = maps(Network(config=config), shown, HOW, block="stem").strips[0]
    assert first.map_size == (150, 100)
    assert first.tile == (30, 20)
    strip = maps(Network(config=config), shown, HOW, block="3a").strips[0]
    assert len(strip.channels) == 256
    assert (strip.first, strip.last) == (0, 299)
    assert Image.open(io.BytesIO(strip.png)).size == (16 * strip.tile[1], 16 * strip.tile[0])


@pytest.mark.parametrize("path", ["stem.conv1", "inception_3a.branch_5x5.reduce", "inception_3b.branch_pool", "pool3"])
def test_a_map_in_full_is_what_a_hook_sees(small: Network, shown: tuple[str, ...], path: str) -> None:
    """To the step of a byte."""
    found = feature_map(small, shown, HOW, path=path, channel=1)
    expected = seen(small, shown, path)[0, 1]
    step = (found.heat.high - found.heat.low) / 255
    assert found.heat.size == tuple(expected.shape)
    assert np.abs(values(found.heat) - expected.numpy()).max() <= step / 2 + 1e-5
    assert found.response == pytest.approx(expected.mean().item(), abs=1e-5)


def test_a_scaled_branch_shows_in_what_comes_after_it(small: Network, shown: tuple[str, ...]) -> None:
    """The module's output has zeros there, the branch itself still says what it said."""
    gone = (Scale("3a", "3x3", 0.0),)
    after = feature_map(small, shown, HOW, gone, path="inception_3a.concat", channel=5)
    assert (after.heat.low, after.heat.high) == (0, 0)
    assert feature_map(small, shown, HOW, gone, path="inception_3a.branch_3x3", channel=1).heat.high > 0


def test_activity_is_mean_zeros_and_dead_channels(small: Network, shown: tuple[str, ...]) -> None:
    """Over all pictures together, for every branch of every module."""
    found = activity(small, shown, HOW)
    assert found.image_count == 3
    assert [(line.module, line.branch) for line in found.branches] == [
        (module.name, branch) for module in SMALL.modules for branch in module.branches
    ]
    for line in found.branches:
        output = seen(small, shown, f"inception_{line.module}.branch_{line.branch}")
        assert line.last - line.first + 1 == output.shape[1]
        assert line.mean == pytest.approx(output.mean().item(), abs=1e-5)
        assert line.sparsity == pytest.approx((output == 0).float().mean().item(), abs=1e-3)
        assert line.dead == (output.amax((0, 2, 3)) == 0).sum().item()


def test_a_channel_that_never_speaks_is_dead(tmp_path: Path, shown: tuple[str, ...]) -> None:
    """A bias far below zero silences it."""
    silenced = network(tmp_path)
    model = restore_model(load_weights(silenced.weights))
    with torch.no_grad():
        model.inception_3a.branch_1x1.conv.conv.bias[2] = -1e9
    Path(silenced.weights).write_bytes(to_safetensors(model))
    strip = maps(silenced, shown, HOW, block="3a").strips[0]
    assert strip.dead >= 1
    assert strip.channels.index(2) >= len(strip.channels) - strip.dead


@pytest.mark.parametrize("name", ["mini", "paper"])
def test_filters_are_the_first_kernels(name: str) -> None:
    """In grey for one channel, in colour for three; mid-grey stands for 0 and the largest is black or white."""
    config = PRESETS[name]
    found = filters(Network(config=config, seed=2))
    weight = build_model(config, seed=2).stem.conv1.conv.weight.detach()
    picture = np.asarray(Image.open(io.BytesIO(found.png)), np.float64)
    height, width = found.kernel
    assert found.kernel == tuple(weight.shape[2:])
    assert picture.ndim == (3 if weight.shape[1] == 3 else 2)
    assert found.norms == pytest.approx([kernel.norm().item() for kernel in weight], rel=1e-4)
    for number in (0, len(weight) - 1):
        row, column = divmod(number, found.columns)
        tile = picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
        kernel = weight[number].permute(1, 2, 0).squeeze(-1)
        assert np.abs(tile - (kernel / kernel.abs().max() * 127.5 + 127.5).numpy()).max() <= 1


def test_looking_changes_no_network(small: Network, shown: tuple[str, ...]) -> None:
    """No hook is left, also after an error."""
    model = live_network(small, resolve_device("cpu"))
    with pytest.raises(InputError):
        maps(small, shown, HOW, (Scale("3a", "1x1", float("inf")),), block="3a")
    maps(small, shown, HOW, block="3a")
    activity(small, shown, HOW)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert not model.training


@pytest.mark.parametrize("name", PRESETS)
def test_parts_add_up_to_what_a_module_gives(name: str) -> None:
    """In every preset, the branches' channels are those of the concatenation."""
    model = build_model(PRESETS[name], "meta")
    for module in PRESETS[name].modules:
        assert parts(PRESETS[name], module.name)[-1].last + 1 == model.get_submodule(f"inception_{module.name}").outputs


@pytest.mark.parametrize(
    ("path", "channel", "told"),
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
def test_a_channel_that_is_not_there_is_refused(path: str, channel: int, told: str) -> None:
    """With the channels that there are."""
    with pytest.raises(InputError, match=told):
        check_channel(SMALL, path, channel)


def test_a_block_that_is_not_there_is_refused(small: Network, shown: tuple[str, ...]) -> None:
    """Also one that is no module."""
    for block in ("9z", "classifier", "aux_3b"):
        with pytest.raises(InputError, match=f"no module {block}"):
            maps(small, shown, HOW, block=block)
