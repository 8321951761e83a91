"""Links and files: every network round-trips, and anything else is refused."""

import json
import random
import tracemalloc
import zlib
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, problems
from explorer.config import MAX_MODULES
from explorer.diff import with_module
from explorer.history import Version
from explorer.share import (
    FORMAT,
    MAX_DOCUMENT,
    MAX_TOKEN,
    VERSION,
    ShareError,
    from_json,
    from_token,
    to_json,
    to_token,
)
from tests.strategies import networks

PAPER = PRESETS["paper"]
EDITED = Version("paper", with_module(PAPER, PAPER.module("4a").replace(ch3x3=70)))
LONGEST_MESSAGE = 1_500


def token_of(changed: Any, base: str = "paper") -> str:
    """Return a well-formed version 1 token of any content."""
    return token_of_bytes(json.dumps(changed, separators=(",", ":")).encode(), base)


def token_of_bytes(content: bytes, base: str = "paper") -> str:
    """Return a version 1 token of these bytes."""
    return f"1.{base}.{urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip('=')}"


def document_of(**config: Any) -> str:
    """Return a file of the paper's network with some fields of its config replaced."""
    document = json.loads(to_json(PAPER))
    document["config"] |= config
    return json.dumps(document)


def error_of(read: Any, text: Any) -> str:
    """Expect a ShareError, and return its message, a sentence of bounded length."""
    with pytest.raises(ShareError) as caught:
        read(text)
    message = str(caught.value)
    assert message.rstrip(")").endswith(".")
    assert len(message) < LONGEST_MESSAGE
    return message


def read_or_none(read: Any, text: Any) -> Any:
    """Return what a text contains, or None where it is refused in a message of bounded length."""
    try:
        return read(text)
    except ShareError as error:
        message = str(error)
    assert len(message) < LONGEST_MESSAGE
    return None


# Round trips.


@given(networks(), st.sampled_from(list(PRESETS)))
def test_tokens_round_trip(config: GoogLeNetConfig, base: str) -> None:
    """A version round-trips through its token, with any preset as its base."""
    assert Version(base, config) == from_token(to_token(Version(base, config)))


@given(networks())
def test_files_round_trip(config: GoogLeNetConfig) -> None:
    """A config round-trips through its file, as text or as bytes."""
    assert config == from_json(to_json(config))
    assert config == from_json(to_json(config).encode())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_against_every_other(name: str) -> None:
    """Each preset round-trips as an edit of each preset."""
    for base in PRESETS:
        assert Version(base, PRESETS[name]) == from_token(to_token(Version(base, PRESETS[name])))


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_token_is_its_name(name: str) -> None:
    """The token of an unedited preset is only its name."""
    assert f"2.{name}" == to_token(Version(name, PRESETS[name]))


def test_tokens_are_short() -> None:
    """The paper's token is under 60 characters, one edited cell under 80, and URLs need no escapes for them."""
    assert len(to_token(Version("paper", PAPER))) < 60
    token = to_token(EDITED)
    assert len(token) < 80
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


SAVED = {
    "1": (
        "1.paper.eNqrVsrNTynNSS1WsopWMk5U0lEyTlLSiVYyATINLY10LM10zA10DM10TCx0zExidZRMgNJKJskgIgVEpAIJU5A-0ySl2FoAFwUSpA"
    ),
    "2": "2.paper.niw8I8I8cwPijQMA",
}


@pytest.mark.parametrize("token", SAVED.values(), ids=SAVED)
def test_a_saved_token_still_opens(token: str) -> None:
    """A saved link of each version of the format still opens the same network."""
    assert EDITED == from_token(token)


def test_equal_versions_have_equal_tokens() -> None:
    """The token depends only on the values, so that the address does not change without an edit."""
    again = Version("paper", GoogLeNetConfig.model_validate_json(EDITED.config.model_dump_json()))
    assert to_token(EDITED) == to_token(again)


