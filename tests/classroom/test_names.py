"""The code of a class, tokens, and nicknames."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from explorer.classroom.names import (
    MAX_NICKNAME,
    matches_hash,
    new_code,
    new_token,
    parse_code,
    parse_nickname,
    token_hash,
)


def test_a_code_is_read_as_a_student_types_it() -> None:
    """In any case, with spaces or hyphens between the characters."""
    code = new_code()
    assert code == parse_code(f" {code[:3].lower()}-{code[3:]} \n")


@pytest.mark.parametrize("text", ["", "ABCDE", "ABCDEFG", "ABCDE0", "ABC'--", "ABCDEÄ", "A" * 10_000])
def test_what_cannot_be_a_code_is_none(text: str) -> None:
    """Too short, too long, or with a character that no code has."""
    assert not parse_code(text)


def test_a_token_matches_its_own_hash_only() -> None:
    """And the hash of something that is no token matches nothing."""
    token = new_token()
    assert matches_hash(token, token_hash(token))
    assert not matches_hash(new_token(), token_hash(token))
    assert not matches_hash("", token_hash(""))
    assert token not in token_hash(token)


@given(st.text())
@example("0 \x1b 0")
def test_a_nickname_is_one_short_line(text: str) -> None:
    """Whatever was typed, and reading it again changes nothing."""
    name = parse_nickname(text)
    assert len(name) <= MAX_NICKNAME
    assert name == name.strip()
    assert name.isprintable() or not name.isascii()
    assert parse_nickname(name) == name


def test_a_nickname_may_be_in_any_script() -> None:
    """Characters that turn the direction of text or cannot be seen go."""
    assert parse_nickname(" 李\u202e雷\n Zoë ") == "李雷 Zoë"
