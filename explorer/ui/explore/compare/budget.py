"""Solve for a budget: what the network may cost, what must stay, and the nearest networks that fit.

The search runs in short slices, one per look of a fragment, so that it can be watched and stopped and other sessions
wait for a slice at most.
"""

from collections.abc import Iterator
from time import perf_counter

import streamlit as st

from explorer import budget
from explorer.config import Problem
from explorer.history import Version
from explorer.ui import cache, messages, shelf, state
from explorer.ui.components.polling import rerun_after
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
_SEARCH, _FOUND = "budget_search", "budget_found"
_SLICE_S = 0.15
_MOST = 1e6  # in the unit of the control
_SHOWN = 8  # edits of a candidate


def show_budget(_names: tuple[str, ...]) -> None:
    """Show the question, and below it the search or its result."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("At most so many", list(QUANTITIES), key=_QUANTITY, format_func=QUANTITIES.get, width=190)
        quantity = st.session_state[_QUANTITY]
        unit, size = _UNITS[quantity]
        now = _cost(quantity) / size
        key = f"{_LIMIT}_{quantity}"
        st.number_input(
            f"{unit}, now {now:,.2f}", value=round(0.8 * now, 2), min_value=0.0, max_value=_MOST, key=key, width=270
        )
        st.selectbox("Keep", list(KEEPS), key=_KEEP, format_func=KEEPS.get, width=280)
        if st.session_state[_KEEP] == "row":
            st.selectbox("Row", [row.name for row in state.current().config.modules], key=_ROW, width=90)
        st.button("Solve", icon=":material/search:", on_click=_start, type="primary", key="budget_solve")
    messages.show_problems((state.refused(_LIMIT) or (None, ()))[1])
    st.fragment(_result)()


def _cost(quantity: str) -> int:
    return getattr(cache.summary(state.current().config).main, quantity)


def _start() -> None:
    quantity = st.session_state[_QUANTITY]
    typed = st.session_state[f"{_LIMIT}_{quantity}"] or 0
    limit = int(typed * _UNITS[quantity][1]) if 0 < typed <= _MOST else 0
    asked = budget.Budget(quantity, limit, st.session_state[_KEEP], st.session_state.get(_ROW, ""))
    st.session_state.pop(_FOUND, None)
    search = budget.solve(state.current().config, asked)
    try:
        first = next(search)
    except budget.BudgetError as error:
        state.refuse(_LIMIT, limit, (Problem("budget", _LIMIT, str(error)),))
        return
    state.accept()
    _remember(state.current(), asked, search, first)


def _remember(
    version: Version,
    asked: budget.Budget,
    search: Iterator[budget.Progress | budget.Outcome],
    step: budget.Progress | budget.Outcome,
) -> None:
    """Hold the search while it runs, or its outcome when it has ended."""
    if isinstance(step, budget.Outcome):
        st.session_state.pop(_SEARCH, None)
        st.session_state[_FOUND] = version, asked, step
    else:
        st.session_state[_SEARCH] = version, asked, search, step


def _result() -> None:
    if _SEARCH in st.session_state:
        _go_on()
    if _SEARCH in st.session_state:
        step = st.session_state[_SEARCH][3]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(step.share, f"Searching: {budget.WAYS[step.way]}")
            st.button("Stop", icon=":material/stop:", on_click=_stop, key="budget_stop")
        rerun_after(0.02, "budget")
    elif _FOUND in st.session_state:
        _show(*st.session_state[_FOUND])


def _stop() -> None:
    st.session_state.pop(_SEARCH, None)


def _go_on() -> None:
    """Search for one slice of time."""
    version, asked, search, step = st.session_state[_SEARCH]
    until = perf_counter() + _SLICE_S
    while isinstance(step, budget.Progress) and perf_counter() < until:
        step = next(search)
    _remember(version, asked, search, step)


def _show(version: Version, asked: budget.Budget, outcome: budget.Outcome) -> None:
    unit, limit = QUANTITIES[asked.quantity], fmt.exact(asked.limit)
    if version != state.current():
        st.caption("Found for the network as it was; it has changed since. Solve again for the present one.")
    if outcome.cost <= asked.limit:
        st.success(f"It fits as it is: {fmt.exact(outcome.cost)} of {limit} {unit}.", icon=":material/check:")
        return
    if not outcome.candidates:
        least = fmt.exact(int(outcome.least))
        st.warning(
            f"None fits: keeping {KEEPS[asked.keep]}, the least that was reached is {least} {unit}, "
            f"and the limit is {limit}.",
            icon=":material/block:",
        )
        return
    for number, candidate in enumerate(outcome.candidates):
        _candidate(number, version, candidate, asked)


def _candidate(number: int, version: Version, candidate: budget.Candidate, asked: budget.Budget) -> None:
    found = Version(version.base, candidate.config)
    unit = QUANTITIES[asked.quantity]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{number + 1}. {budget.WAYS[candidate.way].capitalize()}**  \n"
                f":small[{fmt.exact(candidate.cost)} {unit}, {fmt.exact(asked.limit - candidate.cost)} below it · "
                f"{len(candidate.changes)} cells changed, by {_usual_change(candidate)} each on average]",
                width="content",
            )
            st.space("stretch")
            if st.button("Open", icon=":material/open_in_new:", key=f"budget_open_{number}"):
                state.make_current(found)
                st.rerun()
            if st.button("Keep", icon=":material/star_outline:", key=f"budget_keep_{number}"):
                shelf.keep(found, f"at most {fmt.short(asked.limit)} {unit}")
                st.rerun()
        shown = [f"**{change.where}** {edit_text(change)}" for change in candidate.changes[:_SHOWN]]
        more = f" · and {len(candidate.changes) - _SHOWN} more" if len(candidate.changes) > _SHOWN else ""
        st.markdown(f":small[{' · '.join(shown)}{more}]".replace("#", r"\#"))


def _usual_change(candidate: budget.Candidate) -> str:
    return fmt.percent((candidate.moved / len(candidate.changes)) ** 0.5, 1)
