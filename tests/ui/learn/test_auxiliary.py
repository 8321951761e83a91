"""The lesson on auxiliary classifiers, as a student uses it."""

import pytest

from explorer import PRESETS
from explorer.jobs.requests import LOSS_WEIGHTS, GradientReport, GradientRun
from tests.ui.app import FakeJobQueue, click, open_app, open_lesson, page_text, run, type_into

BLOCKS = ("stem", "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b", "classifier")


def _table(text: str, first: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("| ").split("|")]


def test_the_head_is_shown_step_by_step() -> None:
    """From 512 × 14 × 14 to the classes, with the totals of the head; the other head is one click away."""
    at = open_lesson("auxiliary")
    text = page_text(at)
    assert _table(text, "flatten")[1] == "2,048"
    assert _table(text, "**total**")[2:] == ["**3,188,840**", "**4,169,728**"]
    at.segmented_control(key="head_tap").set_value("4d")
    assert _table(page_text(run(at)), "**total**")[2] == "**3,190,888**"


def test_the_lesson_shows_the_current_network() -> None:
    """An edit of 4a changes the head on it; one click goes back to the paper."""
    at = open_lesson("auxiliary", net="1.half")
    assert _table(page_text(at), "flatten")[1] == "1,024"
    button = next(button for button in at.button if button.label == "Back to the paper's network")
    button.click()
    assert _table(page_text(run(at)), "flatten")[1] == "2,048"


def test_another_input_is_computed_and_an_invalid_one_explained() -> None:
    """At 46 the rules differ; 0 and blank are rejected with the reason, and the last valid table stays."""
    at = type_into(open_lesson("auxiliary"), "auxiliary_side_input", 46)
    row = _table(page_text(at), "**46×46**")
    assert row[1:] == ["does not fit", "does not fit", "4×4 · 6.38 M parameters"]
    for value, message in ((0, "Side: enter a whole number from 1 to"), (None, "the field is blank")):
        at = type_into(at, "auxiliary_side_input", value)
        assert [message in error.value for error in at.error] == [True]
        assert "**46×46**" in page_text(at)


def test_the_loss_follows_the_weight_and_can_be_applied() -> None:
    """1.6 · ln 1000 = 11.052; another weight goes into the network."""
    at = open_lesson("auxiliary")
    assert r"1.6 \cdot 6.908 = \mathbf{11.052}" in page_text(at)
    at.slider(key="loss_weight").set_value(0.5)
    at = click(run(at), "weight_apply")
    assert r"2 \cdot 6.908 = \mathbf{13.816}" in page_text(at)
    assert at.session_state["history"].present.config.aux.loss_weight == 0.5


def _run(normalisation: str, seed: int, fraction: float) -> GradientRun:
    """Return a run in which the heads add ``fraction`` of the main loss's gradient at λ = 1."""
    main = tuple(1.0 for _ in BLOCKS)
    heads = tuple(tuple(fraction if place <= last else 0.0 for place in range(len(BLOCKS))) for last in (3, 6))
    together = tuple(
        tuple(1.0 + weight * fraction * (2 if p <= 3 else 1 if p <= 6 else 0) for p in range(len(BLOCKS)))
        for weight in LOSS_WEIGHTS
    )
    return GradientRun(
        normalisation=normalisation,
        seed=seed,
        blocks=BLOCKS,
        losses=("main", "4a", "4d"),
        values=(6.9, 6.9, 6.9),
        norms=(main, *heads),
        total_norms=together,
    )


@pytest.mark.parametrize(
    ("fraction", "message"), [(1.0, "changes by **+60 %**"), (0.01, "too small, or too different")]
)
def test_the_gradients_show_which_blocks_a_head_reaches_and_how_much(
    jobs: FakeJobQueue, fraction: float, message: str
) -> None:
    """Exactly 0 behind the tap; a small effect is called small."""
    at = click(open_lesson("auxiliary"), "gradients_start")
    assert jobs.submitted[-1].config == PRESETS["paper"]
    runs = tuple(_run(kind, seed, fraction) for seed in (7, 8, 9) for kind in ("lrn", "batch_norm"))
    jobs.result = GradientReport(runs=runs, batch=4, device="CPU")
    text = page_text(run(at))
    assert "The head at 4a reaches stem to 4a; 4b, 4c, 4d, 4e, 5a, 5b, classifier get exactly 0." in text
    assert message in text
    assert "Seeds 7 to 9, 4 random images each, untrained, CPU" in text
    at.segmented_control(key="gradient_weight").set_value(0.0)
    assert "With λ = 0 the heads contribute nothing" in page_text(run(at))


def test_without_heads_the_lesson_says_so() -> None:
    """For a network without heads there is an explanation, not an error."""
    at = open_lesson("auxiliary")
    paper = PRESETS["paper"]
    history = at.session_state["history"]
    bare = paper.replace(aux=paper.aux.replace(taps=()))
    at.session_state["history"] = history.push(history.present._replace(config=bare))
    text = page_text(run(at))
    assert text.count("The current network has no auxiliary head.") == 5
    assert open_app().expander[0].label in text  # the control that the message names
    assert "it has no auxiliary head" in text
