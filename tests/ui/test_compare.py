"""The compare page, the shelf, the budget solver and sharing, as a person uses them."""

import os
import random
import sys
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS, summarize
from explorer.diff import with_module
from explorer.history import Version
from explorer.live.weights import load_weights
from explorer.share import from_shelf_token, shelf_from_json, shelf_to_json, to_json, to_shelf_token, to_token
from explorer.shelf import MAX_VARIANTS, Shelf, Variant
from explorer.table import from_rows, to_rows
from explorer.ui.components.downloads import CannotMakeError
from explorer.ui.explore.compare import export
from tests.ui.conftest import open_app, title

PAPER = PRESETS["paper"]
PAGE = "pages/explore/compare.py"
WIDE = Version("paper", with_module(PAPER, PAPER.module("4a").replace(ch3x3=300)))


def shown(app: AppTest) -> str:
    """Return all HTML of the page as one text."""
    return "\n".join(element.value for element in app.get("html"))


def compare(app: AppTest, view: str = "Tables") -> AppTest:
    """Go to the compare page and choose a view."""
    app.switch_page(PAGE).run()
    return look_at(app, view)


def look_at(app: AppTest, view: str) -> AppTest:
    """Choose a view of the compare page."""
    app.session_state["compare_view"] = view
    app.run()
    assert not app.exception
    return app


def click(app: AppTest, key: str) -> AppTest:
    """Click a button."""
    app.button(key=key).click().run()
    assert not app.exception
    return app


@pytest.fixture
def two(app: AppTest, edit: Callable[..., AppTest]) -> AppTest:
    """A session that has kept the paper's network with a wider and then a narrower 4a."""
    edit({2: {"#3×3": 300}})
    click(app, "keep")
    edit({2: {"#3×3": 100}})
    return click(app, "keep")


def test_without_a_choice_there_is_something_to_see(app: AppTest) -> None:
    """The unedited paper is compared with a network whose numbers differ."""
    compare(app)
    assert "25,305,944" in shown(app)
    assert "▲ +18,307,392" in shown(app)


