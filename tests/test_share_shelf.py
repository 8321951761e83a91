"""A shelf as a link and as a file: it round-trips, and anything else is refused with a message."""

import json
import random
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, problems, share
from explorer.diff import with_module
from explorer.history import Version
from explorer.share import (
    MAX_SHELF_DOCUMENT,
    MAX_SHELF_TOKEN,
    SHELF_FORMAT,
    ShareError,
    from_shelf_token,
    shelf_from_json,
    shelf_to_json,
    to_shelf_token,
)
from explorer.shelf import MAX_VARIANTS, Variant, validate_variants
from tests.strategies import examples, networks
from tests.test_share import damage

PAPER = PRESETS["paper"]
WIDE = Version("paper", with_module(PAPER, PAPER.module("4a").replace(ch3x3=300)))
SHELF = (
    Variant("wide", WIDE, "more 3×3, “quoted” \\ <b>"),
    Variant("Half_2", Version("half", PRESETS["half"])),
    Variant("tiny", Version("mini", PRESETS["mini"].replace(classes=12)), "=1+1"),
)
VERSIONS = st.builds(Version, st.sampled_from(list(PRESETS)), networks())


def error_of(read: Any, text: Any) -> str:
    """Expect a ShareError, and return its message of bounded length."""
    with pytest.raises(ShareError) as caught:
        read(text)
    assert len(str(caught.value)) < 1_500
    return str(caught.value)


def variants_or_empty(read: Any, text: Any) -> tuple[Variant, ...]:
    """Return the variants in a text, or an empty tuple when it is refused with a ShareError."""
    try:
        return read(text)
    except ShareError:
        return ()


def token_of(content: Any) -> str:
    """Return a well-formed token of any content."""
    return f"2.{share._pack(content)}"


@given(st.lists(VERSIONS, max_size=5))
@examples(30)
def test_round_trips(versions: list[Version]) -> None:
    """Any shelf round-trips through its file, and through its link if it is short enough for one."""
    variants = validate_variants(Variant(f"v{at}", version, "n" * at) for at, version in enumerate(versions))
    assert variants == shelf_from_json(shelf_to_json(variants))
    assert variants == shelf_from_json(shelf_to_json(variants).encode())
    token = to_shelf_token(variants)
    if token is not None:
        assert variants == from_shelf_token(token)


def test_length_of_a_link() -> None:
    """A link with three variants is short; a very large shelf has no link but fits in a file."""
    assert len(to_shelf_token(SHELF)) < 300
    rng = random.Random(0)
    cells = [name for name in type(PAPER.modules[0]).model_fields if name != "name"]
    large = tuple(
        Variant(
            f"v{number}",
            Version(
                "paper",
                PAPER.replace(
                    modules=tuple(row.replace(**{cell: rng.randint(1, 400) for cell in cells}) for row in PAPER.modules)
                ),
            ),
        )
        for number in range(MAX_VARIANTS)
    )
    assert to_shelf_token(large) is None
    assert large == shelf_from_json(shelf_to_json(large))
    assert len(shelf_to_json(large)) < MAX_SHELF_DOCUMENT / 2


GOOD = ["a", "paper", {}]


@pytest.mark.parametrize(
    "rows",
    [
        None,
        1,
        "x",
        {},
        [1],
        ["abc"],
        [[]],
        [["a"]],
        [["a", "paper"]],
        [["a", "paper", {}, "note", "more"]],
        [["a", "paper", None]],
        [["a", "paper", []], GOOD],
        [["a", "nothing", {}]],
        [["a", ["paper"], {}]],
        [["4a", "paper", {}]],
        [["paper", "paper", {}]],
        [["a" * 40, "paper", {}]],
        [["__import__('os')", "paper", {}]],
        [[1, "paper", {}]],
        [["a", "paper", {}, 5]],
        [["a", "paper", {}, "x" * 500]],
        [["a", "paper", {"classes": 1}]],
        [["a", "paper", {"classes": "10"}]],
        [["a", "paper", {"modules": ["9z"]}]],
        [["a", "paper", {"stem": None}]],
        [GOOD, GOOD],
        [[f"v{at}", "paper", {}] for at in range(MAX_VARIANTS + 1)],
    ],
    ids=lambda rows: ascii(str(rows)[:32]),
)
def test_wrong_content(rows: Any) -> None:
    """A well-formed link with wrong content is refused as a whole."""
    error_of(from_shelf_token, token_of(rows))


@pytest.mark.parametrize(
    "token",
    [
        *("", "2", "2.", ".", "1", "3.x", "x.y", "2.====", "2.é", "2.\ud800", "2." + "A" * 100, "2." + "A" * 10**6),
        *(to_shelf_token(SHELF)[:-1], to_shelf_token(SHELF)[:-9], to_shelf_token(SHELF)[:9]),
    ],
    ids=lambda token: ascii(token[:12]),
)
def test_broken_tokens(token: str) -> None:
    """A token that is cut off, mistyped or of another version is refused."""
    error_of(from_shelf_token, token)


def test_bombs_stay_small() -> None:
    """A link that inflates to megabytes takes a few megabytes of memory and one message."""
    bomb = token_of([["a", "paper", {"x": "y" * 2_000_000}]])
    assert len(bomb) <= MAX_SHELF_TOKEN
    tracemalloc.start()
    try:
        error_of(from_shelf_token, bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


def test_messages_name_the_error() -> None:
    """The message contains the wrong version, name, preset or format."""
    assert "“4a” is not a valid name" in error_of(from_shelf_token, token_of([["4a", "paper", {}]]))
    assert "“nothing”" in error_of(from_shelf_token, token_of([["a", "nothing", {}]]))
    assert "“3”" in error_of(from_shelf_token, "3.x")
    assert "some of its characters have changed" in error_of(from_shelf_token, "2.AAAA" + to_shelf_token(SHELF)[6:])
    assert "not a shelf" in error_of(shelf_from_json, share.to_json(PAPER))
    assert "at most 1,000,000" in error_of(shelf_from_json, " " * 1_000_001)
    assert "another version" in error_of(shelf_from_json, json.dumps({"format": SHELF_FORMAT, "version": 9}))


def test_1_000_damaged_links_and_files() -> None:
    """Each is refused, or contains variants that can all be built."""
    alphabet, token = "abcXYZ019-_.=+/ \x00é", to_shelf_token(SHELF)
    document = json.loads(shelf_to_json(SHELF))
    for seed in range(1_000):
        rng = random.Random(seed)
        characters = list(token)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(characters))
            characters[at : at + rng.randint(0, 2)] = rng.choice(alphabet) * rng.randint(0, 2)
        for read, text in (
            (from_shelf_token, "".join(characters)),
            (shelf_from_json, json.dumps(damage(document, rng))),
            (shelf_from_json, json.dumps(document)[: rng.randrange(4_000)]),
        ):
            variants = variants_or_empty(read, text)
            assert not any(problems(variant.version.config) for variant in variants), seed
