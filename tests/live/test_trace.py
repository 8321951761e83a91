"""The live network's own rows; tracing does not change the network."""

import pytest
import torch
from torch import Tensor, nn

from explorer import PRESETS, summarize
from explorer.live.model import GoogLeNet, build_model
from explorer.live.trace import LiveRow, trace
from tests.tensor_devices import record_tensor_devices

MINI = PRESETS["mini"]
FIELDS = LiveRow._fields


def hooks(model: GoogLeNet) -> int:
    """Return how many forward hooks a network has."""
    return sum(len(module._forward_hooks) for module in model.modules())


def mixed_modes() -> GoogLeNet:
    """Return a network with some parts in training mode and some in eval mode."""
    model = build_model(MINI)
    model.stem.eval()
    model.aux_4a.dropout.eval()
    return model


def modes(model: GoogLeNet) -> dict[str, bool]:
    """Return the mode of each part."""
    return {path: module.training for path, module in model.named_modules()}


def test_a_trace_has_the_rows_of_the_closed_form() -> None:
    """The rows from the CPU, from the meta device and from the closed form are equal."""
    live = trace(build_model(MINI))
    assert live == trace(build_model(MINI, "meta"))
    assert live == tuple(LiveRow(*(getattr(row, field) for field in FIELDS)) for row in summarize(MINI).rows)


def test_rows_are_measured_not_taken_from_the_config() -> None:
    """A layer replaced in the live network shows in the rows, although the config is the same."""
    model = build_model(MINI, "meta")
    model.inception_4a.branch_1x1.conv.conv = nn.Conv2d(120, 48, kernel_size=3, padding=1, device="meta")
    row = next(row for row in trace(model) if row.path == "inception_4a.branch_1x1.conv")
    assert (120 * 9 * 48, 48, 120 * 9 * 48 * 7 * 7) == (row.weights, row.biases, row.macs)


def test_the_rows_of_a_head_follow_its_tap() -> None:
    """Also for a network in eval mode."""
    paths = [row.path for row in trace(build_model(MINI, "meta").eval())]
    at = paths.index("aux_4a.pool")
    assert ("inception_4a.concat", "aux_4a.conv") == (paths[at - 1], paths[at + 1])


def test_an_image_of_another_size() -> None:
    """The image need not have the size in the config if the network has no auxiliary head."""
    model = build_model(MINI.replace(aux=MINI.aux.replace(taps=())), "meta")
    rows = trace(model, torch.empty(1, 1, 40, 36, device="meta"))
    assert ((1, 40, 36), (16, 40, 36)) == (rows[0].in_shape, rows[0].out_shape)


def test_tracing_does_not_change_the_network() -> None:
    """Hooks are removed, each part keeps its mode, and statistics and gradients stay the same."""
    model = mixed_modes()
    before = modes(model), {name: tensor.clone() for name, tensor in model.state_dict().items()}
    trace(model)
    assert 0 == hooks(model)
    assert before[0] == modes(model)
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in before[1].items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())


def test_an_error_does_not_change_the_network() -> None:
    """If the forward pass fails half-way, hooks are removed and modes are restored too."""
    model = mixed_modes()
    before = modes(model)
    with pytest.raises(RuntimeError, match="expected input"):
        trace(model, torch.zeros(1, 2, 28, 28))
    assert (0, before) == (hooks(model), modes(model))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trace(model, torch.zeros(1, 1, 100, 100))  # reaches the first head
    assert (0, before) == (hooks(model), modes(model))


def test_other_hooks_stay() -> None:
    """A hook that the network had before is kept."""
    model = build_model(MINI, "meta")
    calls: list[Tensor] = []
    model.classifier.fc.register_forward_hook(lambda module, inputs, output: calls.append(output))
    trace(model)
    assert 1 == hooks(model)
    assert [(1, 10)] == [tuple(call.shape) for call in calls]


def test_tracing_builds_no_graph_for_gradients() -> None:
    """No output requires a gradient, so that no activation stays in memory."""
    model = build_model(MINI, "meta")
    graphs: list[bool] = []
    model.classifier.fc.register_forward_hook(lambda module, inputs, output: graphs.append(output.requires_grad))
    trace(model)
    assert [False] == graphs


def test_tracing_twice_gives_the_same_rows() -> None:
    """The first trace does not influence the second."""
    model = build_model(MINI, "meta")
    assert trace(model) == trace(model)


def test_a_meta_trace_allocates_nothing() -> None:
    """Every tensor is on the meta device, also for the largest network."""
    model = build_model(PRESETS["naive"], "meta")
    with record_tensor_devices() as devices:
        trace(model)
    assert {"meta"} == devices


@pytest.mark.gpu
def test_a_trace_on_a_gpu() -> None:
    """On CUDA the rows are those of the CPU."""
    assert trace(build_model(MINI)) == trace(build_model(MINI, "cuda"))
