"""The training of a run as files that repeat it outside the app: its PyTorch source and its images."""

from functools import partial

import streamlit as st

from explorer.data.datasets import to_npz
from explorer.export.training_source import to_training_source
from explorer.history import nearest_version
from explorer.settings import data_folder
from explorer.training.names import file_stem
from explorer.training.plan import Plan
from explorer.ui.components.downloads import File, download_buttons


def show_training_downloads(plan: Plan, trainer: int, steps: int) -> None:
    """Show a button for the source of a trainer that has taken so many steps, and one for its images."""
    key = plan.trainers[trainer]
    network = plan.networks[key.network]
    version = nearest_version(network.config)
    files = (
        File(
            "PyTorch",
            "py",
            "text/x-python",
            "Network, heads with their loss, data and loop in one file.",
            partial(to_training_source, version, plan, steps, key.network, key.seed),
        ),
        File(
            "Images",
            "npz",
            "application/octet-stream",
            "The images that the source reads.",
            partial(to_npz, plan.data, data_folder()),
        ),
    )
    stem = f"{file_stem(network.name)}-seed{key.seed}-training"
    download_buttons(files, stem, (plan, trainer, steps))
    exactness = (
        "about, because the learning rate of a budget in seconds follows the clock"
        if plan.budget.kind == "seconds"
        else "exactly on the same processor, with the same PyTorch and number of threads"
    )
    st.caption(f"`python {stem}.py {stem}.npz` repeats this run: {exactness}.")