@pytest.mark.parametrize("seed", range(5))
def test_the_longest_table_fits_in_a_token(seed: int) -> None:
    """A table with MAX_MODULES modules and random widths fits in a link."""
    rng = random.Random(seed)
    mini = PRESETS["mini"]
    modules = tuple(
        mini.modules[0].replace(
            name=f"{stage}{letter}",
            **{field: rng.randint(1, 200) for field in ("ch1x1", "ch3x3", "ch5x5", "ch3x3_reduce", "ch5x5_reduce")},
        )
        for stage in range(10, 13)
        for letter in "abcdefghijklmnopqrstuvwxyz"
    )[:MAX_MODULES]
    version = Version("mini", mini.replace(modules=modules, aux=mini.aux.replace(taps=("10z", "11z"), pool="adaptive")))
    assert () == problems(version.config)
    assert version == from_token(to_token(version))


def test_file_fields() -> None:
    """A file is JSON with its format, its version, and the config by field names."""
    document = json.loads(to_json(PAPER))
    assert (FORMAT, VERSION) == (document["format"], document["version"])
    assert set(GoogLeNetConfig.model_fields) == set(document["config"])


# Refusals.


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "1",
        "1.",
        "paper",
        "1.paper.x",
        "1.paper.====",
        "1.paper.é",
        "1.paper.\ud800",
        "1.paper.\x00",
        "1.paper." + "A" * 100,
        "1.paper." + "A" * 10**6,
        "1." + "A" * 10**6,
        "A" * 10**6,
        "1.naïve",
        "1.nothing",
        "1.__class__",
        "0.paper",
        "3.paper",
        "-1.paper",
        "1.0.paper",
        "x" * 100 + ".paper",
        to_token(EDITED)[:-1],
        to_token(EDITED)[:-10],
        to_token(EDITED)[:12],
        token_of_bytes(b""),
        token_of_bytes(b"{"),
        token_of_bytes(b"\xff\xfe"),
        token_of_bytes(b"[" * 50_000),
        token_of_bytes(b'{"classes":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
        token_of_bytes(b'{"classes":' + b"9" * 5_000 + b"}"),
        token_of_bytes(b'{"dropout":NaN}'),
        token_of_bytes(b'{"dropout":1e999}'),
        token_of_bytes(b'{"dropout":"\\ud800"}'),
        *(token_of(changed) for changed in (None, 1, "x", [], ["classes"], [["classes", 10]])),
    ],
    ids=lambda token: ascii(token[:24]),
)
def test_broken_tokens(token: str) -> None:
    """A token that is cut off, mistyped, of another version or of other content is refused."""
    error_of(from_token, token)


WRONG_FIELDS = [
    {"classes": "10"},
    {"classes": 10.5},
    {"classes": True},
    {"classes": None},
    {"classes": 10**400},
    {"classes": 1},
    {"dropout": None},
    {"dropout": 1},
    {"conv_bias": 0},
    {"input_shape": [3, 224]},
    {"input_shape": [3, 100_000, 100_000]},
    {"input_shape": [1, 1, 1]},
    {"kernel_5x5": "7x7"},
    {"stem": None},
    {"stem": {"kind": "huge"}},
    {"aux": {"taps": ["9z"]}},
    {"aux": {"taps": "4a"}},
    {"depth": 22},
    {"__class__": "x"},
    {"A" * 20_000: 1},
    {"modules": None},
    {"modules": 5},
    {"modules": []},
    {"modules": "3a"},
    {"modules": [None]},
    {"modules": ["9z"]},
    {"modules": [["3a"]]},
    {"modules": [["3a", 1, 1, 1, 1, 1, -1]]},
    {"modules": [["3a", 1, 1, 1, 1, 1, 1, 1]]},
    {"modules": [["<script>", 1, 1, 1, 1, 1, 1]]},
    {"modules": [["3a", 1, 0, 1, 1, 1, 1]]},
    {"modules": [["3a", 1.5, 1, 1, 1, 1, 1]]},
    {"modules": ["3a", "3a"]},
    {"modules": {"3a": 1, "9z": 2}},
]


