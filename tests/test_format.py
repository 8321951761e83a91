"""The documentation of the formats is complete: it has every field, value, limit and parameter of the code."""

import re
from pathlib import Path
from typing import get_args

import pytest

from explorer import share
from explorer.config import (
    AuxiliaryHeads,
    AuxiliaryPool,
    GoogLeNetConfig,
    InceptionModule,
    Kernel5x5,
    Normalisation,
    Pooling,
    Stem,
    StemKind,
)
from explorer.shelf import MAX_NOTE, MAX_VARIANTS
from explorer.ui import state

TEXT = (Path(__file__).parents[1] / "docs" / "format.md").read_text("utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("part", [GoogLeNetConfig, Stem, InceptionModule, AuxiliaryHeads])
def test_every_field_is_documented(part: type) -> None:
    """Each field has a row in a table."""
    documented = {name for line in ROWS for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert set(part.model_fields) <= documented


@pytest.mark.parametrize("values", [Kernel5x5, Normalisation, Pooling, AuxiliaryPool, StemKind])
def test_every_value_is_documented(values: object) -> None:
    """Each value of a setting is in the row of its field."""
    assert all(any(f'`"{value}"`' in line for line in ROWS) for value in get_args(values))


def test_limits_and_names_are_those_of_the_code() -> None:
    """Formats, lengths and URL parameters match the code."""
    for text in (
        f'"format": "{share.FORMAT}", "version": {share.VERSION}',
        f'"format": "{share.SHELF_FORMAT}", "version": {share.VERSION}',
        f"at most {share.MAX_DOCUMENT:,} bytes",
        f"At most {share.MAX_SHELF_DOCUMENT:,} bytes and {MAX_VARIANTS} variants",
        f"up to {MAX_NOTE} characters",
        f"{share.MAX_SHELF_TOKEN:,} characters",
        f"`{share.TOKEN_VERSION}.paper`",
        *(f"| `{name}` |" for name in (state.NETWORK_PARAMETER, state.SHELF_PARAMETER, state.COMPARED_PARAMETER)),
    ):
        assert text in TEXT, text
