"""Every layer as a row of a table that can be sorted, filtered and downloaded."""

from typing import Any

from explorer.analysis import LayerRow, NetworkSummary
from explorer.views import formatting as fmt
from explorer.views.labels import BRANCH_NAMES, KINDS


def kernel(row: LayerRow) -> str:
    """Return kernel, stride and padding: ``5×5/1, pad 2``; empty for a layer without a window."""
    if row.kernel is None:
        return ""
    window = fmt.size(row.kernel)
    if row.stride is None:
        return f"{window}, adaptive"
    return f"{window}/{row.stride}" + (f", pad {row.padding}" if row.padding else "")


def layer_rows(rows: tuple[LayerRow, ...]) -> list[dict[str, Any]]:
    """Return one dict per layer, with integers where columns can be sorted and text for shapes."""
    return [
        {
            "layer": row.path,
            "kind": KINDS[row.kind],
            "branch": BRANCH_NAMES.get(row.branch or "", ""),
            "kernel": kernel(row),
            "in": fmt.shape(row.in_shape),
            "out": fmt.shape(row.out_shape),
            "parameters": row.parameters,
            "weights": row.weights,
            "biases": row.biases,
            "norm": row.norm,
            "MACs": row.macs,
            "activations": row.activations,
            "receptive field": row.receptive_field,
            "stride": row.jump,
        }
        for row in rows
    ]


def matching(
    summary: NetworkSummary,
    modules: tuple[str, ...] = (),
    branches: tuple[str, ...] = (),
    kinds: tuple[str, ...] = (),
) -> tuple[LayerRow, ...]:
    """Return the rows of these modules, branches and kinds; an empty selection means all."""
    return tuple(
        row
        for row in summary.rows
        if (not modules or row.module in modules)
        and (not branches or row.branch in branches)
        and (not kinds or row.kind in kinds)
    )
