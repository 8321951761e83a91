"""Export the comparison as a handout and as tables; the bar exports the current network (explorer/ui/export.py)."""

from functools import partial

import streamlit as st

from explorer.ui import state
from explorer.ui.components.downloads import File, download_buttons
from explorer.ui.components.variants import comparison_of, title
from explorer.views import comparison_tables, handout, tables

_MODULES = "comparison_modules"


def show_export(names: tuple[str, ...]) -> None:
    """Offer the comparison as a handout and as tables."""
    st.multiselect(
        "Diagrams in the handout",
        [module.name for module in comparison_of(names).modules],
        key=_MODULES,
        placeholder="the first that differ",
        width=280,
        help="Of each network that has them.",
    )
    download_buttons(_files(names), "comparison", tuple(map(state.version_named, names)))
    st.caption("**Export** in the bar exports the current network alone, also as code, weights and diagrams.")


def _files(names: tuple[str, ...]) -> tuple[File, ...]:
    comparison, titles = comparison_of(names), [title(name) for name in names]
    totals = comparison_tables.total_rows(comparison, titles)
    layers = partial(
        comparison_tables.layer_rows,
        comparison.differing_layers,
        comparison_tables.LETTERS[: len(names)],
        comparison.base,
    )
    modules = tuple(st.session_state.get(_MODULES, ())) or None
    page = partial(handout.comparison_handout, comparison, titles, modules)
    return (
        File("Handout", "html", "text/html", "One page to print.", page),
        File("CSV", "csv", "text/csv", "The layers that differ.", lambda: tables.to_csv(layers())),
        File("LaTeX", "tex", "text/x-tex", "The totals, for a paper.", lambda: tables.to_latex(totals)),
        File("Markdown", "md", "text/markdown", "The totals.", lambda: tables.to_markdown(totals)),
    )
