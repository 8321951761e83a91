"""Device selection with a fallback to the CPU."""

import pytest
import torch

from explorer.live.devices import MAX_MACS, available_devices, resolve_device, size_limit_reason

KINDS = ("cpu", "cuda", "mps")


def test_the_cpu_is_always_available() -> None:
    """The CPU comes first, and every kind is known and listed once."""
    available = available_devices()
    assert "cpu" == available[0]
    assert sorted(set(available)) == sorted(available)
    assert set(available) <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_available_device_is_used(kind: str) -> None:
    """An available device has no note; any other falls back to the CPU with the reason."""
    device = resolve_device(kind)
    assert kind == device.choice
    if kind in available_devices():
        assert (kind, "") == (device.torch.type, device.note)
    else:
        assert "cpu" == device.torch.type
        assert f"This server has no {kind.upper()} device: the CPU is used instead." == device.note


@pytest.mark.parametrize("choice", ["tpu", "", "CUDA", "cuda:7", "gpu", "cpu:0", "meta"])
def test_an_unknown_device_falls_back_to_the_cpu(choice: str) -> None:
    """An unknown name gives the CPU and a note, never an error."""
    device = resolve_device(choice)
    assert (choice, "cpu") == (device.choice, device.torch.type)
    assert device.note.endswith("the CPU is used instead.")


def test_auto_picks_the_best_device() -> None:
    """The default prefers CUDA to MPS and MPS to the CPU, without a note."""
    best = max(available_devices(), key=("cpu", "mps", "cuda").index)
    assert (best, "") == (resolve_device().torch.type, resolve_device().note)
    assert resolve_device() == resolve_device("auto")


@pytest.mark.parametrize("choice", ["auto", *KINDS])
def test_a_resolved_device_works(choice: str) -> None:
    """A tensor can be made on the resolved device."""
    device = resolve_device(choice)
    assert device.torch.type == torch.zeros(1, device=device.torch).device.type


def test_the_name_of_the_cpu() -> None:
    """The CPU's name is CPU."""
    assert "CPU" == resolve_device("cpu").name


@pytest.mark.gpu
def test_the_name_of_a_gpu() -> None:
    """It is the product name."""
    assert torch.cuda.get_device_name() == resolve_device("cuda").name


def test_the_size_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """At both limits there is no reason; above one, the reason states the value and the limit."""
    monkeypatch.setenv("EXPLORER_LIVE_MB", "50")
    assert size_limit_reason(50, MAX_MACS) == ""
    assert "about 51 MB; the limit here is 50 MB (EXPLORER_LIVE_MB)" in size_limit_reason(51, 1)
    assert "20.1 · 10⁹ MACs; the limit here is 20 · 10⁹" in size_limit_reason(1, MAX_MACS + 10**8)
