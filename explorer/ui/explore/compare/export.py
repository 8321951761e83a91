"""Take a network or the comparison away: code, graph, weights, tables, a handout. Each is made when it is asked for.

What needs PyTorch is made by the command line in a process of its own, so that the server never loads it.
"""

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import streamlit as st

from explorer.export.size import Binary, refusal
from explorer.export.source import to_source
from explorer.history import Version
from explorer.jobs import process
from explorer.lessons.questions import BANK
from explorer.lessons.worksheet import worksheet
from explorer.share import to_json
from explorer.shelf import CURRENT
from explorer.ui import cache, state
from explorer.ui.components.downloads import CannotMakeError, File, download_buttons
from explorer.ui.components.variants import compared, title
from explorer.views import comparison_tables, handout, layer_table, tables

_WHICH, _MODULES, _TOPICS = "take_which", "take_modules", "take_topics"
_COMMAND = (sys.executable, "-m", "explorer")
_TIMEOUT_S = 120
_QUESTIONS, _SEED = 8, 0  # of a handout, the same again each time
_NICE = 10
_one_at_a_time = Lock()


def show_export(names: tuple[str, ...]) -> None:
    """Offer every format for one of the compared networks, and the comparison as a handout."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Network", names, key=_WHICH, format_func={n: title(n) for n in names}.get, width=280)
        name = st.session_state[_WHICH] if st.session_state.get(_WHICH) in names else names[0]
        version = state.version_named(name)
        modules = [module.name for module in compared(names).modules]
        st.multiselect(
            "Diagrams in the handouts",
            modules,
            key=_MODULES,
            placeholder="the first that differ",
            width=260,
            help="Of each network that has them. Without a choice the comparison shows the first that differ.",
        )
        st.multiselect("Questions", list(BANK), key=_TOPICS, placeholder="none", width=300, format_func=_topic)
    st.markdown("**This network**")
    download_buttons(_files(version, name), _stem(name, version), version)
    st.markdown("**The comparison**")
    download_buttons(_comparison_files(names), "comparison", tuple(map(state.version_named, names)))
    st.caption("ONNX and weights hold random numbers, drawn from the seed 0, in the shapes of this network.")


def _topic(topic: str) -> str:
    return topic.replace("_", " ")


def _stem(name: str, version: Version) -> str:
    """The beginning of the files' names."""
    if name != CURRENT:
        return name
    return version.base if version.config == version.base_config else f"{version.base}_edited"


def _files(version: Version, name: str) -> tuple[File, ...]:

    called = "" if name == CURRENT else name
    summary, modules, topics = cache.summary(version.config), _chosen(_MODULES), _chosen(_TOPICS)
    known = tuple(row.name for row in version.config.modules if row.name in modules)
    rows = partial(layer_table.layer_rows, summary.rows)

    def page() -> str:
        asked = worksheet(summary, title(name), topics, _SEED, _QUESTIONS) if topics else None
        return handout.network_handout(version, summary, called, modules=known, questions=asked)

    def written(label: str, kind: Binary, told: str) -> File:
        make = partial(run_export, version, kind)
        return File(label, kind, "application/octet-stream", told, make, refusal(summary, kind))

    return (
        File(
            "PyTorch", "py", "text/x-python", "One file that needs nothing of ours.", lambda: to_source(version, called)
        ),
        written("ONNX", "onnx", "Any batch size; our paths are its names."),
        written("Weights", "safetensors", "With the config in it."),
        File("JSON", "json", "application/json", "As this app reads it.", lambda: to_json(version.config)),
        File("CSV", "csv", "text/csv", "All layers, safe in a spreadsheet.", lambda: tables.to_csv(rows())),
        File("LaTeX", "tex", "text/x-tex", "All layers, for a paper.", lambda: tables.to_latex(rows(), title(name))),
        File("Markdown", "md", "text/markdown", "All layers.", lambda: tables.to_markdown(rows())),
        File("Handout", "html", "text/html", "One page to print.", page),
    )


def _comparison_files(names: tuple[str, ...]) -> tuple[File, ...]:

    comparison, shown = compared(names), [title(name) for name in names]
    totals = comparison_tables.fact_rows(comparison, shown)
    layers = partial(comparison_tables.layer_rows, comparison.differing, shown, comparison.base)
    page = partial(handout.comparison_handout, comparison, shown, _chosen(_MODULES) or None)
    return (
        File("Handout", "html", "text/html", "One page to print.", page),
        File("CSV", "csv", "text/csv", "The layers that differ.", lambda: tables.to_csv(layers())),
        File("LaTeX", "tex", "text/x-tex", "The totals, for a paper.", lambda: tables.to_latex(totals)),
        File("Markdown", "md", "text/markdown", "The totals.", lambda: tables.to_markdown(totals)),
    )


def _chosen(key: str) -> tuple[str, ...]:
    return tuple(st.session_state.get(key, ()))


def run_export(version: Version, kind: Binary) -> bytes:
    """Have the command line write a network into a file, one at a time, and return it.

    Raises CannotMakeError with the reason when it fails or takes too long.
    """
    with TemporaryDirectory() as folder, _one_at_a_time:
        file = Path(folder) / "file"
        command = [*_COMMAND, "export", "-", "--format", kind, "--output", str(file)]
        document = to_json(version.config).encode()
        try:
            done = process.run(command, (document,), _TIMEOUT_S, stdout="discard", stderr="pipe", nice=_NICE)
        except TimeoutError:
            raise CannotMakeError(f"It took longer than {_TIMEOUT_S} seconds and was stopped.") from None
        if done.code:
            raise CannotMakeError(_reason(done.stderr.decode(errors="replace").strip(), done.code))
        return file.read_bytes()


def _reason(told: str, code: int) -> str:
    """Return what the command line said, where it was a sentence; else the log keeps it."""
    if code == 1 and told and "Traceback" not in told:
        return told[-500:]
    print(told, file=sys.stderr)
    return f"The process that makes it ended without a file (exit code {code}); the server's log has the details."
