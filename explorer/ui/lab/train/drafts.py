"""The settings of the next run of this session, one draft per view, and controls that change a draft if it stays valid.

A control keeps a rejected value visible with the reason below it, and the draft does not change.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st
from pydantic import ValidationError

from explorer.data.arrays import DataError
from explorer.errors import Problem, UnbuildableError
from explorer.runs.results import macs_per_second
from explorer.shelf import CURRENT, available_names
from explorer.training.draft import PreparedPlan, RunDraft, prepare_plan
from explorer.training.names import unique_name
from explorer.training.plan import MACS_PER_SECOND, DatasetChoice, DatasetInfo, NamedNetwork, Plan
from explorer.training.races import SEEDS, STEPS
from explorer.ui import runs, state
from explorer.ui.components.field import field_container
from explorer.ui.components.number import number_input
from explorer.ui.runs import View
from explorer.ui.state import SessionValue, Width
from explorer.views.training import network_name

Write = Callable[[RunDraft, Any], RunDraft]  # returns the draft with a value set

_DRAFTS = SessionValue[Mapping[View, RunDraft]]("train_drafts", {})
_NETWORKS = SessionValue[Mapping[View, tuple[str, ...]]]("train_networks", {})
_ADOPTED = SessionValue[Mapping[View, tuple[NamedNetwork, ...]]]("train_adopted_networks", {})
# With 10,000 test images an accuracy near 90 % has a standard error of 0.3 percentage points, with 2,000 of 0.7.
DEFAULT_DATA = DatasetChoice(name="fashion_mnist_full")
_DEFAULTS: Mapping[View, RunDraft] = {
    "one": RunDraft(data=DEFAULT_DATA),
    "race": RunDraft(data=DEFAULT_DATA, budget=STEPS, seeds=SEEDS),
}


def get_draft(view: View) -> RunDraft:
    """Return the draft of a view."""
    return _DRAFTS.get().get(view, _DEFAULTS[view])


def set_draft(view: View, draft: RunDraft) -> None:
    """Replace the draft of a view."""
    _DRAFTS.set({**_DRAFTS.get(), view: draft})


def reset_draft(view: View) -> None:
    """Return to the default settings; the images and the seeds stay."""
    draft = get_draft(view)
    set_draft(view, RunDraft(data=draft.data, seeds=draft.seeds))
    state.clear_rejected_input()


def adopt_plan(view: View, plan: Plan) -> None:
    """Fill the form of a view with a plan, so that its seeds, budget and settings can be changed."""
    _ADOPTED.set({**_ADOPTED.get(), view: plan.networks})
    draft = RunDraft(data=plan.data, settings=plan.settings, budget=plan.budget, seeds=plan.seeds)
    set_draft(view, draft)
    state.clear_rejected_input()


def adopted_networks(view: View) -> tuple[NamedNetwork, ...]:
    """Return the networks of the adopted plan; none after the user has chosen others."""
    return _ADOPTED.get().get(view, ())


def network_names(view: View) -> tuple[str, ...]:
    """Return the names of the chosen networks of a view that still exist, or the defaults if they are too few."""
    existing = available_names(state.shelf())
    names = tuple(name for name in _NETWORKS.get().get(view, ()) if name in existing)
    return names if len(names) >= (2 if view == "race" else 1) else _default_names(view)


def set_network_names(view: View, names: tuple[str, ...]) -> None:
    """Choose the networks of a view, instead of those of an adopted plan."""
    discard_adopted(view)
    _NETWORKS.set({**_NETWORKS.get(), view: names})


def discard_adopted(view: View) -> None:
    """Return from the networks of an adopted plan to the chosen ones."""
    _ADOPTED.set({key: networks for key, networks in _ADOPTED.get().items() if key != view})


def _default_names(view: View) -> tuple[str, ...]:
    """Return the current network if the user has changed it, or else one that learns within a minute."""
    first = "mini" if state.current() == state.DEFAULT else CURRENT
    if view == "one":
        return (first,)
    others = state.shelf().names[-3:] or (("half",) if first == "mini" else ("mini",))
    return (first, *others)


def chosen_networks(view: View) -> tuple[NamedNetwork, ...]:
    """Return the networks of an adopted plan, or else the chosen ones, each with a unique name that describes it."""
    if adopted := adopted_networks(view):
        return adopted
    found: dict[str, NamedNetwork] = {}
    for choice in network_names(view):
        version = state.version_named(choice)
        name = unique_name(network_name(version) if choice == CURRENT else choice, found)
        found[name] = NamedNetwork(name=name, config=version.config)
    return tuple(found.values())


def training_speed(view: View) -> tuple[float, bool]:
    """Return the MACs of training per second, and whether a run has measured them on this machine."""
    settings = get_draft(view).settings
    measured = macs_per_second(runs.store().runs(), settings.device if settings else "auto")
    return (measured, True) if measured else (MACS_PER_SECOND, False)


def prepare(view: View, dataset: DatasetInfo) -> PreparedPlan:
    """Return the plan of a view with its problems. Raises UnbuildableError if there is no plan."""
    return prepare_plan(get_draft(view), chosen_networks(view), dataset)


def settings_writer(plan: Plan, field: str) -> Write:
    """Return the function that sets a field of the settings in a draft. ``plan`` has the settings of before."""

    def write(draft: RunDraft, value: Any) -> RunDraft:
        return draft.replace(settings=(draft.settings or plan.settings).replace(**{field: value}))

    return write


# ── controls ───────────────────────────────────────────────────────────────────────────────────────────────────────


def number(
    view: View,
    label: str,
    field: str,
    value: float | None,
    write: Write,
    *,
    whole: bool = True,
    name: str = "",
    blank: bool = False,
    width: Width = "stretch",
    help: str | None = None,
    placeholder: str | None = None,
) -> None:
    """Show a field for a number of the draft; ``field`` is the plan's field whose problems reject a value.

    ``name`` replaces ``field`` in the key if two controls share a field. The other arguments are those of
    :func:`explorer.ui.components.number.number_input`.
    """
    number_input(
        label,
        f"{view}_{name or field}",
        value,
        partial(_store, view, label, field, write),
        whole=whole,
        blank=blank,
        width=width,
        help=help,
        placeholder=placeholder,
    )


def choice(
    view: View,
    label: str,
    field: str,
    options: Mapping[str, str],
    value: str,
    write: Write,
    *,
    width: Width = "stretch",
) -> None:
    """Show a list from which to choose a value of the draft; ``options`` has the titles by value."""
    key = f"{view}_{field}"
    rejected = state.rejected_input(key)
    st.session_state[key] = rejected.value if rejected else value
    with field_container(key, width):
        st.selectbox(
            label,
            list(options),
            key=key,
            format_func=lambda option: options.get(option, option),
            on_change=_on_change,
            args=(view, label, field, write),
        )


def switch(view: View, label: str, field: str, value: bool, write: Write, help: str | None = None) -> None:
    """Show a switch for a value of the draft."""
    key = f"{view}_{field}"
    rejected = state.rejected_input(key)
    st.session_state[key] = rejected.value if rejected else value
    with field_container(key):
        st.toggle(label, key=key, on_change=_on_change, args=(view, label, field, write), help=help)


def _on_change(view: View, label: str, field: str, write: Write) -> None:
    key = f"{view}_{field}"
    value = st.session_state[key]
    if problems := _store(view, label, field, write, value):
        state.reject_input(key, value, problems)
    else:
        state.clear_rejected_input(key)


def _store(view: View, label: str, field: str, write: Write, value: Any) -> tuple[Problem, ...]:
    """Change the draft, or return the problems of this field that the changed draft would have."""
    try:
        changed = write(get_draft(view), value)
        problems = tuple(problem for problem in _problems(view, changed) if problem.field == field)
    except (ValidationError, TypeError, ValueError, KeyError, OverflowError):  # a browser may send anything
        shown = str(value)[:20]
        return (Problem("draft", field, f"{label}: “{shown}” is not valid. Enter a number or choose from the list."),)
    if not problems:
        set_draft(view, changed)
    return problems


def _problems(view: View, draft: RunDraft) -> tuple[Problem, ...]:
    try:
        return prepare_plan(draft, chosen_networks(view), runs.load_dataset_info(draft.data)).problems
    except UnbuildableError as error:
        return error.problems
    except DataError as error:
        return (Problem("data", "name", str(error)),)
