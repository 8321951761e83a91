"""GoogLeNet as data and arithmetic. Importing this package loads neither torch nor streamlit."""

from explorer.analysis import LayerRow, NetworkSummary, Totals, problems, summarize
from explorer.config import GoogLeNetConfig, InceptionModule
from explorer.errors import Problem, UnbuildableError
from explorer.presets import CATALOGUE, PRESETS

__all__ = [
    "CATALOGUE",
    "PRESETS",
    "GoogLeNetConfig",
    "InceptionModule",
    "LayerRow",
    "NetworkSummary",
    "Problem",
    "Totals",
    "UnbuildableError",
    "problems",
    "summarize",
]
