"""The folders of an archive: the highest level with different names is the classes, train and test are parts."""

from pathlib import PurePosixPath

import pytest

from explorer.data.folders import draw_tree, understand_folders


def paths(*names: str) -> list[PurePosixPath]:
    """Return the paths of an image in each of these folders."""
    return [PurePosixPath(f"{name}/{number}.png") for number, name in enumerate(names)]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (("cat", "dog"), [("", "cat"), ("", "dog")]),
        (("pets/cat", "pets/dog"), [("", "cat"), ("", "dog")]),
        (("Train/cat", "TEST/cat"), [("train", "cat"), ("test", "cat")]),
        (("cat/train", "dog/val"), [("train", "cat"), ("validation", "dog")]),
        (("a/x", "a/y", "b/x"), [("", "a"), ("", "a"), ("", "b")]),
        (("test/a", "control/a"), [("", "test"), ("", "control")]),
        (("train/a", "test/b", "extra/a"), [("train", "a"), ("test", "b"), (None, "a")]),
        (("训练集/猫", "测试集/狗"), [("train", "猫"), ("test", "狗")]),
    ],
)
def test_parts_and_classes(folders: tuple[str, ...], expected: list[tuple[str | None, str]]) -> None:
    """A folder named test beside one named control is a class."""
    assert [tuple(placed) for placed in understand_folders(paths(*folders)).images] == expected


def test_a_tree_of_many_folders_is_short() -> None:
    """It says how many more there are, and shows nothing below the classes."""
    tree = draw_tree(paths(*(f"set/{n:02}/deeper" for n in range(20))), 1, None)
    assert [branch.name for branch in tree] == ["set", "00", "01", "02", "03", "04", "05", "… 14 more"]
    assert {branch.role for branch in tree[1:-1]} == {"class"}
