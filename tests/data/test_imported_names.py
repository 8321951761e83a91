"""The names of an imported dataset: they can change, its content hash and its images do not."""

from pathlib import Path

import pytest

from explorer.data.arrays import DataError
from explorer.data.datasets import dataset_info, imported_dataset_path
from explorer.data.import_report import Upload
from explorer.data.imported_names import names_path, read_names
from explorer.data.imports import import_images, rename
from tests.data.files import animals, zip_file


def test_a_dataset_keeps_its_owner_and_gets_other_names(tmp_path: Path) -> None:
    """Too few names leave the classes as they are; equal names become different."""
    dataset = import_images([Upload("pets.zip", zip_file(animals()))], tmp_path, owner="me").dataset
    path = imported_dataset_path(dataset.upload, tmp_path)
    content = path.read_bytes()
    rename(dataset.upload, tmp_path, "Pets", ["pet", "pet"])
    assert dataset_info(dataset, tmp_path).classes == ("pet", "pet (2)")
    rename(dataset.upload, tmp_path, "", ["one"])
    info = dataset_info(dataset, tmp_path)
    assert (info.title, info.classes) == ("Pets", ("pet", "pet (2)"))
    assert read_names(path).owner == "me"
    assert path.read_bytes() == content
    with pytest.raises(DataError, match="missing or damaged"):
        rename("0" * 16, tmp_path, "x")


def test_a_dataset_without_names_has_those_in_it(tmp_path: Path) -> None:
    """Also where the file of names is damaged: it was imported by an earlier version, or a disk was full."""
    dataset = import_images([Upload("pets.zip", zip_file(animals()))], tmp_path).dataset
    names = names_path(imported_dataset_path(dataset.upload, tmp_path))
    for damage in (lambda: names.write_text("{"), names.unlink):
        damage()
        assert dataset_info(dataset, tmp_path).title == "pets.zip"
        assert dataset_info(dataset, tmp_path).classes == ("cats", "dogs")
