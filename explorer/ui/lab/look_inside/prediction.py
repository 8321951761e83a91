"""The prediction for the selected image, its auxiliary heads and its confidence, and the accuracy on the batch."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from explorer.data.class_names import shorten
from explorer.jobs.engines import AUTO, ENGINES, FASTEST_EXACT, installed_version
from explorer.jobs.inspection import ClassScores, Prediction, PredictionRequest, Predictions
from explorer.settings import data_folder
from explorer.training.intervals import wilson
from explorer.ui.components.chart import show_svg
from explorer.ui.lab.look_inside import requests, session
from explorer.ui.lab.look_inside.session import ChosenImage, InspectedNetwork
from explorer.ui.streamlit_workarounds import fragment
from explorer.views import formatting as fmt
from explorer.views import look_inside
from explorer.views.labels import BRANCH_NAMES, with_network
from explorer.views.results import interval_text

KEY = "look_inside_prediction"  # of the request
_ENGINE = "look_inside_engine"
TOP, TOP_OF_HEADS = 5, 3  # number of classes shown


@fragment
def show_prediction(image: ChosenImage) -> None:
    """Show the prediction for one image; if branches are scaled, beside the prediction without scaling."""
    found = requests.await_result(request(image), KEY, "Running the network")
    if found is None:
        return
    unscaled = found
    if session.scales():
        result = requests.await_result(
            request(image).replace(scales=()), "look_inside_unscaled", "Running the network without scaling"
        )
        if result is None:
            return
        unscaled = result
    inspected, prediction, before = session.inspected_network(), found.predictions[0], unscaled.predictions[0]
    name = shorten(inspected.class_name(prediction.main.classes[0]), 24)
    title = with_network(f"Predicted class: {name}", inspected.short_title)
    bars = class_bars(prediction.main, inspected, image.label, TOP, before.main if session.scales() else None)
    show_svg(partial(look_inside.class_bars, bars, title), "look_inside_prediction")
    st.markdown(_explanation(prediction, before, image, found))
    _choose_engine()
    if prediction.aux:
        _show_heads(prediction, image)


def request(image: ChosenImage) -> PredictionRequest:
    """Return the request for the prediction of an image.

    It asks for all classes if they are few, so that those that were likely before scaling are among them.
    """
    classes = session.inspected_network().config.classes
    return prediction_request((image.path,), top=classes if classes <= 20 else TOP)


def prediction_request(paths: Sequence[str], top: int) -> PredictionRequest:
    """Return the request for the predictions of images by the chosen engine."""
    fields = session.request_fields(*paths)
    return PredictionRequest(**fields, engine=_chosen_engine(), folder=str(data_folder()), top=top)


def _chosen_engine() -> str:
    """Return the engine that the user chose for predictions; the automatic choice for anything unknown."""
    if st.session_state.get(_ENGINE) not in _engines():
        st.session_state[_ENGINE] = AUTO
    return str(st.session_state[_ENGINE])


def _choose_engine() -> None:
    """Show the choice of the engine for predictions."""
    st.selectbox(
        "Engine",
        _engines(),
        key=_ENGINE,
        format_func=lambda name: "automatic" if name == AUTO else ENGINES[name].title,
        persist_state="session",
        help="The library and precision that compute the predictions. Automatic is the first in float32 that is "
        f"installed: {', '.join(ENGINES[name].title for name in FASTEST_EXACT)}. Feature maps, ablation and "
        "attribution always use PyTorch.",
    )


def _engines() -> list[str]:
    return [AUTO, *(name for name, engine in ENGINES.items() if installed_version(engine.library))]


def class_bars(
    scores: ClassScores, inspected: InspectedNetwork, label: str, count: int, before: ClassScores | None = None
) -> list[look_inside.Bar]:
    """Return bars for the ``count`` most probable classes; ``before`` has their probabilities without scaling."""
    probabilities = dict(zip(before.classes, before.probabilities, strict=True)) if before else {}
    bars = []
    for number, probability in list(zip(scores.classes, scores.probabilities, strict=True))[:count]:
        name = inspected.class_name(number)
        bars.append(look_inside.Bar(name, probability, probabilities.get(number), bool(label) and name == label))
    return bars


def _explanation(prediction: Prediction, before: Prediction, image: ChosenImage, found: Predictions) -> str:
    """Return in sentences: the effect of scaling, the label, the confidence, and the device."""
    inspected = session.inspected_network()
    name = inspected.class_name(prediction.main.classes[0])
    sentences = []
    if session.scales():
        name_before = inspected.class_name(before.main.classes[0])
        sentences.append(
            "Scaling does not change the predicted class."
            if name_before == name
            else f"Without scaling the predicted class is **{fmt.markdown(name_before)}**."
        )
        sentences.append("Orange marks show the probabilities without scaling.")
    if image.label:
        label = fmt.markdown(image.label)
        is_correct = image.label == name
        sentences.append(f"Correct: the label is **{label}**." if is_correct else f"Wrong: the label is **{label}**.")
    sentences.append(look_inside.confidence_text(prediction.main, inspected.config.classes))
    if not inspected.network.weights:
        sentences.append(
            "The weights are random, so the prediction has no meaning. Shapes, times and images are still valid."
        )
    device = (
        f"Computed by {ENGINES[found.engine].title} on {fmt.markdown(found.device)}; *Engines* compares how long each "
        "takes."
    )
    notes = " ".join(filter(None, (device, found.note)))
    return f"{' '.join(sentences)}  \n:small[{notes}]"


def _show_heads(prediction: Prediction, image: ChosenImage) -> None:
    inspected = session.inspected_network()
    with st.container(horizontal=True, key="look_inside_heads"):
        for tap, scores in prediction.aux.items():
            bars = class_bars(scores, inspected, image.label, TOP_OF_HEADS)
            svg = look_inside.class_bars(bars, f"Auxiliary head at {tap}", width=290)
            with st.container(width=290):
                show_svg(svg, f"look_inside_head_{tap}")


@fragment
def show_batch(images: Sequence[ChosenImage]) -> None:
    """Show how many images of the batch are classified correctly, and offer the predictions as a table."""
    request = prediction_request([image.path for image in images], top=1)
    found = requests.await_result(request, "look_inside_batch", f"Running the network on {len(images)} images")
    if found is None:
        return
    inspected = session.inspected_network()
    names = [inspected.class_name(prediction.main.classes[0]) for prediction in found.predictions]
    rows = [
        {"image": image.name, "predicted class": name, "probability": 100 * prediction.main.probabilities[0]}
        | ({"label": image.label, "correct": name == image.label} if image.label else {})
        for image, name, prediction in zip(images, names, found.predictions, strict=True)
    ]
    results = [name == image.label for image, name in zip(images, names, strict=True) if image.label]
    summary = f"Batch of {len(rows)} images."
    if results:
        interval = interval_text(wilson(sum(results), len(results)))
        summary = (
            f"Batch of {len(rows)} images: **{sum(results)} of {len(results)}** classified correctly "
            f"(95 % interval {interval}, Wilson)."
        )
    with st.container(horizontal=True, vertical_alignment="center", key="look_inside_batch_bar"):
        st.markdown(f":small[{summary}]", width="content")
        with st.popover("Predictions", icon=":material/table_view:"):
            st.dataframe(
                pd.DataFrame(rows),
                hide_index=True,
                column_config={"probability": st.column_config.NumberColumn(format="%.1f %%")},
                alt="The predicted class of each image",
                placeholder=fmt.NO_VALUE,
            )


def show_scaled_branches() -> None:
    """Show which branches are scaled, with a button that restores them; nothing if none is."""
    if not (scales := session.scales()):
        return
    text = ", ".join(
        f"{scale.module} {BRANCH_NAMES[scale.branch]} {'removed' if scale.factor == 0 else f'× {scale.factor:g}'}"
        for scale in scales
    )
    with st.container(horizontal=True, vertical_alignment="center", key="look_inside_scaled"):
        st.badge(text, icon=":material/content_cut:", color="orange")
        st.button(
            "Restore branches",
            icon=":material/undo:",
            on_click=session.set_scales,
            args=((),),
            key="look_inside_restore",
        )
