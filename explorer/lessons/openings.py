"""The opening question of each lesson, always about the paper's network: a prediction before the reader tries.

Like all questions they have three wrong options that result from common mistakes; their numbers come from the core.
"""

from functools import lru_cache

from explorer.analysis import summarize
from explorer.lessons.auxiliary import head_costs
from explorer.lessons.question import Question
from explorer.lessons.receptive_field import field_distributions, without_branch
from explorer.lessons.reduction import ARTICLE
from explorer.presets import PRESETS
from explorer.reduction import direct_path, reduction_path
from explorer.summary import NetworkSummary


@lru_cache
def opening_question(topic: str) -> Question:
    """Return a lesson's opening question. Raises KeyError for an unknown lesson."""
    return _OPENINGS[topic](summarize(PRESETS["paper"]))


def _question(
    topic: str,
    text: str,
    unit: str,
    answer: tuple[int, str, str],
    wrong: dict[int, str],
    order: tuple[int, int, int, int],
) -> Question:
    """Return a question; ``order`` has the positions of the correct option and then of the wrong ones."""
    value, formula, why = answer
    options = [value, *wrong]
    ordered = tuple(option for _, option in sorted(zip(order, options, strict=True)))
    mistakes = tuple(wrong.get(option, "") for option in ordered)
    return Question(topic, text, ordered, value, unit, formula, why, ("opening", topic), mistakes)


def _reduction(_: NetworkSummary) -> Question:
    plain, both = direct_path(ARTICLE).parameters, reduction_path(ARTICLE)
    first, second = (layer.weights for layer in both.layers)
    wrong = {
        second: "omitted the 1×1 itself: it has weights too",
        plain + first: "used 512 input channels for the 5×5: the 1×1 leaves fewer",
        first: "counted the 1×1 only",
    }
    text = (
        f"A 5×5 convolution has 512 input and 64 output channels: {plain:,} weights. Now a 1×1 convolution with 24 "
        "output channels is inserted before it. How many weights do both have together?"
    )
    why = "The 1×1 reduces 512 channels to 24, and the 5×5 kernels after it span only those."
    formula = "512 · 24 + 24 · 5 · 5 · 64"
    return _question("reduction", text, "weights", (both.parameters, formula, why), wrong, (2, 1, 3, 0))


def _auxiliary(paper: NetworkSummary) -> Question:
    costs = head_costs(paper)
    wrong = {
        round(100 * costs.parameter_fraction / 2): "counted one of the two heads",
        round(
            100 * costs.parameters / costs.main_parameters
        ): "divided by the parameters without the heads, not by all",
        1: "gave their fraction of the MACs, which is small",
    }
    value = round(100 * costs.parameter_fraction)
    text = (
        "GoogLeNet trains with two small auxiliary heads. What percentage of all parameters in training do they have?"
    )
    hidden = 2 * paper.by_path["aux_4a.fc"].parameters
    why = f"The two hidden layers, with 2,048 inputs each, have {hidden:,} of the heads' {costs.parameters:,}."
    formula = f"100 · {costs.parameters:,} ÷ {paper.parameters():,}"
    return _question("auxiliary", text, "% (rounded)", (value, formula, why), wrong, (2, 1, 3, 0))


def _which_googlenet(paper: NetworkSummary) -> Question:
    torchvision, with_norm = (summarize(PRESETS[name]) for name in ("torchvision", "batch_norm"))
    wrong = {
        paper.parameters(aux=False): "used the paper's table: torchvision has 3×3 kernels in the 5×5 branch",
        with_norm.parameters(aux=False): "added BatchNorm to the paper's table, but kept the 5×5 kernels",
        torchvision.parameters(): "included the auxiliary heads, which do not run at inference",
    }
    value = torchvision.parameters(aux=False)
    text = (
        f"The paper's table gives {paper.parameters(aux=False):,} parameters at inference. You load torchvision's "
        "googlenet, which follows the same table. How many parameters does it have at inference?"
    )
    heads = torchvision.parameters() - value
    why = (
        "torchvision's “5×5” branch has 3×3 kernels, and BatchNorm replaces the biases. In training it also has heads."
    )
    formula = f"{torchvision.parameters():,} − {heads:,}"
    return _question("which_googlenet", text, "parameters", (value, formula, why), wrong, (3, 0, 1, 2))


def _receptive_field(paper: NetworkSummary) -> Question:
    last = field_distributions(paper)[-1]
    without = field_distributions(summarize(without_branch(paper.config, "5x5")))[-1]
    wrong = {
        224: "used the side of the image as a limit: a receptive field may extend beyond it",
        without.largest: "followed the 3×3 branches only",
        last.jump: "gave the distance between neighbouring positions",
    }
    before = last.largest - 4 * last.jump
    text = "How many pixels along a side can one position after the last module, 5b, depend on at most?"
    why = f"In every module the 5×5 branch adds (5 − 1) · jump. Before 5b it is {before}, with a jump of {last.jump}."
    formula = f"{before} + (5 − 1) · {last.jump}"
    return _question("receptive_field", text, "pixels", (last.largest, formula, why), wrong, (3, 1, 2, 0))


_OPENINGS = {
    "reduction": _reduction,
    "auxiliary": _auxiliary,
    "which_googlenet": _which_googlenet,
    "receptive_field": _receptive_field,
}
