"""What is wrong, said at the place where it was done.

A message quotes what was typed, or what stood in a link or file. It is shown as it stands: read as Markdown, it could
bring a picture with it, and the browser would ask another machine for that.
"""

from collections.abc import Iterable

import streamlit as st

from explorer.config import Problem
from explorer.settings import environment_problems
from explorer.views import formatting as fmt


def show_problems(problems: Iterable[Problem]) -> None:
    """Show why something was refused, a box for each problem."""
    for problem in problems:
        show_refusal(problem.message)


def show_refusal(message: str) -> None:
    """Show why something was refused."""
    st.error(fmt.markdown(message), icon=":material/block:")


def stop_on_bad_environment() -> None:
    """Go no further where the environment sets what cannot be used: whoever started the server can mend it."""
    told = environment_problems()
    for message in told:
        st.error(fmt.markdown(message), icon=":material/settings:")
    if told:
        st.caption("Mend it where the app is started, and start the app anew.")
        st.stop()
