"""Links and files: every network comes back as it was, and nothing else comes in."""

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
    """Return a token of that content, well made whatever the content is."""
    return token_of_bytes(json.dumps(changed, separators=(",", ":")).encode(), base)


def token_of_bytes(content: bytes, base: str = "paper") -> str:
    """Return a token that holds those bytes."""
    return f"1.{base}.{urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip('=')}"


def document_of(**config: Any) -> str:
    """Return a file of the paper's network with some fields of its config replaced."""
    document = json.loads(to_json(PAPER))
    document["config"] |= config
    return json.dumps(document)


def refusal_of(read: Any, text: Any) -> str:
    """Expect a ShareError, and return its message, which is a sentence of bounded length."""
    with pytest.raises(ShareError) as refusal:
        read(text)
    message = str(refusal.value)
    assert message.rstrip(")").endswith(".")
    assert len(message) < LONGEST_MESSAGE
    return message


def read_or_refused(read: Any, text: Any) -> Any:
    """Return what is read from a text, or None where it is refused in a message of bounded length."""
    try:
        return read(text)
    except ShareError as error:
        message = str(error)
    assert len(message) < LONGEST_MESSAGE
    return None


# What comes back.


@given(networks(), st.sampled_from(list(PRESETS)))
def test_tokens_round_trip(config: GoogLeNetConfig, base: str) -> None:
    """A version comes back from its token, whichever preset it is told against."""
    assert Version(base, config) == from_token(to_token(Version(base, config)))


@given(networks())
def test_files_round_trip(config: GoogLeNetConfig) -> None:
    """A config comes back from its file, as text or as bytes."""
    assert config == from_json(to_json(config))
    assert config == from_json(to_json(config).encode())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_against_every_other(name: str) -> None:
    """Each preset comes back as an edit of each preset."""
    for base in PRESETS:
        assert Version(base, PRESETS[name]) == from_token(to_token(Version(base, PRESETS[name])))


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_token_is_its_name(name: str) -> None:
    """An unedited preset needs no more than its name."""
    assert f"2.{name}" == to_token(Version(name, PRESETS[name]))


def test_tokens_are_short() -> None:
    """The paper takes under 60 signs, one edited cell under 80, and a URL takes them as they are."""
    assert len(to_token(Version("paper", PAPER))) < 60
    token = to_token(EDITED)
    assert len(token) < 80
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


KEPT = {
    "1": (
        "1.paper.eNqrVsrNTynNSS1WsopWMk5U0lEyTlLSiVYyATINLY10LM10zA10DM10TCx0zExidZRMgNJKJskgIgVEpAIJU5A-0ySl2FoAFwUSpA"
    ),
    "2": "2.paper.niw8I8I8cwPijQMA",
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_a_known_token_keeps_its_meaning(kept: str) -> None:
    """A link that someone has kept still opens the same network, in each version that there ever was."""
    assert EDITED == from_token(kept)


def test_equal_versions_have_equal_tokens() -> None:
    """The token depends on the values only, so that the address does not flicker."""
    again = Version("paper", GoogLeNetConfig.model_validate_json(EDITED.config.model_dump_json()))
    assert to_token(EDITED) == to_token(again)


@pytest.mark.parametrize("seed", range(5))
def test_the_longest_table_fits_in_a_token(seed: int) -> None:
    """Even the greatest number of modules, all with random widths, fits in a link."""
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


def test_a_file_says_what_it_is() -> None:
    """A file is JSON that names its format and version and holds the config by the names of its fields."""
    document = json.loads(to_json(PAPER))
    assert (FORMAT, VERSION) == (document["format"], document["version"])
    assert set(GoogLeNetConfig.model_fields) == set(document["config"])


# What is refused.


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
    """A token that is cut off, mistyped, of another version or of something else is refused."""
    refusal_of(from_token, token)


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
    """A well-made link or file of a wrong type, an unknown field or a network that cannot be built is refused."""
    refusal_of(from_token, token_of(changed))
    refusal_of(from_json, document_of(**changed))


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
    """A file that is no JSON, is cut off, of another format or version, or describes no network is refused."""
    refusal_of(from_json, text)


def test_refusals_say_what_is_wrong() -> None:
    """The message says the version, the preset, the field or the cell that is not known or not right."""
    assert "version “3”" in refusal_of(from_token, "3.paper")
    assert "“nothing”" in refusal_of(from_token, "1.nothing")
    assert "3a, #1×1: -1 is out of range" in refusal_of(
        from_token, token_of({"modules": [["3a", -1, 1, 1, 1, 1, 1]], "aux": {"taps": []}})
    )
    assert "kernel_5x5" in refusal_of(from_json, document_of(kernel_5x5="7x7"))
    assert "classes" in refusal_of(from_json, document_of(classes="10"))
    assert "another version" in refusal_of(from_json, to_json(PAPER).replace('"version": 1', '"version": 2'))
    assert "no JSON" in refusal_of(from_json, "x")
    assert "at most 100,000 bytes" in refusal_of(from_json, "x" * (MAX_DOCUMENT + 1))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"classes": "10"}, "classes: a whole number belongs here."),
        ({"classes": 1.5}, "classes: a whole number belongs here."),
        ({"dropout": "much"}, "dropout: a number belongs here."),
        ({"conv_bias": 1}, "conv_bias: true or false belongs here."),
        ({"kernel_5x5": "7x7"}, "kernel_5x5: one of '5x5', '3x3' or 'two_3x3' belongs here."),
        ({"input_shape": 5}, "input_shape: a list belongs here."),
        ({"stem": None}, "stem: a list of fields belongs here."),
        ({"modules": None}, "modules: a list belongs here."),
        ({"aux": {"taps": ["<b>"]}}, "aux.taps.0: a stage and a small letter belong here, such as 4b."),
        ({"aux": {"taps": [4]}}, "aux.taps.0: text belongs here."),
        ({"evil": 1}, "evil: there is no such field."),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_wrong_type_is_told_in_words_of_our_own(fields: dict[str, Any], told: str) -> None:
    """The field, and what belongs in it."""
    assert refusal_of(from_json, document_of(**fields)).endswith(told)


