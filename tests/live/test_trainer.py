"""One network in training: steps, evaluation, BatchNorm, gradients, weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from explorer.data.datasets import ImageSet
from explorer.data.weight_files import WeightsMetadata
from explorer.live import trainer as trainer_module
from explorer.live.batches import Batches
from explorer.live.trainer import Trainer
from explorer.live.weights import load_weights
from explorer.training.plan import Settings
from tests.live.tiny_training import CPU, TINY, images


def test_a_sample_of_test_images_is_of_all_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a dataset that is stored class by class; it is always the same, and mistakes have their index in it."""
    whole = images(test=60)
    by_class = whole.test_labels.argsort(kind="stable")
    stored = ImageSet(whole.info, whole.train, whole.train_labels, whole.test[by_class], whole.test_labels[by_class])
    trainer = Trainer(TINY, Batches(stored, CPU), Settings(), seed=0)
    evaluation = trainer.evaluate(20)
    assert 20 == sum(map(sum, evaluation.confusion))
    assert min(map(sum, evaluation.confusion)) >= 3
    assert evaluation == trainer.evaluate(20)
    assert all(stored.test_labels[mistake.image] == mistake.label for mistake in evaluation.mistakes)


def test_it_says_which_images_were_classified_correctly() -> None:
    """Image by image, in the order of the test set; they add up to the accuracy and to the confusion matrix."""
    trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16), seed=0)
    for _ in range(6):
        trainer.step(0.3)
    evaluation = trainer.evaluate()
    assert sum(evaluation.correct) == sum(row[label] for label, row in enumerate(evaluation.confusion))
    assert evaluation.accuracy == pytest.approx(sum(evaluation.correct) / 30)
    wrong = {number for number, correct in enumerate(evaluation.correct) if not correct}
    assert {mistake.image for mistake in evaluation.mistakes} <= wrong


@pytest.mark.slow
def test_training_images_are_evaluated_without_dropout() -> None:
    """Twice the same, with the network in evaluation mode; augmentation does not touch them."""
    trainer = Trainer(TINY.replace(dropout=0.9), Batches(images(), CPU), Settings(batch_size=16, augment=True), seed=0)
    for _ in range(30):
        trainer.step(0.3)
    trainer.evaluate()
    sample = trainer.evaluate_training_sample()
    assert sample.images == 48
    assert sample.correct > 40  # with nine of ten features dropped it would be about a third
    assert sample == trainer.evaluate_training_sample()


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_momentum_is_in_nesterovs_form(momentum: float, decay: float) -> None:
    """The first step is 1 + μ times gradient and decay, and does not change the gradient, whose norm is reported."""
    settings = Settings(batch_size=16, momentum=momentum, learning_rate=0.01, schedule="constant", weight_decay=decay)
    trainer = Trainer(TINY, Batches(images(), CPU), settings, seed=0)
    before = [weight.detach().clone() for weight in trainer.model.parameters()]
    trainer.step(0.0)
    for weight, old in zip(trainer.model.parameters(), before, strict=True):
        change = 0.01 * (1 + momentum) * (weight.grad + decay * old)
        torch.testing.assert_close(weight.detach(), old - change, rtol=1e-5, atol=1e-7)


def test_a_large_gradient_is_scaled_down() -> None:
    """To the norm, over all parameters together; a smaller one stays."""
    trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16, clip_norm=0.01), seed=0)
    free = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16, clip_norm=1e6), seed=0)
    norms = []
    for each in (trainer, free):
        each.step(0.5)
        norms.append(torch.cat([parameter.grad.flatten() for parameter in each.model.parameters()]).norm().item())
    assert norms[0] == pytest.approx(0.01, rel=1e-3)
    assert norms[1] > 0.1


