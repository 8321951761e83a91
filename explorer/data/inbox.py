"""Files too large for an upload: the owner of the server puts them into the folder ``inbox`` of the data directory."""

from pathlib import Path

FOLDER = "inbox"
MAX_LISTED = 50


def inbox_files(data_folder: Path, suffixes: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of the files there, in alphabetical order; only those with one of the suffixes, if given."""
    try:
        found = [path.name for path in (data_folder / FOLDER).iterdir() if path.is_file()]
    except OSError:
        return ()
    return tuple(sorted(name for name in found if name.lower().endswith(suffixes or ("",))))[:MAX_LISTED]


def inbox_path(data_folder: Path, name: str) -> Path | None:
    """Return the path of a file there; None if it is not one that is listed."""
    path = data_folder / FOLDER / name
    return path if Path(name).name == name and path.is_file() else None
