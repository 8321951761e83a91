"""The scratch folder: content has one file, and the folder stays as small as it was told to."""

import os
from pathlib import Path

import pytest

from explorer.data.content_store import ContentStore, ContentStoreError


def test_equal_content_has_one_file(tmp_path: Path) -> None:
    """Whoever brings it, and under whichever kind of name."""
    scratch = ContentStore(tmp_path / "new" / "folder")
    path = scratch.add(b"content", ".png")
    assert path == ContentStore(scratch.folder).add(b"content", ".png")
    assert path != scratch.add(b"other", ".png")
    assert path.read_bytes() == b"content"
    assert len(list(scratch.folder.iterdir())) == 2
    assert scratch.folder.stat().st_mode & 0o077 == 0


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    """Keeping it again is using it."""
    scratch = ContentStore(tmp_path, max_bytes=30)
    paths = [scratch.add(bytes([number]) * 10, ".x") for number in range(3)]
    for age, path in zip((30, 20, 10), paths, strict=True):
        os.utime(path, (1_000 - age, 1_000 - age))
    scratch.add(b"\x00" * 10, ".x")
    scratch.add(b"new", ".x")
    assert [path.exists() for path in paths] == [True, False, True]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 30


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """Too large, or no folder to write to; nothing half is left."""
    with pytest.raises(ContentStoreError, match="larger than 5 bytes"):
        ContentStore(tmp_path, max_bytes=5).add(b"123456", ".x")
    (tmp_path / "file").touch()
    with pytest.raises(ContentStoreError, match="cannot be kept in"):
        ContentStore(tmp_path / "file" / "folder").add(b"1", ".x")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a file is removed."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ContentStoreError, match="No space left"):
        ContentStore(tmp_path).add(b"1", ".x")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_grows_is_there_when_it_is_whole(tmp_path: Path) -> None:
    """Not before, and never where it broke off."""
    scratch, path = ContentStore(tmp_path), tmp_path / "whole"
    with scratch.create(path, 6) as part:
        part.write(b"abc")
        part.flush()
        assert not scratch.mark_used(path)
        part.write(b"def")
    assert scratch.mark_used(path)
    assert path.read_bytes() == b"abcdef"

    def broken_off(error: Exception) -> None:
        with scratch.create(tmp_path / "other", 6) as part:
            part.write(b"abc")
            raise error

    for error, told in ((KeyError("x"), KeyError), (OSError(28, "No space left"), ContentStoreError)):
        with pytest.raises(told):
            broken_off(error)
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_goes_with_the_next_file(tmp_path: Path) -> None:
    """What somebody has just written to stays."""
    scratch = ContentStore(tmp_path)
    dead, alive = tmp_path / "dead.part", tmp_path / "alive.part"
    dead.touch()
    alive.touch()
    os.utime(dead, (1_000, 1_000))
    scratch.add(b"next", ".x")
    assert (dead.exists(), alive.exists()) == (False, True)
