"""The content store: equal content has one file, and the folder stays within its limit."""

import os
from pathlib import Path

import pytest

from explorer.data.content_store import ContentStore, ContentStoreError, is_named_by_content


def test_equal_content_has_one_file(tmp_path: Path) -> None:
    """Also in another store with the same folder."""
    store = ContentStore(tmp_path / "new" / "folder")
    path = store.add(b"content", ".png")
    assert path == ContentStore(store.folder).add(b"content", ".png")
    assert path == store.add_pieces((b"con", memoryview(b"tent")), ".png")
    assert is_named_by_content(path)
    assert not is_named_by_content(tmp_path / "lane0.weights.safetensors")
    assert path != store.add(b"other", ".png")
    assert path.read_bytes() == b"content"
    assert len(list(store.folder.iterdir())) == 2
    assert store.folder.stat().st_mode & 0o077 == 0


def test_the_least_recently_used_file_is_deleted_first(tmp_path: Path) -> None:
    """Adding the same content again is a use."""
    store = ContentStore(tmp_path, max_bytes=30)
    paths = [store.add(bytes([number]) * 10, ".x") for number in range(3)]
    for age, path in zip((30, 20, 10), paths, strict=True):
        os.utime(path, (1_000 - age, 1_000 - age))
    store.add(b"\x00" * 10, ".x")
    store.add(b"new", ".x")
    assert [path.exists() for path in paths] == [True, False, True]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 30


def test_a_file_that_cannot_be_saved_is_an_error(tmp_path: Path) -> None:
    """Because it is too large, or because the folder cannot be written to."""
    with pytest.raises(ContentStoreError, match="larger than 5 bytes"):
        ContentStore(tmp_path, max_bytes=5).add(b"123456", ".x")
    (tmp_path / "file").touch()
    with pytest.raises(ContentStoreError, match="cannot be saved in"):
        ContentStore(tmp_path / "file" / "folder").add(b"1", ".x")


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The incomplete file is deleted."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ContentStoreError, match="No space left"):
        ContentStore(tmp_path).add(b"1", ".x")
    assert list(tmp_path.iterdir()) == []


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    """Not before, and never after an error."""
    store, path = ContentStore(tmp_path), tmp_path / "complete"
    with store.create(path, 6) as part:
        part.write(b"abc")
        part.flush()
        assert not store.mark_used(path)
        part.write(b"def")
    assert store.mark_used(path)
    assert path.read_bytes() == b"abcdef"

    def write_and_fail(error: Exception) -> None:
        with store.create(tmp_path / "other", 6) as part:
            part.write(b"abc")
            raise error

    for error, expected in ((KeyError("x"), KeyError), (OSError(28, "No space left"), ContentStoreError)):
        with pytest.raises(expected):
            write_and_fail(error)
    assert list(tmp_path.iterdir()) == [path]


def test_a_stale_incomplete_file_is_deleted(tmp_path: Path) -> None:
    """One that was written to recently stays."""
    store = ContentStore(tmp_path)
    dead, alive = tmp_path / "dead.part", tmp_path / "alive.part"
    dead.touch()
    alive.touch()
    os.utime(dead, (1_000, 1_000))
    store.add(b"next", ".x")
    assert (dead.exists(), alive.exists()) == (False, True)
