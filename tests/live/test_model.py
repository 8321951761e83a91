"""The live network: it runs and learns, names its outputs, and starts with the right weights."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer import PRESETS, GoogLeNetConfig, UnbuildableError
from explorer.diff import with_module
from explorer.live.model import ConvBlock, GoogLeNet, GoogLeNetOutput, Inception, build_model
from tests.tensor_devices import record_tensor_devices

MINI = PRESETS["mini"]


def small(config: GoogLeNetConfig) -> GoogLeNetConfig:
    """Return the same network for a small image and a few classes, so that it runs quickly."""
    side = 96 if config.stem.kind == "paper" else 28
    return config.replace(input_shape=(config.input_shape[0], side, side), classes=5)


def images(config: GoogLeNetConfig, count: int = 2) -> Tensor:
    """Return a batch of noise, the same each time."""
    return torch.randn(count, *config.input_shape, generator=torch.Generator().manual_seed(1))


def loss_of(output: GoogLeNetOutput, config: GoogLeNetConfig) -> Tensor:
    """Return the training loss: the main one plus the weighted ones of the heads."""
    labels = torch.arange(len(output.logits)) % config.classes
    heads = sum(F.cross_entropy(logits, labels) for logits in output.aux.values())
    return F.cross_entropy(output.logits, labels) + config.aux.loss_weight * heads


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_presets_learn(name: str) -> None:
    """Each preset runs forward and backward, and every parameter of the training network gets a gradient."""
    config = small(PRESETS[name])
    model = build_model(config)
    torch.manual_seed(0)
    output = model(images(config))
    loss_of(output, config).backward()
    assert {"logits": (2, 5), "4a": (2, 5), "4d": (2, 5)} == {
        "logits": tuple(output.logits.shape),
        **{tap: tuple(logits.shape) for tap, logits in output.aux.items()},
    }
    without = [
        path
        for path, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.isfinite().all() or not parameter.grad.any()
    ]
    assert [] == without


@pytest.mark.slow
def test_a_few_steps_lower_the_loss() -> None:
    """The network overfits four images: forward pass, heads and gradients work together."""
    config = MINI.replace(classes=4, dropout=0.0, aux=MINI.aux.replace(dropout=0.0))
    model, batch = build_model(config), images(config, 4)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(15):
        optimiser.zero_grad()
        loss = loss_of(model(batch), config)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10


def test_outputs_are_named_in_training_and_logits_in_eval_mode() -> None:
    """In training mode the heads' logits have the tapped module as key; in eval mode there are only logits."""
    model, batch = build_model(MINI), images(MINI)
    output = model(batch)
    assert type(output) is GoogLeNetOutput
    assert ["4a", "4d"] == list(output.aux)
    model.eval()
    logits = model(batch)
    assert type(logits) is Tensor
    assert (2, 10) == tuple(logits.shape)
    torch.testing.assert_close(logits, model.forward_with_heads(batch).logits)


def test_no_taps_no_heads() -> None:
    """Without taps the output in training mode has no auxiliary logits."""
    config = MINI.replace(aux=MINI.aux.replace(taps=()))
    model = build_model(config)
    assert {} == model(images(config)).aux
    assert [] == [name for name, _ in model.named_modules() if name.startswith("aux")]


@pytest.mark.parametrize(
    ("head", "reached"),
    [
        ("4a", {"stem", "inception_3a", "inception_3b", "inception_4a", "aux_4a"}),
        (
            "4d",
            {"stem", "aux_4d"} | {f"inception_{name}" for name in ("3a", "3b", "4a", "4b", "4c", "4d")},
        ),
    ],
)
def test_gradients_of_a_head_reach_the_layers_before_it(head: str, reached: set[str]) -> None:
    """A head's loss has gradients up to the module it taps, and none after it."""
    model = build_model(MINI)
    model(images(MINI)).aux[head].sum().backward()
    with_gradient = {path.split(".")[0] for path, parameter in model.named_parameters() if parameter.grad is not None}
    assert reached == with_gradient


