"""One convolution with and without a 1×1 reduction: its costs, and what cannot be computed."""

import pytest

from explorer.config import MAX_CHANNELS
from explorer.reduction import ReductionCase, case_problems, direct_path, reduction_path

CASE = ReductionCase(inputs=512, kernel=5, filters=64, reduction=24, height=14, width=10)


def test_costs_without_reduction() -> None:
    """One layer: C_in · k² · C_out weights, each used once per position."""
    (layer,) = direct_path(CASE).layers
    assert (layer.weights, layer.biases, layer.macs, layer.activations) == (819_200, 0, 819_200 * 140, 64 * 140)


def test_costs_with_reduction() -> None:
    """Two layers, whose sums are those of the path; each kernel may have a bias."""
    path = reduction_path(CASE.replace(biases=True))
    assert [(layer.weights, layer.biases) for layer in path.layers] == [(12_288, 24), (38_400, 64)]
    assert (path.parameters, path.macs, path.activations) == (50_776, 50_688 * 140, 88 * 140)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("inputs", 0, "Input channels: 0 is out of range"),
        ("filters", -3, "Kernels: -3"),
        ("reduction", MAX_CHANNELS + 1, "1 to 4,096"),
        ("kernel", 4, "an odd number, such as 3 or 5"),
        ("kernel", 13, "1 to 11"),
        ("height", 10**20, "over 15 digits"),
        ("width", 0, "Width"),
    ],
)
def test_bad_values_are_named(field: str, value: int, expected: str) -> None:
    """Each problem is one sentence that names the control and a valid range."""
    (problem,) = case_problems(CASE.replace(**{field: value}))
    assert problem.field == field
    assert expected in problem.message
    assert case_problems(CASE) == ()
