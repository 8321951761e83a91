"""What this session has set for its next run, a draft per view, and controls that judge what they are given.

A bad value stays visible with its reason under the control, and the draft stays as it was.
"""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from pydantic import ValidationError

from explorer.config import Problem, UnbuildableError
from explorer.data.arrays import DataError
from explorer.history import Version
from explorer.runs.speed import macs_per_second
from explorer.shelf import CURRENT, available, free_name, suggested_name
from explorer.training.draft import PreparedPlan, RunDraft, prepare_plan
from explorer.training.plan import MACS_PER_SECOND, DatasetInfo, NamedNetwork
from explorer.training.races import SEEDS, STEPS
from explorer.training.validation import plan_problems
from explorer.ui import messages, runs, state
from explorer.ui.runs import View

_DRAFTS, _NETWORKS = "train_drafts", "train_networks"
_MAX_SHOWN = 2**53 - 1  # the largest whole number a browser holds exactly
_FIRST = {"one": RunDraft(), "race": RunDraft(budget=STEPS, seeds=SEEDS)}
Write = Callable[[RunDraft, Any], RunDraft]


def draft(view: View) -> RunDraft:
    """Return what is set in a view."""
    return st.session_state.get(_DRAFTS, {}).get(view, _FIRST[view])


def put(view: View, changed: RunDraft) -> None:
    """Make another draft the view's."""
    st.session_state[_DRAFTS] = {**st.session_state.get(_DRAFTS, {}), view: changed}


def names(view: View) -> tuple[str, ...]:
    """Return the names of the networks that are chosen in a view; those that are no longer there are left out."""
    there = available(state.shelf())
    chosen = tuple(name for name in st.session_state.get(_NETWORKS, {}).get(view, ()) if name in there)
    return chosen if len(chosen) >= (2 if view == "race" else 1) else _usual(view)


def _usual(view: View) -> tuple[str, ...]:
    """The network on the bench, if someone has put one there; else the one that learns within a minute."""
    mine = CURRENT if state.current() != state.DEFAULT else "mini"
    if view == "one":
        return (mine,)
    kept = state.shelf().names[-3:]
    return (mine, *kept) if kept else (mine, "half" if mine == "mini" else "mini")


def choose(view: View, chosen: tuple[str, ...]) -> None:
    """Choose the networks of a view."""
    st.session_state[_NETWORKS] = {**st.session_state.get(_NETWORKS, {}), view: chosen}


def entrants(view: View) -> tuple[NamedNetwork, ...]:
    """Return the chosen networks, each under a name of its own that says what it is."""
    found: dict[str, NamedNetwork] = {}
    for name in names(view):
        version = state.version_named(name)
        called = _called(name, version)
        if called in found:
            called = free_name(called, found)
        found[called] = NamedNetwork(name=called, config=version.config)
    return tuple(found.values())


def _called(name: str, version: Version) -> str:
    if name != CURRENT:
        return name
    return version.base if version.config == version.base_config else suggested_name(state.shelf(), version)


def speed(view: View) -> tuple[float, bool]:
    """Return MACs of training per second, and whether that was measured here."""
    settings = draft(view).settings
    device = settings.device if settings else "auto"
    measured = macs_per_second(runs.store().runs(), device)
    return (measured, True) if measured else (MACS_PER_SECOND, False)


def plan_of(view: View, facts: DatasetInfo) -> PreparedPlan:
    """Return the plan of a view. Raises UnbuildableError."""
    return prepare_plan(draft(view), entrants(view), facts)


def plan_problems_of(view: View, changed: RunDraft) -> tuple[Problem, ...]:
    """Return what would be wrong with a draft."""
    try:
        facts = runs.facts_of(changed.data)
        return plan_problems(prepare_plan(changed, entrants(view), facts).plan, facts)
    except UnbuildableError as error:
        return error.problems
    except DataError as error:
        return (Problem("data", "name", str(error)),)


def number(
    view: View,
    label: str,
    field: str,
    value: float | None,
    write: Write,
    *,
    name: str = "",
    blank: bool = False,
    explained: bool = True,
    **options: Any,
) -> None:
    """Ask for a number of the draft that is judged as a ``field`` of the plan. ``blank``: to leave it empty is allowed.

    ``name`` is the control's own, where there is another one for the field. Without ``explained`` the caller calls
    :func:`explain` where there is room for the message.
    """
    key = f"{view}_{name or field}"
    _seed(key, value)
    st.number_input(
        label, key=key, value=None, on_change=_changed, args=(view, label, field, key, write, blank), **options
    )
    if explained:
        explain(key)


def choice(
    view: View,
    label: str,
    field: str,
    options: Mapping[str, str],
    value: str,
    write: Write,
    *,
    explained: bool = True,
    **more: Any,
) -> None:
    """Ask for one of several values of the draft."""
    key = f"{view}_{field}"
    _seed(key, value)
    st.selectbox(
        label,
        list(options),
        key=key,
        format_func=lambda name: options.get(name, name),
        on_change=_changed,
        args=(view, label, field, key, write, False),
        **more,
    )
    if explained:
        explain(key)


def switch(view: View, label: str, field: str, value: bool, write: Write, help: str | None = None) -> None:
    """Ask whether something of the draft shall be so."""
    key = f"{view}_{field}"
    _seed(key, value)
    st.toggle(label, key=key, on_change=_changed, args=(view, label, field, key, write, False), help=help)
    explain(key)


def explain(key: str) -> None:
    """Show why the value of a control was refused, if it was."""
    held = state.refused(key)
    messages.show_problems(held[1][:2] if held else ())


def _seed(key: str, value: Any) -> None:
    held = state.refused(key)
    if held and not (isinstance(held[0], int) and abs(held[0]) > _MAX_SHOWN):
        value = held[0]
    st.session_state[key] = value


def _changed(view: View, label: str, field: str, key: str, write: Write, blank: bool) -> None:
    value = st.session_state[key]
    try:
        if value is None and not blank:
            raise TypeError
        changed = write(draft(view), value)
        found = tuple(problem for problem in plan_problems_of(view, changed) if problem.field == field)
    except (ValidationError, TypeError, ValueError, KeyError, OverflowError):
        shown = "blank" if value is None else f"“{str(value)[:20]}”"
        found = (Problem("draft", key, f"{label}: {shown} does not fit here. Give a number or choose from the list."),)
    if found:
        state.refuse(key, value, found)
    else:
        state.accept()
        put(view, changed)
