"""Files of weights by their header: names, shapes, training, and mismatches."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save, save_file

from explorer import PRESETS
from explorer.data.content_store import ContentStore
from explorer.data.preprocessing import Preprocessing
from explorer.data.weight_files import (
    COUNTER,
    METADATA_KEY,
    ORIGIN,
    TORCHVISION,
    WeightsMetadata,
    expected_shapes,
    imagenet_classes,
    is_torchvision,
    read_weights_info,
    rename_weights,
    shape_mismatches,
    to_app_name,
    torchvision_config,
    with_metadata,
)
from explorer.data.weights import ShapeMismatch
from explorer.errors import InputError
from explorer.live.model import build_model
from explorer.live.weights import to_metadata, to_safetensors
from explorer.training.plan import DATASETS
from tests import torchvision_layout
from tests.small_network import SMALL

MINI = PRESETS["mini"]


@pytest.mark.parametrize("name", PRESETS)
def test_the_expected_shapes_are_those_of_the_live_network(name: str) -> None:
    """From the closed form, without PyTorch."""
    state = build_model(PRESETS[name], "meta").state_dict()
    assert expected_shapes(PRESETS[name]) == {
        name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(COUNTER)
    }


def test_torchvisions_names_map_one_to_one() -> None:
    """No tensor is left over on either side, and all shapes agree."""
    shapes = torchvision_layout.shapes()
    assert is_torchvision(shapes)
    renamed = {to_app_name(name): shape for name, shape in shapes.items()}
    assert len(renamed) == len(shapes) == 364
    assert {name: shape for name, shape in renamed.items() if shape} == expected_shapes(PRESETS[TORCHVISION])
    assert torchvision_config(shapes) == PRESETS[TORCHVISION]
    assert shape_mismatches(PRESETS[TORCHVISION], renamed) == ()


def test_heads_and_classes_follow_the_file() -> None:
    """Without heads, with one, or with ten classes."""
    shapes = torchvision_layout.shapes()
    without = {name: shape for name, shape in shapes.items() if not name.startswith("aux")}
    assert torchvision_config(without).aux.taps == ()
    assert (
        shape_mismatches(torchvision_config(without), {to_app_name(name): shape for name, shape in without.items()})
        == ()
    )
    one = {name: shape for name, shape in shapes.items() if not name.startswith("aux1")}
    assert torchvision_config(one).aux.taps == ("4d",)
    assert torchvision_config(without | {"fc.bias": (10,)}).classes == 10


def test_mismatches_name_their_row() -> None:
    """Another width, a missing tensor, an unknown one."""
    shapes = expected_shapes(SMALL)
    changed = shapes | {"inception_3a.branch_3x3.conv.conv.weight": (7, 3, 3, 3), "inception_9z.conv.weight": (1,)}
    del changed["classifier.fc.bias"]
    assert shape_mismatches(SMALL, changed) == (
        ShapeMismatch("inception_3a.branch_3x3.conv", "conv.weight", (6, 3, 3, 3), (7, 3, 3, 3)),
        ShapeMismatch("classifier.fc", "bias", (7,), None),
        ShapeMismatch("inception_9z.conv", "weight", None, (1,)),
    )
    assert shape_mismatches(SMALL, shapes | {f"inception_3a.branch_1x1.conv.bn.{COUNTER}": ()}) == ()


def test_weights_trained_here_have_metadata(tmp_path: Path) -> None:
    """The names of the classes, and the normalisation of the training images."""
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
    assert read_weights_info(path).network != found.network, "another stamp is another network"


def test_the_metadata_has_one_order(tmp_path: Path) -> None:
    """Whatever order it is given in; the tensors stay, and a name that is given again gives the first file again."""
    first = {"format": "pt", "b": "2", "config": "{}", "a": "1"}
    state = build_model(SMALL, seed=1).state_dict()
    content = with_metadata(save(state, {"old": "x"}), first)
    assert content == with_metadata(content, dict(reversed(first.items())))
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == first
        assert all(torch.equal(file.get_tensor(name), tensor) for name, tensor in state.items())
    store = ContentStore(tmp_path / "store")
    named = rename_weights(path, store, "mine", ["a"])
    assert named == rename_weights(rename_weights(named, store, "other", ["a"]), store, "mine", ["a"])


def test_torchvisions_weights_have_imagenets_classes(tmp_path: Path) -> None:
    """If there are 1,000; other classes have no names."""
    path = tmp_path / "x.safetensors"
    for classes, names in ((1_000, imagenet_classes()), (10, ())):
        config = PRESETS[TORCHVISION].replace(classes=classes)
        save_file({"a": torch.zeros(1)}, path, to_metadata(config) | {ORIGIN: TORCHVISION})
        found = read_weights_info(path)
        assert found.class_names == names
        assert (found.preprocessing.mean, found.preprocessing.std) == ((0.5,), (0.5,))
        assert f"{classes:,} classes, 2 auxiliary heads" in found.title


def test_imagenets_classes_are_in_the_standard_order() -> None:
    """Checked at known indices."""
    names = imagenet_classes()
    assert len(names) == 1_000
    known = {0: "tench", 281: "tabby", 504: "coffee mug", 812: "space shuttle", 967: "espresso", 999: "toilet tissue"}
    assert known == {index: names[index] for index in known}


def test_imagenets_classes_with_the_same_name_stay_different() -> None:
    """The two maillots by a synonym, the two cranes by a number."""
    names = imagenet_classes()
    assert len(set(names)) == 1_000
    assert ("crane", "crane (2)") == (names[134], names[517])
    assert ("maillot", "maillot, tank suit") == (names[638], names[639])


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Missing, damaged, without a config, or with an invalid one."""
    path = tmp_path / "x.safetensors"
    with pytest.raises(InputError, match="missing or damaged"):
        read_weights_info(path)
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(InputError, match="missing or damaged"):
        read_weights_info(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="does not contain the configuration"):
        read_weights_info(path)
    save_file({"a": torch.zeros(1)}, path, {"config": "{}"})
    with pytest.raises(InputError, match="cannot be built here"):
        read_weights_info(path)