@pytest.mark.parametrize("changed", WRONG_FIELDS, ids=lambda changed: ascii(str(changed)[:40]))
def test_wrong_fields(changed: dict[str, Any]) -> None:
    """A well-formed link or file with a wrong type, an unknown field or an unbuildable network is refused."""
    error_of(from_token, token_of(changed))
    error_of(from_json, document_of(**changed))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "1",
        "[]",
        "{}",
        '"x"',
        "{",
        "not JSON",
        b"\xff\xfe\xff",
        b"\x00",
        b"\x80\x04\x95",
        "\ud800",
        "[" * 90_000,
        '{"a":' * 15_000,
        "9" * 90_000,
        "x" * (MAX_DOCUMENT + 1),
        " " * (MAX_DOCUMENT + 1),
        json.dumps({"format": FORMAT, "version": 1}),
        json.dumps({"format": FORMAT, "version": 2, "config": {}}),
        json.dumps({"format": FORMAT, "version": "1", "config": {}}),
        json.dumps({"format": FORMAT, "config": {}}),
        json.dumps({"format": "other", "version": 1, "config": {}}),
        json.dumps({"format": FORMAT, "version": 1, "config": []}),
        json.dumps({"format": FORMAT, "version": 1, "config": "paper"}),
        to_json(PAPER)[:-20],
        to_json(PAPER)[20:],
        to_json(PAPER).encode()[: len(to_json(PAPER)) // 2],
        document_of(dropout=float("nan")),
        document_of(dropout=float("inf")),
        document_of(classes=float("nan")),
    ],
    ids=lambda text: ascii(text[:24]),
)
def test_broken_files(text: str | bytes) -> None:
    """A file that is not JSON, is cut off, has another format or version, or contains no network is refused."""
    error_of(from_json, text)


