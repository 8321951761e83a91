"""The frame around every page, drawn without a browser."""

from inspect import getsource
from pathlib import Path

from streamlit import config
from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.testing.v1 import AppTest


def _after_a_fragment() -> None:
    import streamlit as st
    from streamlit.delta_generator_singletons import context_dg_stack

    from explorer.ui import frame

    column = st.columns(2)[1]
    context_dg_stack.set((*context_dg_stack.get(), column))  # as the run of a fragment in this column leaves it
    if st.query_params.get("begin"):
        frame.begin()
    st.markdown("the page")


def test_a_whole_run_in_the_thread_of_a_fragment_is_drawn_on_the_page_itself() -> None:
    """Not where the fragment was; without a beginning it would be, which says that the test can see it."""
    app = AppTest.from_function(_after_a_fragment).run()
    assert [text.value for text in app.columns[1].markdown] == ["the page"]
    app.query_params["begin"] = "1"
    app.run()
    assert [text.value for text in app.markdown] == ["the page"]
    assert not app.columns[1].markdown


def test_the_app_begins_so() -> None:
    """Whatever ran in its thread before."""
    lines = (Path(__file__).parents[2] / "streamlit_app.py").read_text("utf-8").splitlines()
    assert next(line for line in lines if line.startswith(("frame.", "st."))) == "frame.begin()"


def test_no_answer_waits_for_a_collection() -> None:
    """Streamlit would collect all garbage after each run, before what the run has drawn is sent (100 ms and more)."""
    assert config.get_option("runner.postScriptGC") is False
    assert "runner.postScriptGC" in getsource(ScriptRunner)  # it is still what decides; AppTest never collects
