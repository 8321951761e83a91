"""Training, as a loop to be read: a lane is one network that learns; a race steps its lanes through the same batches.

    for event in train(plan, folder):
        print(event)

The loss is that of the paper (Szegedy et al. 2014, arXiv:1409.4842, section 5): the main classifier's cross-entropy
plus the auxiliary heads', weighted. Everything random in a step follows from the seed and the number of the step.

*BatchNorm before evaluation.* A layer of BatchNorm judges with running averages of what it has seen. They lag behind
the weights for some hundred steps, and judging with them looks like chance while the network has long learned. So
before every evaluation the averages are forgotten and taken anew, over CALIBRATION batches of training images and with
the present weights; and before weights are saved, over one batch, as they may be used while the run is only half done.
Training itself never uses them: its course is the same with and without evaluations.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.config import GoogLeNetConfig, UnbuildableError
from explorer.data.datasets import load
from explorer.data.metadata import KEY, WeightsMetadata
from explorer.live.batches import Batches, mix_seed, resize_images
from explorer.live.devices import Device, resolve_device
from explorer.live.model import build_model
from explorer.live.timing import wait
from explorer.live.weights import WeightsError, load_weights, to_safetensors
from explorer.training.checkpoints import rest_name, weights_name
from explorer.training.events import AnyEvent, Diverged, Evaluated, Finished, Misclassification, Started, Stepped
from explorer.training.plan import (
    TRAINING_PASSES,
    Plan,
    Settings,
    effective_learning_rate,
    learning_rate_at,
    trainer_steps,
)
from explorer.training.validation import plan_problems

EVALUATIONS = 10  # in a budget at most, the last at its end
EVALUATION_SHARE = 0.25  # that evaluations on the way may add to the work of training
SAMPLE = 500  # test images of an evaluation on the way; the last one takes all
CALIBRATION = 4  # batches of training images, of JUDGED each
EVAL_BATCH_SIZE = 128  # images at once while evaluating
MISTAKES = 24
GRADIENTS_EVERY = 10  # steps
LAGGING = (
    f"Before each evaluation BatchNorm's averages are taken anew over {CALIBRATION * EVAL_BATCH_SIZE:,} training images, "
    "because its running averages lag behind the weights."
)


class StepMetrics(NamedTuple):
    """What a step of training found, still on the device: losses in nats, and the share told right."""

    loss: Tensor
    aux_losses: dict[str, Tensor]
    accuracy: Tensor


class Evaluation(NamedTuple):
    """What the network says of test images. ``confusion[truth][said]``; ``mistakes`` has the surest first."""

    loss: float
    accuracy: float
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Misclassification, ...]


class Trainer:
    """One network in training, from one seed. ``step`` counts the steps taken, ``seconds`` the time they took."""

    def __init__(self, config: GoogLeNetConfig, batches: Batches, settings: Settings, seed: int) -> None:
        self.config, self.batches, self.settings, self.seed = config, batches, settings, seed
        self.peak = effective_learning_rate(settings, config)
        self.model = build_model(config, batches.device, seed=seed).to(memory_format=torch.channels_last)
        self.optimiser = _optimiser(self.model, settings, self.peak)
        self.count, self.seconds = 0, 0.0
        self._awaited = 0  # the step up to which the device is known to have done all
        self._calibrated = 0  # the step after which BatchNorm's averages were last taken

    @property
    def images(self) -> int:
        """How many images it has seen, each time anew."""
        return self.count * min(self.settings.batch_size, len(self.batches.train))

    @property
    def eval_images(self) -> int:
        """How many images go through the network for an evaluation on the way."""
        calibrated = CALIBRATION * min(EVAL_BATCH_SIZE, len(self.batches.train)) if self._batch_norms() else 0
        return min(SAMPLE, len(self.batches.test)) + calibrated

    def step(self, share: float) -> StepMetrics:
        """Take one step of training at ``share`` of the budget, which sets the learning rate."""
        started = perf_counter()
        settings = self.settings
        images, labels = self.batches.for_step(
            self.seed, self.count, settings.batch_size, augment=settings.augment
        )  # N × C × H × W and N
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(settings, self.peak, share, self.images / len(self.batches.train))
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        torch.manual_seed(mix_seed(self.seed, self.count, 2))  # dropout
        with self._precision():
            out = self.model(resize_images(images, self.config.input_shape[1:]))
            loss = F.cross_entropy(out.logits, labels)
            aux = {tap: F.cross_entropy(logits, labels) for tap, logits in out.aux.items()}
        (loss + self.config.aux.loss_weight * sum(aux.values())).backward()
        self.optimiser.step()
        right = (out.logits.detach().argmax(1) == labels).float().mean()
        self.count += 1
        self.seconds += perf_counter() - started
        return StepMetrics(loss.detach(), {tap: value.detach() for tap, value in aux.items()}, right)

    def catch_up(self) -> None:
        """Wait for the steps that a GPU was asked for and has not done yet: their time is the lane's."""
        if self._awaited != self.count:
            started = perf_counter()
            wait(self.batches.device)
            self.seconds += perf_counter() - started
            self._awaited = self.count

    def gradients(self) -> dict[str, float]:
        """Return the L2 norm of the last step's gradient per block: stem, 3a, …, classifier, aux_4a."""
        blocks: dict[str, list[Tensor]] = {}
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                blocks.setdefault(name.partition(".")[0].removeprefix("inception_"), []).append(parameter.grad)
        norms = torch.stack([torch.stack(torch._foreach_norm(found)).norm() for found in blocks.values()])
        return dict(zip(blocks, norms.tolist(), strict=True))

    @torch.no_grad()
    def evaluate(self, sample: int | None = None) -> Evaluation:
        """Judge the test images, or ``sample`` of them: the same ones each time, from anywhere in the set."""
        self.calibrate()
        self.model.eval()
        chosen = self.batches.sample(sample)
        labels = self.batches.test_labels[chosen]  # N
        logits = torch.cat(
            [self._judged(self.batches.test[part]) for part in chosen.split(EVAL_BATCH_SIZE)]
        )  # N × classes, float32
        surest, said = logits.softmax(1).max(1)
        confusion = torch.zeros(self.config.classes, self.config.classes, dtype=torch.int64, device=labels.device)
        confusion.index_put_((labels, said), torch.ones_like(labels), accumulate=True)
        wrong = (said != labels).nonzero().flatten()
        worst = wrong[surest[wrong].argsort(descending=True, stable=True)[:MISTAKES]]
        columns = (chosen[worst], labels[worst], said[worst], surest[worst])
        return Evaluation(
            F.cross_entropy(logits, labels).item(),
            (said == labels).float().mean().item(),
            tuple(map(tuple, confusion.tolist())),
            tuple(Misclassification(*row) for row in zip(*(column.tolist() for column in columns), strict=True)),
        )

    @torch.no_grad()
    def calibrate(self, batches: int = CALIBRATION, size: int = EVAL_BATCH_SIZE) -> None:
        """Take BatchNorm's averages anew, over batches of training images as they are, with the present weights."""
        self._calibrated = self.count
        layers = self._batch_norms()
        if not layers:
            return
        self.model.eval()
        usual = layers[0].momentum
        for layer in layers:
            layer.reset_running_stats()
            layer.train()
            layer.momentum = None  # a plain mean over the batches
        for number in range(batches):
            chosen = self.batches.chosen(self.seed, number, size)
            with self._precision():
                self.model.forward_with_heads(self._prepared(self.batches.train[chosen]))
        for layer in layers:
            layer.momentum = usual

    @property
    def finite(self) -> bool:
        """Whether all its weights are numbers."""
        return all(bool(parameter.isfinite().all()) for parameter in self.model.parameters())

    def save(self, folder: Path, number: int, about: WeightsMetadata) -> None:
        """Write two files of the lane's ``number``: its weights, of use by themselves, and what else goes on with them.

        They hold everything: the order of images, their variations and dropout follow from the seed and the step.
        BatchNorm's averages are those of the evaluation after the last step, or else of one batch: a third of a step.
        """
        if self._calibrated != self.count:
            self.calibrate(1, self.settings.batch_size)
        (folder / weights_name(number)).write_bytes(to_safetensors(self.model, {KEY: about.model_dump_json()}))
        rest = {"seconds": torch.tensor(self.seconds, dtype=torch.float64), "steps": torch.tensor(self.count)}
        for name, parameter in self.model.named_parameters():
            kept = self.optimiser.state.get(parameter, {})
            rest |= {
                f"{name}/{key}": value.detach().cpu().contiguous() for key, value in kept.items() if value is not None
            }
        save_file(rest, folder / rest_name(number))

    def load(self, folder: Path, number: int) -> None:
        """Go on from these files, exactly. Raises WeightsError when they are damaged or another network's."""
        try:
            weights, rest = load_weights(folder / weights_name(number)), load_file(folder / rest_name(number))
            self.model.load_state_dict(weights.state)
            self.count, self.seconds = int(rest["steps"]), float(rest["seconds"])
            self._awaited = self.count
        except (OSError, SafetensorError, RuntimeError, KeyError) as error:
            raise WeightsError("The checkpoint is damaged, or is another network's.") from error
        for name, parameter in self.model.named_parameters():
            self.optimiser.state[parameter] = {
                key.partition("/")[2]: _like(value, parameter)
                for key, value in rest.items()
                if key.startswith(f"{name}/")
            }

    def _batch_norms(self) -> list[nn.BatchNorm2d]:
        return [layer for layer in self.model.modules() if isinstance(layer, nn.BatchNorm2d)]

    def _prepared(self, pixels: Tensor) -> Tensor:
        return resize_images(self.batches.standardised(pixels), self.config.input_shape[1:])

    def _judged(self, pixels: Tensor) -> Tensor:
        with self._precision():
            return self.model(self._prepared(pixels)).float()

    def _precision(self) -> torch.autocast:
        kind = self.batches.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=self.settings.precision == "bf16" and kind == "cuda")


