"""Export a network or the comparison as code, graph, weights, tables or handout. Each file is made at the click.

The command line makes what needs PyTorch in another process, so that the server never loads it.
"""

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import streamlit as st

from explorer.analysis import summarize
from explorer.export.size import Binary, export_limit_reason
from explorer.export.source import to_source
from explorer.history import Version
from explorer.jobs import process
from explorer.lessons.questions import BANK
from explorer.lessons.worksheet import worksheet
from explorer.share import to_json
from explorer.shelf import CURRENT
from explorer.ui import state
from explorer.ui.components.downloads import CannotMakeError, File, download_buttons
from explorer.ui.components.variants import comparison_of, title
from explorer.views import comparison_tables, handout, layer_table, tables

_NETWORK, _MODULES, _TOPICS = "export_network", "export_modules", "export_topics"
_COMMAND = (sys.executable, "-m", "explorer")
_TIMEOUT_S = 120
_QUESTIONS, _SEED = 8, 0  # of a handout, so that it is the same each time
_NICE = 10
_one_at_a_time = Lock()


def show_export(names: tuple[str, ...]) -> None:
    """Offer every format for one of the compared networks, and the comparison as a handout."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Network", names, key=_NETWORK, format_func=title, width=280)
        name = st.session_state[_NETWORK] if st.session_state.get(_NETWORK) in names else names[0]
        version = state.version_named(name)
        modules = [module.name for module in comparison_of(names).modules]
        st.multiselect(
            "Diagrams in the handouts",
            modules,
            key=_MODULES,
            placeholder="the first that differ",
            width=260,
            help="Of each network that has them. If none is selected, the comparison shows the first that differ.",
        )
        st.multiselect("Questions", list(BANK), key=_TOPICS, placeholder="none", width=300, format_func=_topic)
    st.markdown("**This network**")
    download_buttons(_files(version, name), _stem(name, version), version)
    st.markdown("**The comparison**")
    download_buttons(_comparison_files(names), "comparison", tuple(map(state.version_named, names)))
    st.caption("ONNX and weights hold random numbers (seed 0) in the shapes of this network.")


def _topic(topic: str) -> str:
    return topic.replace("_", " ")


def _stem(name: str, version: Version) -> str:
    """Return the first part of the files' names."""
    if name != CURRENT:
        return name
    return version.base if version.config == version.base_config else f"{version.base}_edited"


def _files(version: Version, name: str) -> tuple[File, ...]:
    network_name = "" if name == CURRENT else name
    summary, modules, topics = summarize(version.config), _selected(_MODULES), _selected(_TOPICS)
    known = tuple(row.name for row in version.config.modules if row.name in modules)
    rows = partial(layer_table.layer_rows, summary.rows)

    def page() -> str:
        questions = worksheet(summary, title(name), topics, _SEED, _QUESTIONS) if topics else None
        return handout.network_handout(version, summary, network_name, modules=known, questions=questions)

    def binary(label: str, kind: Binary, help: str) -> File:
        make = partial(run_export, version, kind)
        return File(label, kind, "application/octet-stream", help, make, export_limit_reason(summary, kind))

    return (
        File(
            "PyTorch",
            "py",
            "text/x-python",
            "One file that needs PyTorch only.",
            lambda: to_source(version, network_name),
        ),
        binary("ONNX", "onnx", "Any batch size; nodes have the names of this app."),
        binary("Weights", "safetensors", "Includes the config."),
        File("JSON", "json", "application/json", "The format that this app opens.", lambda: to_json(version.config)),
        File("CSV", "csv", "text/csv", "All layers, safe in a spreadsheet.", lambda: tables.to_csv(rows())),
        File("LaTeX", "tex", "text/x-tex", "All layers, for a paper.", lambda: tables.to_latex(rows(), title(name))),
        File("Markdown", "md", "text/markdown", "All layers.", lambda: tables.to_markdown(rows())),
        File("Handout", "html", "text/html", "One page to print.", page),
    )


def _comparison_files(names: tuple[str, ...]) -> tuple[File, ...]:
    comparison, titles = comparison_of(names), [title(name) for name in names]
    totals = comparison_tables.total_rows(comparison, titles)
    layers = partial(comparison_tables.layer_rows, comparison.differing_layers, titles, comparison.base)
    page = partial(handout.comparison_handout, comparison, titles, _selected(_MODULES) or None)
    return (
        File("Handout", "html", "text/html", "One page to print.", page),
        File("CSV", "csv", "text/csv", "The layers that differ.", lambda: tables.to_csv(layers())),
        File("LaTeX", "tex", "text/x-tex", "The totals, for a paper.", lambda: tables.to_latex(totals)),
        File("Markdown", "md", "text/markdown", "The totals.", lambda: tables.to_markdown(totals)),
    )


def _selected(key: str) -> tuple[str, ...]:
    return tuple(st.session_state.get(key, ()))


def run_export(version: Version, kind: Binary) -> bytes:
    """Let the command line write a network to a file, one at a time, and return its bytes.

    Raises CannotMakeError with the reason if that fails or takes too long.
    """
    with TemporaryDirectory() as folder, _one_at_a_time:
        file = Path(folder) / "file"
        command = [*_COMMAND, "export", "-", "--format", kind, "--output", str(file)]
        document = to_json(version.config).encode()
        try:
            completed = process.run(command, (document,), _TIMEOUT_S, stdout="discard", stderr="pipe", nice=_NICE)
        except TimeoutError:
            raise CannotMakeError(f"The export took longer than {_TIMEOUT_S} seconds and was stopped.") from None
        if completed.code:
            raise CannotMakeError(_reason(completed.stderr.decode(errors="replace").strip(), completed.code))
        return file.read_bytes()


def _reason(stderr: str, code: int) -> str:
    """Return the message of the command line if it is a sentence; otherwise write it to the log."""
    if code == 1 and stderr and "Traceback" not in stderr:
        return stderr[-500:]
    print(stderr, file=sys.stderr)
    return f"The export process ended without a file (exit code {code}). The server's log has the details."
