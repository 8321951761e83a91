"""The left side of the page: which network learns what, for how long, and what will be changed, taken and needed."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.config import Problem, UnbuildableError
from explorer.shelf import available
from explorer.training.draft import PreparedPlan, RunDraft, convert_budget
from explorer.training.plan import (
    MAX_NETWORKS,
    MAX_SEEDS,
    Budget,
    DatasetInfo,
    Plan,
    Settings,
    effective_learning_rate,
    estimate,
    steps_per_epoch,
    trainer_steps,
)
from explorer.training.validation import plan_problems
from explorer.ui import messages, runs, state
from explorer.ui.components.variants import title
from explorer.ui.explore.network.badge import DEVICES
from explorer.ui.lab.train import drafts, images
from explorer.ui.runs import View
from explorer.views import formatting as fmt
from explorer.views import training as words

OPTIMISERS = {"sgd": "SGD with momentum", "adam": "Adam"}
SCHEDULES = {"one_cycle": "one-cycle", "paper": "paper: −4 % every 8 epochs", "constant": "constant"}
PRECISIONS = {"fp32": "float32", "bf16": "bfloat16 (CUDA)"}
UNITS = {"seconds": "seconds", "steps": "steps", "epochs": "epochs", "macs": "T MACs"}
_SCALE = {"macs": 1e12}  # of what is typed
_BUDGETS: Mapping[View, tuple[str, ...]] = {
    "one": ("seconds", "steps", "epochs"),
    "race": ("steps", "seconds", "macs"),
}


def show_setup(view: View) -> DatasetInfo | None:
    """Show the controls of a view, what they come to, and the start button; return what is known of the images."""
    (_one_network if view == "one" else _several_networks)(view)
    facts = images.choose_images(view)
    if facts:
        _show_plan(view, facts)
    return facts


def _show_plan(view: View, facts: DatasetInfo) -> None:
    try:
        made = drafts.plan_of(view, facts)
    except UnbuildableError as error:
        messages.show_problems(error.problems[:3])
        _more(view, None)
        return
    _budget(view, made.plan, facts)
    _more(view, made.plan)
    found = plan_problems(made.plan, facts)
    _changes(made)
    messages.show_problems(found[:3])
    if not found:
        st.caption("  \n".join(filter(None, (words.caution(made.plan), _estimated(view, made.plan, facts)))))
    st.button(
        "Train" if view == "one" else "Race",
        type="primary",
        icon=":material/play_arrow:",
        key="train_start",
        width="stretch",
        disabled=bool(found),
        on_click=runs.submit,
        args=(made.plan, facts, view),
    )
    runs.show_trouble(view)


def _one_network(view: View) -> None:
    options = list(available(state.shelf()))
    st.session_state[_key(view)] = drafts.names(view)[0]
    st.selectbox("Network", options, key=_key(view), format_func=_titles().get, on_change=_network_chosen, args=(view,))
    if drafts.names(view) == ("mini",) and state.current() == state.DEFAULT:
        st.caption("A small network that learns within a minute. Edit the table, and yours stands here.")


def _titles() -> dict[str, str]:
    return {name: title(name) for name in available(state.shelf())}


def _network_chosen(view: View) -> None:
    drafts.choose(view, (st.session_state[_key(view)],))


def _several_networks(view: View) -> None:
    key = _key(view)
    held = state.refused(key)
    st.session_state[key] = list(held[0] if held else drafts.names(view))
    st.multiselect(
        f"Networks (2 to {MAX_NETWORKS})",
        list(available(state.shelf())),
        key=key,
        format_func=_titles().get,
        max_selections=MAX_NETWORKS,
        on_change=_networks_chosen,
        args=(view,),
        help="Those on the shelf (☆ Keep), the presets, and the one on the bench.",
    )
    drafts.explain(key)


def _networks_chosen(view: View) -> None:
    chosen = tuple(st.session_state[_key(view)])
    if 2 <= len(chosen) <= MAX_NETWORKS:
        state.accept()
        drafts.choose(view, chosen)
    else:
        told = f"A race is between 2 and {MAX_NETWORKS} networks; the last choice stays until there are as many."
        state.refuse(_key(view), chosen, (Problem("plan", "entrants", told),))


def _key(view: View) -> str:
    return f"{view}_networks"


def _budget(view: View, plan: Plan, facts: DatasetInfo) -> None:
    kind = plan.budget.kind
    scale = _SCALE.get(kind, 1)

    def write_amount(draft: RunDraft, value: Any) -> RunDraft:
        return draft.replace(budget=Budget(kind=kind, amount=float(value) * scale))

    def write_kind(draft: RunDraft, value: Any) -> RunDraft:
        return draft.replace(budget=convert_budget(plan, facts, value, drafts.speed(view)[0]))

    with st.container(horizontal=True, vertical_alignment="top"):
        label = "Budget" if view == "one" else "Budget of each"
        amount = plan.budget.amount / scale
        drafts.number(
            view, label, "amount", amount, write_amount, step=_step(kind), format="%g", width=140, explained=False
        )
        kinds = {name: UNITS[name] for name in {**dict.fromkeys(_BUDGETS[view]), kind: None}}
        drafts.choice(view, "in", "kind", kinds, kind, write_kind, width=120, explained=False)
        if view == "race":
            drafts.number(
                view,
                "Seeds",
                "seeds",
                len(plan.seeds),
                _write_seeds,
                step=1,
                width=110,
                help=_SEEDS_HELP,
                explained=False,
            )
    for field in ("amount", "kind", "seeds"):
        drafts.explain(f"{view}_{field}")


_SEEDS_HELP = f"Every network is trained from each of so many seeds, 1 to {MAX_SEEDS}: how far they spread is luck."


def _step(kind: str) -> float:
    return {"seconds": 10.0, "steps": 50.0, "epochs": 1.0, "macs": 0.1}[kind]


def _write_seeds(draft: RunDraft, value: Any) -> RunDraft:
    first = draft.seeds[0] if draft.seeds else 0
    return draft.replace(seeds=tuple(range(first, first + min(max(int(value), 0), MAX_SEEDS + 1))))


def _more(view: View, plan: Plan | None) -> None:
    """Fold the rarer settings away; without a plan only what may keep it from being made."""
    with st.popover("Settings", icon=":material/tune:"):
        if view == "race":
            drafts.switch(
                view,
                "Widen or narrow to equal parameters",
                "matched",
                drafts.draft(view).matched,
                lambda draft, value: draft.replace(matched=bool(value)),
                help="All widths of the others are scaled alike until they have the first network's parameters.",
            )
        if plan:
            left, right = st.columns(2)
            with left:
                _method(view, plan)
            with right:
                _rest(view, plan)
            st.button(
                "Back to the defaults",
                icon=":material/restart_alt:",
                key=f"{view}_defaults",
                on_click=_defaults,
                args=(view,),
            )


def _defaults(view: View) -> None:
    state.accept()
    drafts.put(view, RunDraft(data=drafts.draft(view).data, seeds=drafts.draft(view).seeds))


def _writes(plan: Plan, field: str) -> drafts.Write:
    def write(draft: RunDraft, value: Any) -> RunDraft:
        return draft.replace(settings=(draft.settings or plan.settings).replace(**{field: value}))

    return write


def _method(view: View, plan: Plan) -> None:
    settings: Settings = plan.settings
    rate = effective_learning_rate(settings, plan.entrants[0].config)
    drafts.number(view, "Batch size", "batch_size", settings.batch_size, _writes(plan, "batch_size"), step=16)
    drafts.choice(view, "Optimiser", "optimiser", OPTIMISERS, settings.optimiser, _writes(plan, "optimiser"))
    drafts.number(
        view,
        "Learning rate",
        "learning_rate",
        settings.learning_rate,
        _writes(plan, "learning_rate"),
        blank=True,
        step=0.01,
        format="%g",
        placeholder=f"{rate:.2g}, chosen for it",
    )
    drafts.choice(view, "Schedule", "schedule", SCHEDULES, settings.schedule, _writes(plan, "schedule"))
    drafts.number(
        view,
        "Momentum",
        "momentum",
        settings.momentum,
        _writes(plan, "momentum"),
        step=0.05,
        format="%g",
        help="Of SGD, in Nesterov's form (Sutskever et al. 2013). The paper took 0.9 in the plain form.",
    )
    drafts.number(
        view,
        "Weight decay",
        "weight_decay",
        settings.weight_decay,
        _writes(plan, "weight_decay"),
        step=1e-4,
        format="%g",
    )


def _rest(view: View, plan: Plan) -> None:
    settings: Settings = plan.settings
    drafts.number(
        view,
        "Weight of auxiliary losses",
        "loss_weight",
        drafts.draft(view).aux_weight,
        lambda draft, value: draft.replace(aux_weight=value),
        blank=True,
        step=0.1,
        format="%g",
        placeholder=f"{plan.entrants[0].config.aux.loss_weight:g}, the network's",
    )
    label = "Seed" if view == "one" else "First seed"
    drafts.number(view, label, "seeds", plan.seeds[0], _write_seed, name="first", step=1)
    drafts.choice(view, "Device", "device", DEVICES, settings.device, _writes(plan, "device"))
    drafts.choice(view, "Precision", "precision", PRECISIONS, settings.precision, _writes(plan, "precision"))
    drafts.switch(
        view,
        "Augment",
        "augment",
        settings.augment,
        _writes(plan, "augment"),
        help="Each training image is mirrored at random and shifted by up to 2 pixels.",
    )


def _write_seed(draft: RunDraft, value: Any) -> RunDraft:
    return draft.replace(seeds=tuple(range(int(value), int(value) + len(draft.seeds))))


def _changes(made: PreparedPlan) -> None:
    """Say what fitting changed, before anything starts. What changed in all networks alike is said once."""
    several = list(made.changes.values())
    common = [change for change in several[0] if all(change in changes for changes in several)]
    lines = [f"- {fmt.markdown(change)}" for change in common]
    for name, changes in made.changes.items():
        lines += [f"- **{name}**: {fmt.markdown(change)}" for change in changes if change not in common]
    if lines:
        st.markdown(":small[To fit the images, the network is changed:]\n" + "\n".join(map(_small, lines)))


def _small(line: str) -> str:
    return f"- :small[{line.removeprefix('- ')}]"


def _estimated(view: View, plan: Plan, facts: DatasetInfo) -> str:
    speed, measured = drafts.speed(view)
    guess = estimate(plan, facts, speed)
    each = trainer_steps(plan, 0, facts) or guess.steps // len(plan.trainers)
    epochs = each / steps_per_epoch(plan.settings, facts)
    lanes = len(plan.trainers)
    steps = f"{each:,} steps ({epochs:.1f} epochs)" + (f" × {lanes} runs" if lanes > 1 else "")
    source = "at the speed of the last run here" if measured else "a guess until a run has told the speed here"
    return (
        f"About {words.duration(guess.seconds)} · {steps} · up to {guess.memory_bytes / 1e6:,.0f} MB. "
        f"Time and steps: {source}."
    )
