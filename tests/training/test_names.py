"""Names of runs and networks: any script, one line, unique."""

import pytest
from pydantic import ValidationError

from explorer import PRESETS
from explorer.training.names import MAX_NAME, clean_name, file_stem, unique_name
from explorer.training.plan import NamedNetwork


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mini without heads", "mini without heads"),
        ("  带有批量规范化的网络\n第二行 ", "带有批量规范化的网络 第二行"),
        ("سریع‌ترین", "سریع‌ترین"),  # with a zero-width non-joiner, which Persian needs
        ("1st <b>*bold*</b>", "1st <b>*bold*</b>"),  # text, which every place escapes
        ("a\x00b\x1b[31m\u202ec", "ab[31mc"),
        ("\ud800", ""),
        (" \n ", ""),
        ("x" * 100, "x" * MAX_NAME),
    ],
)
def test_a_name_is_free_text_on_one_line(text: str, expected: str) -> None:
    """What cannot be shown, or would turn the text around it, is left out."""
    assert clean_name(text) == expected
    assert clean_name(expected) == expected


def test_a_plan_takes_any_clean_name() -> None:
    """Of a network; an empty or unclean one is refused."""
    assert NamedNetwork(name="mini ohne Köpfe", config=PRESETS["mini"]).name == "mini ohne Köpfe"
    for name in ("", "a\nb", "\u202ea", "x" * 61):
        with pytest.raises(ValidationError):
            NamedNetwork(name=name, config=PRESETS["mini"])


def test_a_taken_name_has_a_number() -> None:
    """The first free one, whatever the case; the name does not grow beyond the limit."""
    assert unique_name("mini", ()) == "mini"
    assert unique_name("mini", ("Mini", "mini 2")) == "mini 3"
    assert unique_name("mini 2", ("mini 2", "mini")) == "mini 3"
    assert unique_name("x" * MAX_NAME, ("x" * MAX_NAME,)) == "x" * (MAX_NAME - 2) + " 2"


@pytest.mark.parametrize(("name", "stem"), [("../a:b", "_a_b"), ("..", "run"), ("网络 1×1", "网络 1×1")])
def test_a_name_in_a_file_name(name: str, stem: str) -> None:
    """It names no folder."""
    assert file_stem(name) == stem
