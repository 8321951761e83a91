"""The behaviours of Streamlit that the workarounds answer, without a browser."""

from inspect import getsource
from pathlib import Path

from streamlit import config
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_cache import create_reference_msg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.runtime.scriptrunner_utils import script_run_context
from streamlit.testing.v1 import AppTest

from explorer.ui import streamlit_workarounds


def _after_a_fragment() -> None:
    import streamlit as st
    from streamlit.delta_generator_singletons import context_dg_stack

    from explorer.ui import streamlit_workarounds

    column = st.columns(2)[1]
    context_dg_stack.set((*context_dg_stack.get(), column))  # as a run of a fragment in this column leaves it
    if st.query_params.get("reset"):
        streamlit_workarounds.reset_drawing_context()
    st.markdown("the page")


def test_a_full_run_in_the_thread_of_a_fragment_is_drawn_on_the_page() -> None:
    """Without the reset Streamlit draws it in the fragment's container. If that part fails, the reset can go."""
    app = AppTest.from_function(_after_a_fragment).run()
    assert [text.value for text in app.columns[1].markdown] == ["the page"]
    app.query_params["reset"] = "1"
    app.run()
    assert [text.value for text in app.markdown] == ["the page"]
    assert not app.columns[1].markdown


def test_the_app_resets_first() -> None:
    """Before it draws anything."""
    lines = (Path(__file__).parents[2] / "streamlit_app.py").read_text("utf-8").splitlines()
    first = next(line for line in lines if line.startswith(("streamlit_workarounds.", "st.")))
    assert first == "streamlit_workarounds.reset_drawing_context()"


def test_no_answer_waits_for_a_garbage_collection() -> None:
    """By default Streamlit collects all garbage after each run, before it sends what the run drew (100 ms and more)."""
    assert config.get_option("runner.postScriptGC") is False
    assert "runner.postScriptGC" in getsource(ScriptRunner)  # the option still exists; AppTest never collects


def test_the_browser_keeps_what_it_has_told_the_server_that_it_knows() -> None:
    """For more runs than may lie between a request and its answer: by default 2, after which a page broke off."""
    assert config.get_option("global.maxCachedMessageAge") == 20


def _drawn(fragment: str, place: int) -> ForwardMsg:
    message = ForwardMsg(hash="known")
    message.metadata.delta_path.extend((0, place))
    message.delta.new_element.markdown.body = "text"
    message.delta.fragment_id = fragment
    return message


def test_a_queue_keeps_references_of_a_fragment_that_runs_again() -> None:
    """Although it drops the elements before them. If this fails, fragments may use references again."""
    queue = ForwardMsgQueue()
    queue.enqueue(_drawn("a", 0))
    queue.enqueue(create_reference_msg(_drawn("a", 1)))
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["a"])
    assert [message.WhichOneof("type") for message in queue.flush()] == ["ref_hash"]


def test_what_a_fragment_draws_is_sent_in_full() -> None:
    """And what the page draws outside of fragments by its hash, where the browser has it."""
    reference = streamlit_workarounds._reference
    assert script_run_context.create_reference_msg is reference
    assert reference(_drawn("a", 0)) == _drawn("a", 0)
    assert reference(_drawn("", 0)).ref_hash == "known"
