"""The shelf as a person uses it: keep, open, rename, order and delete variants."""

import random
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.diff import with_module
from explorer.history import Version
from explorer.share import from_shelf_token, shelf_from_json, shelf_to_json, to_shelf_token, to_token
from explorer.shelf import MAX_VARIANTS, Shelf, Variant
from explorer.table import from_rows, to_rows
from tests.ui.app import click, html, open_compare, title

PAPER = PRESETS["paper"]
WIDE = Version("paper", with_module(PAPER, PAPER.module("4a").replace(ch3x3=300)))


def test_the_chart_ranks_nothing_without_accuracy(app: AppTest) -> None:
    """It says so, and that nothing was trained yet."""
    open_compare(app, "Shelf")
    (caption,) = [caption.value for caption in app.caption if "rank nothing" in caption.value]
    assert "No run here has measured it yet." in caption


@pytest.mark.slow
def test_a_shelf_too_long_for_a_link_is_offered_as_a_file(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """A warning at the shelf says that a reload loses it; the file restores the same shelf."""
    rng = random.Random(0)
    variants = tuple(
        Variant(f"v{number}", Version("paper", from_rows(_random_rows(rng), PAPER).config), f"note {rng.random()}")
        for number in range(MAX_VARIANTS)
    )
    assert to_shelf_token(variants) is None
    app.session_state["shelf"] = Shelf(variants)
    open_compare(app, "Shelf")
    assert "a reload or a link loses them" in app.warning[0].value
    assert "shelf" not in app.query_params
    (button,) = [button for button in app.get("download_button") if button.proto.label == "Save the shelf"]
    assert button
    assert shelf_from_json(shelf_to_json(variants)) == variants
    app.session_state["shelf"] = Shelf(variants[:3])
    app.run()
    assert not app.warning


def _random_rows(rng: random.Random) -> list[dict[str, object]]:
    return [{k: v if k == "module" else rng.randint(1, 300) for k, v in row.items()} for row in to_rows(PAPER)]


def test_keep_puts_the_network_on_the_shelf_once(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """One click, a name that describes it, and a disabled button."""
    edit({2: {"#3×3": 300}})
    click(app, "keep")
    assert from_shelf_token(app.query_params["shelf"]) == (Variant("paper_4a", WIDE),)
    assert app.button(key="keep").disabled
    edit({2: {"#3×3": 301}})
    assert not app.button(key="keep").disabled


def test_the_shelf_can_be_edited(two_variants: AppTest) -> None:
    """Rename, note, copy, move, delete, and undo each."""
    open_compare(two_variants, "Shelf")

    def names() -> tuple[str, ...]:
        return tuple(variant.name for variant in from_shelf_token(two_variants.query_params["shelf"]))

    assert names() == ("paper_4a", "paper_4a_2")
    two_variants.text_input(key="shelf_name").set_value("narrow").run()
    assert names() == ("paper_4a", "narrow")
    two_variants.text_input(key="shelf_note").set_value("less 3×3").run()
    assert from_shelf_token(two_variants.query_params["shelf"])[1].note == "less 3×3"
    click(two_variants, "shelf_up")
    assert names() == ("narrow", "paper_4a")
    click(two_variants, "shelf_copy")
    assert names() == ("narrow", "narrow_2", "paper_4a")
    click(two_variants, "shelf_delete")
    assert names() == ("narrow_2", "paper_4a")
    click(two_variants, "shelf_undo")
    assert names() == ("narrow", "narrow_2", "paper_4a")


def test_an_invalid_name_is_explained_below_it(two_variants: AppTest) -> None:
    """The shelf stays, and the message says what a name may be."""
    open_compare(two_variants, "Shelf")
    before = two_variants.query_params["shelf"]
    two_variants.text_input(key="shelf_name").set_value("4 a").run()
    assert "“4 a” is not a valid name" in two_variants.error[0].value
    assert two_variants.query_params["shelf"] == before
    two_variants.text_input(key="shelf_name").set_value("good").run()
    assert not two_variants.error


def test_a_variant_can_be_opened_and_undo_restores_the_network(two_variants: AppTest) -> None:
    """It becomes the current network, compared with its preset."""
    open_compare(two_variants, "Shelf")
    two_variants.selectbox(key="shelf_which").set_value("paper_4a").run()
    click(two_variants, "shelf_open")
    assert two_variants.query_params["net"] == to_token(WIDE)
    assert title(two_variants) == "paper + 1 edit"
    click(two_variants, "undo")
    assert two_variants.query_params["net"] != to_token(WIDE)


def test_a_renamed_variant_stays_in_the_comparison(two_variants: AppTest) -> None:
    """Under its new name."""
    two_variants.query_params["compare"] = "paper.paper_4a"
    open_compare(two_variants, "Shelf")
    two_variants.selectbox(key="shelf_which").set_value("paper_4a").run()
    two_variants.text_input(key="shelf_name").set_value("wide").run()
    assert two_variants.query_params["compare"] == "paper.wide"


def test_a_deleted_variant_leaves_the_comparison(two_variants: AppTest) -> None:
    """The other networks stay."""
    two_variants.query_params["compare"] = "half.paper_4a_2.paper"
    open_compare(two_variants, "Shelf")
    click(two_variants, "shelf_delete")
    assert "paper_4a_2" not in html(two_variants)
    assert "2,010,560" in html(two_variants)
