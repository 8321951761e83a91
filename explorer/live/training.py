"""The training loop: a run trains one network, a race several, each with its own budget.

for event in train(plan, folder):
    print(event)
"""

import math
from collections.abc import Iterator
from pathlib import Path

import torch

from explorer.data.datasets import load
from explorer.data.weight_files import WeightsMetadata
from explorer.errors import UnbuildableError
from explorer.live.batches import Batches
from explorer.live.devices import Device, resolve_device
from explorer.live.trainer import CALIBRATION_BATCHES, EVAL_BATCH_SIZE, Trainer
from explorer.live.weights import WeightsError
from explorer.training.checkpoints import weights_filename
from explorer.training.events import AnyEvent, Diverged, Evaluated, Finished, ImageResults, Position, Started, Stepped
from explorer.training.plan import INTERIM_TEST_IMAGES, TRAINING_PASSES, Plan, trainer_steps
from explorer.training.validation import plan_problems

EVALUATIONS = 10  # in a budget at most, the last at its end
EVALUATION_FRACTION = 0.25  # of the work of training, which interim evaluations may add
GRADIENT_INTERVAL = 10  # steps
BATCH_NORM_NOTE = (
    "Before each evaluation BatchNorm's running statistics are recomputed over {images:,} training images, because "
    "they lag behind the weights."
)


