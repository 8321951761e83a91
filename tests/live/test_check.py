"""The live check: it reports no disagreement for consistent networks, and names row and field otherwise."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from hypothesis import given

from explorer import PRESETS, GoogLeNetConfig, UnbuildableError, summarize
from explorer.jobs.requests import MAX_DISAGREEMENTS, Disagreement
from explorer.live import check as module
from explorer.live import devices
from explorer.live.check import check, live_megabytes, torchinfo_text
from explorer.live.model import build_model
from explorer.live.trace import LiveRow, trace
from tests.strategies import examples, networks

MINI = PRESETS["mini"]


@pytest.mark.parametrize("name", ["mini", "half", "paper"])
def test_a_network_within_the_limits_runs(name: str) -> None:
    """The report has times, the logits' shape, torchinfo's parameters, and as many rows as the closed form."""
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


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_agrees_by_shapes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a memory limit of 0 every preset is checked on the meta device, in every row."""
    monkeypatch.setenv("EXPLORER_LIVE_MB", "0")
    report = check(PRESETS[name])
    assert report.ok
    assert report.rows == len(summarize(PRESETS[name]).rows)
    assert (report.ran, report.build_ms, report.forward_ms) == (False, None, None)


def test_a_network_over_the_memory_limit_is_not_built() -> None:
    """The note on the naive network states the memory it needs and the limit."""
    report = check(PRESETS["naive"])
    assert report.ok
    assert not report.ran
    needed = live_megabytes(summarize(PRESETS["naive"]))
    assert f"{needed} MB" in report.note
    assert "300 MB" in report.note
    assert report.device == "meta (shapes only)"


def test_a_network_with_too_much_work_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that fits into memory can still take too long; the note states both numbers."""
    monkeypatch.setattr(devices, "MAX_MACS", 2_000_000)
    report = check(MINI)
    assert report.ok
    assert not report.ran
    assert f"{summarize(MINI).macs(aux=True) / 1e9:.1f} · 10⁹ MACs" in report.note


def test_memory_is_never_estimated_below_the_weights() -> None:
    """The estimate covers all parameters and activations as float32, and is at most twice their size."""
    for config in PRESETS.values():
        whole = summarize(config).training_totals
        least = 4 * (whole.parameters + whole.activations) / 1e6
        assert least <= live_megabytes(summarize(config)) + 1 <= 2 * least + 2


def change_trace(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Change the rows of the live network before the check sees them."""
    monkeypatch.setattr(module, "trace", lambda model, image: change(trace(model, image)))


def test_a_wrong_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report gives the path, the field and both values."""

    def falsify(rows: tuple[LiveRow, ...]) -> list[LiveRow]:
        return [row._replace(weights=7) if row.path == "inception_4a.branch_5x5.reduce" else row for row in rows]

    change_trace(monkeypatch, falsify)
    report = check(MINI, "cpu")
    weights = summarize(MINI).by_path["inception_4a.branch_5x5.reduce"].weights
    assert report.disagreements == (Disagreement("inception_4a.branch_5x5.reduce", "weights", weights, 7),)
    assert report.differing == 1
    assert not report.ok


def test_rows_missing_on_either_side_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that only one side has is a disagreement about the row."""
    change_trace(monkeypatch, lambda rows: [*rows[1:], rows[0]._replace(path="stem.extra")])
    assert check(MINI, "cpu").disagreements == (
        Disagreement("stem.conv1", "row", "conv", None),
        Disagreement("stem.extra", "row", None, "conv"),
    )


def test_many_disagreements_are_counted_but_not_all_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report stays small, however many rows disagree."""
    change_trace(monkeypatch, lambda rows: [row._replace(kind="nonsense") for row in rows])
    report = check(MINI, "cpu")
    assert report.differing == report.rows == len(summarize(MINI).rows)
    assert len(report.disagreements) == MAX_DISAGREEMENTS


def test_totals_are_compared_with_torchinfo_and_the_flop_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the live network is another one, each of the three totals disagrees."""
    wider = MINI.replace(classes=11)
    monkeypatch.setattr(module, "build_model", lambda _, device: build_model(wider, device))
    report = check(MINI, "cpu")
    totals = {row.path: (row.field, row.closed_form, row.live) for row in report.disagreements}
    expected, live = summarize(MINI), summarize(wider)
    assert totals["torchinfo"] == ("parameters", expected.parameters(), live.parameters())
    assert totals["FlopCounterMode"] == ("flops", 2 * expected.macs(aux=True), 2 * live.macs(aux=True))
    assert totals["logits"] == ("out_shape", (1, 10), (1, 11))
    assert report.output_shape == (1, 11)


def test_an_unknown_device_falls_back_with_a_note() -> None:
    """The check still runs, on the CPU."""
    report = check(MINI, "abacus")
    assert report.ok
    assert "CPU" in report.note


@pytest.mark.gpu
def test_a_gpu_agrees_too() -> None:
    """On CUDA the network runs, and the report has the GPU's product name."""
    report = check(PRESETS["paper"], "cuda")
    assert report.ok
    assert report.ran
    assert report.device == torch.cuda.get_device_name()


def test_an_unbuildable_network_raises() -> None:
    """A config with problems is refused before anything is allocated."""
    with pytest.raises(UnbuildableError):
        check(MINI.replace(modules=()))


@pytest.mark.slow
@given(networks())
@examples(20)
def test_random_networks_agree(config: GoogLeNetConfig) -> None:
    """Any network that can be built passes the check on the CPU."""
    assert check(config, "cpu").ok


@pytest.mark.parametrize("name", ["paper", "torchvision"])
def test_torchinfos_text_explains_its_totals(name: str) -> None:
    """The heading explains mult-adds and the heads' parameters; the root row has no parameters of its own."""
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


@pytest.mark.slow
def test_torchinfos_mult_adds_are_the_stated_sum() -> None:
    """They are the MACs, plus each bias at each position, plus BatchNorm's parameters once."""
    for config in PRESETS.values():
        main = [row for row in summarize(config).rows if row.aux is None]
        biases = sum(row.biases * row.activations // row.out_shape[0] for row in main)
        mult_adds = summarize(config).macs() + biases + sum(row.norm for row in main)
        assert f"FLOPs: {mult_adds:,}, where" in torchinfo_text(config)


def test_the_text_of_a_network_without_heads_does_not_mention_them() -> None:
    """There is nothing to explain about auxiliary heads."""
    assert "heads" not in torchinfo_text(MINI.replace(aux=MINI.aux.replace(taps=())))


@pytest.mark.slow
def test_the_flop_counter_does_not_load_the_compiler() -> None:
    """A check in a new process does not import torch's compiler, which would cost a second and 40 MB."""
    code = (
        "import sys; from explorer import PRESETS; from explorer.live.check import check;"
        "assert check(PRESETS['mini'], 'cpu').ok; sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
