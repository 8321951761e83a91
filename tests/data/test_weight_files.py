"""Files of weights by their head: names, shapes, what they are, and what does not fit."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from explorer import PRESETS
from explorer.data.preprocessing import Preprocessing
from explorer.data.weight_files import (
    COUNTER,
    METADATA_KEY,
    ORIGIN,
    TORCHVISION,
    ShapeMismatch,
    WeightsMetadata,
    read_weights_info,
    expected_shapes,
    imagenet_classes,
    is_torchvision,
    shape_mismatches,
    to_app_name,
    torchvision_config,
)
from explorer.errors import InputError
from explorer.live.model import build_model
from explorer.live.weights import to_metadata, to_safetensors
from explorer.training.plan import DATASETS
from tests import torchvision_layout
from tests.small_network import SMALL
from tests.test_layering import loaded_by

MINI = PRESETS["mini"]


@pytest.mark.parametrize("name", PRESETS)
def test_the_expected_shapes_are_those_of_the_live_network(name: str) -> None:
    """From the closed form, without PyTorch."""
    state = build_model(PRESETS[name], "meta").state_dict()
    assert expected_shapes(PRESETS[name]) == {
        name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(COUNTER)
    }


def test_looking_at_a_file_loads_no_torch() -> None:
    """The server does so."""
    assert "torch" not in loaded_by(
        "import explorer.data.weight_files, explorer.jobs.inspection, explorer.data.preprocessing"
    )


def test_torchvisions_names_are_ours_one_to_one() -> None:
    """No tensor is left over on either side, and all shapes agree."""
    theirs = torchvision_layout.shapes()
    assert is_torchvision(theirs)
    ours = {to_app_name(name): shape for name, shape in theirs.items()}
    assert len(ours) == len(theirs) == 364
    assert {name: shape for name, shape in ours.items() if shape} == expected_shapes(PRESETS[TORCHVISION])
    assert torchvision_config(theirs) == PRESETS[TORCHVISION]
    assert shape_mismatches(PRESETS[TORCHVISION], ours) == ()


def test_heads_and_classes_follow_the_file() -> None:
    """Without heads, with one, or trained for ten classes."""
    theirs = torchvision_layout.shapes()
    without = {name: shape for name, shape in theirs.items() if not name.startswith("aux")}
    assert torchvision_config(without).aux.taps == ()
    assert shape_mismatches(torchvision_config(without), {to_app_name(name): shape for name, shape in without.items()}) == ()
    one = {name: shape for name, shape in theirs.items() if not name.startswith("aux1")}
    assert torchvision_config(one).aux.taps == ("4d",)
    assert torchvision_config(without | {"fc.bias": (10,)}).classes == 10


def test_what_does_not_fit_is_told_row_by_row() -> None:
    """Another width, a missing tensor, one too many; each names its row."""
    shapes = expected_shapes(SMALL)
    changed = shapes | {"inception_3a.branch_3x3.conv.conv.weight": (7, 3, 3, 3), "inception_9z.conv.weight": (1,)}
    del changed["classifier.fc.bias"]
    assert shape_mismatches(SMALL, changed) == (
        ShapeMismatch("inception_3a.branch_3x3.conv", "conv.weight", (6, 3, 3, 3), (7, 3, 3, 3)),
        ShapeMismatch("classifier.fc", "bias", (7,), None),
        ShapeMismatch("inception_9z.conv", "weight", None, (1,)),
    )
    assert shape_mismatches(SMALL, shapes | {f"inception_3a.branch_1x1.conv.bn.{COUNTER}": ()}) == ()


def test_weights_trained_here_say_how(tmp_path: Path) -> None:
    """Their classes have names, and pictures are standardised as the training images were."""
    facts = DATASETS["fashion_mnist"]
    training = WeightsMetadata(
        name="mini", facts=facts, mean=(0.3,), std=(0.35,), seed=0, steps=9, seconds=1.0, accuracy=0.9
    )
    path = tmp_path / "mini.safetensors"
    path.write_bytes(to_safetensors(build_model(MINI), {METADATA_KEY: training.model_dump_json()}))
    found = read_weights_info(path)
    assert (found.network.config, found.network.weights) == (MINI, str(path))
    assert found.class_names == facts.classes
    assert found.preprocessing == Preprocessing(mean=(0.3,), std=(0.35,))
    assert found.training == training
    assert facts.title in found.title
    path.write_bytes(path.read_bytes())
    assert read_weights_info(path).network != found.network, "another content is another network"


def test_torchvisions_weights_know_imagenet(tmp_path: Path) -> None:
    """With 1,000 classes; with others nobody knows their names."""
    path = tmp_path / "x.safetensors"
    for classes, names in ((1_000, imagenet_classes()), (10, ())):
        config = PRESETS[TORCHVISION].replace(classes=classes)
        save_file({"a": torch.zeros(1)}, path, to_metadata(config) | {ORIGIN: TORCHVISION})
        found = read_weights_info(path)
        assert found.class_names == names
        assert (found.preprocessing.mean, found.preprocessing.std) == ((0.5,), (0.5,))
        assert f"{classes:,} classes, 2 auxiliary heads" in found.title


def test_imagenets_classes_stand_where_everyone_expects_them() -> None:
    """Known places of the usual order."""
    names = imagenet_classes()
    assert len(names) == 1_000
    known = {0: "tench", 281: "tabby", 504: "coffee mug", 812: "space shuttle", 967: "espresso", 999: "toilet tissue"}
    assert known == {place: names[place] for place in known}


def test_imagenets_classes_that_share_a_word_stay_apart() -> None:
    """Two cranes have no other word, the two maillots do."""
    names = imagenet_classes()
    assert len(set(names)) == 1_000
    assert ("crane", "crane (2)") == (names[134], names[517])
    assert ("maillot", "maillot, tank suit") == (names[638], names[639])


def test_what_is_no_file_of_ours_is_said(tmp_path: Path) -> None:
    """Not there, damaged, without a config, of no network."""
    path = tmp_path / "x.safetensors"
    with pytest.raises(InputError, match="no longer there"):
        read_weights_info(path)
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(InputError, match="damaged"):
        read_weights_info(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="does not say which network"):
        read_weights_info(path)
    save_file({"a": torch.zeros(1)}, path, {"config": "{}"})
    with pytest.raises(InputError, match="no network that can be built"):
        read_weights_info(path)
