"""The accuracy that networks reached in the runs of this server, for pages that show networks."""

from collections.abc import Iterator
from functools import lru_cache

import streamlit as st

from explorer.config import GoogLeNetConfig, UnbuildableError
from explorer.data.arrays import DataError
from explorer.runs.results import Results, best_results
from explorer.settings import data_folder
from explorer.training.plan import DatasetInfo, adapt_to_dataset
from explorer.ui import runs

_MAX_AGE_S = 5


def accuracy_sentences(config: GoogLeNetConfig) -> Iterator[str]:
    """Yield a sentence for each dataset on which the network, adapted to it, has finished a run."""
    folder = data_folder()
    if not (folder / "runs.sqlite").is_file():  # nothing was ever trained; reading must not create the store
        return
    for data, accuracies in _results(str(folder)).items():
        try:
            dataset = runs.load_dataset_info(data)
        except DataError:
            continue
        adapted = _adapted(config, dataset)
        if adapted is not None and adapted in accuracies:
            yield f"{100 * accuracies[adapted]:.1f} % on {dataset.title} (best run here)"


@st.cache_resource(ttl=_MAX_AGE_S, max_entries=4, show_spinner=False)
def _results(folder: str) -> Results:
    return best_results(runs.store())


@lru_cache(maxsize=256)
def _adapted(config: GoogLeNetConfig, dataset: DatasetInfo) -> GoogLeNetConfig | None:
    try:
        return adapt_to_dataset(config, dataset.shape, len(dataset.classes)).config
    except UnbuildableError:
        return None
