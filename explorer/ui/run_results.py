"""What networks reached when they were trained here, for pages that speak of networks."""

from collections.abc import Iterator
from functools import lru_cache

import streamlit as st

from explorer.config import GoogLeNetConfig, UnbuildableError
from explorer.data.arrays import DataError
from explorer.runs.results import Results, best_results
from explorer.settings import data_folder
from explorer.training.plan import DatasetInfo, adapt_to_dataset
from explorer.ui import runs

_FRESH_S = 5


def reached(config: GoogLeNetConfig) -> Iterator[str]:
    """Yield a sentence for each set of images on which the network, made to fit it, finished a run."""
    folder = data_folder()
    if not (folder / "runs.sqlite").is_file():  # nothing was ever trained, and no look creates anything
        return
    for data, known in _results(str(folder)).items():
        try:
            facts = runs.facts_of(data)
        except DataError:
            continue
        fitted = _fitted(config, facts)
        if fitted in known:
            yield f"{100 * known[fitted]:.1f} % on {facts.title} (best run here)"


@st.cache_resource(ttl=_FRESH_S, max_entries=4, show_spinner=False)
def _results(folder: str) -> Results:
    return best_results(runs.store())


@lru_cache(maxsize=256)
def _fitted(config: GoogLeNetConfig, facts: DatasetInfo) -> GoogLeNetConfig | None:
    try:
        return adapt_to_dataset(config, facts.shape, len(facts.classes)).config
    except UnbuildableError:
        return None
