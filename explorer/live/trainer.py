"""One network in training: its steps, its evaluation, and the files to resume from.

The loss is that of the paper (Szegedy et al. 2014, arXiv:1409.4842, section 5): the main classifier's cross-entropy
plus the auxiliary heads', weighted. Everything random in a step follows from the seed and the number of the step.

*BatchNorm before evaluation.* In evaluation BatchNorm uses running statistics. They lag behind the weights for some
hundred steps, and with them the accuracy looks like chance long after the network has learned. So the running
statistics are recomputed before every evaluation, over CALIBRATION_BATCHES batches of training images with the
current weights, and before weights are saved, over one batch, because the weights may be used before the run ends.
Training itself never uses them: it is the same with and without evaluations.
"""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.config import GoogLeNetConfig
from explorer.data.weight_files import METADATA_KEY, WeightsMetadata
from explorer.live.averaging import WeightAverage
from explorer.live.batches import Batches, mix_seed, resize_images
from explorer.live.devices import computes_bfloat16
from explorer.live.model import GoogLeNetOutput, build_model
from explorer.live.timing import synchronize
from explorer.live.weights import WeightsError, load_weights, to_safetensors
from explorer.training.checkpoints import training_state_filename, weights_filename
from explorer.training.events import Misclassification, TrainingSample
from explorer.training.plan import (
    INTERIM_TEST_IMAGES,
    Settings,
    effective_learning_rate,
    learning_rate_at,
    small_size,
)

CALIBRATION_BATCHES = 4  # batches of training images, of EVAL_BATCH_SIZE each
EVAL_BATCH_SIZE = 128
MAX_MISTAKES = 24
_PRESENT, _AVERAGED_STEPS = "present/", "averaged_steps"  # names in the state of a checkpoint
TRAINING_SAMPLE = 2_000  # training images that are evaluated at the end


class StepMetrics(NamedTuple):
    """The metrics of a step, still on the device: losses in nats, accuracy as a fraction of the batch."""

    loss: Tensor
    aux_losses: dict[str, Tensor]
    accuracy: Tensor


class Evaluation(NamedTuple):
    """The metrics of test images, as in :class:`explorer.training.events.Evaluated`.

    ``correct``: whether each image was classified correctly.
    """

    loss: float
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Misclassification, ...]
    correct: tuple[bool, ...]


