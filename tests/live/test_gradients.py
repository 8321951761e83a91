"""Gradient norms against ordinary backward passes, and against the blocks that each head depends on."""

import pytest
import torch
from torch.nn import functional as F

from explorer import PRESETS
from explorer.errors import UnbuildableError
from explorer.jobs.requests import LOSS_WEIGHTS, GradientReport, GradientRun
from explorer.lessons.auxiliary import reachable_blocks
from explorer.live.gradients import gradients, run_once
from explorer.live.model import build_model

MINI = PRESETS["mini"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run() -> GradientRun:
    """One batch of the small network."""
    return run_once(MINI, CPU, 5, 3)


def test_a_head_has_gradients_up_to_its_tap_only(run: GradientRun) -> None:
    """The norm is more than 0 up to the tap and exactly 0 after it; the main loss has gradients everywhere."""
    for loss, norms in zip(run.losses, run.norms, strict=True):
        nonzero = {block for block, norm in zip(run.blocks, norms, strict=True) if norm > 0}
        assert nonzero == (set(run.blocks) if loss == "main" else set(reachable_blocks(MINI, loss)))


def test_each_norm_is_that_of_an_ordinary_backward_pass(run: GradientRun) -> None:
    """For main + 0.3 · heads, computed with .backward()."""
    model = build_model(MINI, seed=5)
    generator = torch.Generator().manual_seed(5)
    images = torch.randn(3, *MINI.input_shape, generator=generator)
    labels = torch.randint(MINI.classes, (3,), generator=generator)
    torch.manual_seed(5)
    output = model(images)
    losses = [F.cross_entropy(logits, labels) for logits in (output.logits, *output.aux.values())]
    assert run.values == pytest.approx([loss.item() for loss in losses])
    (losses[0] + 0.3 * (losses[1] + losses[2])).backward()
    expected = [
        sum(p.grad.square().sum().item() for p in model.get_submodule(name).parameters()) ** 0.5
        for name in (block if block in ("stem", "classifier") else f"inception_{block}" for block in run.blocks)
    ]
    assert run.total_norms[LOSS_WEIGHTS.index(0.3)] == pytest.approx(expected, rel=1e-4)


def test_with_weight_zero_the_total_is_the_main_loss(run: GradientRun) -> None:
    """With weight 1 it is another."""
    zero, _, one = run.total_norms
    assert zero == run.norms[0]
    assert one != zero


@pytest.mark.slow
def test_every_seed_runs_with_and_without_batch_norm() -> None:
    """Progress comes before each run; the same seed gives the same numbers."""
    *steps, report = gradients(MINI, "cpu", seed=5, seeds=2)
    assert isinstance(report, GradientReport)
    assert [(step.done, step.total) for step in steps] == [(n, 4) for n in range(4)]
    assert [(run.seed, run.normalisation) for run in report.runs] == [
        (5, "batch_norm"),
        (5, "none"),
        (6, "batch_norm"),
        (6, "none"),
    ]
    *_, again = gradients(MINI, "cpu", seed=5, seeds=1)
    for first, second in zip(report.runs[:2], again.runs, strict=True):
        assert first.values == pytest.approx(second.values)


def test_unsuitable_networks_are_refused_with_the_reason() -> None:
    """No auxiliary head, or too large for two images."""
    with pytest.raises(UnbuildableError, match="no auxiliary head"):
        next(gradients(MINI.replace(aux=MINI.aux.replace(taps=()))))
    with pytest.raises(UnbuildableError, match="Two images would need"):
        next(gradients(PRESETS["paper"].replace(input_shape=(3, 700, 700))))
