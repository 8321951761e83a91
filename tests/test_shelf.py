"""The shelf: every step gives a new one or a sentence, names are checked, and undo leads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS
from explorer.comparison import MAX_COMPARED
from explorer.diff import with_module
from explorer.history import Version
from explorer.shelf import (
    CURRENT,
    MAX_NOTE,
    MAX_STEPS,
    MAX_VARIANTS,
    Shelf,
    ShelfError,
    Variant,
    available,
    checked_name,
    choice_token,
    chosen_names,
    default_choice,
    free_name,
    suggested_name,
    version_of,
)

PAPER = Version("paper", PRESETS["paper"])
WIDE = Version("paper", with_module(PAPER.config, PAPER.config.module("4a").replace(ch3x3=300)))
THREE = Shelf().keep("a", PAPER).keep("b", WIDE, "wider").keep("c", PAPER)


def test_keep() -> None:
    """A kept variant stands at the end with its note; the shelf before is untouched."""
    before = Shelf()
    after = before.keep("wide_4a", WIDE, "  more\n 3×3 ")
    assert after.variants == (Variant("wide_4a", WIDE, "more 3×3"),)
    assert before == Shelf()


def test_rename_note_duplicate_delete_move() -> None:
    """Each does what it says and keeps the order of the rest."""
    assert THREE.rename("b", "B2").names == ("a", "B2", "c")
    assert THREE.rename("b", "B").names == ("a", "B", "c")
    assert THREE.annotate("b", "").get("b").note == ""
    assert THREE.duplicate("a").names == ("a", "a_2", "b", "c")
    assert THREE.duplicate("b").get("b_2") == Variant("b_2", WIDE, "wider")
    assert THREE.delete("b").names == ("a", "c")
    assert THREE.move("c", -1).names == ("a", "c", "b")
    assert THREE.move("a", 99).names == ("b", "c", "a")
    assert THREE.move("a", -99) is THREE


def test_undo_leads_back_through_every_step() -> None:
    """As far as to the empty shelf, and not beyond it."""
    shelf = THREE.delete("a").rename("b", "x").move("x", 1)
    shapes = []
    while shelf.past:
        shapes.append(shelf.names)
        shelf = shelf.undo()
    assert shapes == [("c", "x"), ("x", "c"), ("b", "c"), ("a", "b", "c"), ("a", "b"), ("a",)]
    assert shelf.undo() == Shelf()


def test_undo_is_bounded() -> None:
    """A long session keeps the last steps only."""
    shelf = THREE
    for _ in range(MAX_STEPS):
        shelf = shelf.move("a", 1).move("a", -1)
    assert len(shelf.past) == MAX_STEPS


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "a name"),
        ("  ", "a name"),
        ("4a", "no name"),
        ("_x", "no name"),
        ("a b", "no name"),
        ("a\nb", "no name"),
        ("é", "no name"),
        ("<b>", "no name"),
        ("=1+1", "no name"),
        ("x" * 33, "no name"),
        ("x" * 10**6, "no name"),
        ("paper", "always there"),
        ("Paper", "always there"),
        (CURRENT, "always there"),
        ("A", "already"),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_bad_names(name: str, told: str) -> None:
    """Each is refused with a sentence of bounded length, in keep and in rename, and the shelf stays."""
    for step in (lambda: THREE.keep(name, PAPER), lambda: THREE.rename("b", name)):
        with pytest.raises(ShelfError, match=told) as refusal:
            step()
        assert len(str(refusal.value)) < 200


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,31}", fullmatch=True))
def test_good_names(name: str) -> None:
    """Every name of the rule is taken, unless it is one of ours."""
    if name.lower() not in (*PRESETS, CURRENT):
        assert checked_name(name, ()) == name


def test_bad_notes() -> None:
    """A note that is too long, or no text, is refused."""
    assert Shelf().keep("a", PAPER, "x" * MAX_NOTE).variants
    for note in ("x" * (MAX_NOTE + 1), "\x00", "a\ud800", "\u202e"):
        with pytest.raises(ShelfError):
            Shelf().keep("a", PAPER, note)


def test_the_shelf_is_bounded() -> None:
    """When it is full it says so."""
    shelf = Shelf()
    for number in range(MAX_VARIANTS):
        shelf = shelf.keep(f"v{number}", PAPER)
    for step in (lambda: shelf.keep("more", PAPER), lambda: shelf.duplicate("v0")):
        with pytest.raises(ShelfError, match="full"):
            step()


def test_a_variant_that_is_not_there() -> None:
    """It is named in the message."""
    for step in (THREE.delete, THREE.duplicate, lambda name: THREE.move(name, 1), lambda name: THREE.rename(name, "y")):
        with pytest.raises(ShelfError, match="“x”"):
            step("x")


def test_free_names() -> None:
    """A name that is taken gets a number; the result is always a right and free one."""
    assert free_name("wide", ()) == "wide"
    assert free_name("wide", ("wide", "WIDE_2")) == "wide_3"
    assert free_name("paper", ()) == "paper_2"
    assert free_name("x" * 32, ("x" * 32,)) == "x" * 28 + "_2"
    assert suggested_name(Shelf(), WIDE) == "paper_4a"
    assert suggested_name(Shelf(), PAPER) == "paper_copy"
    assert suggested_name(Shelf().keep("paper_4a", WIDE), WIDE) == "paper_4a_2"


def test_names_stand_for_networks() -> None:
    """The bench, a preset, a variant; another name stands for none."""
    assert version_of(CURRENT, THREE, WIDE) == WIDE
    assert version_of("naive", THREE, WIDE) == Version("naive", PRESETS["naive"])
    assert version_of("b", THREE, PAPER) == WIDE
    assert version_of("x", THREE, PAPER) is None
    assert all(version_of(name, THREE, PAPER) for name in available(THREE))


def test_there_is_always_something_to_compare() -> None:
    """Without a choice: the preset against the variants and the bench, and never less than two or more than four."""
    assert default_choice(Shelf(), PAPER) == ("paper", "no_reduction")
    assert default_choice(Shelf(), Version("half", PRESETS["half"])) == ("half", "paper")
    assert default_choice(Shelf(), WIDE) == ("paper", CURRENT)
    assert default_choice(Shelf().keep("w", WIDE), WIDE) == ("paper", "w")
    assert default_choice(THREE, Version("paper", PRESETS["half"])) == ("paper", "b", "c", CURRENT)
    assert len(default_choice(THREE, WIDE)) <= MAX_COMPARED


def test_a_choice_travels_in_a_link() -> None:
    """The names come back in their order; whatever else stands there is left out."""
    assert chosen_names(choice_token(("b", CURRENT, "paper"))) == ("b", CURRENT, "paper")
    assert chosen_names("a.b.c.d.e.f") == ("a", "b", "c", "d")
    assert chosen_names("a.a.<b>..4a.\ud800.b") == ("a", "b")
    assert chosen_names("x" * 10**6) == ()
