"""Where the network runs, with a polite way back to the CPU."""

import pytest
import torch

from explorer.live.devices import available_devices, resolve_device

KINDS = ("cpu", "cuda", "mps")


def test_the_cpu_is_always_there() -> None:
    """The CPU is the first of the devices, and no kind is named twice or unknown."""
    have = available_devices()
    assert "cpu" == have[0]
    assert sorted(set(have)) == sorted(have)
    assert set(have) <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_is_there_is_used(kind: str) -> None:
    """A device that the machine has is taken without a word; for another the CPU is, with the reason."""
    device = resolve_device(kind)
    assert kind == device.choice
    if kind in available_devices():
        assert (kind, "") == (device.torch.type, device.note)
    else:
        assert "cpu" == device.torch.type
        assert f"This server has no {kind.upper()} device: the CPU is used instead." == device.note


@pytest.mark.parametrize("asked", ["tpu", "", "CUDA", "cuda:7", "gpu", "cpu:0", "meta"])
def test_an_unknown_device_falls_back_to_the_cpu(asked: str) -> None:
    """What is no kind of device gives the CPU and a sentence, never an error."""
    device = resolve_device(asked)
    assert (asked, "cpu") == (device.choice, device.torch.type)
    assert device.note.endswith("the CPU is used instead.")


def test_auto_takes_the_best_there_is() -> None:
    """Without a wish CUDA is taken before MPS and MPS before the CPU, and there is nothing to explain."""
    best = max(available_devices(), key=("cpu", "mps", "cuda").index)
    assert (best, "") == (resolve_device().torch.type, resolve_device().note)
    assert resolve_device() == resolve_device("auto")


@pytest.mark.parametrize("asked", ["auto", *KINDS])
def test_a_resolved_device_works(asked: str) -> None:
    """A tensor can be made on what is resolved."""
    device = resolve_device(asked)
    assert device.torch.type == torch.zeros(1, device=device.torch).device.type


def test_the_cpu_is_called_so() -> None:
    """The CPU's name is CPU."""
    assert "CPU" == resolve_device("cpu").name


@pytest.mark.gpu
def test_cuda_is_called_by_its_product_name() -> None:
    """A GPU has the name that its maker gave it."""
    assert torch.cuda.get_device_name() == resolve_device("cuda").name
