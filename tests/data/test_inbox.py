"""The inbox: files of its own folder alone, whatever name a browser sends."""

from pathlib import Path

from explorer.data.inbox import inbox_files, inbox_path


def test_only_files_in_the_folder_are_found(tmp_path: Path) -> None:
    """No path out of it, no folder, and nothing if it does not exist."""
    assert inbox_files(tmp_path) == ()
    (tmp_path / "inbox" / "folder").mkdir(parents=True)
    (tmp_path / "inbox" / "b.ZIP").touch()
    (tmp_path / "inbox" / "a.txt").touch()
    (tmp_path / "secret").touch()
    assert inbox_files(tmp_path) == ("a.txt", "b.ZIP")
    assert inbox_files(tmp_path, (".zip",)) == ("b.ZIP",)
    assert inbox_path(tmp_path, "b.ZIP") == tmp_path / "inbox" / "b.ZIP"
    for name in ("../secret", "folder", "missing", "", str(tmp_path / "secret")):
        assert inbox_path(tmp_path, name) is None
