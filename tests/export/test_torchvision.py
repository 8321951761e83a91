"""Which networks fit torchvision's GoogLeNet, and its names."""

import pytest

from explorer import PRESETS
from explorer.data.weight_files import expected_shapes
from explorer.export.torchvision import to_torchvision_name, torchvision_refusal
from tests import torchvision_layout

TORCHVISION = PRESETS["torchvision"]


def test_its_own_network_fits_with_any_classes_and_input() -> None:
    """With both heads and with none."""
    for heads in (TORCHVISION.aux, TORCHVISION.aux.replace(taps=())):
        config = TORCHVISION.replace(classes=7, input_shape=(3, 128, 128), aux=heads, dropout=0.5)
        assert torchvision_refusal(config) == ""


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "torchvision"])
def test_other_networks_do_not_fit(name: str) -> None:
    """The reason names what would."""
    assert "is the preset torchvision" in torchvision_refusal(PRESETS[name])


def test_one_head_does_not_fit() -> None:
    """torchvision has both or none."""
    assert "or none" in torchvision_refusal(TORCHVISION.replace(aux=TORCHVISION.aux.replace(taps=("4a",))))


def test_every_tensor_has_torchvisions_name() -> None:
    """The names and shapes are those of torchvision's parameters."""
    shapes = {to_torchvision_name(name): shape for name, shape in expected_shapes(TORCHVISION).items()}
    assert shapes == {name: shape for name, shape in torchvision_layout.shapes().items() if shape}