def test_messages_name_the_error() -> None:
    """The message contains the unknown version or preset, or the wrong field or cell."""
    assert "version “3”" in error_of(from_token, "3.paper")
    assert "“nothing”" in error_of(from_token, "1.nothing")
    assert "3a, #1×1: -1 is out of range" in error_of(
        from_token, token_of({"modules": [["3a", -1, 1, 1, 1, 1, 1]], "aux": {"taps": []}})
    )
    assert "kernel_5x5" in error_of(from_json, document_of(kernel_5x5="7x7"))
    assert "classes" in error_of(from_json, document_of(classes="10"))
    assert "another version" in error_of(from_json, to_json(PAPER).replace('"version": 1', '"version": 2'))
    assert "not JSON" in error_of(from_json, "x")
    assert "at most 100,000 bytes" in error_of(from_json, "x" * (MAX_DOCUMENT + 1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes": "10"}, "classes: expected a whole number."),
        ({"classes": 1.5}, "classes: expected a whole number."),
        ({"dropout": "much"}, "dropout: expected a number."),
        ({"conv_bias": 1}, "conv_bias: expected true or false."),
        ({"kernel_5x5": "7x7"}, "kernel_5x5: expected '5x5', '3x3' or 'two_3x3'."),
        ({"input_shape": 5}, "input_shape: expected a list."),
        ({"stem": None}, "stem: expected an object with fields."),
        ({"modules": None}, "modules: expected a list."),
        ({"aux": {"taps": ["<b>"]}}, "aux.taps.0: expected a stage and a lowercase letter, such as 4b."),
        ({"aux": {"taps": [4]}}, "aux.taps.0: expected text."),
        ({"evil": 1}, "evil: this field is unknown."),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_wrong_type_names_what_is_expected(fields: dict[str, Any], message: str) -> None:
    """The message ends with the field and what it expects."""
    assert error_of(from_json, document_of(**fields)).endswith(message)


def test_no_message_of_pydantic_reaches_the_user() -> None:
    """For each of WRONG_FIELDS, in a link and in a file."""
    for changed in WRONG_FIELDS:
        for message in (error_of(from_token, token_of(changed)), error_of(from_json, document_of(**changed))):
            assert "nput should" not in message
            assert "alid " not in message


def test_many_problems() -> None:
    """The message for a network with a problem in every cell has the first few and the number of the others."""
    modules = [[f"3{letter}", *[-1] * 6] for letter in "abcdefghij"]
    changed = {"modules": modules, "aux": json.loads(PAPER.aux.model_dump_json()) | {"taps": []}}
    message = error_of(from_token, token_of(changed))
    assert "3a, #1×1: -1 is out of range" in message
    assert "(And 57 more.)" in message
    rows = [dict(zip(PAPER.modules[0].model_dump(), row, strict=True)) for row in modules]
    assert "(And 57 more.)" in error_of(from_json, document_of(modules=rows, aux=changed["aux"]))


BOMBS = {
    "spaces": b" " * 2_000_000,
    "digits": b'{"classes":1' + b"0" * 2_000_000 + b"}",
    "bad rows": json.dumps({"modules": [["3a", -1, -1, -1, -1, -1, -1]] * 3_000}).encode(),
    "names and taps": json.dumps({"modules": ["3a"] * 9_000, "aux": {"taps": ["9z"] * 4_000}}).encode(),
    "names and whole heads": json.dumps(
        {"modules": ["3a"] * 9_000, "aux": json.loads(PAPER.aux.model_dump_json()) | {"taps": ["9z"] * 4_000}},
        separators=(",", ":"),
    ).encode(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_stay_small(name: str) -> None:
    """A token that inflates to megabytes or has thousands of problems takes a few megabytes and one message."""
    token = token_of_bytes(BOMBS[name])
    assert len(token) <= MAX_TOKEN  # otherwise its length alone would be refused
    tracemalloc.start()
    try:
        error_of(from_token, token)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


def test_a_bomb_is_called_too_large() -> None:
    """The message for a token that inflates beyond the limit says so."""
    assert "too large for a network" in error_of(from_token, token_of_bytes(BOMBS["spaces"]))


def test_random_damage_to_tokens() -> None:
    """A token with changed, missing or extra characters is refused, or is a network that can be built."""
    alphabet = "abcXYZ019-_.=+/ \x00é"
    for seed in range(2_000):
        rng = random.Random(seed)
        token = list(to_token(EDITED))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(token))
            token[at : at + rng.randint(0, 2)] = rng.choice(alphabet) * rng.randint(0, 2)
        version = read_or_none(from_token, "".join(token))
        assert version is None or () == problems(version.config), seed


JUNK = [None, True, -1, 0, 1, 10**30, 0.5, float("nan"), "", "3a", "x" * 500, [], [[]], [1, 2, 3], {}, {"x": 1}]


def damage(value: Any, rng: random.Random) -> Any:
    """Return a copy of some JSON in which a random part is replaced by junk, removed or duplicated."""
    if isinstance(value, dict | list) and value and rng.random() < 0.8:
        copy = value.copy()
        key = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
        if rng.random() < 0.15:
            del copy[key]
        elif isinstance(copy, list) and rng.random() < 0.15:
            copy.append(copy[key])
        else:
            copy[key] = damage(copy[key], rng)
        return copy
    return rng.choice(JUNK)


def test_random_damage_to_files() -> None:
    """A file with replaced, missing or duplicated values is refused, or is a network that can be built."""
    original = json.loads(to_json(PAPER))
    for seed in range(2_000):
        rng = random.Random(seed)
        document = original
        for _ in range(rng.randint(1, 2)):
            document = damage(document, rng)
        config = read_or_none(from_json, json.dumps(document))
        assert config is None or () == problems(config), seed