def test_branches_are_concatenated_in_the_order_of_the_paper() -> None:
    """An Inception module's channels are those of 1×1, 3×3, 5×5 and pool."""
    model = build_model(MINI.replace(normalisation="none", conv_bias=True)).eval()
    module = model.inception_4a
    marks = {"branch_1x1": 1.0, "branch_3x3": 3.0, "branch_5x5": 5.0, "branch_pool": 7.0}
    for branch, mark in marks.items():
        last = module.get_submodule(branch)[-1].conv
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, mark)
    row = MINI.module("4a")
    expected = [1.0] * row.ch1x1 + [3.0] * row.ch3x3 + [5.0] * row.ch5x5 + [7.0] * row.pool_proj
    with torch.inference_mode():
        output = module(torch.ones(1, 120, 2, 2))
    assert expected == output[0, :, 1, 1].tolist()


def test_a_blank_projection_passes_the_pooled_input() -> None:
    """The pool branch of a naive module is the input's 3×3 maximum, unchanged in size and channels."""
    config = with_module(MINI, MINI.module("4a").replace(pool_proj=None))
    module = build_model(config).eval().inception_4a
    x = images(MINI, 1).expand(1, 120, 28, 28)[..., :5, :5]
    with torch.inference_mode():
        output = module(x)
    torch.testing.assert_close(output[:, -120:], F.max_pool2d(x, 3, stride=1, padding=1))


def test_modules_do_not_change_their_input() -> None:
    """No branch changes the input of the other branches, nor the caller's batch."""
    model, batch = build_model(MINI), images(MINI)
    before = batch.clone()
    model(batch)
    torch.testing.assert_close(before, batch, rtol=0, atol=0)
    x = images(MINI, 1).expand(1, 120, 28, 28).clone()
    before = x.clone()
    model.inception_4a(x)
    torch.testing.assert_close(before, x, rtol=0, atol=0)


@pytest.mark.parametrize("name", PRESETS)
def test_settings_reach_the_layers(name: str) -> None:
    """Dropout, LRN, BatchNorm and biases follow the config; LRN has Caffe's constants, BatchNorm torchvision's."""
    config = PRESETS[name]
    model = build_model(config, "meta")
    assert config.dropout == model.classifier.dropout.p
    assert {config.aux.dropout} == {model.aux_4a.dropout.p, model.aux_4d.dropout.p}
    blocks = [layer for layer in model.modules() if isinstance(layer, ConvBlock)]
    assert {config.conv_bias} == {block.conv.bias is not None for block in blocks}
    assert {config.normalisation == "batch_norm"} == {isinstance(block.bn, nn.BatchNorm2d) for block in blocks}
    assert {1e-3} >= {block.bn.eps for block in blocks if config.normalisation == "batch_norm"}
    lrn = [layer for layer in model.modules() if isinstance(layer, nn.LocalResponseNorm)]
    assert (2 if config.normalisation == "lrn" else 0) == len(lrn)
    assert {(5, 1e-4, 0.75)} >= {(layer.size, layer.alpha, layer.beta) for layer in lrn}


def test_every_convolution_is_followed_by_relu() -> None:
    """The output of a convolution block is never below 0."""
    block = ConvBlock(3, 8, 3, bias=True, batch_norm=True)
    with torch.inference_mode():
        output = block(torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0)))
    assert 0 == output.min()
    assert output.max() > 0


def test_the_hidden_layer_of_a_head_is_followed_by_relu() -> None:
    """The input of a head's dropout is never below 0, and not all 0."""
    model = build_model(MINI)
    hidden: list[Tensor] = []
    model.aux_4a.dropout.register_forward_pre_hook(lambda module, inputs: hidden.append(inputs[0]))
    model(images(MINI))
    assert 0 == hidden[0].min()
    assert hidden[0].max() > 0


def test_weights_start_with_hes_initialization() -> None:
    """Weights have variance 2 / fan-in, biases are 0, and BatchNorm starts as the identity."""
    model = build_model(small(PRESETS["paper"]).replace(normalisation="batch_norm"))
    for path, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            deviation = (2 / fan_in) ** 0.5
            assert layer.weight.std().item() == pytest.approx(deviation, rel=0.1), path
            assert abs(layer.weight.mean().item()) < deviation / 5, path
            assert not layer.bias.any(), path
        elif isinstance(layer, nn.BatchNorm2d):
            starts = (layer.weight, 1), (layer.bias, 0), (layer.running_mean, 0), (layer.running_var, 1)
            assert all((values == start).all() for values, start in starts), path
            assert 0 == layer.num_batches_tracked, path


