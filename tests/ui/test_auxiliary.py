"""The lesson on the auxiliary classifiers, as a student uses it."""

import pytest

from explorer import PRESETS
from explorer.jobs.requests import LOSS_WEIGHTS, GradientReport, GradientRun
from tests.ui.lessons import FakeChecker, checker, click, open_lesson, run, type_into, words

__all__ = ["checker"]
BLOCKS = ("stem", "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b", "classifier")


def _table(text: str, first: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("| ").split("|")]


def test_the_head_is_shown_step_by_step() -> None:
    """From 512 × 14 × 14 to the classes, with the totals of the head; the other head is one click away."""
    at = open_lesson("auxiliary")
    text = words(at)
    assert _table(text, "flatten")[1] == "2,048"
    assert _table(text, "**together**")[2:] == ["**3,188,840**", "**4,169,728**"]
    at.segmented_control(key="head_tap").set_value("4d")
    assert _table(words(run(at)), "**together**")[2] == "**3,190,888**"


def test_the_lesson_follows_the_network_and_leads_back() -> None:
    """An edit of 4a changes the head on it; one click goes back to the paper."""
    at = open_lesson("auxiliary", net="1.half")
    assert _table(words(at), "flatten")[1] == "1,024"
    button = next(button for button in at.button if button.label == "Back to the paper's network")
    button.click()
    assert _table(words(run(at)), "flatten")[1] == "2,048"


def test_another_input_is_worked_out_and_a_bad_one_explained() -> None:
    """At 192 the rules differ; 0 and nothing are refused with the reason, and the last good table stays."""
    at = type_into(open_lesson("auxiliary"), "auxiliary_side_input", 46)
    row = _table(words(at), "**46×46**")
    assert row[1:] == ["does not fit", "does not fit", "4×4 · 6.38 M parameters"]
    for bad, told in ((0, "Side: 0 is out of range"), (None, "blank is no whole number")):
        at = type_into(at, "auxiliary_side_input", bad)
        assert [told in error.value for error in at.error] == [True]
        assert "**46×46**" in words(at)


def test_the_loss_follows_the_weight_and_can_be_applied() -> None:
    """1.6 · ln 1000 = 11.052; another weight goes into the network."""
    at = open_lesson("auxiliary")
    assert r"1.6 \cdot 6.908 = \mathbf{11.052}" in words(at)
    at.slider(key="loss_weight").set_value(0.5)
    at = click(run(at), "weight_apply")
    assert r"2 \cdot 6.908 = \mathbf{13.816}" in words(at)
    assert at.session_state["history"].present.config.aux.loss_weight == 0.5


def _run(normalisation: str, seed: int, share: float) -> GradientRun:
    """Return a run in which the heads add ``share`` of the main loss's gradient at λ = 1."""
    main = tuple(1.0 for _ in BLOCKS)
    heads = tuple(tuple(share if place <= last else 0.0 for place in range(len(BLOCKS))) for last in (3, 6))
    together = tuple(
        tuple(1.0 + weight * share * (2 if p <= 3 else 1 if p <= 6 else 0) for p in range(len(BLOCKS)))
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


@pytest.mark.parametrize(("share", "told"), [(1.0, "changes by **+60 %**"), (0.01, "too little, or too different")])
def test_the_microscope_says_whom_a_head_reaches_and_whether_it_is_much(
    checker: FakeChecker, share: float, told: str
) -> None:
    """Exactly 0 behind the tap; a small effect is called small."""
    at = click(open_lesson("auxiliary"), "gradients_start")
    assert checker.asked[-1].config == PRESETS["paper"]
    runs = tuple(_run(kind, seed, share) for seed in (7, 8, 9) for kind in ("lrn", "batch_norm"))
    checker.answer = GradientReport(runs=runs, batch=4, device="CPU")
    text = words(run(at))
    assert "The head on 4a reaches stem to 4a; 4b, 4c, 4d, 4e, 5a, 5b, classifier get exactly 0." in text
    assert told in text
    assert "Seeds 7 to 9, 4 random images each, untrained, CPU" in text
    at.segmented_control(key="gradient_weight").set_value(0.0)
    assert "With λ = 0 the heads send nothing" in words(run(at))


def test_without_heads_the_lesson_says_so() -> None:
    """A network whose heads were taken off leaves an explanation, not an error."""
    at = open_lesson("auxiliary")
    paper = PRESETS["paper"]
    history = at.session_state["history"]
    bare = paper.replace(aux=paper.aux.replace(taps=()))
    at.session_state["history"] = history.push(history.present._replace(config=bare))
    text = words(run(at))
    assert text.count("The present network has no auxiliary head.") == 5
    assert "it has no auxiliary head" in text
