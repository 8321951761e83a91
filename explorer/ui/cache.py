"""Results shared by all sessions, keyed by config. Every cache is bounded; what is in them is immutable."""

from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.views import diagrams
from explorer.views.canvas import Drawing

if TYPE_CHECKING:
    from explorer.live.checker import Checker


@lru_cache(maxsize=256)
def summary(config: GoogLeNetConfig) -> NetworkSummary:
    """Return the closed form of a buildable network. Raises UnbuildableError otherwise."""
    return summarize(config)


@lru_cache(maxsize=256)
def drawing(config: GoogLeNetConfig, block: str | None, colour_by: str) -> Drawing:
    """Return the picture of a block, or with None the overview. Raises KeyError for an unknown block."""
    if block is None:
        return diagrams.overview(summary(config), colour_by=colour_by, direction="across")
    return diagrams.block(summary(config), block, colour_by=colour_by)


@st.cache_resource
def checker() -> "Checker":
    """Return the one live checker of this server; its process starts with the first request."""
    from explorer.live.checker import Checker

    return Checker()