def test_the_seed_determines_the_weights() -> None:
    """The same seed gives the same weights, another gives others, and the global generator is not used."""
    before = torch.get_rng_state()
    one, same, other = build_model(MINI, seed=1), build_model(MINI, seed=1), build_model(MINI, seed=2)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one.classifier.fc.weight, other.classifier.fc.weight)


def test_a_new_network_is_in_training_mode() -> None:
    """Every part of a new network is in training mode and on the requested device."""
    for device in ("cpu", "meta"):
        model = build_model(MINI, device)
        assert all(part.training for part in model.modules())
        assert {device} == {tensor.device.type for tensor in model.state_dict().values()}
        assert {torch.float32} == {parameter.dtype for parameter in model.parameters()}


def test_images_of_a_batch_are_independent() -> None:
    """In eval mode an image has the same logits alone and in a batch."""
    model, batch = build_model(MINI).eval(), images(MINI, 3)
    with torch.inference_mode():
        batched = model(batch)
        single = torch.cat([model(image[None]) for image in batch])
    torch.testing.assert_close(batched, single, rtol=1e-4, atol=1e-4)


def test_building_on_the_meta_device_allocates_nothing() -> None:
    """Every tensor is on the meta device, which stores no numbers."""
    with record_tensor_devices() as devices:
        build_model(PRESETS["naive"], "meta")
    assert {"meta"} == devices


@pytest.mark.parametrize(
    "config",
    [
        MINI.replace(modules=()),
        MINI.replace(input_shape=(1, 100_000, 100_000)),
        MINI.replace(modules=tuple(module.replace(ch3x3_reduce=None, ch3x3=4_096) for module in MINI.modules)),
    ],
    ids=["no module", "image too large", "too many parameters"],
)
def test_a_config_with_problems_is_refused_before_a_tensor_is_made(config: GoogLeNetConfig) -> None:
    """The error has the problems."""
    with record_tensor_devices() as devices, pytest.raises(UnbuildableError) as refused:
        build_model(config)
    assert set() == devices
    assert refused.value.problems


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["paper", "mini"])
def test_a_gpu_gives_the_logits_of_the_cpu(name: str) -> None:
    """With the same weights, within the accuracy of float32."""
    config = small(PRESETS[name])
    cpu, cuda = build_model(config).eval(), build_model(config, "cuda").eval()
    cuda.load_state_dict(cpu.state_dict())
    batch = images(config)
    with torch.inference_mode():
        torch.testing.assert_close(cpu(batch), cuda(batch.cuda()).cpu(), rtol=1e-3, atol=1e-3)


def test_the_body_runs_in_the_order_of_the_table() -> None:
    """The body lists modules and pools in the order in which they run."""
    expected = [
        *("inception_3a", "inception_3b", "pool3"),
        *("inception_4a", "inception_4b", "inception_4c", "inception_4d", "inception_4e", "pool4"),
        *("inception_5a", "inception_5b"),
    ]
    model = build_model(PRESETS["paper"], "meta")
    assert expected == model.body
    assert type(model) is GoogLeNet
    assert all(isinstance(model.get_submodule(name), Inception | nn.MaxPool2d) for name in model.body)


def test_caffes_initialisation() -> None:
    """Uniform within ±√(3 / fan-in), with biases of 0.2 where a ReLU follows: not before the softmax."""
    model = build_model(PRESETS["mini"].replace(normalisation="none", conv_bias=True), initialisation="caffe")
    for name in ("stem.conv2.conv", "aux_4a.fc", "classifier.fc", "aux_4d.classifier"):
        layer = model.get_submodule(name)
        bound = (3 / layer.weight[0].numel()) ** 0.5
        assert 0.9 * bound < layer.weight.abs().max() <= bound
        torch.testing.assert_close(torch.full_like(layer.bias, 0.0 if "classifier" in name else 0.2), layer.bias)
