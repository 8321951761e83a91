"""Results shared by all sessions, keyed by config. Every cache is bounded; what is in them is immutable."""

from functools import lru_cache

import streamlit as st

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.jobs.queue import INSPECTION_WORKER, JobQueue
from explorer.jobs.requests import LayerTiming
from explorer.views import diagrams
from explorer.views.canvas import Drawing


@lru_cache(maxsize=256)
def summary(config: GoogLeNetConfig) -> NetworkSummary:
    """Return the closed form of a buildable network. Raises UnbuildableError otherwise."""
    return summarize(config)


@lru_cache(maxsize=256)
def overview(
    config: GoogLeNetConfig,
    colour_by: str = "none",
    timing: LayerTiming | None = None,
    expanded: frozenset[str] = frozenset(),
    direction: diagrams.Direction = "across",
) -> Drawing:
    """Return the picture of the whole network. ``timing`` is needed to colour by time."""
    times = timing.seconds if timing else None
    return diagrams.overview(summary(config), colour_by=colour_by, times=times, expanded=expanded, direction=direction)


@lru_cache(maxsize=256)
def drawing(
    config: GoogLeNetConfig, block: str, colour_by: str, timing: LayerTiming | None = None, least: float = 0
) -> Drawing:
    """Return the picture of a block. Raises KeyError for an unknown one."""
    times = timing.seconds if timing else None
    return diagrams.block(summary(config), block, colour_by=colour_by, times=times, least=least)


@st.cache_resource
def check_jobs() -> JobQueue:
    """Return the one live checker of this server; its process starts with the first request."""
    return JobQueue()


@st.cache_resource
def inspection_jobs() -> JobQueue:
    """Return the one that looks inside networks with pictures. It has a process of its own, which keeps networks."""
    return JobQueue(INSPECTION_WORKER)


@st.cache_resource
def import_jobs(kind: str) -> JobQueue:
    """Return the one that brings weights by requests of a kind, from a file or from PyTorch's server.

    Each kind has a process of its own, as both may take minutes, and everybody's looks and files go on meanwhile. It
    loads no torch, and is small.
    """
    return JobQueue()