class Trainer:
    """One network in training, from one seed. It has taken ``steps`` steps, which took ``seconds``."""

    def __init__(self, config: GoogLeNetConfig, batches: Batches, settings: Settings, seed: int) -> None:
        self.config, self.batches, self.settings, self.seed = config, batches, settings, seed
        self.peak_learning_rate = effective_learning_rate(settings, config)
        self.model = build_model(config, batches.device, seed=seed, initialisation=settings.initialisation)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
        self.optimiser = _optimiser(self.model, settings, self.peak_learning_rate)
        self.small_size = small_size(config) if settings.small_images else None
        self.average: WeightAverage | None = None
        self.steps, self.seconds = 0, 0.0
        self._synchronized_step = 0  # up to here the device has done all steps
        self._calibrated_step = 0  # after this step BatchNorm's running statistics were recomputed

    @property
    def images(self) -> int:
        """The number of training images that it has seen, counting repetitions."""
        return self.steps * min(self.settings.batch_size, len(self.batches.train))

    @property
    def eval_images(self) -> int:
        """The number of images that go through the network for an interim evaluation."""
        recomputes = self._batch_norms() and self.settings.precise_batch_norm
        calibration = CALIBRATION_BATCHES * min(EVAL_BATCH_SIZE, len(self.batches.train)) if recomputes else 0
        return min(INTERIM_TEST_IMAGES, len(self.batches.test)) + calibration

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimiser.param_groups[0]["lr"])

    def step(self, progress: float) -> StepMetrics:
        """Take one step. The learning rate depends on ``progress``, the fraction of the budget that is used."""
        started = perf_counter()
        settings = self.settings
        images, labels = self.batches.for_step(
            self.seed, self.steps, settings.batch_size, augment=settings.augment, mirror=settings.mirror
        )  # N × C × H × W and N
        for group in self.optimiser.param_groups:
            epochs = self.images / len(self.batches.train)
            group["lr"] = learning_rate_at(settings, self.peak_learning_rate, progress, epochs)
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        torch.manual_seed(mix_seed(self.seed, self.steps, 2))  # dropout
        output = self._forward(images, progress)
        loss = F.cross_entropy(output.logits, labels, label_smoothing=settings.label_smoothing)
        for logits in output.aux.values():
            aux_loss = F.cross_entropy(logits, labels, label_smoothing=settings.label_smoothing)
            loss = loss + self.config.aux.loss_weight * aux_loss
        torch.autograd.backward(loss)
        if settings.clip_norm:
            nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip_norm)
        self.optimiser.step()
        if progress >= 1 - settings.averaging:
            self.average = self.average or WeightAverage(self.model)
            self.average.add(self.model)
        self.steps += 1
        metrics = _metrics(output, labels)
        self.seconds += perf_counter() - started
        return metrics

    def _forward(self, images: Tensor, progress: float) -> GoogLeNetOutput:
        """Return the logits in float32. While images are small the auxiliary heads do not take part."""
        with self._precision():
            if self.small_size and progress < self.settings.small_images:
                output = GoogLeNetOutput(self.model.forward_without_heads(resize_images(images, self.small_size)), {})
            else:
                output = self.model.forward_with_heads(resize_images(images, self.config.input_shape[1:]))
        return GoogLeNetOutput(output.logits.float(), {tap: logits.float() for tap, logits in output.aux.items()})

    def synchronize(self) -> None:
        """Wait until a GPU has done all steps, and count the time as time of training."""
        if self._synchronized_step != self.steps:
            started = perf_counter()
            synchronize(self.batches.device)
            self.seconds += perf_counter() - started
            self._synchronized_step = self.steps

    def gradient_norms(self) -> dict[str, float]:
        """Return the L2 norm of the last step's gradient per block: stem, 3a, …, classifier, aux_4a."""
        blocks: dict[str, list[Tensor]] = {}
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                blocks.setdefault(name.partition(".")[0].removeprefix("inception_"), []).append(parameter.grad)
        norms = torch.stack([torch.stack(torch._foreach_norm(gradients)).norm() for gradients in blocks.values()])
        return dict(zip(blocks, norms.tolist(), strict=True))

    def evaluate(self, sample: int | None = None) -> Evaluation:
        """Evaluate all test images, or a ``sample`` of so many: the same ones each time, from the whole set.

        If weights are averaged, those are evaluated.
        """
        with self._result_weights():
            self.recompute_batch_norm()
            return self._evaluate(sample)

    def _result_weights(self) -> AbstractContextManager[None]:
        """Return a context in which the model has the weights that training results in until now."""
        return self.average.applied(self.model) if self.average else nullcontext()

    @torch.no_grad()
    def _evaluate(self, sample: int | None) -> Evaluation:
        self.model.eval()
        indices = self.batches.test_indices(sample)
        labels = self.batches.test_labels[indices]  # N
        logits = torch.cat(
            [self._logits(self.batches.test[part]) for part in torch.split(indices, EVAL_BATCH_SIZE)]
        )  # N × classes, float32
        probabilities, predicted = logits.softmax(1).max(1)
        confusion = torch.zeros(self.config.classes, self.config.classes, dtype=torch.int64, device=labels.device)
        confusion.index_put_((labels, predicted), torch.ones_like(labels), accumulate=True)
        wrong = (predicted != labels).nonzero().flatten()
        worst = wrong[probabilities[wrong].argsort(descending=True, stable=True)[:MAX_MISTAKES]]
        columns = (indices[worst], labels[worst], predicted[worst], probabilities[worst])
        return Evaluation(
            F.cross_entropy(logits, labels).item(),
            (predicted == labels).float().mean().item(),
            tuple(map(tuple, confusion.tolist())),
            tuple(Misclassification(*row) for row in zip(*(column.tolist() for column in columns), strict=True)),
            tuple((predicted == labels).tolist()),
        )

    @torch.no_grad()
    def evaluate_training_sample(self) -> TrainingSample:
        """Evaluate a sample of training images as test images are: without dropout and augmentation.

        Call it after :meth:`evaluate`, which recomputes BatchNorm's running statistics.
        """
        self.model.eval()
        indices = self.batches.training_sample(TRAINING_SAMPLE)
        with self._result_weights():
            correct = sum(
                int((self._logits(self.batches.train[part]).argmax(1) == self.batches.train_labels[part]).sum())
                for part in torch.split(indices, EVAL_BATCH_SIZE)
            )
        return TrainingSample(len(indices), correct)

    @torch.no_grad()
    def recompute_batch_norm(self, batches: int = CALIBRATION_BATCHES, size: int = EVAL_BATCH_SIZE) -> None:
        """Recompute BatchNorm's running statistics with the current weights, over batches of training images."""
        self._calibrated_step = self.steps
        layers = self._batch_norms()
        if not layers or not self.settings.precise_batch_norm:
            return
        self.model.eval()
        momentum = layers[0].momentum
        for layer in layers:
            layer.reset_running_stats()
            layer.train()
            layer.momentum = None  # a plain mean over the batches
        for number in range(batches):
            indices = self.batches.batch_indices(self.seed, number, size)
            with self._precision():
                self.model.forward_with_heads(self._preprocess(self.batches.train[indices]))
        for layer in layers:
            layer.momentum = momentum

    @property
    def has_finite_weights(self) -> bool:
        """Whether all its weights are finite."""
        return all(bool(parameter.isfinite().all()) for parameter in self.model.parameters())

    def save(self, folder: Path, index: int, metadata: WeightsMetadata) -> None:
        """Write the two files of the trainer ``index``: its weights, and what else it needs to resume.

        They contain everything: the order of images, their augmentation and dropout follow from the seed and the step.
        BatchNorm's statistics are those of the evaluation after the last step, or else of one batch, which takes a
        third of a step. If weights are averaged, the file of weights has those, and the other the present ones.
        """
        with self._result_weights():
            if self._calibrated_step != self.steps:
                self.recompute_batch_norm(1, self.settings.batch_size)
            weights = to_safetensors(self.model, {METADATA_KEY: metadata.model_dump_json()})
        (folder / weights_filename(index)).write_bytes(weights)
        state = {"seconds": torch.tensor(self.seconds, dtype=torch.float64), "steps": torch.tensor(self.steps)}
        for name, parameter in self.model.named_parameters():
            state |= {
                f"{name}/{key}": value.detach().cpu().contiguous()
                for key, value in self.optimiser.state.get(parameter, {}).items()
                if value is not None
            }
            if self.average:
                state[f"{_PRESENT}{name}"] = parameter.detach().cpu().contiguous()
        if self.average:
            state[_AVERAGED_STEPS] = torch.tensor(self.average.steps)
        save_file(state, folder / training_state_filename(index))

    def load(self, folder: Path, index: int) -> None:
        """Resume from these files exactly. Raises WeightsError when they are damaged or another network's."""
        try:
            weights = load_weights(folder / weights_filename(index))
            state = load_file(folder / training_state_filename(index))
            self.model.load_state_dict(weights.state)
            self.steps, self.seconds = int(state["steps"]), float(state["seconds"])
            self._synchronized_step = self.steps
            if _AVERAGED_STEPS in state:
                self._load_average(state)
        except (OSError, SafetensorError, RuntimeError, KeyError) as error:
            raise WeightsError("The checkpoint is damaged, or is another network's.") from error
        for name, parameter in self.model.named_parameters():
            self.optimiser.state[parameter] = {
                key.partition("/")[2]: _like(value, parameter)
                for key, value in state.items()
                if key.startswith(f"{name}/")
            }

    @torch.no_grad()
    def _load_average(self, state: dict[str, Tensor]) -> None:
        """Take the model's weights as the average, and the present ones from the checkpoint."""
        self.average = WeightAverage(self.model)
        self.average.add(self.model)
        self.average.steps = int(state[_AVERAGED_STEPS])
        for name, parameter in self.model.named_parameters():
            parameter.copy_(state[f"{_PRESENT}{name}"])

    def _batch_norms(self) -> list[nn.BatchNorm2d]:
        return [layer for layer in self.model.modules() if isinstance(layer, nn.BatchNorm2d)]

    def _preprocess(self, pixels: Tensor) -> Tensor:
        return resize_images(self.batches.standardize(pixels), self.config.input_shape[1:])

    def _logits(self, pixels: Tensor) -> Tensor:
        with self._precision():
            logits: Tensor = self.model(self._preprocess(pixels))
        return logits.float()

    def _precision(self) -> torch.autocast:
        device = self.batches.device
        enabled = {
            "fp32": False,
            "bf16": device.type == "cuda",
            "auto": computes_bfloat16(device),
        }
        return torch.autocast(device.type, torch.bfloat16, enabled=enabled[self.settings.precision])


