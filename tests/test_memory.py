"""The memory of training, by the closed form and as PyTorch's autograd saves it."""

import pytest
import torch

from explorer import PRESETS, summarize
from explorer.live.model import GoogLeNet, build_model
from explorer.memory import activation_memory, peak_activations

IMAGES = 2


def saved_bytes(model: GoogLeNet, images: torch.Tensor) -> int:
    """Run a training pass and add up the tensors that autograd saves, each once, without the weights."""
    known = {parameter.untyped_storage().data_ptr() for parameter in model.state_dict(keep_vars=True).values()}
    saved: dict[int, torch.Tensor] = {}  # references until the end, so that no address is reused

    def save(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
        output = model.train()(images)
    assert output.logits.shape[0] == len(images)
    return sum(tensor.untyped_storage().nbytes() for address, tensor in saved.items() if address not in known)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["paper", "batch_norm", "torchvision", "naive", "mini"])
def test_it_equals_what_autograd_saves(name: str) -> None:
    """Within 2 %, for LRN and BatchNorm, with and without reductions, with the small and the large stem."""
    config = PRESETS[name]
    if config.input_shape[1] > 96:
        config = config.replace(input_shape=(3, 96, 128))
    live = saved_bytes(build_model(config), torch.randn(IMAGES, *config.input_shape)) / IMAGES
    assert sum(activation_memory(summarize(config))) == pytest.approx(live, rel=0.02)


def test_the_parts_follow_the_normalisation() -> None:
    """BatchNorm saves an input per convolution, LRN three tensors per layer, no normalisation nothing."""
    paper = PRESETS["paper"]
    summary = summarize(paper)
    assert activation_memory(summary).normalisations == 4 * 3 * (64 * 56 * 56 + 192 * 56 * 56)
    assert activation_memory(summarize(paper.replace(normalisation="none"))).normalisations == 0
    convolutions = sum(row.activations for row in summary.rows if row.kind == "conv")
    assert activation_memory(summarize(paper.replace(normalisation="batch_norm"))).normalisations == 4 * convolutions
    assert activation_memory(summary).outputs == 4 * (summary.training_totals.activations + 3 * 224 * 224)


def test_the_inference_peak_is_a_blocks_input_and_outputs() -> None:
    """In the paper's network it is the stem: 3 × 224 × 224 in, and all of its outputs."""
    summary = summarize(PRESETS["paper"])
    assert peak_activations(summary) == 3 * 224 * 224 + summary.by_module["stem"].activations
