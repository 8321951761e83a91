"""Archives are listed and read within limits, whatever they declare, and their names in the right encoding."""

import io
import tarfile
from typing import Any

import pytest

from explorer.data import archives
from explorer.data.archives import first_bytes, is_tar, open_archive
from explorer.data.arrays import DataError
from tests.data.files import zip_file


def tar_file(entries: dict[str, bytes], mode: str = "w:gz", **options: Any) -> io.BytesIO:
    """Return a tar of these files."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, **options) as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    file.seek(0)
    return file


def test_a_zip_and_a_tar_have_the_same_entries_and_contents() -> None:
    """Without hidden files."""
    entries = {"a/1.png": b"one", "a/2.png": b"two", ".hidden/x": b"", "__MACOSX/y": b""}
    for file in (zip_file(entries), tar_file(entries), tar_file(entries, "w:bz2"), tar_file(entries, "w:xz")):
        archive = open_archive(file, "x")
        assert [str(entry.path) for entry in archive.entries] == ["a/1.png", "a/2.png"]
        assert [content for _, content in archive.read(archive.entries[1:])] == [b"two"]
        assert archive.encoding == ""
    assert is_tar(first_bytes(tar_file(entries)))


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_the_encoding_of_names_is_detected(encoding: str) -> None:
    """UTF-8 before GBK; another one can be chosen."""
    file = tar_file({"花猫/1.png": b"x"}, encoding=encoding, mode="w", format=tarfile.GNU_FORMAT)
    archive = open_archive(file, "x")
    assert str(archive.entries[0].path) == "花猫/1.png"
    assert archive.encoding == {"gbk": "gb18030"}.get(encoding, encoding)
    file.seek(0)
    assert str(open_archive(file, "x", "cp1252").entries[0].path) != "花猫/1.png"


def test_links_out_of_a_tar_are_not_followed() -> None:
    """Only plain files are entries."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        link = tarfile.TarInfo("a/1.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    file.seek(0)
    assert open_archive(file, "x").entries == ()


def test_a_tar_that_unpacks_to_gigabytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the sizes that it declares, before they are unpacked."""
    monkeypatch.setattr(archives, "MAX_TAR_BYTES", 1_000)
    with pytest.raises(DataError, match="unpacked it would have more than"):
        open_archive(tar_file({"a/1.png": bytes(2_000)}), "x")


def test_an_entry_over_the_limit_is_not_read() -> None:
    """Its content is empty."""
    for file in (zip_file({"a": bytes(100)}), tar_file({"a": bytes(100)})):
        archive = open_archive(file, "x")
        assert [content for _, content in archive.read(archive.entries, 50)] == [b""]
