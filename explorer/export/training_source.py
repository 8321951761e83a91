"""Export a network with its training as one PyTorch source file that repeats a run outside the app.

The file has the network of :mod:`explorer.export.source`, the loss with its named auxiliary heads, the order of the
images and the loop. On the same device, with the same PyTorch and number of threads, its losses are those of the run.
Only what the settings use is in it. Free of torch.
"""

from collections.abc import Iterator

from explorer.export.source import to_source
from explorer.history import Version
from explorer.training.plan import INITIAL_RATE_FRACTION, Plan, Settings, effective_learning_rate, small_size

CALIBRATION = (4, 128)  # batches of training images, and their size, for BatchNorm's statistics; as in live/trainer.py

_HEADER = '''
# ── training ──────────────────────────────────────────────────────────────────────────────────────────────────────────

SEED, STEPS, BATCH_SIZE = {seed}, {steps}, {batch_size}
LEARNING_RATE = {rate!r}
SIZE = {size!r}  # height and width of the network's input
{small_size}HEAD_WEIGHT = {head_weight!r}  # of each auxiliary head's loss


def mix_seed(number: int, purpose: int) -> int:
    """Return a seed from SEED, a step or epoch, and a purpose: order of images 0, augmentation 1, dropout 2."""
    return (SEED * 1_000_003 + number) * 8 + purpose


class Images:
    """The images of an .npz file with the arrays train, train_labels, test, test_labels (N × C × H × W, uint8)."""

    def __init__(self, path: str) -> None:
        with np.load(path) as arrays:
            self.train, self.test = (
                torch.from_numpy(np.array(arrays[part].transpose(0, 2, 3, 1), order="C")) for part in ("train", "test")
            )  # N × H × W × C
            self.train_labels, self.test_labels = (
                torch.from_numpy(arrays[f"{{part}}_labels"].astype(np.int64)) for part in ("train", "test")
            )
        channels = range(self.train.shape[3])
        counts = torch.stack([torch.bincount(self.train[..., c].flatten(), minlength=256) for c in channels]).double()
        fractions, values = counts / counts.sum(1, keepdim=True), torch.arange(256, dtype=torch.float64) / 255
        mean = fractions @ values
        std = (fractions @ values.square() - mean.square()).clamp(min=1e-6).sqrt()
        self.mean, self.std = mean.float(), std.float()

    def indices(self, step: int, size: int) -> Tensor:
        """Return the indices of a step's images: whole batches, in a new order each epoch."""
        size = min(size, len(self.train))
        epoch, position = divmod(step, len(self.train) // size)
        generator = torch.Generator().manual_seed(mix_seed(epoch, 0))
        return torch.randperm(len(self.train), generator=generator)[position * size : (position + 1) * size]

    def standardize(self, pixels: Tensor, size: tuple[int, int] = SIZE) -> Tensor:
        """N × H × W × C bytes → N × C × size numbers with mean 0 and deviation 1, channels last in memory."""
        images = ((pixels.float() / 255 - self.mean) / self.std).permute(0, 3, 1, 2)
        if images.shape[2:] != size:
            images = F.interpolate(images, size, mode="bilinear", antialias=True)
            images = images.contiguous(memory_format=torch.channels_last)
        return images
'''

_AUGMENT = '''
def augment(images: Images, indices: Tensor, step: int) -> Tensor:
    """Return training images mirrored at random and shifted by up to {shift} pixels; the border is repeated."""
    count, (height, width) = len(indices), images.train.shape[1:3]
    generator = torch.Generator().manual_seed(mix_seed(step, 1))
    shift = torch.randint(-{shift}, {shift} + 1, (2, count, 1), generator=generator)
    mirror = torch.rand(count, 1, generator=generator) < 0.5
    rows = (torch.arange(height) + shift[0]).clamp(0, height - 1)
    columns = (torch.arange(width) + shift[1]).clamp(0, width - 1)
    columns = torch.where(mirror, columns.flip(1), columns)
    return images.train[indices[:, None, None], rows[:, :, None], columns[:, None, :]]
'''

_HE = """nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)"""
_CAFFE = """bound = sqrt(3 / layer.weight[0].numel())
            layer.weight.uniform_(-bound, bound, generator=generator)
            if layer.bias is not None:
                layer.bias.fill_(0.0 if name == "classifier.fc" or name.endswith(".classifier") else 0.2)"""

_INITIALISE = '''
@torch.no_grad()
def initialise(model: nn.Module) -> None:
    """{title}"""
    generator = torch.Generator().manual_seed(SEED)
    for {name}, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            {body}
'''

