"""What is wrong, said at the place where it was done.

A message quotes what was typed, or what stood in a link or file. It is shown as it stands: read as Markdown, it could
bring a picture with it, and the browser would ask another machine for that.
"""

from collections.abc import Iterable

import streamlit as st

from explorer.config import Problem
from explorer.views import formatting as fmt


def show_problems(problems: Iterable[Problem]) -> None:
    """Show why something was refused, a box for each problem."""
    for problem in problems:
        refuse(problem.message)


def refuse(message: str) -> None:
    """Show why something was refused."""
    st.error(fmt.markdown(message), icon=":material/block:")
