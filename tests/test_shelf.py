"""The shelf: each operation returns a new shelf or raises an error, names are validated, and undo works."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS
from explorer.diff import with_module
from explorer.history import Version
from explorer.shelf import (
    CURRENT,
    MAX_COMPARED,
    MAX_NOTE,
    MAX_STEPS,
    MAX_VARIANTS,
    Shelf,
    ShelfError,
    Variant,
    available_names,
    default_names,
    names_from_token,
    names_to_token,
    suggest_name,
    unique_name,
    validate_name,
    version_of,
)

PAPER = Version("paper", PRESETS["paper"])
WIDE = Version("paper", with_module(PAPER.config, PAPER.config.module("4a").replace(ch3x3=300)))
THREE = Shelf().add("a", PAPER).add("b", WIDE, "wider").add("c", PAPER)


def test_add() -> None:
    """A new variant is last and has its note; the old shelf does not change."""
    before = Shelf()
    after = before.add("wide_4a", WIDE, "  more\n 3×3 ")
    assert after.variants == (Variant("wide_4a", WIDE, "more 3×3"),)
    assert before == Shelf()


def test_rename_note_duplicate_delete_move() -> None:
    """Each changes its variant and preserves the order of the others."""
    assert THREE.rename("b", "B2").names == ("a", "B2", "c")
    assert THREE.rename("b", "B").names == ("a", "B", "c")
    assert THREE.set_note("b", "").get("b").note == ""
    assert THREE.duplicate("a").names == ("a", "a_2", "b", "c")
    assert THREE.duplicate("b").get("b_2") == Variant("b_2", WIDE, "wider")
    assert THREE.delete("b").names == ("a", "c")
    assert THREE.move("c", -1).names == ("a", "c", "b")
    assert THREE.move("a", 99).names == ("b", "c", "a")
    assert THREE.move("a", -99) is THREE


def test_undo_reverts_every_operation() -> None:
    """Back to the empty shelf, where undo changes nothing."""
    shelf = THREE.delete("a").rename("b", "x").move("x", 1)
    states = []
    while shelf.past:
        states.append(shelf.names)
        shelf = shelf.undo()
    assert states == [("c", "x"), ("x", "c"), ("b", "c"), ("a", "b", "c"), ("a", "b"), ("a",)]
    assert shelf.undo() == Shelf()


def test_undo_is_bounded() -> None:
    """Only the last MAX_STEPS operations can be undone."""
    shelf = THREE
    for _ in range(MAX_STEPS):
        shelf = shelf.move("a", 1).move("a", -1)
    assert len(shelf.past) == MAX_STEPS


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "a name"),
        ("  ", "a name"),
        ("4a", "not a valid name"),
        ("_x", "not a valid name"),
        ("a b", "not a valid name"),
        ("a\nb", "not a valid name"),
        ("é", "not a valid name"),
        ("<b>", "not a valid name"),
        ("=1+1", "not a valid name"),
        ("x" * 33, "not a valid name"),
        ("x" * 10**6, "not a valid name"),
        ("paper", "is reserved"),
        ("Paper", "is reserved"),
        (CURRENT, "is reserved"),
        ("A", "already exists"),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_bad_names(name: str, message: str) -> None:
    """Adding and renaming refuse each one in a message of bounded length."""
    for step in (lambda: THREE.add(name, PAPER), lambda: THREE.rename("b", name)):
        with pytest.raises(ShelfError, match=message) as caught:
            step()
        assert len(str(caught.value)) < 200


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,31}", fullmatch=True))
def test_good_names(name: str) -> None:
    """Every name that follows the rule is valid, unless it is reserved."""
    if name.lower() not in (*PRESETS, CURRENT):
        assert validate_name(name, ()) == name


def test_bad_notes() -> None:
    """A note that is too long or not printable is refused."""
    assert Shelf().add("a", PAPER, "x" * MAX_NOTE).variants
    for note in ("x" * (MAX_NOTE + 1), "\x00", "a\ud800", "\u202e"):
        with pytest.raises(ShelfError):
            Shelf().add("a", PAPER, note)


def test_the_shelf_is_bounded() -> None:
    """A full shelf refuses another variant."""
    shelf = Shelf()
    for number in range(MAX_VARIANTS):
        shelf = shelf.add(f"v{number}", PAPER)
    for step in (lambda: shelf.add("more", PAPER), lambda: shelf.duplicate("v0")):
        with pytest.raises(ShelfError, match="full"):
            step()


def test_an_unknown_variant() -> None:
    """The message contains its name."""
    for step in (THREE.delete, THREE.duplicate, lambda name: THREE.move(name, 1), lambda name: THREE.rename(name, "y")):
        with pytest.raises(ShelfError, match="“x”"):
            step("x")


def test_unique_names() -> None:
    """A taken name gets a number; the result is always valid and free."""
    assert unique_name("wide", ()) == "wide"
    assert unique_name("wide", ("wide", "WIDE_2")) == "wide_3"
    assert unique_name("paper", ()) == "paper_2"
    assert unique_name("x" * 32, ("x" * 32,)) == "x" * 28 + "_2"
    assert suggest_name(Shelf(), WIDE) == "paper_4a"
    assert suggest_name(Shelf(), PAPER) == "paper_copy"
    no_heads = PAPER.config.replace(aux=PAPER.config.aux.replace(taps=()))
    assert suggest_name(Shelf(), Version("paper", no_heads)) == "paper_no_heads"
    assert suggest_name(Shelf().add("paper_4a", WIDE), WIDE) == "paper_4a_2"


def test_networks_by_name() -> None:
    """A name is the current network, a preset or a variant; any other has no network."""
    assert version_of(CURRENT, THREE, WIDE) == WIDE
    assert version_of("naive", THREE, WIDE) == Version("naive", PRESETS["naive"])
    assert version_of("b", THREE, PAPER) == WIDE
    assert version_of("x", THREE, PAPER) is None
    assert all(version_of(name, THREE, PAPER) for name in available_names(THREE))


def test_there_is_always_something_to_compare() -> None:
    """By default: the preset, the latest variants and the edited network; at least two and at most MAX_COMPARED."""
    assert default_names(Shelf(), PAPER) == ("paper", "no_reduction")
    assert default_names(Shelf(), Version("half", PRESETS["half"])) == ("half", "paper")
    assert default_names(Shelf(), WIDE) == ("paper", CURRENT)
    assert default_names(Shelf().add("w", WIDE), WIDE) == ("paper", "w")
    assert default_names(THREE, Version("paper", PRESETS["half"])) == ("paper", "b", "c", CURRENT)
    assert len(default_names(THREE, WIDE)) <= MAX_COMPARED


def test_compared_names_in_a_link() -> None:
    """Names round-trip in order; anything else in the text is ignored."""
    assert names_from_token(names_to_token(("b", CURRENT, "paper"))) == ("b", CURRENT, "paper")
    assert names_from_token("a.b.c.d.e.f") == ("a", "b", "c", "d")
    assert names_from_token("a.a.<b>..4a.\ud800.b") == ("a", "b")
    assert names_from_token("x" * 10**6) == ()