@pytest.mark.slow
def test_smoothed_labels_keep_the_probability_from_one() -> None:
    """Training then ends less certain; the loss that is reported is the plain cross-entropy of the same logits."""
    certain, smooth = (
        Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16, label_smoothing=amount), seed=0)
        for amount in (0.0, 0.3)
    )
    assert certain.step(0.25).loss == smooth.step(0.25).loss
    for _ in range(60):
        losses = [trainer.step(0.25).loss.item() for trainer in (certain, smooth)]
    assert losses[0] < 0.1 < losses[1]


def test_small_images_come_first() -> None:
    """With half of the pixels and without the auxiliary heads, whose weights then do not change."""
    trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16, small_images=0.5), seed=0)
    head, stem = trainer.model.aux_3a.fc.weight, trainer.model.stem.conv1.conv.weight
    before, sizes = (head.detach().clone(), stem.detach().clone()), []
    trainer.model.stem.register_forward_pre_hook(lambda _, inputs: sizes.append(tuple(inputs[0].shape[2:])))
    assert {} == trainer.step(0.49).aux_losses
    assert torch.equal(before[0], head)
    assert not torch.equal(before[1], stem)
    assert {"3a"} == trainer.step(0.5).aux_losses.keys()
    assert not torch.equal(before[0], head)
    assert [(8, 8), (12, 12)] == sizes


def test_averaged_weights_are_the_mean_over_the_last_steps(tmp_path: Path) -> None:
    """They are evaluated and saved; training goes on with its own."""
    settings = Settings(batch_size=16, averaging=0.5)
    trainer = Trainer(TINY, Batches(images(), CPU), settings, seed=0)
    plain = Trainer(TINY, Batches(images(), CPU), settings.replace(averaging=0.0), seed=0)
    weight, seen = trainer.model.stem.conv1.conv.weight, []
    for progress in (0.25, 0.5, 0.75):
        trainer.step(progress)
        plain.step(progress)
        seen.append(weight.detach().clone())
    own = weight.detach().clone()
    evaluation = trainer.evaluate()
    assert evaluation.loss != plain.evaluate().loss
    assert torch.equal(own, weight)
    assert torch.equal(own, plain.model.stem.conv1.conv.weight)
    metadata = WeightsMetadata(name="a", facts=images().info, mean=(0.0,), std=(1.0,), seed=0, steps=3, seconds=0.0)
    trainer.save(tmp_path, 0, metadata)
    saved = load_weights(tmp_path / "lane0.weights.safetensors")
    torch.testing.assert_close((seen[1] + seen[2]) / 2, saved.state["stem.conv1.conv.weight"])


def test_running_statistics_are_those_of_training_if_they_are_not_recomputed() -> None:
    """An evaluation does not change them."""
    trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16, precise_batch_norm=False), seed=0)
    trainer.step(0.5)
    lagging = running_statistics(trainer.model.state_dict()).clone()
    trainer.evaluate()
    assert torch.equal(lagging, running_statistics(trainer.model.state_dict()))
    assert 30 == trainer.eval_images


def test_bfloat16_is_close_to_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights stay float32, and the logits come back in float32. ``bf16`` still means CUDA only."""
    monkeypatch.setattr(trainer_module, "computes_bfloat16", lambda device: True)
    losses = {}
    for precision in ("fp32", "bf16", "auto"):
        trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16, precision=precision), seed=0)
        losses[precision] = [trainer.step(0.25).loss.item() for _ in range(8)]
        assert {torch.float32} == {parameter.dtype for parameter in trainer.model.parameters()}
    assert losses["fp32"] == losses["bf16"] != losses["auto"]
    assert losses["auto"] == pytest.approx(losses["fp32"], rel=0.1)


def running_statistics(state: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return all of BatchNorm's running statistics."""
    return torch.cat([tensor for name, tensor in sorted(state.items()) if "running" in name])


