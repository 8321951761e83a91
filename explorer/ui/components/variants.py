"""Networks by name: the title of each on the page, and a comparison of several."""

from functools import lru_cache

import streamlit as st

from explorer.analysis import summarize
from explorer.comparison import Comparison
from explorer.config import GoogLeNetConfig
from explorer.data.arrays import DataError
from explorer.errors import UnbuildableError
from explorer.presets import ACCURACIES, CATALOGUE
from explorer.runs.results import BestResult, Results, best_results
from explorer.settings import data_folder
from explorer.shelf import CURRENT
from explorer.training.intervals import wilson
from explorer.training.plan import DatasetInfo, adapt_to_dataset
from explorer.ui import runs, state
from explorer.views.results import interval_text, percent

_MAX_AGE_S = 5  # of the accuracies reached here


def title(name: str) -> str:
    """Return the title of a network on the page."""
    if name != CURRENT:
        return CATALOGUE[name].title if name in CATALOGUE else name
    return f"current: {state.current_title()}"


def accuracy_text(config: GoogLeNetConfig) -> str:
    """Return a network's accuracy, published or reached here, in words; empty where nothing is known."""
    known = ACCURACIES.get(config)
    published = f"ImageNet top-1 {known.top1} %, top-5 {known.top5} % (published: {known.source})" if known else ""
    measured = (_accuracy_sentence(dataset, best) for dataset, best in measured_results(config).items())
    return "; ".join(filter(None, (published, *measured)))


def _accuracy_sentence(dataset: str, best: BestResult) -> str:
    interval = interval_text(wilson(best.correct, best.images))
    which = "the only training here"
    if best.trainings > 1:
        which = f"the best of {best.trainings:,} trainings here; another would probably reach less"
    return f"{percent(best.accuracy)} (95 % interval {interval}) on {dataset}, {which}"


def comparison_of(names: tuple[str, ...]) -> Comparison:
    """Return the comparison of the networks of these names."""
    return Comparison(tuple(summarize(state.version_named(name).config) for name in names))


def measured_results(config: GoogLeNetConfig) -> dict[str, BestResult]:
    """Return the best result of a network adapted to a dataset, by its title, over all finished runs here."""
    folder = data_folder()
    found: dict[str, BestResult] = {}
    if not (folder / "runs.sqlite").is_file():  # nothing was ever trained; reading must not create the store
        return found
    for data, counts in _results(str(folder)).items():
        try:
            dataset = runs.load_dataset_info(data)
        except DataError:
            continue
        adapted = _adapted(config, dataset)
        if adapted is not None and adapted in counts:
            found[dataset.title] = counts[adapted]
    return found


@st.cache_resource(ttl=_MAX_AGE_S, max_entries=4, show_spinner=False)
def _results(folder: str) -> Results:
    return best_results(runs.store())


@lru_cache(maxsize=256)
def _adapted(config: GoogLeNetConfig, dataset: DatasetInfo) -> GoogLeNetConfig | None:
    try:
        return adapt_to_dataset(config, dataset.shape, len(dataset.classes)).config
    except UnbuildableError:
        return None
