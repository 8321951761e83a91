"""The arithmetic of one output value after its sum: bias, BatchNorm, ReLU, a branch's factor, softmax, and rounding.

All in double precision. The network computes in float32; :class:`Rounded` bounds by how much that may differ (Higham
2002, *Accuracy and Stability of Numerical Algorithms*, section 3.1: a sum of n products is off by at most about
n · 2⁻²⁴ times the sum of their absolute values, in whatever order it is added up).
"""

from collections.abc import Sequence
from math import exp, fsum, sqrt
from typing import Literal, NamedTuple

UNIT_ROUNDOFF = 2.0**-24  # of float32
StepCode = Literal[
    "sum", "maximum", "mean", "squares", "bias", "batch_norm", "relu", "respond", "factor", "pixel", "normalise"
]


class Step(NamedTuple):
    """One operation: its code, the numbers that it uses beside the result so far, and its result."""

    code: StepCode
    operands: tuple[float, ...]
    result: float


class BatchNorm(NamedTuple):
    """The statistics and the parameters of BatchNorm for one channel."""

    mean: float
    variance: float
    gamma: float
    beta: float
    epsilon: float

    @property
    def scale(self) -> float:
        """By what it multiplies: gamma / √(variance + epsilon)."""
        return self.gamma / sqrt(self.variance + self.epsilon)


class Rounded(NamedTuple):
    """Steps so far, the last of which has the value, and by how much float32 may differ from it."""

    steps: tuple[Step, ...]
    bound: float

    @property
    def value(self) -> float:
        """The result of the last step."""
        return self.steps[-1].result

    def then(self, code: StepCode, operands: tuple[float, ...], result: float, bound: float) -> "Rounded":
        """Add a step. The last rounding, of the result itself, is added to the bound."""
        return Rounded((*self.steps, Step(code, operands, result)), bound + UNIT_ROUNDOFF * abs(result))


def summed(total: float, magnitude: float, count: int) -> Rounded:
    """Start with a sum of ``count`` products, whose absolute values add up to ``magnitude``."""
    return Rounded((Step("sum", (count,), total),), (count + 1) * UNIT_ROUNDOFF * magnitude)


def largest(value: float, count: int) -> Rounded:
    """Start with the largest of ``count`` numbers, which is exact."""
    return Rounded((Step("maximum", (count,), value),), 0.0)


def averaged(total: float, magnitude: float, count: int) -> Rounded:
    """Start with the mean of ``count`` numbers."""
    start = summed(total, magnitude, count)
    return start.then("mean", (count,), total / count, start.bound / count)


def normalised_response(value: float, squares: float, alpha: float, beta: float, k: float, size: int) -> Rounded:
    """Divide a value by (k + alpha / size · the sum of the squares in its neighbourhood) to the power of beta."""
    start = Rounded((Step("squares", (size,), squares),), 0.0)
    result = value / (k + alpha / size * squares) ** beta
    return start.then("respond", (value, k, alpha / size, beta), result, 16 * UNIT_ROUNDOFF * abs(result))


def biased(so_far: Rounded, bias: float) -> Rounded:
    """Add a bias."""
    return so_far.then("bias", (bias,), so_far.value + bias, so_far.bound)


def batch_normalised(so_far: Rounded, norm: BatchNorm) -> Rounded:
    """Apply BatchNorm with its running statistics."""
    result = (so_far.value - norm.mean) * norm.scale + norm.beta
    magnitude = abs(norm.scale) * (abs(so_far.value) + abs(norm.mean)) + abs(norm.beta)
    return so_far.then(
        "batch_norm", tuple(norm), result, abs(norm.scale) * so_far.bound + 8 * UNIT_ROUNDOFF * magnitude
    )


def rectified(so_far: Rounded) -> Rounded:
    """Apply the ReLU: a value below 0 becomes 0."""
    return so_far.then("relu", (), max(so_far.value, 0.0), so_far.bound)


def scaled(so_far: Rounded, factor: float) -> Rounded:
    """Multiply by the factor of a branch."""
    return so_far.then("factor", (factor,), so_far.value * factor, so_far.bound * abs(factor))


def normalised_pixel(value: float, mean: float, std: float) -> Rounded:
    """Go back from a normalised value to the pixel, 0 to 1, and show how it was normalised."""
    start = Rounded((Step("pixel", (), value * std + mean),), 0.0)
    return start.then("normalise", (mean, std), value, 8 * UNIT_ROUNDOFF * (abs(value) + abs(mean / std)))


def recompute(code: StepCode, before: float, operands: Sequence[float]) -> float:
    """Return the result of a step that follows the result ``before``, from these operands.

    Raises:
        ValueError: The step is a first one, which follows no result.

    """
    match code:
        case "bias":
            return before + operands[0]
        case "batch_norm":
            norm = BatchNorm(*operands)
            return (before - norm.mean) * norm.scale + norm.beta
        case "relu":
            return max(before, 0.0)
        case "factor":
            return before * operands[0]
        case "mean":
            return before / operands[0]
        case "respond":
            value, k, alpha, beta = operands
            return float(value / (k + alpha * before) ** beta)
        case "normalise":
            return (before - operands[0]) / operands[1]
        case _:
            raise ValueError(f"{code} is a first step.")


class SoftmaxTerm(NamedTuple):
    """What a class, by its number, adds to the sum of a softmax: e^(its logit − the largest one), 0 to 1."""

    number: int
    logit: float
    exponential: float


class Softmax(NamedTuple):
    """How the probability of a class follows from the logits of all: its own term ÷ the sum of the terms.

    ``largest`` are the largest terms, the largest first; ``rest`` is the sum of the ``rest_count`` others.
    """

    own: SoftmaxTerm
    maximum: float
    largest: tuple[SoftmaxTerm, ...]
    rest: float
    rest_count: int

    @property
    def total(self) -> float:
        """The sum of the terms of all classes; at least 1, the term of the largest logit."""
        return fsum(term.exponential for term in self.largest) + self.rest

    @property
    def probability(self) -> float:
        """The probability of the class, 0 to 1."""
        return self.own.exponential / self.total


def softmax(logits: Sequence[float], number: int, shown: int) -> Softmax:
    """Compute the probability of the class ``number``, with the ``shown`` largest terms one by one.

    The largest logit is subtracted from each, which changes no probability, so that no exponential overflows.
    """
    maximum = max(logits)
    terms = [SoftmaxTerm(place, logit, exp(logit - maximum)) for place, logit in enumerate(logits)]
    ordered = sorted(terms, key=lambda term: -term.logit)
    rest = fsum(term.exponential for term in ordered[shown:])
    return Softmax(terms[number], maximum, tuple(ordered[:shown]), rest, len(ordered[shown:]))
