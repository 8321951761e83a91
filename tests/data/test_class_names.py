"""Unique names: however long and similar names are, they stay different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.data.class_names import unique_names


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("cat", "dog"), ("cat", "dog")),
        (("a very long name, left", "a very long name, right"), ("a very long…", "a very… (2)")),
        (("cat", "cat", "cat (2)", "cat"), ("cat", "cat (2)", "cat (2) (2)", "cat (3)")),
        (("exactly 12 !",), ("exactly 12 !",)),
        (("a\x07b", "a\u202eb"), ("a?b", "a?b (2)")),
        (("", " "), ("", "(2)")),
    ],
)
def test_equal_names_are_numbered(names: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Long names are shortened, unprintable characters become question marks."""
    assert expected == unique_names(names, 12)


@given(st.lists(st.text("ab(2) …\n", max_size=20), max_size=60), st.integers(12, 40))
def test_any_names_become_different(names: list[str], max_length: int) -> None:
    """None is lost or too long; names that are short, printable and unique stay as they are."""
    unique = unique_names(names, max_length)
    assert len(set(unique)) == len(unique) == len(names)
    assert all(len(name) <= max_length and name.isprintable() for name in unique)
    assert unique == unique_names(unique, max_length)


def test_many_equal_names_take_linear_time() -> None:
    """Each search for a free number starts at the last one."""
    assert "x (20000)" == unique_names(["x"] * 20_000, 40)[-1]
