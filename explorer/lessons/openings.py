"""The question each lesson opens with: what do you expect, before you try? About the paper's network, always the same.

Like all questions they have three wrong options that come of real mistakes; their numbers come from the core.
"""

from functools import lru_cache

from explorer.analysis import NetworkSummary, summarize
from explorer.lessons.auxiliary import ledger
from explorer.lessons.questions import Question
from explorer.lessons.receptive_field import spectra, without_branch
from explorer.lessons.reduction import ARTICLE
from explorer.presets import PRESETS
from explorer.reduction import direct_path, reduction_path


@lru_cache
def opening(topic: str) -> Question:
    """Return a lesson's opening question. Raises KeyError for an unknown lesson."""
    return _OPENINGS[topic](summarize(PRESETS["paper"]))


def _question(
    topic: str,
    text: str,
    unit: str,
    right: tuple[int, str, str],
    wrong: dict[int, str],
    order: tuple[int, int, int, int],
) -> Question:
    """Put a question together; ``order`` are the places of the right and then the wrong options."""
    value, formula, why = right
    options = [value, *wrong]
    placed = tuple(option for _, option in sorted(zip(order, options, strict=True)))
    mistakes = tuple(wrong.get(option, "") for option in placed)
    return Question(topic, text, placed, value, unit, formula, why, ("opening", topic), mistakes)


def _reduction(_: NetworkSummary) -> Question:
    plain, both = direct_path(ARTICLE).parameters, reduction_path(ARTICLE)
    first, second = (layer.weights for layer in both.layers)
    wrong = {
        second: "left the 1×1 itself out: it has weights too",
        plain + first: "let the 5×5 still see 512 channels",
        first: "counted the 1×1 only",
    }
    text = (
        f"512 channels come in, and 64 kernels of 5×5 look at all of them: {plain:,} weights. Now a 1×1 convolution "
        "to 24 channels is put in front. How many weights are there in all?"
    )
    why = "The 1×1 mixes 512 channels into 24, and the 5×5 kernels behind it span only those."
    formula = "512 · 24 + 24 · 5 · 5 · 64"
    return _question("reduction", text, "weights", (both.parameters, formula, why), wrong, (2, 1, 3, 0))


def _auxiliary(paper: NetworkSummary) -> Question:
    book = ledger(paper)
    wrong = {
        round(100 * book.parameter_share / 2): "counted one of the two heads",
        round(100 * book.parameters / book.main_parameters): "compared with the network without them, not with all",
        1: "took their work, which is small, for their parameters",
    }
    value = round(100 * book.parameter_share)
    text = (
        "GoogLeNet trains with two small heads on its side. How many percent of all parameters in training are theirs?"
    )
    hidden = 2 * paper.by_path["aux_4a.fc"].parameters
    why = f"The two hidden layers, which see 2,048 numbers each, have {hidden:,} of the heads' {book.parameters:,}."
    formula = f"100 · {book.parameters:,} ÷ {paper.parameters():,}"
    return _question("auxiliary", text, "% (rounded)", (value, formula, why), wrong, (2, 1, 3, 0))


def _which_googlenet(paper: NetworkSummary) -> Question:
    torchvision, normed = (summarize(PRESETS[name]) for name in ("torchvision", "batch_norm"))
    wrong = {
        paper.parameters(aux=False): "took the paper's table: torchvision has 3×3 kernels in the 5×5 branch",
        normed.parameters(aux=False): "added BatchNorm to the paper's table, but kept its 5×5 kernels",
        torchvision.parameters(): "counted the auxiliary heads, which are taken off",
    }
    value = torchvision.parameters(aux=False)
    text = (
        f"The paper's table gives {paper.parameters(aux=False):,} parameters at inference. You load torchvision's "
        "googlenet, made from the same table. How many has it?"
    )
    heads = torchvision.parameters() - value
    why = "Its “5×5” branch holds 3×3 kernels, and BatchNorm stands in place of biases. In training it also has heads."
    formula = f"{torchvision.parameters():,} − {heads:,}"
    return _question("which_googlenet", text, "parameters", (value, formula, why), wrong, (3, 0, 1, 2))


def _receptive_field(paper: NetworkSummary) -> Question:
    last = spectra(paper)[-1]
    without = spectra(summarize(without_branch(paper.config, "5x5")))[-1]
    wrong = {
        224: "took the image's side for a limit: the window may hang over its edge",
        without.widest: "followed the 3×3 branches only",
        last.jump: "gave the distance between neighbouring positions",
    }
    before = last.widest - 4 * last.jump
    text = "How many pixels along a side can one position behind the last module, 5b, depend on at most?"
    why = (
        f"Module after module the 5×5 branch adds (5 − 1) · jump. Before 5b it is {before}, with a jump of {last.jump}."
    )
    formula = f"{before} + (5 − 1) · {last.jump}"
    return _question("receptive_field", text, "pixels", (last.widest, formula, why), wrong, (3, 1, 2, 0))


_OPENINGS = {
    "reduction": _reduction,
    "auxiliary": _auxiliary,
    "which_googlenet": _which_googlenet,
    "receptive_field": _receptive_field,
}
