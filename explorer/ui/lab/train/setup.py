"""The settings of a run: networks, images, budget and the start button, with the questions that a race can answer."""

from collections.abc import Mapping
from functools import partial
from typing import Literal

import streamlit as st

from explorer.errors import Problem, UnbuildableError
from explorer.runs.significance import MIN_SEEDS
from explorer.shelf import available_names
from explorer.training.draft import PreparedPlan, RunDraft, convert_budget
from explorer.training.plan import (
    MAX_NETWORKS,
    MAX_SEEDS,
    Budget,
    DatasetInfo,
    NamedNetwork,
    Plan,
    effective_learning_rate,
    estimate,
    steps_per_epoch,
    trainer_steps,
)
from explorer.training.races import QUESTIONS
from explorer.ui import messages, runs, state
from explorer.ui.components.variants import title
from explorer.ui.lab.train import drafts, images, recipe
from explorer.ui.runs import View
from explorer.views import formatting as fmt
from explorer.views import training as words

Unit = Literal["seconds", "steps", "epochs", "macs"]

OPTIMIZERS = {"sgd": "SGD with momentum", "adam": "Adam"}
SCHEDULES = {"one_cycle": "one-cycle", "paper": "paper: −4 % every 8 epochs", "constant": "constant"}
PRECISIONS = {"auto": "bfloat16 where it is fast", "fp32": "float32", "bf16": "bfloat16 (CUDA)"}
UNITS: Mapping[Unit, str] = {"seconds": "seconds", "steps": "steps", "epochs": "epochs", "macs": "T MACs"}
_UNIT_SIZE: Mapping[Unit, float] = {"seconds": 1, "steps": 1, "epochs": 1, "macs": 1e12}
_UNITS_OFFERED: Mapping[View, tuple[Unit, ...]] = {
    "one": ("seconds", "steps", "epochs"),
    "race": ("steps", "seconds", "macs"),
}


def show_setup(view: View) -> DatasetInfo | None:
    """Show the controls of a view, the estimate and the start button; return the dataset, None if it does not exist."""
    if view == "one":
        _show_network_choice(view)
    else:
        _show_race_choice(view)
    dataset = images.choose_images(view)
    if dataset:
        _show_plan(view, dataset)
    return dataset


def _show_plan(view: View, dataset: DatasetInfo) -> None:
    try:
        prepared = drafts.prepare(view, dataset)
    except UnbuildableError as error:
        messages.show_problems(error.problems[:3])
        _show_settings(view, None, dataset)
        return
    plan = prepared.plan
    _show_budget(view, plan, dataset)
    _show_settings(view, plan, dataset)
    _show_changes(prepared)
    messages.show_problems(prepared.problems[:3])
    if not prepared.problems:
        caution = fmt.markdown(words.training_caution(plan))
        st.caption("  \n".join(filter(None, (caution, _estimate_text(view, plan, dataset)))))
    st.button(
        "Train" if view == "one" else "Race",
        type="primary",
        icon=":material/play_arrow:",
        key="train_start",
        width="stretch",
        disabled=bool(prepared.problems),
        on_click=runs.submit,
        args=(plan, dataset, view),
    )
    runs.show_refusal(view)


def show_questions(view: View) -> None:
    """Show questions that a race can answer, each with a button that starts it."""
    for name, question in QUESTIONS.items():
        dataset = runs.load_dataset_info(question.plan.data)
        speed, _ = drafts.training_speed(view)
        duration = words.duration(estimate(question.plan, dataset, speed).seconds)
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{question.title}**", width="stretch")
                st.button(
                    "Change",
                    icon=":material/edit:",
                    key=f"question_{name}_change",
                    on_click=drafts.adopt_plan,
                    args=(view, question.plan),
                    help="Fills the form, where seeds, budget and settings can be changed.",
                )
                st.button(
                    f"Start race (about {duration})",
                    icon=":material/play_arrow:",
                    key=f"question_{name}",
                    on_click=runs.submit,
                    args=(question.plan, dataset, f"question_{name}"),
                )
            st.caption(f"{question.description}  \n{fmt.markdown(words.plan_text(question.plan, dataset))}")
            runs.show_refusal(f"question_{name}")


# ── networks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _network_key(view: View) -> str:
    return f"{view}_networks"


def _titles() -> dict[str, str]:
    """Return the titles of all networks by name."""
    return {name: title(name) for name in available_names(state.shelf())}


