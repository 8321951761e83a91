"""The names on screen of layer kinds, branches and the values of settings: one name for each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.config import POOL_RULES
from explorer.data.class_names import shorten
from explorer.diff import Change

KINDS = MappingProxyType(
    {
        "conv": "convolution",
        "max_pool": "max pool",
        "avg_pool": "average pool",
        "lrn": "LRN",
        "concat": "concat",
        "dropout": "dropout",
        "linear": "fully connected",
    }
)
BRANCH_NAMES = MappingProxyType({"1x1": "1×1", "3x3": "3×3", "5x5": "5×5", "pool": "pool"})
KERNELS = MappingProxyType({"5x5": "5×5", "3x3": "3×3", "two_3x3": "two 3×3"})
NORMALISATIONS = MappingProxyType({"lrn": "LRN", "batch_norm": "BatchNorm", "none": "none"})
POOLINGS = MappingProxyType({rule: rules.title for rule, rules in POOL_RULES.items()})
STEMS = MappingProxyType({"paper": "7×7/2, pool, 1×1, 3×3, pool (÷ 8)", "small": "3×3, 1×1, 3×3, pool (÷ 2)"})
AUX_POOLS = MappingProxyType(
    {
        "floor": "5×5/3, rounding down",
        "ceil": "5×5/3, rounding up (Caffe)",
        "adaptive": "adaptive to 4×4 (torchvision)",
    }
)
_VALUE_NAMES: Mapping[tuple[str, str], Mapping[str, str]] = MappingProxyType(
    {
        ("network", "kernel_5x5"): KERNELS,
        ("network", "normalisation"): NORMALISATIONS,
        ("network", "pooling"): POOLINGS,
        ("stem", "kind"): STEMS,
        ("aux", "pool"): AUX_POOLS,
    }
)


def with_network(title: str, network: str) -> str:
    """Return the title of a chart with the name of its network, shortened if it is long; empty for none."""
    return f"{title} · {shorten(network, 24)}" if network else title


def edit_text(change: Change) -> str:
    """Return one edit as text: ``#3×3 208 → 210``, ``normalisation LRN → BatchNorm``."""
    if change.field == "modules":
        return change.label
    names = _VALUE_NAMES.get((change.where, change.field), {})
    before, after = (names.get(value) or _value(value) for value in (change.before, change.after))
    return f"{change.label} {before} → {after}"


def edit_place(change: Change) -> str:
    """Return the module in which an edit was made; empty for a setting, whose label names its part."""
    return "" if change.where in ("network", "stem", "aux", "table") else change.where


def edit_line(change: Change) -> str:
    """Return one edit with its place: ``4a #3×3 208 → 210``."""
    return f"{edit_place(change)} {edit_text(change)}".strip()


def _value(value: Any) -> str:
    if value is None:
        return "blank"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return " × ".join(map(str, value)) if value and isinstance(value[0], int) else ", ".join(value) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
