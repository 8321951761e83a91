"""The place of a control: the reason of a rejection and the value in use come and go below it."""

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from explorer.ui.components.field import field_container

    with field_container("size", 100, st.session_state["value"]):
        st.text_input("Size", key="size")


def open_page(value: str | None) -> AppTest:
    """Open a page with one control, whose last input was rejected, and the value still in use."""
    from explorer.errors import Problem
    from explorer.ui.state import RejectedInput

    at = AppTest.from_function(_page)
    at.session_state["value"] = value
    at.session_state["rejected_input"] = {"size": RejectedInput("x", (Problem("", "", "Size: no."),))}
    return at.run()


def test_the_reason_is_in_the_place_of_the_control() -> None:
    """With the value that is still in use; without a rejection there is only the control."""
    at = open_page("7")
    assert ["Size: no."] == [error.value for error in at.error]
    assert ["Still in use: 7."] == [caption.value for caption in at.caption]
    at.session_state["rejected_input"] = {}
    assert not at.run().error
    assert not at.caption


def test_an_empty_value_is_called_blank() -> None:
    """And a control without a value to show says nothing of it."""
    assert ["Still in use: blank."] == [caption.value for caption in open_page("").caption]
    assert not open_page(None).caption