_SCHEDULES = {
    "one_cycle": '''
def learning_rate(step: int) -> float:
    """Rise to LEARNING_RATE in the first {warm_up:g} of the steps, then fall to 0 along a cosine."""
    progress = step / STEPS
    if progress < {warm_up!r}:
        return LEARNING_RATE * ({initial!r} + {rising!r} * progress / {warm_up!r})
    return LEARNING_RATE * (1 + cos(pi * (progress - {warm_up!r}) / (1 - {warm_up!r}))) / 2
''',
    "paper": '''
def learning_rate(step: int, epochs: float) -> float:
    """Fall by 4 % every 8 epochs."""
    return LEARNING_RATE * float(0.96 ** (epochs // 8))
''',
    "constant": '''
def learning_rate(step: int) -> float:
    """Stay the same."""
    return LEARNING_RATE
''',
}

_TRAIN = '''
def train(model: nn.Module, images: Images) -> Iterator[float]:
    """Train the model and yield the main classifier's cross-entropy of each step."""
    optimiser = {optimiser}
{prepare}    for step in range(STEPS):
        indices = images.indices(step, BATCH_SIZE)
{size}        inputs, labels = images.standardize({pixels}{size_argument}), images.train_labels[indices]
        for group in optimiser.param_groups:
            group["lr"] = learning_rate({rate_arguments})
        model.train()
{skip_heads}        optimiser.zero_grad(set_to_none=True)
        torch.manual_seed(mix_seed(step, 2))  # dropout
{forward}        loss = F.cross_entropy(logits, labels{smoothing})
        for head in aux.values():
            loss = loss + HEAD_WEIGHT * F.cross_entropy(head, labels{smoothing})
        loss.backward()
{clip}        optimiser.step()
{average}        yield F.cross_entropy(logits.detach(), labels).item()
{finish}'''

_SMALL_SIZE = "        is_small = step / STEPS < {fraction!r}\n"
_SKIP_HEADS = "        model.training = not is_small  # of the network itself: its layers train, its heads wait\n"
_ALL_MOMENTA = """    for weight in model.parameters():  # also of the heads, which wait for the large images
        optimiser.state[weight] = {"momentum_buffer": torch.zeros_like(weight)}
"""

_EVALUATE = '''
@torch.no_grad()
def evaluate(model: nn.Module, images: Images) -> float:
    """Return the fraction of the test images that are classified correctly."""
    model.eval()
{batch_norm}    correct = 0
    for start in range(0, len(images.test), 128):
        logits = model(images.standardize(images.test[start : start + 128]))
        correct += int((logits.argmax(1) == images.test_labels[start : start + 128]).sum())
    return correct / len(images.test)
'''

_BATCH_NORM = """    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    for layer in norms:  # in training the running statistics lag behind the weights
        layer.reset_running_stats()
        layer.train()
        layer.momentum = None  # a plain mean over the batches
    for number in range({batches}):
        model(images.standardize(images.train[images.indices(number, {size})]))
    model.eval()
"""

_RUN = """

if __name__ == "__main__":
    images = Images(sys.argv[1] if len(sys.argv) > 1 else {file!r})
    network = GoogLeNet()
    initialise(network)
    network.to(memory_format=torch.channels_last)
    for number, value in enumerate(train(network, images), 1):
        print(f"step {{number}}, loss {{value:.4f}}", flush=True)
    print(f"{{100 * evaluate(network, images):.1f}} % of {{len(images.test):,}} test images classified correctly")
"""


def to_training_source(version: Version, plan: Plan, steps: int, network: int = 0, seed: int | None = None) -> str:
    """Return the network and the training of one of a plan's networks, on the CPU, as the text of a Python file.

    ``version`` is the plan's network with its base. ``steps`` are those that the run took or will take: a budget in
    seconds repeats only approximately, because its schedule followed the clock.
    """
    settings = plan.settings_of(network)
    source = to_source(version)
    body, _, _ = source.partition('\nif __name__ == "__main__":')
    docstring, _, code = body.partition("from collections import OrderedDict\n")
    imports = (
        "import sys\nfrom collections import OrderedDict\nfrom collections.abc import Iterator\n"
        f"from math import {'cos, pi, ' if settings.schedule == 'one_cycle' else ''}sqrt\n\nimport numpy as np\n"
    )
    return "".join(
        (
            docstring,
            imports,
            code.lstrip("\n"),
            *_training(version, plan, settings, steps, plan.seeds[0] if seed is None else seed),
        )
    )


