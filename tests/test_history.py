"""Undo and redo over frozen versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS
from explorer.history import MAX_STEPS, History, Version

PAPER = PRESETS["paper"]


def version(classes: int) -> Version:
    """Return the paper's network for so many classes."""
    return Version("paper", PAPER.replace(classes=classes))


def after(*classes: int) -> History:
    """Return the history in which those numbers of classes were chosen one after the other."""
    history = History(version(classes[0]))
    for number in classes[1:]:
        history = history.push(version(number))
    return history


def test_undo_and_redo_walk_the_same_way() -> None:
    """Undo leads back step by step, and redo forward again to where it was."""
    history = after(10, 20, 30)
    back = history.undo()
    assert version(20) == back.present
    assert version(10) == back.undo().present
    assert history == back.undo().redo().redo()


def test_nothing_to_undo_or_redo() -> None:
    """At either end a further step changes nothing."""
    history = after(10)
    assert history == history.undo()
    assert history == history.redo()


def test_a_new_version_forgets_redo() -> None:
    """After undo, a new edit is the present and there is nothing to redo."""
    history = after(10, 20).undo().push(version(30))
    assert (version(30), (version(10),), ()) == history


def test_the_same_version_is_no_step() -> None:
    """Pushing what is there already leaves the history as it is, redo included."""
    history = after(10, 20, 30).undo()
    assert history == history.push(version(20))


def test_another_preset_of_the_same_config_is_a_step() -> None:
    """Choosing the preset that an edit has come to is a step: what it is compared with has changed."""
    history = after(10).push(Version("batch_norm", version(10).config))
    assert version(10) == history.undo().present


def test_a_step_leaves_the_old_history_alone() -> None:
    """A history is frozen: each step makes a new one."""
    history = after(10, 20)
    before = (history.present, history.past, history.future)
    history.push(version(30))
    history.undo()
    assert before == tuple(history)
    with pytest.raises(AttributeError):
        history.present = version(10)


def test_steps_back_are_bounded() -> None:
    """However long one edits, only the last steps are kept."""
    history = after(*range(2, 2 * MAX_STEPS))
    assert MAX_STEPS == len(history.past)
    assert version(2 * MAX_STEPS - 2) == history.past[-1]


@given(st.lists(st.sampled_from(["undo", "redo"]) | st.integers(2, 6), max_size=MAX_STEPS // 2))
def test_any_walk_agrees_with_a_list_and_a_finger(steps: list[str | int]) -> None:
    """Any steps lead where a list of versions with a finger on the present one would."""
    history, versions, at = History(version(2)), [version(2)], 0
    for step in steps:
        if step == "undo":
            history, at = history.undo(), max(at - 1, 0)
        elif step == "redo":
            history, at = history.redo(), min(at + 1, len(versions) - 1)
        else:
            history = history.push(version(step))
            if version(step) != versions[at]:
                versions = [*versions[: at + 1], version(step)]
                at += 1
        assert versions[at] == history.present


def test_a_version_knows_its_preset() -> None:
    """A version is compared with the preset it started from."""
    assert PAPER == version(10).base_config
