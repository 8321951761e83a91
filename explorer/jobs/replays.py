"""The request that replays searches on the benchmark file of the app. Free of torch."""

from typing import Literal, NamedTuple

from explorer.config import Frozen
from explorer.jobs.job import JobRequest
from explorer.training.intervals import Interval


class SamplerComparison(NamedTuple):
    """The mean of the best table found over the replays of a sampler, by trials used, and against random search.

    ``difference`` from random search at the end is a mean over paired replays, with its 95 % interval.
    """

    sampler: str
    curve: tuple[float, ...]
    replays: int
    difference: float
    interval: Interval


class Replays(Frozen):
    """What each sampler found, random search among them."""

    comparisons: tuple[SamplerComparison, ...]


class ReplayRequest(JobRequest[Replays]):
    """Replay every sampler with a budget of ``trials``; ``changed`` is the time at which the file was changed last."""

    function = "explorer.search.replay:replay_bundled"
    slow = True
    kind: Literal["replay"] = "replay"
    changed: float
    trials: int
