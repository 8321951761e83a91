"""The settings of the recipe, folded away, and a race that measures what one of them does."""

from collections.abc import Mapping

import streamlit as st

from explorer.training.plan import DatasetInfo, Plan, estimate
from explorer.training.races import SEEDS
from explorer.training.recipe import ALTERNATIVES, setting_race
from explorer.ui import runs
from explorer.ui.lab.train import drafts
from explorer.ui.runs import View
from explorer.views import training as words

INITIALISATIONS = {"he": "He: normal, for ReLU", "caffe": "Caffe: uniform, biases of 0.2"}
LABELS: Mapping[str, str] = {
    "label_smoothing": "Label smoothing",
    "warm_up": "Warm-up",
    "clip_norm": "Gradient clipping",
    "small_images": "Small images first",
    "averaging": "Weight averaging",
    "mirror": "Mirror",
    "augment": "Augment",
    "precise_batch_norm": "Precise BatchNorm",
    "initialisation": "Initialization",
    "precision": "Precision",
}
_NUMBERS: Mapping[str, str] = {
    "label_smoothing": "The probability, 0 to 0.9, that the target spreads over all classes (Szegedy et al. 2015). "
    "0: off. The loss on the screen is the plain cross-entropy.",
    "warm_up": "The fraction of the budget, 0 to 0.9, in which the learning rate of one-cycle rises. 0: it only falls.",
    "clip_norm": "A gradient with a larger L2 norm is scaled down to this norm (Pascanu et al. 2013). Blank: off.",
    "small_images": "The fraction of the budget, 0 to 0.9, that trains on images of half the pixels first. "
    "Their steps are faster; the auxiliary heads wait. 0: off.",
    "averaging": "The fraction of the budget, 0 to 1, at its end, over which the weights are averaged "
    "(Izmailov et al. 2018). 0: off.",
}
_SWITCHES: Mapping[str, str] = {
    "mirror": "Mirrors each training image at random.",
    "precise_batch_norm": "Recomputes BatchNorm's running statistics before each evaluation (Wu & Johnson 2021).",
}


def show_recipe(view: View, plan: Plan, dataset: DatasetInfo) -> None:
    """Show the settings of the recipe, and the control that measures one."""
    with st.expander("More settings", key=f"{view}_recipe"):
        left, right = st.columns(2)
        settings = plan.settings
        with left:
            for field, help in _NUMBERS.items():
                drafts.number(
                    view,
                    LABELS[field],
                    field,
                    getattr(settings, field),
                    drafts.settings_writer(plan, field),
                    whole=False,
                    blank=field == "clip_norm",
                    help=help,
                )
        with right:
            drafts.choice(
                view,
                LABELS["initialisation"],
                "initialisation",
                INITIALISATIONS,
                settings.initialisation,
                drafts.settings_writer(plan, "initialisation"),
            )
            for field, help in _SWITCHES.items():
                write = drafts.settings_writer(plan, field)
                drafts.switch(view, LABELS[field], field, getattr(settings, field), write, help)
            _show_measurement(view, plan, dataset)


def _show_measurement(view: View, plan: Plan, dataset: DatasetInfo) -> None:
    """Show the choice of a setting and the button that starts a race with and without it."""
    field = st.selectbox(
        "Measure a setting",
        list(ALTERNATIVES),
        key=f"{view}_measured",
        format_func=lambda name: LABELS.get(name, name),
        help="Trains the first network twice from each of three seeds: with this setting and without it, or with its "
        "two values. All else is equal.",
    )
    race = setting_race(plan, field, SEEDS)
    speed, _ = drafts.training_speed(view)
    st.button(
        f"Start race (about {words.duration(estimate(race, dataset, speed).seconds)})",
        icon=":material/play_arrow:",
        key=f"{view}_measure",
        on_click=runs.submit,
        args=(race, dataset, view),
    )
