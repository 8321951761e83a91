"""The audit of Table 1 against the reference file, and the ways of counting against PyTorch and torchinfo."""

import csv
from pathlib import Path

import pytest
import torchinfo

from explorer import PRESETS, summarize
from explorer.lessons.audit import PRINTED, audit, counts, disk_bytes, mult_adds, separable_stem
from explorer.live.model import build_model

REFERENCE = Path(__file__).parents[1] / "reference" / "paper_table1.csv"
PAPER, RELEASED = summarize(PRESETS["paper"]), summarize(PRESETS["inception5h"])


def _reference() -> list[dict[str, str]]:
    with REFERENCE.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["paper_params"]]


def _number(printed: str) -> float:
    return float(printed.rstrip("KM"))


def test_the_audit_equals_the_reference() -> None:
    """Printed numbers, computed numbers and agreement of all 24 cells."""
    rows = audit(PAPER, RELEASED)
    assert len(rows) == len(_reference()) == len(PRINTED)
    for row, expected in zip(rows, _reference(), strict=True):
        assert (row.params.printed, row.ops.printed) == (
            _number(expected["paper_params"]),
            _number(expected["paper_ops"]),
        )
        assert (row.params.exact, row.ops.exact) == (int(expected["calc_weights"]), int(expected["calc_macs"]))
        assert (row.params.agrees, row.ops.agrees) == (
            expected["params_agree"] == "yes",
            expected["ops_agree"] == "yes",
        )
        assert row.params.computed == pytest.approx(float(expected["calc_weights_K1024"]), abs=0.01)


def test_only_differences_have_a_reason() -> None:
    """Every cell that differs has one, and cells that agree have none."""
    for row in audit(PAPER, RELEASED):
        for cell in (row.params, row.ops):
            assert cell.agrees == (cell.reason == "")


def test_the_released_weights_and_the_separable_layer_explain_every_ops_number() -> None:
    """With those three changes every printed ops number agrees."""
    reasons = {row.title: row.ops.reason for row in audit(PAPER, RELEASED) if not row.ops.agrees}
    assert set(reasons) == {"convolution 7×7", "inception 4a", "inception 5a"}
    assert "2,712 weights, 34.02 M" in reasons["convolution 7×7"]
    assert "72.93 M" in reasons["inception 4a"]
    assert "54.24 M" in reasons["inception 5a"]
    assert separable_stem() == (7 * 7 * 3 * 8 + 24 * 64, (7 * 7 * 3 * 8 + 24 * 64) * 112 * 112)


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_the_counts_equal_pytorchs_and_torchinfos(preset: str) -> None:
    """torchinfo's mult-adds, and the bytes of the state_dict with and without the heads."""
    config = PRESETS[preset]
    summary, model = summarize(config), build_model(config, "meta")
    state = model.state_dict()
    bytes_of = {name: tensor.numel() * tensor.element_size() for name, tensor in state.items()}
    assert disk_bytes(summary, aux=True) == sum(bytes_of.values())
    assert disk_bytes(summary, aux=False) == sum(n for name, n in bytes_of.items() if not name.startswith("aux_"))
    counted = torchinfo.summary(model, input_size=(1, *config.input_shape), device="meta", mode="eval", verbose=0)
    assert mult_adds(summary) == counted.total_mult_adds


def test_the_counts_of_the_paper() -> None:
    """The headline numbers, each with its convention."""
    found = {count.name: count.value for count in counts(PAPER)}
    assert found["MACs"] == 1_582_671_872
    assert found["FLOPs"] == 2 * found["MACs"]
    assert found["torchinfo's mult-adds"] == 1_585_899_032
    assert found["parameters at inference"] == 6_998_552
    assert found["parameters in training"] == 13_378_280
    assert found["on disk, at inference"] == 4 * 6_998_552
    assert all(count.convention for count in counts(PAPER))
