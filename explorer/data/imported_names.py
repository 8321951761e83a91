"""The names of an imported dataset and of its classes, and whose it is: a small JSON file beside it. Free of torch.

The dataset itself is named by its content and never changes; datasets without such a file have the names in them.
"""

import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from explorer.config import Frozen
from explorer.data.arrays import DataError

COMMAND_LINE = "command line"  # owner of what was imported there


class DatasetNames(Frozen):
    """The title of a dataset, the names of its classes, and the token of the browser that imported it, if known."""

    title: str
    classes: tuple[str, ...]
    owner: str = ""


def names_path(dataset: Path) -> Path:
    """Return the path of the names of the dataset in a file."""
    return dataset.with_suffix(".json")


def read_names(dataset: Path) -> DatasetNames | None:
    """Return the names of a dataset; None if there are none, or if they cannot be read."""
    try:
        return DatasetNames.model_validate_json(names_path(dataset).read_bytes())
    except (OSError, ValidationError):
        return None


def save_names(dataset: Path, names: DatasetNames) -> None:
    """Save the names of a dataset. Raises DataError if they cannot be written."""
    try:
        handle, part = tempfile.mkstemp(dir=dataset.parent, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(names.model_dump_json())
        Path(part).replace(names_path(dataset))
    except OSError as error:
        raise DataError(f"The names could not be saved in the data directory ({error.strerror}).") from error
