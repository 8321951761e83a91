"""What a network's answer to an image of something else means: it knows its classes alone."""

import streamlit as st

from explorer.jobs.inspection import EvaluationRequest
from explorer.settings import data_folder
from explorer.ui import state
from explorer.ui.lab.look_inside import prediction, requests, session
from explorer.ui.lab.look_inside.datasets import training_dataset
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.ui.streamlit_workarounds import fragment
from explorer.views import evaluation


@fragment
def show_known_classes(image: ChosenImage) -> None:
    """For an image without a known label, name the classes, and compare the confidence with that on test images."""
    inspected = session.inspected_network()
    if image.label or not inspected.network.weights:
        return
    st.markdown(f":small[{evaluation.known_classes_text(inspected.class_names, inspected.config.classes)}]")
    dataset = training_dataset()
    found = requests.follow_result(prediction.request(image), prediction.KEY, "known_classes")
    if dataset is None or inspected.training is None or found is None or session.scales():
        return
    request = EvaluationRequest(
        network=inspected.network,
        preprocessing=inspected.preprocessing,
        device=state.device(),
        dataset=dataset.model_dump_json(),
        folder=str(data_folder()),
    )
    test_images = requests.await_result(request, "look_inside_comparison", "Comparing with the test images")
    if test_images:
        confidence = found.predictions[0].main.probabilities[0]
        text = evaluation.comparison_text(confidence, test_images, inspected.training.facts.title)
        st.markdown(f":small[{text}]")
