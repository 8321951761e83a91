"""The menu Export of the bar: the current network as code, graph, weights, tables, diagram or handout.

Each file is made at the click. The command line makes what needs PyTorch in another process, so that the server never
loads it.
"""

from functools import partial

import streamlit as st

from explorer.analysis import NetworkSummary, summarize
from explorer.export.size import Binary, export_limit_reason
from explorer.export.source import to_source
from explorer.history import Version
from explorer.lessons.questions import BANK
from explorer.lessons.worksheet import worksheet
from explorer.share import to_json
from explorer.ui import state
from explorer.ui.components.downloads import File, download_buttons
from explorer.ui.components.export_process import run_export
from explorer.views import diagrams, handout, layer_table, tables
from explorer.views import formatting as fmt
from explorer.views.worksheet import TOPICS

_MODULES, _TOPICS = "export_modules", "export_topics"
_QUESTIONS, _SEED = 8, 0  # of a handout, so that it is the same each time


def export_menu() -> None:
    """Offer to export the current network; the contents of the menu are made only while it is open."""
    menu = st.popover("Export", icon=":material/download:", on_change="rerun", key="export")
    if menu.open:
        with menu:
            _show_files(state.current())


def _show_files(version: Version) -> None:
    """Show a button for each file, and the choices for the handout."""
    summary, name = summarize(version.config), state.current_title()
    st.markdown(f"**Export the current network:** {fmt.markdown(name)}")
    buttons = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        modules = _handout_choice(
            "Modules in the handout", [module.name for module in version.config.modules], _MODULES
        )
        # In a class there are none, because the answers are on the handout's last page.
        topics = () if state.hidden_parts() else _handout_choice("Questions in the handout", list(BANK), _TOPICS)
    with buttons:
        download_buttons(_files(version, summary, name, modules, topics), _stem(version), version)
    st.caption(
        "ONNX and weights hold random numbers (seed 0) in the shapes of this network. PyTorch makes them when "
        "you click, which takes some seconds."
    )


def _handout_choice(label: str, options: list[str], key: str) -> tuple[str, ...]:
    """Let the reader select what the handout has too; return it in the order of the options."""
    selected = st.multiselect(
        label,
        options,
        key=key,
        placeholder="none",
        format_func=lambda option: TOPICS.get(option, option),
        persist_state="session",
        width=215,
    )
    return tuple(option for option in options if option in selected)


def _stem(version: Version) -> str:
    """Return the first part of the files' names."""
    return version.base if version.config == version.base_config else f"{version.base}_edited"


def _files(
    version: Version, summary: NetworkSummary, name: str, modules: tuple[str, ...], topics: tuple[str, ...]
) -> tuple[File, ...]:
    rows = partial(layer_table.layer_rows, summary.rows)

    def binary(label: str, kind: Binary, help: str) -> File:
        make = partial(run_export, version.config, kind)
        return File(label, kind, "application/octet-stream", help, make, export_limit_reason(summary, kind))

    def diagram() -> str:
        return diagrams.overview(summary).standalone_svg

    def page() -> str:
        questions = worksheet(summary, name, topics, _SEED, _QUESTIONS) if topics else None
        return handout.network_handout(version, summary, modules=modules, questions=questions)

    return (
        File("PyTorch", "py", "text/x-python", "One file that needs PyTorch only.", partial(to_source, version)),
        binary("ONNX", "onnx", "Any batch size; nodes have the names of this app."),
        binary("Weights", "safetensors", "Includes the config."),
        File("JSON", "json", "application/json", "The format that this app opens.", lambda: to_json(version.config)),
        File("CSV", "csv", "text/csv", "All layers, safe in a spreadsheet.", lambda: tables.to_csv(rows())),
        File("LaTeX", "tex", "text/x-tex", "All layers, for a paper.", lambda: tables.to_latex(rows(), name)),
        File("Markdown", "md", "text/markdown", "All layers.", lambda: tables.to_markdown(rows())),
        File("SVG", "svg", "image/svg+xml", "The diagram of the whole network.", diagram),
        File("Handout", "html", "text/html", "Pages to print.", page),
    )