def test_saved_weights_can_be_used_before_the_run_ends(tmp_path: Path) -> None:
    """Their running statistics do not lag behind, as in training; after an evaluation they are those it computed."""
    trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16), seed=0)
    for _ in range(3):
        trainer.step(0.5)
    lagging = running_statistics(trainer.model.state_dict()).clone()
    metadata = WeightsMetadata(name="a", facts=images().info, mean=(0.0,), std=(1.0,), seed=0, steps=3, seconds=0.0)
    trainer.save(tmp_path, 0, metadata)
    saved = running_statistics(load_weights(tmp_path / "lane0.weights.safetensors").state)
    trainer.evaluate()
    recomputed = running_statistics(trainer.model.state_dict())
    assert (saved - recomputed).abs().sum() < 0.25 * (lagging - recomputed).abs().sum()
    trainer.save(tmp_path, 0, metadata)
    assert torch.equal(recomputed, running_statistics(load_weights(tmp_path / "lane0.weights.safetensors").state))


def test_batch_norm_statistics_do_not_lag() -> None:
    """After a few large steps running statistics are far off; recomputed they are close to those of a batch."""
    trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16, learning_rate=0.05, augment=False), 0)
    for _ in range(6):
        trainer.step(0.25)
    test = trainer.batches.standardize(trainer.batches.test)

    def distance() -> float:
        """Return how far the logits in evaluation mode are from those in training mode."""
        with torch.no_grad():
            trainer.model.eval()
            in_evaluation = trainer.model(test)
            trainer.model.train()
            for layer in trainer.model.modules():
                if isinstance(layer, torch.nn.Dropout):
                    layer.eval()
            return (in_evaluation - trainer.model(test).logits).norm().item()

    lagging = distance()
    trainer.evaluate()
    assert distance() < 0.5 * lagging
    assert {0.1} == {layer.momentum for layer in trainer.model.modules() if isinstance(layer, torch.nn.BatchNorm2d)}


def test_evaluation_counts_the_predicted_classes() -> None:
    """As a plain count does, image by image; mistakes are ordered by probability."""
    trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16), 0)
    for _ in range(3):
        trainer.step(0.25)
    evaluation = trainer.evaluate()
    with torch.no_grad():
        logits = trainer.model(trainer.batches.standardize(trainer.batches.test))
    labels, probabilities, predicted = images().test_labels, *logits.softmax(1).max(1)
    for row in range(3):
        for column in range(3):
            assert evaluation.confusion[row][column] == sum((labels == row) & (predicted.numpy() == column))
    assert evaluation.accuracy == pytest.approx(np.mean(labels == predicted.numpy()))
    assert evaluation.loss == pytest.approx(F.cross_entropy(logits, torch.tensor(labels)).item(), rel=1e-4)
    wrong = [number for number in range(30) if labels[number] != predicted[number]]
    assert sorted(wrong, key=lambda n: -probabilities[n])[:24] == [mistake.image for mistake in evaluation.mistakes]
    for image, label, predicted_label, probability in evaluation.mistakes:
        assert (labels[image], predicted[image]) == (label, predicted_label)
        assert probabilities[image].item() == pytest.approx(probability, rel=1e-4)


def test_gradients_are_the_norms_of_the_last_step() -> None:
    """Per block, over all its parameters together."""
    trainer = Trainer(TINY, Batches(images(), CPU), Settings(batch_size=16), 0)
    trainer.step(0.5)
    gradients = [parameter.grad for parameter in trainer.model.get_submodule("inception_4a").parameters()]
    assert torch.cat([gradient.flatten() for gradient in gradients]).norm().item() == pytest.approx(
        trainer.gradient_norms()["4a"]
    )


def test_the_auxiliary_losses_are_weighted() -> None:
    """At weight 0 the heads learn nothing."""
    trainer = Trainer(
        TINY.replace(aux=TINY.aux.replace(loss_weight=0.0)), Batches(images(), CPU), Settings(weight_decay=0.0), 0
    )
    before = trainer.model.aux_3a.fc.weight.clone()
    trainer.step(0.5)
    assert torch.equal(before, trainer.model.aux_3a.fc.weight)