def _optimiser(model: nn.Module, settings: Settings, rate: float) -> torch.optim.Optimizer:
    """SGD with Nesterov's momentum, or Adam with the weight decay taken apart from the gradient (AdamW).

    Sources: Sutskever et al. 2013 (ICML), section 2; Loshchilov & Hutter 2017, arXiv:1711.05101.
    """
    if settings.optimiser == "adam":
        return torch.optim.AdamW(model.parameters(), rate, weight_decay=settings.weight_decay, foreach=True)
    return torch.optim.SGD(
        model.parameters(),
        rate,
        momentum=settings.momentum,
        nesterov=settings.momentum > 0,
        weight_decay=settings.weight_decay,
        foreach=settings.weight_decay > 0,  # without decay it adds the average into the gradients, which are told
    )


def _like(tensor: Tensor, parameter: Tensor) -> Tensor:
    """Return an optimiser's tensor as it was: on the parameter's device and in its layout; a step count stays put."""
    if tensor.ndim == 0:
        return tensor.clone()
    return torch.empty_like(parameter).copy_(tensor)


class Training(Iterator[AnyEvent]):
    """A plan being carried out. Iterating yields events; between two of them a caller may stop, or save.

    The lane that has used least of its budget steps next. So lanes with equal budgets of steps go in lockstep, and
    with budgets of seconds or MACs each gets as many steps as it can afford, side by side in time.
    """

    def __init__(self, plan: Plan, folder: Path, checkpoint: Path | None = None) -> None:
        images = load(plan.data, folder)
        if found := plan_problems(plan, images.info):
            raise UnbuildableError(found)
        self.plan = plan
        self.place = resolve_device(plan.settings.device)
        _repeatable(self.place)
        self.batches = Batches(images, self.place.torch)
        self.accuracies: dict[int, float] = {}  # of the lanes that have ended
        self.lanes = [
            Trainer(plan.entrants[key.entrant].config, self.batches, plan.settings, key.seed) for key in plan.trainers
        ]
        self.limits = [trainer_steps(plan, entrant, images.info) for entrant, _ in plan.trainers]
        if checkpoint:
            self._load(checkpoint)
        self._events = self._run()

    def __next__(self) -> AnyEvent:
        return next(self._events)

    def progress(self, number: int) -> float:
        """Return how much of its budget a lane has used, 0 to 1."""
        lane, limit = self.lanes[number], self.limits[number]
        return min(1.0, lane.seconds / self.plan.budget.amount if limit is None else lane.count / limit)

    def save(self, folder: Path) -> dict[int, int]:
        """Write all that is needed to go on from here into a folder: two files per lane. Return the steps of the lanes.

        A step can leave weights that are no numbers before the next loss tells so. A lane with such is left out.
        """
        for lane in self.lanes:
            lane.catch_up()
        good = {number: lane for number, lane in enumerate(self.lanes) if lane.finite}
        for number, lane in good.items():
            lane.save(folder, number, self._about(number))
        return {number: lane.count for number, lane in good.items()}

    def _load(self, checkpoint: Path) -> None:
        """Let each lane that the checkpoint holds go on from there; the others begin."""
        if not checkpoint.is_dir():
            raise WeightsError("The checkpoint is no longer there.")
        for number, lane in enumerate(self.lanes):
            if (checkpoint / weights_name(number)).exists():
                lane.load(checkpoint, number)

    def _about(self, number: int) -> WeightsMetadata:
        lane, batches = self.lanes[number], self.batches
        return WeightsMetadata(
            name=self.plan.entrants[self.plan.trainers[number].entrant].name,
            facts=batches.facts,
            mean=tuple(batches.mean.tolist()),
            std=tuple(batches.deviation.tolist()),
            seed=lane.seed,
            steps=lane.count,
            seconds=lane.seconds,
            accuracy=self.accuracies.get(number),
        )

    def _run(self) -> Iterator[AnyEvent]:
        for number in range(len(self.lanes)):
            yield self._started(number)
        running = set(range(len(self.lanes)))
        while running:
            number = min(running, key=lambda lane: (self.progress(lane), lane))
            if self.progress(number) >= 1:
                yield from self._ended(number)
                running.remove(number)
                continue
            for event in self._stepped(number):
                yield event
                if isinstance(event, Diverged):
                    running.remove(number)

    def _stepped(self, number: int) -> Iterator[AnyEvent]:
        """Take a step and tell of it; evaluate where a tenth of the budget is full."""
        lane, before = self.lanes[number], self.progress(number)
        told = lane.step(before)
        if lane.count % _told_every(self.place.torch.type, len(self.lanes)) == 0:
            lane.catch_up()
            loss = told.loss.item()
            if not math.isfinite(loss):
                yield Diverged(**self._at(number), message=_diverged(lane))
                return
            gradients = lane.gradients() if lane.count % GRADIENTS_EVERY == 0 or lane.count == 1 else {}
            yield Stepped(
                **self._at(number),
                loss=loss,
                aux_losses={tap: value.item() for tap, value in told.aux_losses.items()},
                accuracy=told.accuracy.item(),
                learning_rate=lane.optimiser.param_groups[0]["lr"],
                gradients={block: norm for block, norm in gradients.items() if math.isfinite(norm)},
            )
        if self._is_due(number, before):
            yield self._evaluated(number, final=False)

    def _is_due(self, number: int, before: float) -> bool:
        """Say whether a tenth of the budget has just been filled, and as many of them as an evaluation is worth."""
        lane, after = self.lanes[number], self.progress(number)
        tenths = math.floor(EVALUATIONS * after)
        if tenths == math.floor(EVALUATIONS * before) or after >= 1:
            return False
        worth = lane.eval_images / (TRAINING_PASSES * EVALUATION_SHARE * lane.images / (EVALUATIONS * after))
        return tenths % max(1, math.ceil(worth)) == 0

    def _ended(self, number: int) -> Iterator[AnyEvent]:
        evaluated = self._evaluated(number, final=True)
        yield evaluated
        if isinstance(evaluated, Evaluated):
            self.accuracies[number] = evaluated.accuracy
            yield Finished(**self._at(number), accuracy=evaluated.accuracy)

    def _evaluated(self, number: int, *, final: bool) -> Evaluated | Diverged:
        """Judge a lane. Weights that are numbers can still be so large that the loss is none."""
        lane = self.lanes[number]
        lane.catch_up()
        found = lane.evaluate(None if final else SAMPLE)
        if not math.isfinite(found.loss):
            return Diverged(**self._at(number), message=_diverged(lane))
        return Evaluated(**self._at(number), **found._asdict(), final=final)

    def _started(self, number: int) -> Started:
        lane, notes = self.lanes[number], []
        if self.place.note:
            notes.append(self.place.note)
        if lane.config.normalisation == "batch_norm":
            notes.append(LAGGING)
        if self.plan.settings.precision == "bf16" and self.place.torch.type != "cuda":
            notes.append("bfloat16 is used on CUDA alone: this runs in float32.")
        return Started(
            **self._at(number),
            device=self.place.name,
            learning_rate=lane.peak,
            parameters=sum(parameter.numel() for parameter in lane.model.parameters()),
            notes=tuple(notes),
        )

    def _at(self, number: int) -> dict[str, float]:
        lane = self.lanes[number]
        return {
            "lane": number,
            "step": lane.count,
            "seconds": lane.seconds,
            "images": lane.images,
            "share": self.progress(number),
        }


def train(plan: Plan, folder: Path, checkpoint: Path | None = None) -> Training:
    """Return the events of a plan, one after another, as it is carried out. ``folder`` is the data directory.

    ``checkpoint`` is a folder that :meth:`Training.save` wrote for this plan. Raises UnbuildableError with the problems
    of a plan that cannot be run, DataError where the images are not there, and WeightsError for a checkpoint that does
    not belong to the plan, all before anything is trained.
    """
    return Training(plan, folder, checkpoint)


def _repeatable(place: Device) -> None:
    """Let cuDNN take only algorithms that give the same bits each time."""
    if place.torch.type == "cuda":
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False


def _told_every(device: str, lanes: int) -> int:
    """Return after how many steps one is told: to read its numbers is to wait for the GPU.

    Where several lanes take turns each step is waited for, or one would pay for the time of another.
    """
    return 10 if device == "cuda" and lanes == 1 else 1


def _diverged(lane: Trainer) -> str:
    rate = lane.optimiser.param_groups[0]["lr"]
    return (
        f"At step {lane.count:,} the loss was no longer a number: the weights grew without bound at the learning rate "
        f"{rate:.2g}. Take a smaller one, or BatchNorm."
    )