def _metrics(output: GoogLeNetOutput, labels: Tensor) -> StepMetrics:
    """Return the metrics of a step's output. The losses are the cross-entropy without label smoothing."""
    logits, aux = output.logits.detach(), {tap: logits.detach() for tap, logits in output.aux.items()}
    return StepMetrics(
        F.cross_entropy(logits, labels),
        {tap: F.cross_entropy(aux_logits, labels) for tap, aux_logits in aux.items()},
        (logits.argmax(1) == labels).float().mean(),
    )


def _optimiser(model: nn.Module, settings: Settings, learning_rate: float) -> torch.optim.Optimizer:
    """Return SGD with Nesterov's momentum, or Adam with weight decay decoupled from the gradient (AdamW).

    Sources: Sutskever et al. 2013 (ICML), section 2; Loshchilov & Hutter 2017, arXiv:1711.05101.
    """
    if settings.optimiser == "adam":
        return torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=settings.weight_decay, fused=True)
    optimiser = torch.optim.SGD(
        model.parameters(),
        learning_rate,
        momentum=settings.momentum,
        nesterov=settings.momentum > 0,
        weight_decay=settings.weight_decay,
        fused=True,  # one pass over the weights instead of one per operation
    )
    if settings.momentum:  # fused needs all of them at each step, also of heads that have no gradient yet
        for parameter in model.parameters():
            optimiser.state[parameter] = {"momentum_buffer": torch.zeros_like(parameter)}
    return optimiser


def _like(tensor: Tensor, parameter: Tensor) -> Tensor:
    """Return an optimiser's tensor on the parameter's device, in its memory layout; a step count stays on the CPU."""
    if tensor.ndim == 0:
        return tensor.clone()
    return torch.empty_like(parameter).copy_(tensor)
