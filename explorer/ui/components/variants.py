"""Networks by name: the title of each on the page, and a comparison of several."""

import streamlit as st

from explorer.comparison import Comparison
from explorer.config import GoogLeNetConfig
from explorer.diff import changes
from explorer.presets import ACCURACIES, CATALOGUE
from explorer.shelf import CURRENT
from explorer.ui import cache, run_results, state
from explorer.views import palette
from explorer.views.network_table import version_title


def theme() -> palette.Theme:
    """Return the colours of the page as the reader sees it."""
    return palette.DARK if st.context.theme.type == "dark" else palette.LIGHT


def title(name: str) -> str:
    """Return the title of a network on the page."""
    if name != CURRENT:
        return CATALOGUE[name].title if name in CATALOGUE else name
    version = state.current()
    return f"current: {version_title(CATALOGUE[version.base].title, changes(version.base_config, version.config))}"


def accuracy_text(config: GoogLeNetConfig) -> str:
    """Return a network's accuracy, published or reached here, in words; empty where nothing is known."""
    known = ACCURACIES.get(config)
    published = f"ImageNet top-1 {known.top1} %, top-5 {known.top5} % (published: {known.source})" if known else ""
    return "; ".join(filter(None, (published, *run_results.accuracy_sentences(config))))


def comparison_of(names: tuple[str, ...]) -> Comparison:
    """Return the comparison of the networks of these names."""
    return Comparison(tuple(cache.summary(state.version_named(name).config) for name in names))