def test_no_words_of_the_validator_reach_the_reader() -> None:
    """In all the wrong fields that these tests know."""
    for changed in WRONG_FIELDS:
        for message in (refusal_of(from_token, token_of(changed)), refusal_of(from_json, document_of(**changed))):
            assert "nput should" not in message
            assert "alid " not in message


def test_of_many_problems_the_first_are_told() -> None:
    """A network with a problem in every cell is refused with the first few and the number of the others."""
    modules = [[f"3{letter}", *[-1] * 6] for letter in "abcdefghij"]
    changed = {"modules": modules, "aux": json.loads(PAPER.aux.model_dump_json()) | {"taps": []}}
    message = refusal_of(from_token, token_of(changed))
    assert "3a, #1×1: -1 is out of range" in message
    assert "(And 57 more.)" in message
    rows = [dict(zip(PAPER.modules[0].model_dump(), row, strict=True)) for row in modules]
    assert "(And 57 more.)" in refusal_of(from_json, document_of(modules=rows, aux=changed["aux"]))


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


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_stay_small(name: str) -> None:
    """A token that unfolds into megabytes, or into thousands of problems, costs a few megabytes and one message."""
    token = token_of_bytes(BOMBS[name])
    assert len(token) <= MAX_TOKEN  # else its length alone is refused
    tracemalloc.start()
    try:
        refusal_of(from_token, token)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


def test_a_bomb_is_called_too_large() -> None:
    """A token that unfolds beyond the limit is refused for that."""
    assert "larger than any network" in refusal_of(from_token, token_of_bytes(BOMBS["spaces"]))


def test_random_damage_to_tokens() -> None:
    """A token with characters changed, lost or added is refused, or means a network that can be built."""
    alphabet = "abcXYZ019-_.=+/ \x00é"
    for seed in range(2_000):
        rng = random.Random(seed)
        token = list(to_token(EDITED))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(token))
            token[at : at + rng.randint(0, 2)] = rng.choice(alphabet) * rng.randint(0, 2)
        version = read_or_refused(from_token, "".join(token))
        assert version is None or () == problems(version.config), seed


JUNK = [None, True, -1, 0, 1, 10**30, 0.5, float("nan"), "", "3a", "x" * 500, [], [[]], [1, 2, 3], {}, {"x": 1}]


def damaged(value: Any, rng: random.Random) -> Any:
    """Return JSON in which something, somewhere, is replaced by junk, lost or doubled."""
    if isinstance(value, dict | list) and value and rng.random() < 0.8:
        copy = value.copy()
        key = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
        if rng.random() < 0.15:
            del copy[key]
        elif isinstance(copy, list) and rng.random() < 0.15:
            copy.append(copy[key])
        else:
            copy[key] = damaged(copy[key], rng)
        return copy
    return rng.choice(JUNK)


def test_random_damage_to_files() -> None:
    """A file with values replaced, lost or doubled is refused, or means a network that can be built."""
    whole = json.loads(to_json(PAPER))
    for seed in range(2_000):
        rng = random.Random(seed)
        document = whole
        for _ in range(rng.randint(1, 2)):
            document = damaged(document, rng)
        config = read_or_refused(from_json, json.dumps(document))
        assert config is None or () == problems(config), seed
