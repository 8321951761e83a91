"""The check itself: it agrees where the two sides do, and names row and field where they do not."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given

from explorer import PRESETS, GoogLeNetConfig, UnbuildableError, summarize
from explorer.jobs.requests import MAX_DISAGREEMENTS, Disagreement
from explorer.live import check as module
from explorer.live.check import check, live_megabytes, torchinfo_text
from explorer.live.model import build_model
from explorer.live.trace import LiveRow, trace
from tests.strategies import examples, networks

MINI = PRESETS["mini"]


@pytest.mark.parametrize("name", ["mini", "half", "paper"])
def test_a_network_within_the_limits_really_runs(name: str) -> None:
    """The report has times, the logits' shape, torchinfo's parameters and as many rows as the closed form."""
    config = PRESETS[name]
    report = check(config, "cpu")
    assert report.ok
    assert report.ran
    assert report.rows == len(summarize(config).rows)
    assert report.torchinfo_parameters == summarize(config).parameters()
    assert report.output_shape == (1, config.classes)
    assert report.build_ms > 0
    assert report.forward_ms > 0
    assert report.device.startswith("CPU (")
    assert report.note == ""


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_agrees_by_shapes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no memory allowed each preset is checked on the meta device, in every row."""
    monkeypatch.setenv("EXPLORER_LIVE_MB", "0")
    report = check(PRESETS[name])
    assert report.ok
    assert report.rows == len(summarize(PRESETS[name]).rows)
    assert (report.ran, report.build_ms, report.forward_ms) == (False, None, None)


def test_a_network_over_the_memory_limit_is_not_built() -> None:
    """The naive network's note says what it would need and what the limit is."""
    report = check(PRESETS["naive"])
    assert report.ok
    assert not report.ran
    needed = live_megabytes(summarize(PRESETS["naive"]))
    assert f"{needed} MB" in report.note
    assert "300 MB" in report.note
    assert report.device == "meta (shapes only)"


def test_a_network_with_too_much_work_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small enough to hold can still be too long to wait for; the note names both numbers."""
    monkeypatch.setattr(module, "LIVE_MACS", 2_000_000)
    report = check(MINI)
    assert report.ok
    assert not report.ran
    assert f"{summarize(MINI).macs(aux=True) / 1e9:.1f} · 10⁹ MACs" in report.note


def test_memory_is_never_estimated_below_the_weights() -> None:
    """The estimate covers all parameters and activations as float32, and stays within twice of them."""
    for config in PRESETS.values():
        whole = summarize(config).whole
        least = 4 * (whole.parameters + whole.activations) / 1e6
        assert least <= live_megabytes(summarize(config)) + 1 <= 2 * least + 2


def _planted(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    monkeypatch.setattr(module, "trace", lambda model, image: change(trace(model, image)))


def test_a_planted_disagreement_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong number in one live row is reported with its path, its field and both values."""

    def spoil(rows: tuple[LiveRow, ...]) -> list[LiveRow]:
        return [row._replace(weights=7) if row.path == "inception_4a.branch_5x5.reduce" else row for row in rows]

    _planted(monkeypatch, spoil)
    report = check(MINI, "cpu")
    weights = summarize(MINI).by_path["inception_4a.branch_5x5.reduce"].weights
    assert report.disagreements == (Disagreement("inception_4a.branch_5x5.reduce", "weights", weights, 7),)
    assert report.differing == 1
    assert not report.ok


def test_rows_missing_on_either_side_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that only one side has is a disagreement about the row itself."""
    _planted(monkeypatch, lambda rows: [*rows[1:], rows[0]._replace(path="stem.extra")])
    assert check(MINI, "cpu").disagreements == (
        Disagreement("stem.conv1", "row", "conv", None),
        Disagreement("stem.extra", "row", None, "conv"),
    )


def test_many_disagreements_are_counted_but_not_all_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report stays small however wrong things are."""
    _planted(monkeypatch, lambda rows: [row._replace(kind="nonsense") for row in rows])
    report = check(MINI, "cpu")
    assert report.differing == report.rows == len(summarize(MINI).rows)
    assert len(report.disagreements) == MAX_DISAGREEMENTS


def test_totals_are_held_against_torchinfo_and_the_flop_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another network built than was asked for, each of the three totals disagrees by what was added."""
    wider = MINI.replace(classes=11)
    monkeypatch.setattr(module, "build_model", lambda _, device: build_model(wider, device))
    report = check(MINI, "cpu")
    totals = {row.path: (row.field, row.closed_form, row.live) for row in report.disagreements}
    asked, built = summarize(MINI), summarize(wider)
    assert totals["torchinfo"] == ("parameters", asked.parameters(), built.parameters())
    assert totals["FlopCounterMode"] == ("flops", 2 * asked.macs(aux=True), 2 * built.macs(aux=True))
    assert totals["logits"] == ("out_shape", (1, 10), (1, 11))
    assert report.output_shape == (1, 11)


def test_an_unknown_device_falls_back_with_a_note() -> None:
    """The check takes place all the same."""
    report = check(MINI, "abacus")
    assert report.ok
    assert "CPU" in report.note


@pytest.mark.gpu
def test_a_gpu_agrees_too() -> None:
    """On CUDA the network runs, and the device has its product's name."""
    report = check(PRESETS["paper"], "cuda")
    assert report.ok
    assert report.ran
    assert report.device == torch.cuda.get_device_name()


def test_an_unbuildable_network_raises() -> None:
    """What the table refuses is refused here too, before anything is allocated."""
    with pytest.raises(UnbuildableError):
        check(MINI.replace(modules=()))


@given(networks())
@examples(20)
def test_random_networks_agree(config: GoogLeNetConfig) -> None:
    """Any edit that can be built passes the check, run for real."""
    assert check(config, "cpu").ok


@pytest.mark.parametrize("name", ["paper", "torchvision"])
def test_torchinfos_text_explains_its_totals(name: str) -> None:
    """The heading separates MACs from mult-adds and the heads' parameters; the root row claims no parameters."""
    config = PRESETS[name]
    summary, text = summarize(config), torchinfo_text(config)
    heading, _, table = text.partition("\n\n")
    heads = summary.parameters() - summary.parameters(aux=False)
    for number in (summary.macs(), heads, summary.parameters(aux=False)):
        assert f"{number:,}" in heading
    root = next(line for line in table.splitlines() if line.startswith("GoogLeNet"))
    assert root.split("]")[-1].split() == ["--", "--"]
    assert f"Total params: {summary.parameters():,}" in table
    assert table.count("Inception:") == len(config.modules)


def test_torchinfos_mult_adds_are_the_stated_sum() -> None:
    """They are the MACs plus each bias at each of its positions plus BatchNorm's parameters once."""
    for config in PRESETS.values():
        main = [row for row in summarize(config).rows if row.aux is None]
        biases = sum(row.biases * row.activations // row.out_shape[0] for row in main)
        mult_adds = summarize(config).macs() + biases + sum(row.norm for row in main)
        assert f"FLOPs: {mult_adds:,} where" in torchinfo_text(config)


def test_text_without_heads_does_not_speak_of_them() -> None:
    """A network with no auxiliary heads has nothing to explain about them."""
    assert "heads" not in torchinfo_text(MINI.replace(aux=MINI.aux.replace(taps=())))


def test_the_flop_counter_does_not_load_the_compiler() -> None:
    """A check in a fresh process leaves torch's compiler alone: it would cost a second and 40 MB."""
    code = (
        "import sys; from explorer import PRESETS; from explorer.live.check import check;"
        "assert check(PRESETS['mini'], 'cpu').ok; sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