def _show_network_choice(view: View) -> None:
    key = _network_key(view)
    titles = _titles()
    st.session_state[key] = drafts.network_names(view)[0]
    st.selectbox(
        "Network",
        list(titles),
        key=key,
        format_func=lambda name: titles.get(name, name),
        on_change=lambda: drafts.set_network_names(view, (st.session_state[key],)),
    )
    if drafts.network_names(view) == ("mini",) and state.current() == state.DEFAULT:
        st.caption("A small network that learns within a minute. After your first edit, your network is chosen here.")


def _show_race_choice(view: View) -> None:
    if adopted := drafts.adopted_networks(view):
        _show_adopted(view, adopted)
        return
    key = _network_key(view)
    titles = _titles()
    rejected = state.rejected_input(key)
    st.session_state[key] = list(rejected.value if rejected else drafts.network_names(view))
    st.multiselect(
        f"Networks (2 to {MAX_NETWORKS})",
        list(titles),
        key=key,
        format_func=lambda name: titles.get(name, name),
        max_selections=MAX_NETWORKS,
        on_change=_on_race_choice,
        args=(view,),
        help="The current network, the networks on the shelf (☆ Keep), and the presets.",
    )
    messages.show_problems(state.rejection(key))


def _show_adopted(view: View, networks: tuple[NamedNetwork, ...]) -> None:
    """Show the networks of a question, with a button that returns to the user's own choice."""
    names = "\n".join(f"- {fmt.markdown(network.name)}" for network in networks)
    st.markdown(f":small[Networks of the question]\n{names}")
    st.button(
        "Choose other networks",
        icon=":material/close:",
        key=f"{view}_other_networks",
        type="tertiary",
        on_click=drafts.discard_adopted,
        args=(view,),
    )


def _on_race_choice(view: View) -> None:
    key = _network_key(view)
    names = tuple(st.session_state[key])
    if 2 <= len(names) <= MAX_NETWORKS:
        state.clear_rejected_input(key)
        drafts.set_network_names(view, names)
    else:
        message = f"A race needs 2 to {MAX_NETWORKS} networks. Until then the last valid choice stays in use."
        state.reject_input(key, names, (Problem("plan", "networks", message),))


# ── budget and settings ────────────────────────────────────────────────────────────────────────────────────────────


def _show_budget(view: View, plan: Plan, dataset: DatasetInfo) -> None:
    unit: Unit = plan.budget.kind
    size = _UNIT_SIZE[unit]

    def write_amount(draft: RunDraft, value: float) -> RunDraft:
        return draft.replace(budget=Budget(kind=unit, amount=value * size))

    def write_unit(draft: RunDraft, value: Unit) -> RunDraft:
        return draft.replace(budget=convert_budget(plan, dataset, value, drafts.training_speed(view)[0]))

    with st.container(horizontal=True, vertical_alignment="top"):
        drafts.number(
            view,
            "Budget" if view == "one" else "Budget per network",
            "amount",
            plan.budget.amount / size,
            write_amount,
            whole=False,
            width=140,
        )
        units = dict.fromkeys((*_UNITS_OFFERED[view], unit))
        titles = {str(name): UNITS[name] for name in units}
        drafts.choice(view, "Unit", "kind", titles, unit, write_unit, width=140)
        if view == "race":
            drafts.number(
                view,
                "Seeds",
                "seeds",
                len(plan.seeds),
                _write_seed_count,
                width=110,
                help=f"The number of seeds, 1 to {MAX_SEEDS}. Each network is trained once per seed. A difference "
                f"between networks is claimed with at least {MIN_SEEDS}; more seeds find smaller ones.",
            )


def _write_seed_count(draft: RunDraft, count: int) -> RunDraft:
    first = draft.seeds[0] if draft.seeds else 0
    return draft.replace(seeds=tuple(range(first, first + min(max(count, 0), MAX_SEEDS + 1))))


def _write_first_seed(draft: RunDraft, first: int) -> RunDraft:
    return draft.replace(seeds=tuple(range(first, first + len(draft.seeds))))


