"""The lesson on the 1×1 reduction, as a student uses it."""

import pytest

from explorer import PRESETS
from explorer.jobs.job import Failure, Progress
from explorer.jobs.queue import Pending
from explorer.jobs.requests import ReductionTiming
from explorer.lessons.openings import opening_question
from explorer.lessons.reduction import ARTICLE
from tests.ui.app import FakeJobQueue, alt_texts, answer, chart_files, click, open_lesson, page_text, run, type_into


def test_it_opens_on_the_articles_case() -> None:
    """819,200 and 50,688 with their formulas, and the break-even of 387."""
    at = open_lesson("reduction")
    shown = alt_texts(at)
    assert "512 · 5 · 5 · 64 = 819,200; 512 · 24 + 24 · 5 · 5 · 64 = 50,688" in shown
    assert r"r \le \mathbf{387}" in at.latex[0].value
    assert "It *is* the case above." in page_text(at)


def test_biases_are_one_switch() -> None:
    """819,264 and 50,776 with them."""
    at = open_lesson("reduction")
    at.toggle(key="case_biases").set_value(True)
    shown = alt_texts(run(at))
    assert "512 · 5 · 5 · 64 + 64 = 819,264; 512 · 24 + 24 · 5 · 5 · 64 + 24 + 64 = 50,776" in shown
    assert "parameters 819,264 without and 50,776 with" in shown


def test_a_control_changes_the_numbers_and_one_click_restores_them() -> None:
    """A wider reduction costs more; "back" restores the article's case."""
    at = type_into(open_lesson("reduction"), "case_reduction", 48)
    assert "= 101,376" in alt_texts(at)
    assert "With: a 1×1 convolution to 48 × 14 × 14, then the 5×5, 101,376 weights" in alt_texts(at)
    at = click(at, "case_article")
    assert at.session_state["reduction_case"] == ARTICLE
    assert "= 50,688" in alt_texts(at)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("case_inputs", 0, "Input channels: 0 is out of range"),
        ("case_kernel", 4, "4 is even"),
        ("case_filters", -7, "Kernels: -7"),
        ("case_reduction", 10**12, "Reduction: 1,000,000,000,000 is out of range"),
        ("case_height", None, "Height: the field is blank. Enter a whole number."),
        ("case_width", 300, "Width: 300 is out of range. Write a whole number from 1 to 256"),
    ],
)
def test_an_invalid_value_is_explained_and_the_last_valid_case_stays(key: str, value: object, message: str) -> None:
    """Below its control."""
    at = open_lesson("reduction")
    at = type_into(at, key, value)
    assert [message in error.value for error in at.error] == [True]
    assert "= 50,688" in alt_texts(at)
    at = type_into(at, key, 5)
    assert not at.error


def test_the_widths_of_a_branch_can_be_used_and_applied() -> None:
    """Use those of 3a's 5×5, change them, and write them into the table; undo is in the bar."""
    at = open_lesson("reduction")
    at.selectbox(key="reduction_module").set_value("3a")
    at = click(run(at), "case_use")
    case = at.session_state["reduction_case"]
    assert (case.inputs, case.filters, case.reduction, case.height) == (192, 32, 16, 28)
    at = click(type_into(at, "case_reduction", 8), "case_apply")
    edited = at.session_state["history"].present.config
    assert edited.module("3a").ch5x5_reduce == 8
    assert edited == PRESETS["paper"].replace(
        modules=tuple(m.replace(ch5x5_reduce=8) if m.name == "3a" else m for m in PRESETS["paper"].modules)
    )
    at = click(at, "undo")
    assert at.session_state["history"].present.config == PRESETS["paper"]


def test_the_whole_network_without_reductions() -> None:
    """Without all of them the numbers are the naive network's; applying makes it the current one."""
    at = open_lesson("reduction")
    assert [metric.value for metric in at.metric] == ["97,526,008", "12.568 G"]
    at = click(at, "naive_apply")
    assert at.session_state["history"].present.config == PRESETS["naive"]


def test_predict_then_reveal() -> None:
    """The first answer stays, is explained with the formula, and counts."""
    question = opening_question("reduction")
    wrong = next(option for option in question.options if option != question.value)
    at = answer(open_lesson("reduction"), question, wrong)
    assert "Not quite" in at.error[0].value
    assert question.formula in at.error[0].value
    assert "0 of 1 correct" in page_text(at)
    radio = next(radio for radio in at.radio if radio.label == question.text)
    assert radio.disabled


def test_a_measurement_shows_progress_and_its_result_stays(jobs: FakeJobQueue) -> None:
    """The request has the current case; after a change of the case the result is marked as older."""
    at = click(open_lesson("reduction"), "reduction_timing_start")
    assert jobs.submitted[-1].case == ARTICLE
    jobs.result = Pending(0, 0.3, Progress(done=15, total=60, message="Both versions run in turn"))
    at = run(at)
    assert [bar.proto.text for bar in at.get("progress")] == ["Both versions run in turn · 15 of 60"]
    jobs.result = ReductionTiming(
        case=ARTICLE, direct_ms=(3.6, 3.5, 3.7), reduced_ms=(0.4, 0.41, 0.42), seed=5, device="CPU (1 thread)"
    )
    text = page_text(run(at))
    assert "**8.81 times faster** (half of the rounds:" in text
    assert "at 16.2 times fewer MACs. The time saved is less" in text
    assert "MACs count arithmetic only" in text
    assert "seed 5" in text
    assert "3 rounds" in text
    at = type_into(at, "case_reduction", 48)
    assert "Measured before your last change" in page_text(at)
    assert "8.81 times faster" in page_text(at)


def test_a_measurement_can_be_stopped(jobs: FakeJobQueue) -> None:
    """The request is cancelled, and the button is enabled again."""
    at = click(open_lesson("reduction"), "reduction_timing_start")
    at = click(at, "reduction_timing_stop")
    assert [request.case for request in jobs.cancelled] == [ARTICLE]
    assert not at.get("progress")
    assert not at.button(key="reduction_timing_start").disabled


def test_small_effects_and_failures_are_explained(jobs: FakeJobQueue) -> None:
    """A small difference is called small; a failure is shown with its reason."""
    at = click(open_lesson("reduction"), "reduction_timing_start")
    jobs.result = ReductionTiming(
        case=ARTICLE, direct_ms=(1.0, 2.0, 3.0), reduced_ms=(1.1, 1.9, 3.0), seed=1, device="CPU"
    )
    assert "about equally fast" in page_text(run(at))
    jobs.result = jobs.result.replace(direct_ms=(15.0, 16.2, 17.0), reduced_ms=(1.0, 1.0, 1.0))
    assert "Within the spread of the rounds, the time fell as far" in page_text(click(at, "reduction_timing_start"))
    jobs.result = jobs.result.replace(direct_ms=(1.0, 1.0, 1.0), reduced_ms=(4.0, 4.1, 4.2))
    assert "**4.10 times slower with the 1×1**" in page_text(click(at, "reduction_timing_start"))
    jobs.result = Failure(reason="It was too large.")
    assert "Nothing was measured. It was too large." in page_text(click(at, "reduction_timing_start"))
    assert [request.case for request in jobs.forgotten] == 4 * [ARTICLE]


def test_bars_matrix_and_paths_have_a_file_with_their_data() -> None:
    """Beside the charts that had one before."""
    files = chart_files(open_lesson("reduction"))
    assert {"cost.csv", "mixing.csv", "paths.csv"} <= set(files)
    assert "819200" in files["cost.csv"]
