"""Names of classes: however long and alike they are, each stays a name of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.data.class_names import unique_names


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("cat", "dog"), ("cat", "dog")),
        (("a very long name, left", "a very long name, right"), ("a very long…", "a very… (2)")),
        (("cat", "cat", "cat (2)", "cat"), ("cat", "cat (2)", "cat (2) (2)", "cat (3)")),
        (("exactly 12 !",), ("exactly 12 !",)),
        (("a\x07b", "a\u202eb"), ("a?b", "a?b (2)")),
        (("", " "), ("", "(2)")),
    ],
)
def test_what_is_alike_is_numbered(names: tuple[str, ...], shown: tuple[str, ...]) -> None:
    """What is too long is cut, what cannot be printed becomes a question mark."""
    assert shown == unique_names(names, 12)


@given(st.lists(st.text("ab(2) …\n", max_size=20), max_size=60), st.integers(12, 40))
def test_any_names_stay_apart(names: list[str], letters: int) -> None:
    """As many as there were, none too long; what is short, plain and alone stays as it is."""
    shown = unique_names(names, letters)
    assert len(set(shown)) == len(shown) == len(names)
    assert all(len(name) <= letters and name.isprintable() for name in shown)
    assert shown == unique_names(shown, letters)


def test_many_that_are_alike_take_no_time() -> None:
    """Their numbers are not sought from the beginning each time."""
    assert "x (20000)" == unique_names(["x"] * 20_000, 40)[-1]