def _show_settings(view: View, plan: Plan | None, dataset: DatasetInfo) -> None:
    """Show the less common settings in a popover; without a plan only those that may have prevented it."""
    with st.popover("Settings", icon=":material/tune:"):
        if view == "race":
            drafts.switch(
                view,
                "Equal number of parameters",
                "equal_parameters",
                drafts.get_draft(view).equal_parameters,
                lambda draft, value: draft.replace(equal_parameters=bool(value)),
                help="Scales all widths of each other network by one factor, until it has as many parameters as the "
                "first network.",
            )
        if plan:
            left, right = st.columns(2)
            with left:
                _show_optimizer_settings(view, plan)
            with right:
                _show_other_settings(view, plan)
            recipe.show_recipe(view, plan, dataset)
            st.button(
                "Reset to defaults",
                icon=":material/restart_alt:",
                key=f"{view}_defaults",
                on_click=drafts.reset_draft,
                args=(view,),
            )


def _show_optimizer_settings(view: View, plan: Plan) -> None:
    settings, write = plan.settings, partial(drafts.settings_writer, plan)
    rate = effective_learning_rate(settings, plan.networks[0].config)
    drafts.number(view, "Batch size", "batch_size", settings.batch_size, write("batch_size"))
    drafts.choice(view, "Optimizer", "optimiser", OPTIMIZERS, settings.optimiser, write("optimiser"))
    drafts.number(
        view,
        "Learning rate",
        "learning_rate",
        settings.learning_rate,
        write("learning_rate"),
        blank=True,
        whole=False,
        placeholder=f"{rate:.2g}, chosen for it",
    )
    drafts.choice(view, "Schedule", "schedule", SCHEDULES, settings.schedule, write("schedule"))
    drafts.number(
        view,
        "Momentum",
        "momentum",
        settings.momentum,
        write("momentum"),
        whole=False,
        help="Of SGD, in Nesterov's form (Sutskever et al. 2013). The paper used 0.9 in the plain form.",
    )
    drafts.number(
        view,
        "Weight decay",
        "weight_decay",
        settings.weight_decay,
        write("weight_decay"),
        whole=False,
    )


def _show_other_settings(view: View, plan: Plan) -> None:
    settings, write = plan.settings, partial(drafts.settings_writer, plan)
    drafts.number(
        view,
        "Weight of auxiliary losses",
        "loss_weight",
        drafts.get_draft(view).aux_weight,
        lambda draft, value: draft.replace(aux_weight=value),
        blank=True,
        whole=False,
        placeholder=f"{plan.networks[0].config.aux.loss_weight:g}, the network's",
    )
    label = "Seed" if view == "one" else "First seed"
    drafts.number(view, label, "seeds", plan.seeds[0], _write_first_seed, name="first")
    drafts.choice(view, "Device", "device", state.DEVICES, settings.device, write("device"))
    drafts.choice(view, "Precision", "precision", PRECISIONS, settings.precision, write("precision"))
    drafts.switch(
        view,
        "Augment",
        "augment",
        settings.augment,
        write("augment"),
        help="Mirrors each training image at random and shifts it by up to 2 pixels.",
    )


# ── what the plan comes to ─────────────────────────────────────────────────────────────────────────────────────────


def _show_changes(prepared: PreparedPlan) -> None:
    """Show the changes that adapt the networks to the images; those that all networks share appear once."""
    by_network = list(prepared.changes.values())
    common = [change for change in by_network[0] if all(change in changes for changes in by_network)]
    lines = [fmt.markdown(change) for change in common]
    for name, changes in prepared.changes.items():
        lines += [f"**{fmt.markdown(name)}**: {fmt.markdown(change)}" for change in changes if change not in common]
    if lines:
        items = "\n".join(f"- :small[{line}]" for line in lines)
        st.markdown(f":small[Changes that adapt the network to the images:]\n{items}")


def _estimate_text(view: View, plan: Plan, dataset: DatasetInfo) -> str:
    """Return the estimated time, steps and memory of a run, and what the time is based on."""
    speed, is_measured = drafts.training_speed(view)
    total, trainers = estimate(plan, dataset, speed), len(plan.trainers)
    steps = trainer_steps(plan, 0, dataset) or total.steps // trainers
    epochs = steps / steps_per_epoch(plan.settings, dataset)
    parts = [
        f"About {words.duration(total.seconds)}",
        f"{words.count(steps, 'step')} ({epochs:.1f} epochs)" + (f" × {trainers} trainings" if trainers > 1 else ""),
        f"up to {total.memory_bytes / 1e6:,.0f} MB",
    ]
    source = (
        "Time and steps are based on the speed of the last run here."
        if is_measured
        else "Time and steps are a guess until a run has measured the speed here."
    )
    return f"{' · '.join(parts)}. {source}"
