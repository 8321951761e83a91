"""A new study: what is held, what may change, the budget, and what it will take."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from explorer.config import HEADINGS
from explorer.data.arrays import DataError
from explorer.data.datasets import available_datasets
from explorer.errors import UnbuildableError
from explorer.jobs.process import available_cores
from explorer.search.draft import DEFAULT_STEPS, make_spec
from explorer.search.samplers import PRUNERS, SAMPLERS
from explorer.search.space import COLUMNS, Column, SearchSpace
from explorer.search.spec import Quantity, SearchBudget, StudySpec
from explorer.search.validation import MAX_FINALISTS, estimate, spec_problems
from explorer.settings import data_folder
from explorer.training.plan import MACS_PER_SECOND, DatasetChoice
from explorer.ui import messages, runs, state, studies
from explorer.ui.components.number import number_setting
from explorer.views import formatting as fmt
from explorer.views import search as words

CEILINGS = (1.0, 0.75, 0.5, 0.25)
BUDGETS: Mapping[str, tuple[str, float, int]] = {  # title, size of a unit, default
    "trials": ("trials of full length", 1.0, 20),
    "seconds": ("minutes of one worker", 60.0, 120),
    "macs": ("T MACs of training", 1e12, 200),
}
MAX_AMOUNT = 100_000


@dataclass(frozen=True)
class _Choices:
    """What the controls say."""

    data: DatasetChoice
    quantity: Quantity
    ceilings: tuple[float, ...]
    budget: SearchBudget
    workers: int
    space: SearchSpace
    steps: int
    sampler: str
    pruner: str
    finalists: int
    seed: int


def show_setup() -> None:
    """Show the controls, the estimate and the start button."""
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        choices = _show_controls()
    with right:
        _show_spec(choices)


def _show_spec(choices: _Choices) -> None:
    """Show what the study will do and take, or why it cannot start."""
    spec = None
    try:
        dataset = runs.load_dataset_info(choices.data)
        spec = _make_spec(choices)
        found = spec_problems(spec, runs.load_dataset_info(spec.data), runs.load_dataset_info(spec.test_data))
    except UnbuildableError as error:
        found = error.problems[:3]
    except DataError as error:
        messages.show_refusal(str(error))
        return
    if spec and not found:
        st.markdown(f"## {fmt.markdown(spec.name)}")
        st.markdown(fmt.markdown(f"{dataset.title}. {words.setup_text(spec)}"))
        expected = estimate(spec, runs.load_dataset_info(spec.data), MACS_PER_SECOND / 2)
        st.info(fmt.markdown(words.estimate_text(spec, expected, choices.workers)), icon=":material/timer:")
    messages.show_problems(found)
    st.button(
        "Start the study",
        type="primary",
        icon=":material/play_arrow:",
        key="search_start",
        disabled=spec is None or bool(found),
        on_click=studies.start,
        args=(spec, choices.workers),
        help="It runs on this server, also when this page is closed.",
    )


def _make_spec(choices: _Choices) -> StudySpec:
    return make_spec(
        state.current().config,
        choices.data,
        runs.load_dataset_info(choices.data),
        network_name=state.current_title()[:60] or "network",
        quantity=choices.quantity,
        ceilings=choices.ceilings,
        space=choices.space,
        steps=choices.steps,
        budget=choices.budget,
        sampler=choices.sampler,
        pruner=choices.pruner,
        seed=choices.seed,
        finalists=choices.finalists,
    )


def _show_controls() -> _Choices:
    st.caption(f"Network: the current one, {fmt.markdown(state.current_title())}. It is adapted to the images.")
    data = st.selectbox("Images", available_datasets(data_folder()), format_func=_dataset_title, key="search_data")
    quantity: Quantity = st.selectbox(
        "Cost that is held",
        list(words.QUANTITIES),
        index=1,
        format_func=lambda name: words.QUANTITIES[name],
        key="search_quantity",
        help="At inference, for one image. Every table of the study costs at most the ceiling.",
    )
    ceilings = st.pills(
        "Ceilings, as fractions of the network's cost",
        CEILINGS,
        selection_mode="multi",
        default=[1.0],
        format_func=lambda fraction: f"{fraction:.2f}",
        key="search_ceilings",
    )
    kind = st.selectbox("Budget in", list(BUDGETS), format_func=lambda name: BUDGETS[name][0], key="search_budget_kind")
    _, unit, default = BUDGETS[kind]
    amount = number_setting("Budget", f"search_budget_{kind}", default, 1, MAX_AMOUNT)
    workers = number_setting(
        "Workers", "search_workers", available_cores(), 1, 64, help="Processes on this machine, each on one core."
    )
    space = _show_space()
    steps, sampler, pruner, finalists, seed = _show_more()
    return _Choices(
        data=data or DatasetChoice(),
        quantity=quantity,
        ceilings=tuple(sorted(ceilings, reverse=True)),
        budget=SearchBudget.model_validate({"kind": kind, "amount": amount * unit}),
        workers=workers,
        space=space,
        steps=steps,
        sampler=sampler,
        pruner=pruner,
        finalists=finalists,
        seed=seed,
    )


def _show_space() -> SearchSpace:
    modules = [module.name for module in state.current().config.modules]
    with st.popover("What may change", icon=":material/tune:", width="stretch"):
        columns: list[Column] = st.pills(
            "Columns",
            COLUMNS,
            selection_mode="multi",
            default=list(COLUMNS),
            format_func=lambda name: HEADINGS[name],
            key="search_columns",
        )
        chosen = st.pills("Modules", modules, selection_mode="multi", default=modules, key="search_modules")
        by_module = st.toggle("A factor for each module instead of each stage", key="search_by_module")
        blanks = st.toggle("Reducing columns may be blank", key="search_blanks")
        kernel = st.toggle("The kernel of the 5×5 branch", key="search_kernel")
        taps = st.toggle("Auxiliary heads may be left out", key="search_taps")
    return SearchSpace(
        columns=tuple(column for column in COLUMNS if column in columns),
        # An empty choice is refused as nothing that may change; the empty tuple would mean all modules.
        modules=tuple(chosen) if len(chosen) < len(modules) and chosen else (),
        factors="module" if by_module else "stage",
        blank_reductions=blanks,
        kernel=kernel,
        taps=taps,
    )


def _show_more() -> tuple[int, str, str, int, int]:
    with st.popover("Sampler, pruner, length of a trial", icon=":material/settings:", width="stretch"):
        sampler = st.selectbox(
            "Sampler", list(SAMPLERS), format_func=lambda name: SAMPLERS[name].title, key="search_sampler"
        )
        st.caption(SAMPLERS[sampler].description)
        pruner = st.selectbox(
            "Pruner", list(PRUNERS), format_func=lambda name: PRUNERS[name].title, key="search_pruner"
        )
        st.caption(PRUNERS[pruner].description)
        steps = number_setting("Steps of a trial", "search_steps", DEFAULT_STEPS, 4, 100_000)
        finalists = number_setting(
            "Finalists", "search_finalists", 3, 1, MAX_FINALISTS, help="Of each arm, trained again from five new seeds."
        )
        seed = number_setting("Seed", "search_seed", 0, 0, 1_000_000)
    return steps, sampler, pruner, finalists, seed


def _dataset_title(choice: DatasetChoice) -> str:
    try:
        return runs.load_dataset_info(choice).title
    except DataError:
        return "Deleted images"
