"""What training keeps, in closed form and as PyTorch's autograd keeps it."""

import pytest
import torch

from explorer import PRESETS, summarize
from explorer.live.model import GoogLeNet, build_model
from explorer.memory import activation_memory, peak_activations

IMAGES = 2


def bytes_kept(model: GoogLeNet, images: torch.Tensor) -> int:
    """Run a training pass and add up every tensor that autograd saves for the way back, once, without the weights."""
    known = {parameter.untyped_storage().data_ptr() for parameter in model.state_dict(keep_vars=True).values()}
    saved: dict[int, torch.Tensor] = {}  # held until the end, so that no address is used twice

    def note(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        output = model.train()(images)
    assert output.logits.shape[0] == len(images)
    return sum(tensor.untyped_storage().nbytes() for place, tensor in saved.items() if place not in known)


@pytest.mark.parametrize("name", ["paper", "batch_norm", "torchvision", "naive", "mini"])
def test_it_is_what_autograd_keeps(name: str) -> None:
    """Within 2 %, with LRN and with BatchNorm, with and without reductions, small stem and large."""
    config = PRESETS[name]
    if config.input_shape[1] > 96:
        config = config.replace(input_shape=(3, 96, 128))
    live = bytes_kept(build_model(config), torch.randn(IMAGES, *config.input_shape)) / IMAGES
    assert sum(activation_memory(summarize(config))) == pytest.approx(live, rel=0.02)


def test_the_parts_are_those_of_the_network() -> None:
    """BatchNorm keeps an input per convolution, LRN three pictures each, no normalisation nothing."""
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
