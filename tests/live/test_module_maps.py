"""The maps of a module: which are chosen, and that the contributions are those of *One number*."""

from pathlib import Path

import pytest

from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.units import ModuleMaps
from explorer.live.module_maps import LAYER_MAPS, module_maps
from explorer.live.recording import record
from explorer.live.units import explain
from tests.small_network import PREPROCESSING, save_images, save_network


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, str]:
    """A network and an image."""
    folder: Path = tmp_path_factory.mktemp("module_maps")
    return save_network(folder), save_images(folder)[0]


def _maps(case: tuple[Network, str], block: str) -> ModuleMaps:
    network, image = case
    return module_maps(network, (image,), PREPROCESSING, device="cpu", block=block)


@pytest.mark.parametrize("block", ["3a", "3b", "4a"])
def test_each_map_is_made_of_its_sources(case: tuple[Network, str], block: str) -> None:
    """The shown contributions and the rest add up to the sum in *One number* at the largest value of the map."""
    network, image = case
    found = _maps(case, block)
    shown = {(path, one.unit.channel) for path, maps in found.layers.items() for one in maps}
    (_, first), *layers = found.layers.items()
    assert all(one.sources == () for one in first)
    for path, maps in layers:
        assert 0 < len(maps) <= LAYER_MAPS
        for one in maps:
            report = explain(network, (image,), PREPROCESSING, device="cpu", path=path, channel=one.unit.channel)
            assert (report.unit, pytest.approx(report.value, abs=1e-4)) == (one.unit, one.value)
            total = sum(source.contribution for source in one.sources) + one.rest
            assert total == pytest.approx(report.steps[0].result, rel=1e-9, abs=1e-12)
            assert {(source.path, source.channel) for source in one.sources} <= shown
            if report.terms:
                assert len(one.sources) + one.rest_count == len(report.terms)


def test_a_pool_has_one_source_which_is_shown(case: tuple[Network, str]) -> None:
    """The same channel of the module's input; a pool without a projection is the last layer of its branch."""
    for block in ("4a", "3b"):
        layers = _maps(case, block).layers
        source, pools = next(iter(layers)), layers[f"inception_{block}.branch_pool.pool"]
        found = [[(one.path, one.channel) for one in pool.sources] for pool in pools]
        assert found == [[(source, pool.unit.channel)] for pool in pools]
        assert {pool.rest_count for pool in pools} == {0}


def test_the_last_layers_show_their_strongest_maps(case: tuple[Network, str]) -> None:
    """Those with the highest mean."""
    network, image = case
    path = "inception_4a.branch_3x3.conv"
    means = record(network, image, PREPROCESSING, (), "cpu").outputs[path].mean((1, 2))
    channels = [one.unit.channel for one in _maps(case, "4a").layers[path]]
    assert channels == sorted(means.argsort(descending=True)[:LAYER_MAPS].tolist())


def test_an_unknown_module_is_refused(case: tuple[Network, str]) -> None:
    """With a reason."""
    with pytest.raises(InputError):
        _maps(case, "<b>")
