"""A shelf as a link and as a file: it comes back whole, and anything else is refused with a sentence."""

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
from explorer.shelf import MAX_VARIANTS, Variant, checked_variants
from tests.strategies import examples, networks
from tests.test_share import damaged

PAPER = PRESETS["paper"]
WIDE = Version("paper", with_module(PAPER, PAPER.module("4a").replace(ch3x3=300)))
SHELF = (
    Variant("wide", WIDE, "more 3×3, “quoted” \\ <b>"),
    Variant("Half_2", Version("half", PRESETS["half"])),
    Variant("tiny", Version("mini", PRESETS["mini"].replace(classes=12)), "=1+1"),
)
VERSIONS = st.builds(Version, st.sampled_from(list(PRESETS)), networks())


def refusal_of(read: Any, text: Any) -> str:
    """Expect a ShareError, and return its message, which is of bounded length."""
    with pytest.raises(ShareError) as refusal:
        read(text)
    assert len(str(refusal.value)) < 1_500
    return str(refusal.value)


def variants_or_refusal(read: Any, text: Any) -> tuple[Variant, ...]:
    """Return what a text means, nothing when it is refused in the proper way."""
    try:
        return read(text)
    except ShareError:
        return ()


def token_of(content: Any) -> str:
    """Return a well-made token of any content."""
    return f"2.{share._packed(content)}"


@given(st.lists(VERSIONS, max_size=5))
@examples(30)
def test_round_trips(versions: list[Version]) -> None:
    """Any shelf comes back from its file, and from its link where it has one."""
    variants = checked_variants(Variant(f"v{at}", version, "n" * at) for at, version in enumerate(versions))
    assert variants == shelf_from_json(shelf_to_json(variants))
    assert variants == shelf_from_json(shelf_to_json(variants).encode())
    token = to_shelf_token(variants)
    if token is not None:
        assert variants == from_shelf_token(token)


def test_a_link_carries_a_shelf_of_some_edits() -> None:
    """Three variants take no more room than a sentence; a very large shelf takes a file."""
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
    """A well-made link of wrong content is refused as a whole."""
    refusal_of(from_shelf_token, token_of(rows))


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
    refusal_of(from_shelf_token, token)


def test_bombs_stay_small() -> None:
    """A link that unfolds into megabytes costs a few megabytes and one message."""
    bomb = token_of([["a", "paper", {"x": "y" * 2_000_000}]])
    assert len(bomb) <= MAX_SHELF_TOKEN
    tracemalloc.start()
    try:
        refusal_of(from_shelf_token, bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16_000_000


def test_messages_say_what_is_wrong() -> None:
    """The version, the name, the preset or the number of variants stands in the message."""
    assert "“4a” is no name" in refusal_of(from_shelf_token, token_of([["4a", "paper", {}]]))
    assert "“nothing”" in refusal_of(from_shelf_token, token_of([["a", "nothing", {}]]))
    assert "“3”" in refusal_of(from_shelf_token, "3.x")
    assert "has changed on its way" in refusal_of(from_shelf_token, "2.AAAA" + to_shelf_token(SHELF)[6:])
    assert "not a shelf" in refusal_of(shelf_from_json, share.to_json(PAPER))
    assert "at most 1,000,000" in refusal_of(shelf_from_json, " " * 1_000_001)
    assert "another version" in refusal_of(shelf_from_json, json.dumps({"format": SHELF_FORMAT, "version": 9}))


def test_1_000_damaged_links_and_files() -> None:
    """Each is refused, or means variants that can all be built; nothing else ever happens."""
    alphabet, token = "abcXYZ019-_.=+/ \x00é", to_shelf_token(SHELF)
    document = json.loads(shelf_to_json(SHELF))
    for seed in range(1_000):
        rng = random.Random(seed)
        signs = list(token)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(signs))
            signs[at : at + rng.randint(0, 2)] = rng.choice(alphabet) * rng.randint(0, 2)
        for read, text in (
            (from_shelf_token, "".join(signs)),
            (shelf_from_json, json.dumps(damaged(document, rng))),
            (shelf_from_json, json.dumps(document)[: rng.randrange(4_000)]),
        ):
            variants = variants_or_refusal(read, text)
            assert not any(problems(variant.version.config) for variant in variants), seed
