"""Which branch matters: each cell of the heat map against a network that is changed by hand."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from explorer.jobs.inspection import Ablation, InputError, Network, Scale
from explorer.jobs.requests import Progress
from explorer.live.ablation import ablate
from explorer.live.devices import resolve_device
from explorer.live.feature_maps import parts
from explorer.live.inference import live_network, prepare_inputs
from explorer.live.weights import load_weights, restore_model
from tests.looking import HOW, SMALL, network, pictures

CELLS = [(module.name, branch) for module in SMALL.modules for branch in module.branches]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """The small network with weights from a file."""
    return network(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Four pictures."""
    return pictures(tmp_path_factory.mktemp("scratch"), 4)


def by_hand(small: Network, shown: tuple[str, ...], factors: dict[tuple[str, str], float]) -> Tensor:
    """Run the plain network with channels of the concatenations multiplied: probabilities N × classes."""
    model = restore_model(load_weights(small.weights)).eval()
    for module in small.config.modules:

        def change(_m: object, _i: object, output: Tensor, name: str = module.name) -> Tensor:
            output = output.clone()
            for part in parts(SMALL, name):
                output[:, part.first : part.last + 1] *= factors.get((name, part.branch), 1.0)
            return output

        model.get_submodule(f"inception_{module.name}.concat").register_forward_hook(change)
    with torch.inference_mode():
        return model(prepare_inputs(small, shown, HOW, resolve_device("cpu"))).double()


@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_every_cell_is_the_network_with_those_channels_scaled(
    small: Network, shown: tuple[str, ...], factor: float
) -> None:
    """Probability, change, logit and flips are means over the pictures, each of the class that it was taken for."""
    *steps, found = ablate(small, shown, HOW, factor=factor)
    before = by_hand(small, shown, {})
    told = before.argmax(1)
    each = torch.arange(4)
    assert isinstance(found, Ablation)
    assert found.targets == tuple(told.tolist())
    assert found.probability == pytest.approx(before.softmax(1)[each, told].mean().item(), abs=1e-6)
    assert [(cell.module, cell.branch) for cell in found.cells] == CELLS
    for cell in found.cells:
        after = by_hand(small, shown, {(cell.module, cell.branch): factor})
        probability = after.softmax(1)[each, told].mean().item()
        assert cell.probability == pytest.approx(probability, abs=1e-5)
        assert cell.change == pytest.approx(probability - found.probability, abs=1e-5)
        assert cell.logit_change == pytest.approx((after - before)[each, told].mean().item(), abs=1e-4)
        assert cell.flip_rate == (after.argmax(1) != told).double().mean().item()
    assert [(step.done, step.total) for step in steps] == [(n, len(CELLS)) for n in range(len(CELLS))]
    assert all(isinstance(step, Progress) for step in steps)
    assert any(abs(cell.change) > 0.01 for cell in found.cells)


def test_a_branch_scaled_by_one_changes_nothing(small: Network, shown: tuple[str, ...]) -> None:
    """The whole heat map is zero."""
    *_, found = ablate(small, shown, HOW, factor=1.0)
    assert all((cell.change, cell.logit_change, cell.flip_rate) == (0, 0, 0) for cell in found.cells)


def test_a_class_can_be_chosen_and_scales_hold_throughout(small: Network, shown: tuple[str, ...]) -> None:
    """What is scaled already stays so; scaling it once more multiplies."""
    *_, found = ablate(small, shown, HOW, (Scale("3a", "3x3", 0.5),), factor=3.0, target=6)
    before = by_hand(small, shown, {("3a", "3x3"): 0.5}).softmax(1)[:, 6].mean().item()
    assert found.targets == (6, 6, 6, 6)
    assert found.probability == pytest.approx(before, abs=1e-6)
    for cell in found.cells:
        factors = {("3a", "3x3"): 0.5}
        factors[cell.module, cell.branch] = factors.get((cell.module, cell.branch), 1.0) * 3.0
        assert cell.probability == pytest.approx(
            by_hand(small, shown, factors).softmax(1)[:, 6].mean().item(), abs=1e-5
        )


def test_a_batch_in_parts_gives_the_same(
    small: Network, shown: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded by cutting the batch; the progress counts all of it."""
    *_, whole = ablate(small, shown, HOW)
    monkeypatch.setenv("EXPLORER_LOOK_MB", "1")
    *steps, found = ablate(small, shown * 2, HOW)
    assert steps[-1].total > len(CELLS)
    assert steps[-1].done == steps[-1].total - 1
    assert found.image_count == 8
    for one, other in zip(whole.cells, found.cells, strict=True):
        assert one[2:] == pytest.approx(other[2:], abs=1e-5)


def test_the_network_is_left_as_it_was(small: Network, shown: tuple[str, ...]) -> None:
    """Also when nobody waits for the end."""
    model = live_network(small, resolve_device("cpu"))
    begun = ablate(small, shown, HOW)
    next(begun)
    begun.close()
    assert not any(part._forward_pre_hooks for part in model.modules())


def test_a_class_that_is_not_there_is_refused(small: Network, shown: tuple[str, ...]) -> None:
    """With the classes that there are."""
    for target in (-1, 7):
        with pytest.raises(InputError, match="the classes 0 to 6"):
            next(ablate(small, shown, HOW, target=target))


def test_it_works_where_the_first_module_follows_the_stem(tmp_path: Path) -> None:
    """A network of one module: the pass starts right behind the stem."""
    lone = network(tmp_path, SMALL.replace(modules=SMALL.modules[:1], aux=SMALL.aux.replace(taps=())))
    *_, found = ablate(lone, pictures(tmp_path), HOW)
    assert [cell.module for cell in found.cells] == ["3a"] * 4
