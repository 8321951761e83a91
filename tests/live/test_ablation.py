"""Branch ablation: each cell against a network whose channels the test scales itself."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from explorer.data.weights import Network
from explorer.errors import InputError
from explorer.jobs.inspection import Ablation, Scale
from explorer.jobs.job import Progress
from explorer.live.ablation import ablate
from explorer.live.devices import resolve_device
from explorer.live.feature_maps import channel_ranges
from explorer.live.inference import live_network, prepare_inputs
from explorer.live.weights import load_weights, restore_model
from tests.small_network import PREPROCESSING, SMALL, save_images, save_network

CELLS = [(module.name, branch) for module in SMALL.modules for branch in module.branches]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return save_network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Four images."""
    return save_images(tmp_path_factory.mktemp("scratch"), 4)


def scaled_logits(small: Network, images: tuple[str, ...], factors: dict[tuple[str, str], float]) -> Tensor:
    """Run the network with the channels of some branches multiplied by hand: logits N × classes."""
    model = restore_model(load_weights(small.weights)).eval()
    for module in small.config.modules:

        def scale(_module: object, _inputs: object, output: Tensor, name: str = module.name) -> Tensor:
            output = output.clone()
            for channels in channel_ranges(SMALL, name):
                output[:, channels.first : channels.last + 1] *= factors.get((name, channels.branch), 1.0)
            return output

        model.get_submodule(f"inception_{module.name}.concat").register_forward_hook(scale)
    with torch.inference_mode():
        return model(prepare_inputs(small, images, PREPROCESSING, resolve_device("cpu"))).double()


@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_every_cell_is_the_network_with_those_channels_scaled(
    small: Network, images: tuple[str, ...], factor: float
) -> None:
    """Probability, change, logit change and flip rate are means over the images, each at its predicted class."""
    *steps, ablation = ablate(small, images, PREPROCESSING, factor=factor)
    before = scaled_logits(small, images, {})
    targets = before.argmax(1)
    rows = torch.arange(4)
    assert isinstance(ablation, Ablation)
    assert ablation.targets == tuple(targets.tolist())
    assert ablation.probability == pytest.approx(before.softmax(1)[rows, targets].mean().item(), abs=1e-6)
    assert [(cell.module, cell.branch) for cell in ablation.cells] == CELLS
    for cell in ablation.cells:
        after = scaled_logits(small, images, {(cell.module, cell.branch): factor})
        probability = after.softmax(1)[rows, targets].mean().item()
        assert cell.probability == pytest.approx(probability, abs=1e-5)
        assert cell.change == pytest.approx(probability - ablation.probability, abs=1e-5)
        assert cell.logit_change == pytest.approx((after - before)[rows, targets].mean().item(), abs=1e-4)
        assert cell.flip_rate == (after.argmax(1) != targets).double().mean().item()
    assert [(step.done, step.total) for step in steps] == [(n, len(CELLS)) for n in range(len(CELLS))]
    assert all(isinstance(step, Progress) for step in steps)
    assert any(abs(cell.change) > 0.01 for cell in ablation.cells)


def test_a_branch_scaled_by_one_changes_nothing(small: Network, images: tuple[str, ...]) -> None:
    """The whole heat map is zero."""
    *_, ablation = ablate(small, images, PREPROCESSING, factor=1.0)
    assert all((cell.change, cell.logit_change, cell.flip_rate) == (0, 0, 0) for cell in ablation.cells)


def test_target_and_scales_apply_to_every_cell(small: Network, images: tuple[str, ...]) -> None:
    """A branch that is scaled already stays scaled; the factors multiply."""
    *_, ablation = ablate(small, images, PREPROCESSING, (Scale("3a", "3x3", 0.5),), factor=3.0, target=6)
    before = scaled_logits(small, images, {("3a", "3x3"): 0.5}).softmax(1)[:, 6].mean().item()
    assert ablation.targets == (6, 6, 6, 6)
    assert ablation.probability == pytest.approx(before, abs=1e-6)
    for cell in ablation.cells:
        factors = {("3a", "3x3"): 0.5}
        factors[cell.module, cell.branch] = factors.get((cell.module, cell.branch), 1.0) * 3.0
        assert cell.probability == pytest.approx(
            scaled_logits(small, images, factors).softmax(1)[:, 6].mean().item(), abs=1e-5
        )


def test_a_batch_in_chunks_gives_the_same_cells(
    small: Network, images: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks bound the memory; the progress counts all of them."""
    *_, whole = ablate(small, images, PREPROCESSING)
    monkeypatch.setenv("EXPLORER_LOOK_MB", "1")
    *steps, ablation = ablate(small, images * 2, PREPROCESSING)
    assert steps[-1].total > len(CELLS)
    assert steps[-1].done == steps[-1].total - 1
    assert ablation.image_count == 8
    for one, other in zip(whole.cells, ablation.cells, strict=True):
        assert one[2:] == pytest.approx(other[2:], abs=1e-5)


def test_the_network_has_no_hooks_afterwards(small: Network, images: tuple[str, ...]) -> None:
    """Also when the iterator is closed early."""
    model = live_network(small, resolve_device("cpu"))
    iterator = ablate(small, images, PREPROCESSING)
    next(iterator)
    iterator.close()
    assert not any(part._forward_pre_hooks for part in model.modules())


def test_an_unknown_class_is_refused(small: Network, images: tuple[str, ...]) -> None:
    """The message names the classes of the network."""
    for target in (-1, 7):
        with pytest.raises(InputError, match="the classes 0 to 6"):
            next(ablate(small, images, PREPROCESSING, target=target))


def test_a_network_with_one_module(tmp_path: Path) -> None:
    """The pass starts right after the stem."""
    one_module = save_network(tmp_path, SMALL.replace(modules=SMALL.modules[:1], aux=SMALL.aux.replace(taps=())))
    *_, ablation = ablate(one_module, save_images(tmp_path), PREPROCESSING)
    assert [cell.module for cell in ablation.cells] == ["3a"] * 4
