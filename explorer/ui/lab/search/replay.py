"""The lesson without training: tables that were trained for the benchmark file, and samplers that search among them."""

import pandas as pd
import streamlit as st

from explorer.jobs.job import Failure
from explorer.jobs.queue import Pending
from explorer.jobs.replays import ReplayRequest
from explorer.search.benchmark_file import BUNDLED, Benchmark, BenchmarkError, read_benchmark
from explorer.search.ceilings import ceiling_of
from explorer.search.recorded import recorded_study
from explorer.search.records import StudyRecord, ranked
from explorer.search.replay import Pool
from explorer.ui import cache, messages, state
from explorer.ui.components.chart import show_plotly_chart
from explorer.ui.components.theme import theme
from explorer.ui.lab.search.findings import show_findings, show_table
from explorer.ui.streamlit_workarounds import fragment, rerun_after
from explorer.views import formatting as fmt
from explorer.views import search as words
from explorer.views import search_charts

MAX_TRIALS = 60
_FRACTION = 0.3  # of the tables, that a replay trains


@st.cache_resource(max_entries=1, show_spinner=False)
def _benchmark(changed: float) -> Benchmark:
    return read_benchmark(BUNDLED)


def show_replay() -> None:
    """Show the question, the samplers' replays, and what the tables of the file have in common."""
    try:
        changed = BUNDLED.stat().st_mtime if BUNDLED.is_file() else 0.0
        benchmark = _benchmark(changed)
        tables = len(Pool(benchmark).tables)
    except BenchmarkError as error:
        messages.show_refusal(str(error))
        return
    spec, record = benchmark.spec, recorded_study(benchmark)
    own = next((table for table in benchmark.tables if table.number == 0), None)
    st.markdown(
        f"**Which table is best at {ceiling_of(spec, 0):,} MACs?** The widths in the paper were found by hand in 2014. "
        f"Here {tables:,} other tables cost as much as *mini* at half of its MACs, and each was trained for "
        f"{spec.steps:,} steps on Fashion-MNIST from {len(own.trainings) if own else 3} seeds. Nothing is trained now: "
        "a search only looks up the tables that it asks for."
    )
    _show_spread(record, own.accuracy if own else None)
    st.markdown("## Which sampler finds a good one first?")
    trials = min(MAX_TRIALS, max(5, int(_FRACTION * tables)))
    _show_samplers(ReplayRequest(changed=changed, trials=trials), own.accuracy if own else 0.0)
    st.markdown("## What do the best tables have in common?")
    show_findings(record, 0, "replay")


@fragment
def _show_samplers(request: ReplayRequest, own: float) -> None:
    """Show what each sampler found, as soon as a worker has replayed them; nothing of it is computed in the server."""
    answer = cache.check_jobs().submit(request, state.session_id())
    if isinstance(answer, Pending):
        progress = answer.progress
        st.progress(
            progress.done / progress.total if progress else 0.0,
            f"Replaying each sampler · {progress.done} of {progress.total} seeds"
            if progress
            else "Waiting for a worker",
        )
        rerun_after(answer.retry_s, "replays_again")
    elif isinstance(answer, Failure):
        messages.show_refusal(answer.reason)
    else:
        show_plotly_chart(search_charts.replays(answer.comparisons, own, theme()), "search_replays")
        for one in answer.comparisons:
            st.markdown(f"- {fmt.markdown(words.replay_text(one))}")


def _show_spread(record: StudyRecord, own: float | None) -> None:
    best = ranked(record.trials)
    accuracies = [one.accuracy or 0.0 for one in best]
    better = sum(value > own for value in accuracies) if own is not None else 0
    if own is not None:
        st.markdown(
            f"They reach {100 * accuracies[-1]:.1f} % to {100 * accuracies[0]:.1f} % on images that were held out; the "
            f"network's own table, scaled to the same cost, {100 * own:.1f} %. {better:,} of {len(best):,} are better, "
            "some of them by luck: the mean over a few seeds is no proof."
        )
    with st.expander("The ten best tables", on_change="rerun", key="replay_best") as part:
        if part.open:
            rows = [{"table": one.number, "mean accuracy": fmt.percent(one.accuracy or 0.0, 1.0)} for one in best[:10]]
            st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder=fmt.NO_VALUE, alt="The ten best tables")
            if best[0].config:
                st.caption(f"Table {best[0].number}, the best by its mean:")
                show_table(best[0].config, "replay")
