"""All studies: open one."""

from datetime import datetime

import pandas as pd
import streamlit as st

from explorer.search.storage import describe_storage
from explorer.settings import data_folder
from explorer.ui import studies
from explorer.views import formatting as fmt
from explorer.views import search as words


def show_history() -> None:
    """List the studies, and open the selected one."""
    heads = list(studies.store().heads())
    for study_id in studies.store().unreadable():
        st.warning(
            f"The study {study_id} was written by another version of the app. It is left as it is.",
            icon=":material/history:",
        )
    if not heads:
        st.info("No studies yet. Choose **New study** above; all studies are listed here.", icon=":material/history:")
        return
    rows = [
        {
            "study": head.spec.name,
            "state": words.STATES[head.state],
            "sampler": head.spec.sampler,
            "created": datetime.fromtimestamp(head.created).strftime("%Y-%m-%d %H:%M"),
        }
        for head in heads
    ]
    event = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key=f"studies_{hash(tuple(head.id for head in heads))}",
        on_select="rerun",
        selection_mode="single-row",
        placeholder=fmt.NO_VALUE,
        alt="All studies with their state",
    )
    chosen = [heads[row] for row in event.selection.rows if row < len(heads)]
    st.button(
        "Open",
        type="primary",
        icon=":material/show_chart:",
        key="studies_open",
        disabled=not chosen,
        on_click=studies.select,
        args=(chosen[0].id if chosen else None,),
    )
    st.caption(fmt.markdown(f"{len(heads):,} studies, in {describe_storage(data_folder())}. Select one to open it."))
