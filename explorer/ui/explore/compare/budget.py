"""Solve for a budget: what the network may cost, what must stay, and the closest networks that fit.

The search runs in short slices, one per run of a fragment, so that the reader can watch and stop it, and other
sessions wait for at most one slice.
"""

from collections.abc import Iterator
from time import perf_counter
from typing import NamedTuple

import streamlit as st

from explorer import budget
from explorer.analysis import summarize
from explorer.errors import Problem
from explorer.history import Version
from explorer.ui import messages, state
from explorer.ui.components import keep
from explorer.ui.components.number import in_range, number_input
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import fragment, rerun_after
from explorer.views import formatting as fmt
from explorer.views.labels import edit_text

QUANTITIES = {"macs": "MACs", "parameters": "parameters", "activations": "activation numbers"}
_UNITS = {
    "macs": ("million MACs", 1_000_000),
    "parameters": ("million parameters", 1_000_000),
    "activations": ("MB of activations", 1_000_000 // fmt.BYTES_PER_FLOAT),
}
KEEPS = {
    "outputs": "the output channels of each module",
    "width": "the sum of all output channels",
    "row": "one row of the table",
}
_QUANTITY, _LIMIT, _KEEP, _ROW = "budget_quantity", "budget_limit", "budget_keep", "budget_row"
_RESULT = SessionValue[tuple[Version, budget.Budget, budget.Outcome] | None]("budget_result", None)
_SLICE_S = 0.15
_MIN_LIMIT, _MAX_LIMIT = 0.001, 1e6  # in the unit of the control
_MAX_EDITS = 8  # of a candidate that are listed


class _Search(NamedTuple):
    """A running search: the network it started from, its budget, its steps, and the last step."""

    version: Version
    budget: budget.Budget
    steps: Iterator[budget.Progress | budget.Outcome]
    progress: budget.Progress


_SEARCH = SessionValue[_Search | None]("budget_search", None)


def show_budget(_names: tuple[str, ...]) -> None:
    """Show the controls, and below them the search or its result."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Limit on", list(QUANTITIES), key=_QUANTITY, format_func=QUANTITIES.__getitem__, width=190)
        quantity = st.session_state[_QUANTITY]
        unit, size = _UNITS[quantity]
        problem = f"Limit on {QUANTITIES[quantity]}: enter a number from {_MIN_LIMIT} to {_MAX_LIMIT:,.0f}."
        accept = in_range(_MIN_LIMIT, _MAX_LIMIT, problem, _typed_limit(quantity).set)
        label = f"{unit}, now {_cost(quantity) / size:,.2f}"
        number_input(label, f"{_LIMIT}_{quantity}", _limit(quantity), accept, whole=False, width=270)
        st.selectbox("Keep", list(KEEPS), key=_KEEP, format_func=KEEPS.__getitem__, width=280)
        if st.session_state[_KEEP] == "row":
            st.selectbox("Row", [row.name for row in state.current().config.modules], key=_ROW, width=90)
        st.button("Solve", icon=":material/search:", on_click=_start, type="primary", key="budget_solve")
    messages.show_problems(state.rejection(_LIMIT))
    fragment(_show_search)()


def _limit(quantity: str) -> float:
    """Return the limit on a quantity, in the unit of its field: at first 80 % of what the network costs."""
    return _typed_limit(quantity).get() or round(0.8 * _cost(quantity) / _UNITS[quantity][1], 2)


def _typed_limit(quantity: str) -> SessionValue[float | None]:
    return SessionValue(f"{_LIMIT}_{quantity}_value", None)


def _cost(quantity: str) -> int:
    cost: int = getattr(summarize(state.current().config).inference_totals, quantity)
    return cost


def _start() -> None:
    quantity = st.session_state[_QUANTITY]
    limit = int(_limit(quantity) * _UNITS[quantity][1])
    request = budget.Budget(quantity, limit, st.session_state[_KEEP], st.session_state.get(_ROW, ""))
    _RESULT.clear()
    steps = budget.search(state.current().config, request)
    try:
        first = next(steps)
    except budget.BudgetError as error:
        state.reject_input(_LIMIT, limit, (Problem("budget", _LIMIT, str(error)),))
        return
    state.clear_rejected_input(_LIMIT)
    _store(state.current(), request, steps, first)


def _store(
    version: Version,
    request: budget.Budget,
    steps: Iterator[budget.Progress | budget.Outcome],
    step: budget.Progress | budget.Outcome,
) -> None:
    """Store the search while it runs, or its outcome when it has ended."""
    if isinstance(step, budget.Outcome):
        _SEARCH.clear()
        _RESULT.set((version, request, step))
    else:
        _SEARCH.set(_Search(version, request, steps, step))


def _show_search() -> None:
    if _SEARCH.get():
        _continue()
    if search := _SEARCH.get():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(search.progress.fraction, f"Searching: {budget.STRATEGIES[search.progress.strategy]}")
            st.button("Stop", icon=":material/stop:", on_click=_SEARCH.clear, key="budget_stop")
        rerun_after(0.02, "budget")
    elif result := _RESULT.get():
        _show_result(*result)


def _continue() -> None:
    """Search for one slice of time."""
    search = _SEARCH.get()
    if not search:
        return
    step: budget.Progress | budget.Outcome = search.progress
    until = perf_counter() + _SLICE_S
    while isinstance(step, budget.Progress) and perf_counter() < until:
        step = next(search.steps)
    _store(search.version, search.budget, search.steps, step)


def _show_result(version: Version, request: budget.Budget, outcome: budget.Outcome) -> None:
    unit, limit = QUANTITIES[request.quantity], fmt.exact(request.limit)
    if version != state.current():
        st.caption("This result is for the network before your last change. Solve again for the current one.")
    if outcome.cost <= request.limit:
        st.success(f"The network fits already: {fmt.exact(outcome.cost)} of {limit} {unit}.", icon=":material/check:")
        return
    if not outcome.candidates:
        least = fmt.exact(int(outcome.minimum_cost))
        st.warning(
            f"No network fits. Keeping {KEEPS[request.constraint]}, the search reached {least} {unit} at the least; "
            f"the limit is {limit}.",
            icon=":material/block:",
        )
        return
    for number, candidate in enumerate(outcome.candidates):
        _show_candidate(number, version, candidate, request)


def _show_candidate(number: int, version: Version, candidate: budget.Candidate, request: budget.Budget) -> None:
    found = Version(version.base, candidate.config)
    unit = QUANTITIES[request.quantity]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{number + 1}. {budget.STRATEGIES[candidate.strategy].capitalize()}**  \n"
                f":small[{fmt.exact(candidate.cost)} {unit}, {fmt.exact(request.limit - candidate.cost)} below it · "
                f"{len(candidate.changes)} cells changed, by {_usual_change(candidate)} each on average]",
                width="content",
            )
            st.space("stretch")
            if st.button("Open", icon=":material/open_in_new:", key=f"budget_open_{number}"):
                state.set_current(found)
                st.rerun()
            if st.button("Keep", icon=":material/star_outline:", key=f"budget_keep_{number}"):
                keep.keep(found, f"at most {fmt.short(request.limit)} {unit}")
                st.rerun()
        edits = " · ".join(f"**{change.where}** {edit_text(change)}" for change in candidate.changes[:_MAX_EDITS])
        if len(candidate.changes) > _MAX_EDITS:
            edits += f" · and {len(candidate.changes) - _MAX_EDITS} more"
        st.markdown(f":small[{edits}]".replace("#", r"\#"))


def _usual_change(candidate: budget.Candidate) -> str:
    return fmt.percent((candidate.distance / len(candidate.changes)) ** 0.5, 1)