def _training(version: Version, plan: Plan, settings: Settings, steps: int, seed: int) -> Iterator[str]:
    config = version.config
    small = small_size(config) if settings.small_images else None
    yield _HEADER.format(
        seed=seed,
        steps=steps,
        batch_size=settings.batch_size,
        rate=effective_learning_rate(settings, config),
        size=config.input_shape[1:],
        small_size=f"SMALL_SIZE = {small!r}  # of the images at first\n" if small else "",
        head_weight=config.aux.loss_weight,
    )
    if settings.precision == "auto":
        yield 'BFLOAT16 = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))\n\n'
    yield "\n"
    if settings.augment or settings.mirror:
        yield _AUGMENT.format(shift=2 if settings.augment else 0) + "\n"
    is_caffe = settings.initialisation == "caffe"
    yield _INITIALISE.format(
        title="Caffe's form of Xavier's initialisation, biases of 0.2." if is_caffe else "He's normal initialisation.",
        name="name" if is_caffe else "_",
        body=_CAFFE if is_caffe else _HE,
    )
    yield "\n" + _SCHEDULES[settings.schedule].format(
        warm_up=settings.warm_up, initial=INITIAL_RATE_FRACTION, rising=1 - INITIAL_RATE_FRACTION
    )
    yield "\n" + _loop(settings, has_small_images=small is not None, has_heads=bool(config.aux.taps))
    recomputes = config.normalisation == "batch_norm" and settings.precise_batch_norm
    batch_norm = _BATCH_NORM.format(batches=CALIBRATION[0], size=CALIBRATION[1])
    yield "\n" + _EVALUATE.format(batch_norm=batch_norm if recomputes else "")
    yield _RUN.format(file=f"{plan.data.name}.npz")


def _loop(settings: Settings, *, has_small_images: bool, has_heads: bool) -> str:
    common = f"model.parameters(), LEARNING_RATE, weight_decay={settings.weight_decay!r}, fused=True"
    sgd = f"momentum={settings.momentum!r}, nesterov={settings.momentum > 0}"
    is_averaged = settings.averaging > 0
    average = (
        f"        if step / STEPS >= {1 - settings.averaging!r}:\n"
        "            added += 1\n"
        "            torch._foreach_lerp_(mean, list(model.parameters()), 1 / added)\n"
    )
    heads_wait = has_small_images and has_heads
    needs_momenta = heads_wait and settings.optimiser == "sgd" and settings.momentum > 0
    return _TRAIN.format(
        optimiser=f"torch.optim.AdamW({common})"
        if settings.optimiser == "adam"
        else f"torch.optim.SGD(\n        {common}, {sgd}\n    )",
        prepare=_ALL_MOMENTA * needs_momenta
        + "    mean, added = [torch.zeros_like(weight) for weight in model.parameters()], 0\n" * is_averaged,
        size=_SMALL_SIZE.format(fraction=settings.small_images) if has_small_images else "",
        size_argument=", SMALL_SIZE if is_small else SIZE" if has_small_images else "",
        pixels="augment(images, indices, step)" if settings.augment or settings.mirror else "images.train[indices]",
        rate_arguments="step, step * len(indices) / len(images.train)" if settings.schedule == "paper" else "step",
        skip_heads=_SKIP_HEADS if heads_wait else "",
        forward="".join(_forward(settings, heads_wait=heads_wait)),
        smoothing=f", label_smoothing={settings.label_smoothing!r}" if settings.label_smoothing else "",
        clip=f"        nn.utils.clip_grad_norm_(model.parameters(), {settings.clip_norm!r})\n"
        if settings.clip_norm
        else "",
        average=average if is_averaged else "",
        finish="    with torch.no_grad():\n"
        "        for weight, average in zip(model.parameters(), mean, strict=True):\n"
        "            weight.copy_(average)\n"
        if is_averaged
        else "",
    )


def _forward(settings: Settings, *, heads_wait: bool) -> Iterator[str]:
    """Yield the lines that compute the logits of the network and of its heads."""
    is_mixed = settings.precision == "auto"
    indent = "        "
    if is_mixed:
        yield f'{indent}with torch.autocast("cpu", torch.bfloat16, enabled=BFLOAT16):\n'
    result = "output" if heads_wait else "logits, aux"
    yield f"{indent}{'    ' * is_mixed}{result} = model(inputs)\n"
    if heads_wait:
        yield f"{indent}logits, aux = (output, {{}}) if is_small else output\n"
    if is_mixed:
        yield f"{indent}logits, aux = logits.float(), {{tap: head.float() for tap, head in aux.items()}}\n"