class Training(Iterator[AnyEvent]):
    """The training of a plan. Iterating yields events; between two of them a caller may stop, or save.

    The trainer that has used the smallest fraction of its budget steps next. So trainers with equal budgets of steps
    step in turn, and with budgets of seconds or MACs each takes as many steps as its budget allows, side by side.
    """

    def __init__(
        self, plan: Plan, folder: Path, checkpoint: Path | None = None, batches: Batches | None = None
    ) -> None:
        self.plan = plan
        self.device = resolve_device(plan.settings.device)
        _make_deterministic(self.device)
        self.batches = batches or _load_batches(plan, folder, self.device)
        if found := plan_problems(plan, self.batches.info):
            raise UnbuildableError(found)
        self.accuracies: dict[int, float] = {}  # by the index of the trainer, of those that have finished
        self._diverged_trainers: set[int] = set()
        self.trainers = [
            Trainer(plan.networks[key.network].config, self.batches, plan.settings_of(key.network), key.seed)
            for key in plan.trainers
        ]
        self.step_limits = [trainer_steps(plan, network, self.batches.info) for network, _ in plan.trainers]
        if checkpoint:
            self._load(checkpoint)
        self._events = self._run()

    def __next__(self) -> AnyEvent:
        return next(self._events)

    def progress(self, index: int) -> float:
        """Return the fraction of its budget that a trainer has used, 0 to 1."""
        trainer, limit = self.trainers[index], self.step_limits[index]
        return min(1.0, trainer.seconds / self.plan.budget.amount if limit is None else trainer.steps / limit)

    def save(self, folder: Path) -> dict[int, int]:
        """Write all that is needed to resume from here into a folder: two files per trainer. Return their steps.

        A trainer that has diverged is not written, nor one whose weights are not finite: a step can leave such weights
        before the next loss shows it.
        """
        for trainer in self.trainers:
            trainer.synchronize()
        saved = {
            index: trainer
            for index, trainer in enumerate(self.trainers)
            if index not in self._diverged_trainers and trainer.has_finite_weights
        }
        for index, trainer in saved.items():
            trainer.save(folder, index, self._metadata(index))
        return {index: trainer.steps for index, trainer in saved.items()}

    def _load(self, checkpoint: Path) -> None:
        """Resume each trainer that the checkpoint contains; the others start from the beginning."""
        if not checkpoint.is_dir():
            raise WeightsError("The checkpoint no longer exists.")
        for index, trainer in enumerate(self.trainers):
            if (checkpoint / weights_filename(index)).exists():
                trainer.load(checkpoint, index)

    def _metadata(self, index: int) -> WeightsMetadata:
        trainer, batches = self.trainers[index], self.batches
        return WeightsMetadata(
            name=self.plan.networks[self.plan.trainers[index].network].name,
            facts=batches.info,
            mean=tuple(batches.mean.tolist()),
            std=tuple(batches.std.tolist()),
            seed=trainer.seed,
            steps=trainer.steps,
            seconds=trainer.seconds,
            accuracy=self.accuracies.get(index),
        )

    def _run(self) -> Iterator[AnyEvent]:
        for index in range(len(self.trainers)):
            yield self._started(index)
        running = set(range(len(self.trainers)))
        while running:
            index = min(running, key=lambda index: (self.progress(index), index))
            if self.progress(index) >= 1:
                yield from self._finish(index)
                running.remove(index)
                continue
            for event in self._step(index):
                yield event
                if isinstance(event, Diverged):
                    running.remove(index)

    def _step(self, index: int) -> Iterator[AnyEvent]:
        """Take a step and yield its event; evaluate when another tenth of the budget is used."""
        trainer, progress_before = self.trainers[index], self.progress(index)
        metrics = trainer.step(progress_before)
        if trainer.steps % _report_interval(self.device.torch.type, len(self.trainers)) == 0:
            trainer.synchronize()
            loss = metrics.loss.item()
            if not math.isfinite(loss):
                yield self._diverged(index)
                return
            gradients = trainer.gradient_norms() if trainer.steps % GRADIENT_INTERVAL == 0 or trainer.steps == 1 else {}
            yield Stepped(
                **self._position(index),
                loss=loss,
                aux_losses={tap: value.item() for tap, value in metrics.aux_losses.items()},
                accuracy=metrics.accuracy.item(),
                learning_rate=trainer.learning_rate,
                gradients={block: norm for block, norm in gradients.items() if math.isfinite(norm)},
            )
        if self._is_evaluation_due(index, progress_before):
            yield self._evaluate(index, final=False)

    def _is_evaluation_due(self, index: int, progress_before: float) -> bool:
        """Return whether the step completed a tenth of the budget, and training has paid for an evaluation."""
        trainer, progress = self.trainers[index], self.progress(index)
        tenths = math.floor(EVALUATIONS * progress)
        if tenths == math.floor(EVALUATIONS * progress_before) or progress >= 1:
            return False
        images_per_tenth = TRAINING_PASSES * EVALUATION_FRACTION * trainer.images / (EVALUATIONS * progress)
        return tenths % max(1, math.ceil(trainer.eval_images / images_per_tenth)) == 0

    def _finish(self, index: int) -> Iterator[AnyEvent]:
        event = self._evaluate(index, final=True)
        yield event
        if isinstance(event, Evaluated):
            self.accuracies[index] = event.accuracy
            yield Finished(**self._position(index), accuracy=event.accuracy)

    def _evaluate(self, index: int, *, final: bool) -> Evaluated | Diverged:
        """Evaluate a trainer. Finite weights can be so large that the loss is not finite."""
        trainer = self.trainers[index]
        trainer.synchronize()
        evaluation = trainer.evaluate(None if final else INTERIM_TEST_IMAGES)
        if not math.isfinite(evaluation.loss):
            return self._diverged(index)
        return Evaluated(
            **self._position(index),
            loss=evaluation.loss,
            accuracy=evaluation.accuracy,
            confusion=evaluation.confusion,
            mistakes=evaluation.mistakes,
            final=final,
            results=ImageResults.pack(self.batches.test_set, evaluation.correct) if final else None,
            training_sample=trainer.evaluate_training_sample() if final and self._epochs(index) >= 1 else None,
        )

    def _epochs(self, index: int) -> float:
        return self.trainers[index].images / len(self.batches.train)

    def _started(self, index: int) -> Started:
        trainer = self.trainers[index]
        notes = [self.device.note] if self.device.note else []
        if trainer.config.normalisation == "batch_norm" and trainer.settings.precise_batch_norm:
            calibration = min(CALIBRATION_BATCHES * EVAL_BATCH_SIZE, len(self.batches.train))
            notes.append(BATCH_NORM_NOTE.format(images=calibration))
        if trainer.settings.precision == "bf16" and self.device.torch.type != "cuda":
            notes.append("bfloat16 is used on CUDA only: this runs in float32.")
        return Started(
            **self._position(index),
            device=self.device.name,
            learning_rate=trainer.peak_learning_rate,
            parameters=sum(parameter.numel() for parameter in trainer.model.parameters()),
            notes=tuple(notes),
        )

    def _diverged(self, index: int) -> Diverged:
        trainer = self.trainers[index]
        self._diverged_trainers.add(index)
        message = (
            f"At step {trainer.steps:,} the loss was not finite: the weights grew without limit at the learning rate "
            f"{trainer.learning_rate:.2g}. Use a smaller one, or BatchNorm."
        )
        return Diverged(**self._position(index), message=message)

    def _position(self, index: int) -> Position:
        trainer = self.trainers[index]
        return {
            "trainer": index,
            "step": trainer.steps,
            "seconds": trainer.seconds,
            "images": trainer.images,
            "progress": self.progress(index),
        }


def train(plan: Plan, folder: Path, checkpoint: Path | None = None) -> Training:
    """Return an iterator over the events of a plan, which trains as it is iterated. ``folder`` is the data directory.

    ``checkpoint`` is a folder that :meth:`Training.save` wrote for this plan. Raises UnbuildableError with the problems
    of the plan, DataError for missing images, and WeightsError for a checkpoint that does not belong to the plan, all
    before anything is trained.
    """
    return Training(plan, folder, checkpoint)


def _load_batches(plan: Plan, folder: Path, device: Device) -> Batches:
    """Load the images of a plan that can run. Raises UnbuildableError before they are copied to the device."""
    images = load(plan.data, folder)
    if found := plan_problems(plan, images.info):
        raise UnbuildableError(found)
    return Batches(images, device.torch)


def _make_deterministic(device: Device) -> None:
    """Let cuDNN use only algorithms that give the same bits each time."""
    if device.torch.type == "cuda":
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False


def _report_interval(device: str, trainers: int) -> int:
    """Return every how many steps there is an event: reading the metrics waits for the GPU.

    Where several trainers take turns, every step is waited for; otherwise one would be charged for another's time.
    """
    return 10 if device == "cuda" and trainers == 1 else 1
