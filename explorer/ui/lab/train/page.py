"""The page Train put together: which view, what is set beside what runs, and what there is to see before that."""

import streamlit as st

from explorer.settings import ASSETS
from explorer.training.plan import DatasetInfo, estimate
from explorer.training.races import QUESTIONS, Question
from explorer.ui import runs
from explorer.ui.lab.train import drafts, history, images, run_view, setup
from explorer.ui.runs import View
from explorer.views import training as words

_STYLE = ASSETS / "train.css"


def choose_view() -> View:
    """Let the reader choose between one network, a race, and the history of runs."""
    st.html(_STYLE)
    runs.follow_address()
    view = st.segmented_control(
        "View",
        list(runs.VIEWS),
        required=True,
        format_func=runs.VIEWS.get,
        key=runs.VIEW,
        label_visibility="collapsed",
        persist_state="session",
    )
    runs.write_address()
    runs.show_trouble(runs.PARAMETER)
    return view if view in runs.VIEWS else "one"


def show(view: View) -> None:
    """Show a view: what can be set on the left, on the right the run, or what a run would learn from."""
    if view == "history":
        history.show_history()
        return
    run = runs.chosen_run(view)
    with st.container(key="train_beside_run" if run else "train_alone"):
        left, right = st.columns([1, 2.6], gap="medium")
    with left:
        facts = setup.show_setup(view)
    with right:
        if run:
            _other(view)
            run_view.show_run(run.id)
        else:
            _nothing_yet(view, facts)


def _other(view: View) -> None:
    st.button(
        "Questions to race" if view == "race" else "The images",
        icon=":material/arrow_back:",
        key="train_away",
        type="tertiary",
        on_click=runs.look_away,
        args=(view,),
        help="The run goes on; it is in the history.",
    )


def _nothing_yet(view: View, facts: DatasetInfo | None) -> None:
    """Say what to do next, and show what a run would learn from or what could be asked."""
    if view == "race":
        st.markdown("#### Questions to race")
        st.markdown("One click starts a race; or choose networks of your own and press **Race**.")
        for name, question in QUESTIONS.items():
            _question(view, name, question)
        return
    st.markdown("#### What it will learn from")
    st.markdown("Press **Train**, and the curves grow here; a minute is enough for the first lesson.")
    if facts:
        images.show_preview(drafts.draft(view).data, facts)


def _question(view: View, name: str, question: Question) -> None:
    facts = runs.facts_of(question.plan.data)
    speed, _ = drafts.speed(view)
    takes = words.duration(estimate(question.plan, facts, speed).seconds)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{question.title}**", width="stretch")
            st.button(
                f"Race it (about {takes})",
                icon=":material/play_arrow:",
                key=f"question_{name}",
                on_click=runs.submit,
                args=(question.plan, facts, f"question_{name}"),
            )
        st.caption(f"{question.asks}  \n{words.planned(question.plan, facts)}")
        runs.show_trouble(f"question_{name}")
