"""The steps of one output value: their results, and the bound of float32's rounding."""

from itertools import pairwise
from math import exp

import pytest

from explorer.unit_arithmetic import (
    UNIT_ROUNDOFF,
    BatchNorm,
    Rounded,
    averaged,
    batch_normalised,
    biased,
    largest,
    normalised_pixel,
    normalised_response,
    recompute,
    rectified,
    scaled,
    softmax,
    summed,
)


def test_a_convolution_step_by_step() -> None:
    """Sum, bias, ReLU and a branch's factor, each with its result."""
    found = scaled(rectified(biased(summed(1.5, 4.0, 10), -0.5)), 2)
    assert ["sum", "bias", "relu", "factor"] == [step.code for step in found.steps]
    assert [1.5, 1.0, 1.0, 2.0] == [step.result for step in found.steps]
    assert found.value == 2


def test_the_relu_stops_what_is_negative() -> None:
    """The value before it stays among the steps."""
    found = rectified(summed(-3.0, 5.0, 4))
    assert [-3.0, 0.0] == [step.result for step in found.steps]


def test_batch_norm_uses_its_statistics() -> None:
    """(s − mean) / √(variance + epsilon) · gamma + beta; the bound grows with its scale."""
    norm = BatchNorm(mean=1.0, variance=3.999, gamma=3.0, beta=0.25, epsilon=1e-3)
    found = batch_normalised(summed(5.0, 9.0, 16), norm)
    assert found.value == pytest.approx(4.0 / 2 * 3 + 0.25)
    assert found.bound > 1.5 * summed(5.0, 9.0, 16).bound


def test_pools_and_response_norm() -> None:
    """A maximum is exact, a mean is a sum over the count, LRN divides by a power."""
    assert largest(7.0, 9).bound == 0
    assert averaged(18.0, 18.0, 9).value == 2
    found = normalised_response(2.0, 5.0, alpha=1e-4, beta=0.75, k=1.0, size=5)
    assert found.value == pytest.approx(2 / (1 + 1e-4) ** 0.75)


def test_a_pixel_is_what_was_normalised() -> None:
    """From 0 to 1, then the network input."""
    found = normalised_pixel(0.5, 0.5, 0.5)
    assert [0.75, 0.5] == [step.result for step in found.steps]


def test_the_bound_is_that_of_any_order_of_summation() -> None:
    """About n · 2⁻²⁴ times the sum of the absolute products."""
    assert summed(0.0, 8.0, 1_000).bound == pytest.approx(8_000 * UNIT_ROUNDOFF, rel=2e-3)


@pytest.mark.parametrize(
    "found",
    [
        scaled(rectified(biased(summed(1.5, 4.0, 10), -0.5)), 2),
        batch_normalised(summed(3.5, 4.0, 9), BatchNorm(-0.25, 1.0, 2.0, -0.5, 1e-3)),
        averaged(9.0, 9.0, 4),
        normalised_response(2.0, 5.0, 1e-4, 0.75, 1.0, 5),
        normalised_pixel(0.5, 0.25, 0.5),
    ],
)
def test_a_step_is_recomputed_from_its_operands(found: Rounded) -> None:
    """The result of the step before and the operands are all that it needs; a first step follows no result."""
    for before, step in pairwise(found.steps):
        assert recompute(step.code, before.result, step.operands) == pytest.approx(step.result)
    with pytest.raises(ValueError, match="first step"):
        recompute(found.steps[0].code, 1.0, ())


def test_a_softmax_divides_each_term_by_the_sum() -> None:
    """The largest terms first, the rest added up; the probabilities of all classes add up to 1."""
    logits = (1.0, 3.0, 2.0, -1.0)
    found = softmax(logits, 2, 2)
    assert [1, 2] == [term.number for term in found.largest]
    assert found.largest[0].exponential == 1
    assert (found.own.number, found.own.logit, found.rest_count) == (2, 2.0, 2)
    assert found.probability == pytest.approx(exp(2) / sum(map(exp, logits)), rel=1e-15)
    assert sum(softmax(logits, index, 2).probability for index in range(4)) == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize("shift", [-1e5, 0.0, 1e5])
def test_a_softmax_does_not_overflow(shift: float) -> None:
    """However large the logits are; with fewer classes than terms there is no rest."""
    found = softmax((shift, shift + 1), 0, 5)
    assert found.probability == pytest.approx(1 / (1 + exp(1)))
    assert (found.rest, found.rest_count) == (0, 0)