def test_while_there_is_nothing_of_ones_own_the_page_says_how(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """With the first edit the hint goes."""
    compare(app)
    assert any("edit a cell on the Network page" in caption.value for caption in app.caption)
    app.switch_page("pages/explore/network.py").run()
    edit({2: {"#3×3": 300}})
    compare(app)
    assert not any("edit a cell on the Network page" in caption.value for caption in app.caption)


def test_a_shelf_too_long_for_a_link_is_offered_as_a_file(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """It says that a reload loses it, where the shelf is; the file opens to the same shelf."""
    rng = random.Random(0)
    variants = tuple(
        Variant(f"v{at}", Version("paper", from_rows(_random_rows(rng), PAPER).config), f"note {rng.random()}")
        for at in range(MAX_VARIANTS)
    )
    assert to_shelf_token(variants) is None
    app.session_state["shelf"] = Shelf(variants)
    compare(app, "Shelf")
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


def test_names_on_screen_are_the_titles(two: AppTest) -> None:
    """As the bar calls a preset, so do the shelf and the settings that differ."""
    two.selectbox(key="preset").set_value("batch_norm").run()
    click(two, "keep")
    compare(two, "Shelf")
    assert any("from batch norm" in caption.value for caption in two.caption)
    look_at(two, "Tables")
    assert "normalisation BatchNorm → LRN" in two.dataframe[0].value.to_string()


def test_an_edit_is_compared_with_its_preset(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """The totals differ and the edited cell is marked, and nothing else."""
    edit({2: {"#3×3": 300}})
    compare(app)
    assert f"{summarize(WIDE.config).parameters(aux=False):,}" in shown(app)
    assert shown(app).count('class="marked"') == 1
    assert "<span>300</span>" in shown(app)


def test_keep_puts_the_network_on_the_shelf_once(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """One click, a name that says what it is, and the button then says that it is kept."""
    edit({2: {"#3×3": 300}})
    click(app, "keep")
    assert from_shelf_token(app.query_params["shelf"]) == (Variant("paper_4a", WIDE),)
    assert app.button(key="keep").disabled
    edit({2: {"#3×3": 301}})
    assert not app.button(key="keep").disabled


def test_kept_variants_are_compared(two: AppTest) -> None:
    """Both stand beside the preset."""
    compare(two)
    assert "paper_4a" in shown(two)
    assert "paper_4a_2" in shown(two)


def test_the_choice_of_networks_and_of_the_base(two: AppTest) -> None:
    """Another base turns the differences round, and the address carries the choice."""
    compare(two)
    two.multiselect(key="compare_choice").set_value(["paper", "half"]).run()
    assert "▼ −4,987,992" in shown(two)
    assert two.query_params["compare"] == "paper.half"
    two.selectbox(key="compare_base").set_value("half").run()
    assert "▲ +4,987,992" in shown(two)
    assert two.query_params["compare"] == "half.paper"


@pytest.mark.parametrize("choice", [[], ["paper"]])
def test_too_few_networks_are_explained(app: AppTest, choice: list[str]) -> None:
    """The last choice stays on the page, with a sentence under the control."""
    compare(app)
    app.multiselect(key="compare_choice").set_value(choice).run()
    assert "Choose 2 to 4 networks" in app.error[0].value
    assert "25,305,944" in shown(app)
    app.multiselect(key="compare_choice").set_value(["paper", "half"]).run()
    assert not app.error
    assert "2,010,560" in shown(app)


@pytest.mark.parametrize("view", ["Tables", "Layers", "Diagrams", "Charts", "Speed", "Shelf", "Budget", "Take away"])
@pytest.mark.parametrize("names", ["paper.mini", "naive.torchvision.half.mini", "current.paper_4a.paper_4a_2.mini"])
def test_every_view_of_any_networks(two: AppTest, view: str, names: str) -> None:
    """No view fails on networks with other modules, stages, heads or settings."""
    two.query_params["compare"] = names
    compare(two, view)
    assert all(f">{letter}</b>" in shown(two) for letter in "AB")


def test_layers_are_filtered(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """Only what differs is shown, unless all is asked for; a module without differences says so."""
    edit({8: {"pool proj": 100}})
    compare(app, "Layers")
    few = len(app.dataframe[0].value)
    assert set(app.dataframe[0].value["layer"].str.split(".").str[0]) == {"inception_5b", "classifier"}
    app.toggle(key="compare_layer_all").set_value(True).run()
    assert len(app.dataframe[0].value) == len(summarize(PAPER).rows) > few
    app.toggle(key="compare_layer_all").set_value(False).run()
    app.multiselect(key="compare_layer_modules").set_value(["3a"]).run()
    assert "No layer differs" in app.info[0].value


def test_the_shelf_can_be_put_in_order(two: AppTest) -> None:
    """Rename, note, copy, move, delete, and undo each."""
    compare(two, "Shelf")

    def names() -> tuple[str, ...]:
        return tuple(variant.name for variant in from_shelf_token(two.query_params["shelf"]))

    assert names() == ("paper_4a", "paper_4a_2")
    two.text_input(key="shelf_name").set_value("narrow").run()
    assert names() == ("paper_4a", "narrow")
    two.text_input(key="shelf_note").set_value("less 3×3").run()
    assert from_shelf_token(two.query_params["shelf"])[1].note == "less 3×3"
    click(two, "shelf_up")
    assert names() == ("narrow", "paper_4a")
    click(two, "shelf_copy")
    assert names() == ("narrow", "narrow_2", "paper_4a")
    click(two, "shelf_delete")
    assert names() == ("narrow_2", "paper_4a")
    click(two, "shelf_undo")
    assert names() == ("narrow", "narrow_2", "paper_4a")


def test_a_bad_name_is_explained_under_it(two: AppTest) -> None:
    """The shelf stays, and the sentence says what is right."""
    compare(two, "Shelf")
    before = two.query_params["shelf"]
    two.text_input(key="shelf_name").set_value("4 a").run()
    assert "“4 a” is no name" in two.error[0].value
    assert two.query_params["shelf"] == before
    two.text_input(key="shelf_name").set_value("good").run()
    assert not two.error


def test_a_variant_is_opened_and_undo_leads_back(two: AppTest) -> None:
    """It is the network on the bench then, told against its preset."""
    compare(two, "Shelf")
    two.selectbox(key="shelf_which").set_value("paper_4a").run()
    click(two, "shelf_open")
    assert two.query_params["net"] == to_token(WIDE)
    assert title(two) == "paper + 1 edit"
    click(two, "undo")
    assert two.query_params["net"] != to_token(WIDE)


def test_a_rename_follows_into_the_comparison(two: AppTest) -> None:
    """A chosen variant is still compared under its new name."""
    two.query_params["compare"] = "paper.paper_4a"
    compare(two, "Shelf")
    two.selectbox(key="shelf_which").set_value("paper_4a").run()
    two.text_input(key="shelf_name").set_value("wide").run()
    assert two.query_params["compare"] == "paper.wide"


def test_a_deleted_variant_leaves_the_comparison(two: AppTest) -> None:
    """What was compared with it is still there."""
    two.query_params["compare"] = "half.paper_4a_2.paper"
    compare(two, "Shelf")
    click(two, "shelf_delete")
    assert "paper_4a_2" not in shown(two)
    assert "2,010,560" in shown(two)


def test_a_link_carries_shelf_choice_and_page(two: AppTest) -> None:
    """A fresh session at the same address shows the same."""
    compare(two)
    two.multiselect(key="compare_choice").set_value(["half", "paper_4a", "paper_4a_2"]).run()
    fresh = open_app(**{name: two.query_params[name] for name in ("net", "shelf", "compare")})
    compare(fresh)
    assert shown(fresh) == shown(two)
    assert title(fresh) == title(two)


@pytest.mark.parametrize(
    ("parameter", "token"),
    [("shelf", "2.broken!"), ("shelf", "9.x"), ("shelf", "x" * 10_000), ("net", "2.paper.x")],
)
def test_a_broken_link_loses_nothing(parameter: str, token: str) -> None:
    """A sentence, the default, and no trace of it in the address."""
    app = open_app(**{parameter: token})
    assert "The link" in app.warning[0].value
    assert parameter not in app.query_params
    compare(app)
    assert "6,998,552" in shown(app)


def test_a_broken_part_hides_no_good_one() -> None:
    """A good network with a broken shelf opens, and the message stays."""
    app = open_app(net=to_token(WIDE), shelf="2.broken!")
    assert "The link" in app.warning[0].value
    assert app.query_params["net"] == to_token(WIDE)


def test_unknown_names_in_a_link_are_left_out(app: AppTest) -> None:
    """What exists is compared."""
    app.query_params["compare"] = "nothing.half.__class__.mini"
    compare(app)
    assert app.multiselect(key="compare_choice").value == ["half", "mini"]


def test_solving_for_a_budget(app: AppTest) -> None:
    """Networks that fit, nearest first; one is opened and the totals are below the limit."""
    compare(app, "Budget")
    app.number_input(key="budget_limit_macs").set_value(1_400.0)
    click(app, "budget_solve")
    while "budget_search" in app.session_state:
        app.run()
    assert any("Narrower reductions" in element.value for element in app.markdown)
    click(app, "budget_open_0")
    assert title(app).startswith("paper + ")
    app.switch_page("pages/explore/network.py").run()
    assert app.metric[2].value == "1.400 G"


def test_a_candidate_is_kept(app: AppTest) -> None:
    """With a note that says which budget it was found for."""
    compare(app, "Budget")
    click(app, "budget_solve")
    while "budget_search" in app.session_state:
        app.run()
    click(app, "budget_keep_0")
    (variant,) = from_shelf_token(app.query_params["shelf"])
    assert variant.note == "at most 1.266 G MACs"


def test_a_budget_that_cannot_be_met(app: AppTest) -> None:
    """It says so, and what the least is; a budget of nothing is explained."""
    compare(app, "Budget")
    app.number_input(key="budget_limit_macs").set_value(100.0)
    click(app, "budget_solve")
    while "budget_search" in app.session_state:
        app.run()
    assert "None fits" in app.warning[0].value
    app.number_input(key="budget_limit_macs").set_value(0.0)
    click(app, "budget_solve")
    assert "at least 1" in app.error[0].value
    app.number_input(key="budget_limit_macs").set_value(5_000.0)
    click(app, "budget_solve")
    assert "fits as it is" in app.success[0].value


def test_a_search_is_stopped(app: AppTest) -> None:
    """Stop leaves neither a search nor a result."""
    compare(app, "Budget")
    from explorer import budget

    search = budget.solve(PAPER, budget.Budget("macs", 1_400_000_000))
    app.session_state["budget_search"] = (
        Version("paper", PAPER),
        budget.Budget("macs", 1_400_000_000),
        _endless(next(search)),
        next(search),
    )
    app.run()
    click(app, "budget_stop")
    assert "budget_search" not in app.session_state
    assert "budget_found" not in app.session_state


def _endless(step: object) -> object:
    while True:
        yield step


def opened(document: bytes) -> dict[str, str | None]:
    """Open a file in a session of its own; return what its address would carry then, or the refusal."""

    def script() -> None:
        import streamlit as st

        from explorer.share import ShareError
        from explorer.ui import sharing, state

        try:
            sharing.take_in(st.session_state["document"])
            st.session_state["tokens"] = state.tokens()
        except ShareError as error:
            st.session_state["tokens"] = state.tokens() | {"refused": str(error)}

    at = AppTest.from_function(script)
    at.session_state["document"] = document
    at.run()
    assert not at.exception
    return {name: token for name, token in at.session_state["tokens"].items() if token}


def test_the_device_of_a_timing_is_the_one_of_the_badge(app: AppTest) -> None:
    """Chosen on one page, it is the choice on the other too."""
    compare(app, "Speed")
    app.selectbox(key="device").set_value("cpu").run()
    app.switch_page("pages/explore/network.py").run()
    assert app.selectbox(key="device").value == "cpu"


def test_a_file_is_taken_in() -> None:
    """A network goes on the bench, a shelf on the shelf; anything else changes nothing and is explained."""
    assert opened(to_json(WIDE.config).encode()) == {"net": to_token(WIDE)}
    shelf = (Variant("wide", WIDE, "note"), Variant("h", Version("half", PRESETS["half"])))
    assert opened(shelf_to_json(shelf).encode()) == {"shelf": to_shelf_token(shelf)}
    for bad in (b"", b"{}", b"\xff", b'{"format": "inception-explorer shelf"}', b"x" * 2_000_000):
        (refusal,) = opened(bad).values()
        assert refusal.endswith(".")


def test_weights_are_made_in_another_process(tmp_path: object) -> None:
    """The bytes behind the button are a file of this network."""
    file = tmp_path / "w.safetensors"
    file.write_bytes(export.run_export(Version("mini", PRESETS["mini"]), "safetensors"))
    assert load_weights(file).config == PRESETS["mini"]
    with pytest.raises(CannotMakeError, match="cannot be built"):
        export.run_export(Version("mini", PRESETS["mini"].replace(classes=1)), "onnx")


def test_an_export_gives_way_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process has a low priority, and what takes too long is stopped and told in a sentence."""
    lowered = []
    monkeypatch.setattr(os, "setpriority", lambda kind, pid, priority: lowered.append((kind, priority)))
    monkeypatch.setattr(export, "_TIMEOUT_S", 0.05)
    with pytest.raises(CannotMakeError, match="was stopped"):
        export.run_export(Version("mini", PRESETS["mini"]), "safetensors")
    assert [(os.PRIO_PROCESS, 10)] == lowered


@pytest.mark.parametrize("dies", ["raise ValueError('secret')", "import os; os.abort()", "import sys; sys.exit(3)"])
def test_a_process_that_dies_becomes_a_sentence(dies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it dies of; what only a programmer understands stays in the log."""
    monkeypatch.setattr(export, "_COMMAND", (sys.executable, "-c", dies))
    with pytest.raises(CannotMakeError, match=r"ended without a file \(exit code -?\d+\)") as told:
        export.run_export(Version("mini", PRESETS["mini"]), "onnx")
    assert "secret" not in str(told.value)


def test_what_is_too_large_to_be_made_is_said_beside_its_button(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How large and what the limit is; the button does nothing, the others work."""
    monkeypatch.setenv("EXPLORER_EXPORT_MB", "190")
    compare(app, "Take away")
    off = [button.proto.label for button in app.get("download_button") if button.proto.disabled]
    assert off == ["ONNX"]
    (told,) = [caption.value for caption in app.caption if "Making it" in caption.value]
    assert told.endswith("ONNX: Making it would need about 193 MB; the limit here is 190 MB (EXPLORER\\_EXPORT\\_MB).")
