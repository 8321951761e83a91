"""What the network says of the picture, its auxiliary heads beside it, how sure it is, and the whole batch."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from explorer.jobs.inspection import ClassScores, Prediction, PredictionRequest, Predictions
from explorer.ui.components.chart import picture
from explorer.ui.lab.look_inside import requests, selection
from explorer.ui.lab.look_inside.images import ChosenImage
from explorer.views import formatting as fmt
from explorer.views import look_inside
from explorer.views.layer_table import BRANCH_NAMES

TOP, TOP_OF_HEADS = 5, 3


@st.fragment
def show_answer(pick: ChosenImage) -> None:
    """Show what the network says of one picture; where branches are scaled, beside what it said before."""
    now = requests.await_result(
        PredictionRequest(**requests.about(pick.path), top=_top()), "look_answer", "The network runs"
    )
    if now is None:
        return
    before = now
    if selection.scales():
        request = PredictionRequest(**requests.about(pick.path, scales=()), top=_top())
        before = requests.await_result(request, "look_before", "The network runs as it was")
        if before is None:
            return
    said = now.predictions[0]
    picture(_bars(said.main, before.predictions[0].main, pick), "look_answer")
    st.markdown(_in_words(said, before.predictions[0], pick, now))
    if said.aux:
        _heads(said, pick)


def _top() -> int:
    """Ask for all classes where there are few, so that what was likely before is among them."""
    classes = selection.in_use().config.classes
    return classes if classes <= 20 else TOP


def _bars(said: ClassScores, before: ClassScores, pick: ChosenImage) -> str:
    in_use = selection.in_use()
    earlier = dict(zip(before.classes, before.probabilities, strict=True))
    bars = [
        look_inside.Bar(
            in_use.class_name(number),
            share,
            earlier.get(number) if selection.scales() else None,
            bool(pick.label) and in_use.class_name(number) == pick.label,
        )
        for number, share in list(zip(said.classes, said.probabilities, strict=True))[:TOP]
    ]
    return look_inside.answer_bars(bars, f"It says: {in_use.class_name(said.classes[0])}")


def _in_words(said: Prediction, before: Prediction, pick: ChosenImage, now: Predictions) -> str:
    in_use = selection.in_use()
    name = in_use.class_name(said.main.classes[0])
    words = []
    if selection.scales():
        was = in_use.class_name(before.main.classes[0])
        changed = f"Before it was **{fmt.markdown(was)}**." if was != name else "The answer stays the same."
        words.append(f"{changed} Orange marks: the probabilities before.")
    if pick.label:
        verdict = "right" if pick.label == name else "**wrong**"
        words.append(f"True label: **{fmt.markdown(pick.label)}**, so it is {verdict}.")
    words.append(look_inside.confidence_text(said.main, in_use.config.classes))
    if not in_use.network.weights:
        words.append("The weights are random: the answer means nothing. Shapes, time and pictures still do.")
    note = f" {now.note}" if now.note else ""
    return (
        " ".join(words)
        + f"  \n:small[One pass on {fmt.markdown(now.device)}: {fmt.milliseconds(now.forward_ms)}.{note}]"
    )


def _heads(said: Prediction, pick: ChosenImage) -> None:
    in_use = selection.in_use()
    with st.container(horizontal=True, key="look_heads"):
        for tap, head in said.aux.items():
            bars = [
                look_inside.Bar(
                    in_use.class_name(number), share, None, bool(pick.label) and in_use.class_name(number) == pick.label
                )
                for number, share in list(zip(head.classes, head.probabilities, strict=True))[:TOP_OF_HEADS]
            ]
            with st.container(width=290):
                picture(look_inside.answer_bars(bars, f"The head on {tap} says", width=290), f"look_head_{tap}")


@st.fragment
def show_batch(picks: Sequence[ChosenImage]) -> None:
    """Say how the network does on all pictures of the desk, and offer the answers as a table."""
    paths = tuple(pick.path for pick in picks)
    request = PredictionRequest(**requests.about("", images=paths), top=1)
    found = requests.await_result(request, "look_batch", f"All {len(paths)} pictures")
    if found is None:
        return
    in_use = selection.in_use()
    rows = []
    for pick, said in zip(picks, found.predictions, strict=True):
        name = in_use.class_name(said.main.classes[0])
        row = {"picture": pick.name, "says": name, "probability": 100 * said.main.probabilities[0]}
        rows.append(row | ({"true": pick.label, "right": name == pick.label} if pick.label else {}))
    judged = [row["right"] for row in rows if "right" in row]
    told = f": **{sum(judged)} of {len(judged)}** are told right" if judged else ""
    with st.container(horizontal=True, vertical_alignment="center", key="look_batch_bar"):
        st.markdown(
            f":small[All {len(rows)} pictures as a batch{told}. One pass: {fmt.milliseconds(found.forward_ms)}.]",
            width="content",
        )
        with st.popover("Answers", icon=":material/table_view:"):
            st.dataframe(
                pd.DataFrame(rows),
                hide_index=True,
                column_config={"probability": st.column_config.NumberColumn(format="%.1f %%")},
                alt="What the network says of each picture",
            )


def show_scaled() -> None:
    """Say which branches are scaled, with the way back; nothing where none is."""
    if not (scaled := selection.scales()):
        return
    told = ", ".join(
        f"{one.module} {BRANCH_NAMES[one.branch]} {'taken away' if one.factor == 0 else f'× {one.factor:g}'}"
        for one in scaled
    )
    with st.container(horizontal=True, vertical_alignment="center", key="look_scaled"):
        st.badge(told, icon=":material/content_cut:", color="orange")
        st.button("Put back", icon=":material/undo:", on_click=selection.scale, args=((),), key="look_put_back")
