"""Undo and redo over frozen versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS
from explorer.history import MAX_STEPS, History, Version

PAPER = PRESETS["paper"]


def version(classes: int) -> Version:
    """Return the paper's network with this number of classes."""
    return Version("paper", PAPER.replace(classes=classes))


def history_of(*classes: int) -> History:
    """Return a history with a version for each of these numbers of classes, in order."""
    history = History(version(classes[0]))
    for number in classes[1:]:
        history = history.push(version(number))
    return history


def test_redo_reverts_undo() -> None:
    """Undo goes back version by version, and redo returns to where it started."""
    history = history_of(10, 20, 30)
    back = history.undo()
    assert version(20) == back.present
    assert version(10) == back.undo().present
    assert history == back.undo().redo().redo()


def test_nothing_to_undo_or_redo() -> None:
    """At either end, undo or redo changes nothing."""
    history = history_of(10)
    assert history == history.undo()
    assert history == history.redo()


def test_a_new_version_clears_redo() -> None:
    """After undo, a new edit is the present and there is nothing to redo."""
    history = history_of(10, 20).undo().push(version(30))
    assert (version(30), (version(10),), ()) == history


def test_the_same_version_is_no_step() -> None:
    """Pushing the present version does not change the history, nor clear redo."""
    history = history_of(10, 20, 30).undo()
    assert history == history.push(version(20))


def test_another_preset_of_the_same_config_is_a_step() -> None:
    """The same config with another preset is a new version, because it is compared with another network."""
    history = history_of(10).push(Version("batch_norm", version(10).config))
    assert version(10) == history.undo().present


def test_a_step_does_not_change_the_old_history() -> None:
    """A history is frozen: each step returns a new one."""
    history = history_of(10, 20)
    before = (history.present, history.past, history.future)
    history.push(version(30))
    history.undo()
    assert before == tuple(history)
    with pytest.raises(AttributeError):
        history.present = version(10)


def test_steps_back_are_bounded() -> None:
    """After many edits, only the last MAX_STEPS versions remain."""
    history = history_of(*range(2, 2 * MAX_STEPS))
    assert MAX_STEPS == len(history.past)
    assert version(2 * MAX_STEPS - 2) == history.past[-1]


@given(st.lists(st.sampled_from(["undo", "redo"]) | st.integers(2, 6), max_size=MAX_STEPS // 2))
def test_any_steps_agree_with_a_list_and_an_index(steps: list[str | int]) -> None:
    """Any steps give the same version as a plain list with an index of the present version."""
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


def test_base_config() -> None:
    """A version is compared with the preset it started from."""
    assert PAPER == version(10).base_config
