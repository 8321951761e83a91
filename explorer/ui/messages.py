"""Errors, shown at the place they belong to.

A message quotes what was typed, or what a link or a file holds. It is shown as plain text: Markdown could hold an
image, and the browser would request that from another machine.
"""

from collections.abc import Iterable

import streamlit as st

from explorer.errors import Problem
from explorer.settings import environment_problems
from explorer.views import formatting as fmt


def show_problems(problems: Iterable[Problem]) -> None:
    """Show why an input was rejected, a box for each problem."""
    for problem in problems:
        show_refusal(problem.message)


def show_refusal(message: str) -> None:
    """Show why a request was refused."""
    st.error(fmt.markdown(message), icon=":material/block:")


def stop_on_bad_environment() -> None:
    """End the run with an error if an environment variable has a value that the app cannot use."""
    problems = environment_problems()
    for message in problems:
        st.error(fmt.markdown(message), icon=":material/settings:")
    if problems:
        st.caption("Change it where the app is started, and restart the app.")
        st.stop()
