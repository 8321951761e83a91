"""Results that all sessions share, by config. Every cache is bounded, and what it holds is immutable."""

from functools import lru_cache

import streamlit as st

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.jobs.queue import INSPECTION_WORKER, JobQueue
from explorer.jobs.requests import LayerTiming
from explorer.views import diagrams
from explorer.views.canvas import Drawing


@lru_cache(maxsize=256)
def overview(
    config: GoogLeNetConfig,
    colour_by: str = "none",
    timing: LayerTiming | None = None,
    expanded: frozenset[str] = frozenset(),
    direction: diagrams.Direction = "across",
) -> Drawing:
    """Return the diagram of the whole network. Colouring by time needs a ``timing``."""
    times = timing.seconds if timing else None
    return diagrams.overview(
        summarize(config), colour_by=colour_by, times=times, expanded=expanded, direction=direction
    )


@lru_cache(maxsize=256)
def drawing(
    config: GoogLeNetConfig,
    block: str,
    colour_by: str,
    timing: LayerTiming | None = None,
    scale_end: float = 0,
    narrow: bool = False,
) -> Drawing:
    """Return the diagram of a block; its colour scale ends at ``scale_end`` or later. Raises KeyError if unknown."""
    times = timing.seconds if timing else None
    return diagrams.block(
        summarize(config), block, colour_by=colour_by, times=times, scale_end=scale_end, narrow=narrow
    )


@st.cache_resource
def check_jobs() -> JobQueue:
    """Return the server's queue of checks and measurements; its process starts with the first request."""
    return JobQueue()


@st.cache_resource
def inspection_jobs() -> JobQueue:
    """Return the server's queue of requests about images. Its own process keeps networks in memory."""
    return JobQueue(INSPECTION_WORKER)


@st.cache_resource
def import_jobs(kind: str) -> JobQueue:
    """Return the server's queue that imports weights by one kind of request: from a file, or from PyTorch's server.

    Each kind has its own process: both may take minutes, and must not delay anybody's other requests. That process
    loads no torch, and is small.
    """
    return JobQueue()
