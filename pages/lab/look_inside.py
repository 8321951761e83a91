"""Give the network an image and see what happens inside it."""

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from explorer.ui.components.heading import show_page_heading
from explorer.ui.lab.look_inside import (
    ablation,
    attribution,
    effective_field,
    engines,
    feature_maps,
    flow,
    images,
    known_classes,
    layer_timing,
    maximization,
    module_maps,
    one_number,
    own_test_images,
    prediction,
    preprocessing,
    session,
    side_by_side,
    walk,
    weights,
)
from explorer.ui.lab.look_inside.modules import choose_module


def show_flow(image: session.ChosenImage) -> None:
    """Show what the maps of a module are made of, and its animation."""
    module = choose_module("look_inside_flow_module")
    module_maps.show_module_maps(image, module)
    flow.show_animation(image, module)


View = Callable[[session.ChosenImage, tuple[session.ChosenImage, ...]], None]
VIEWS: Mapping[str, View] = {
    "Feature maps": lambda image, _: feature_maps.show_feature_maps(image),
    walk.VIEW: lambda image, _: one_number.show_one_number(image),
    "Flow": lambda image, _: show_flow(image),
    "Effective receptive field": lambda _, batch: effective_field.show_effective_fields(batch),
    "Branch ablation": ablation.show_ablation,
    "Attribution": lambda image, _: attribution.show_attribution(image),
    "Activation maximization": lambda *_: maximization.show_maximization(),
    "Test images": lambda *_: own_test_images.show_own_test_images(),
    "Layer timing": lambda *_: layer_timing.show_layer_timing(),
    "Engines": lambda *_: engines.show_engines(),
    "Side by side": lambda image, _: side_by_side.show_side_by_side(image),
}

show_page_heading("lab/look_inside.py")
session.sync_url()
one_number.sync_url()
weights.show_weights()
left, right = st.container(key="look_inside_top").columns(2, gap="medium")
with left:
    images.show_image_picker()
image, batch = images.selected_image(), images.chosen_images()
if image is None:
    right.info("No image yet. Choose, upload, photograph or draw one.", icon=":material/image:")
else:
    with right:
        prediction.show_scaled_branches()
        prediction.show_prediction(image)
        known_classes.show_known_classes(image)
        if len(batch) > 1:
            prediction.show_batch(batch)
    with left:
        preprocessing.show_preprocessing(image)
    view = st.segmented_control(  # one at a time, so that a click computes one view only
        "View",
        list(VIEWS),
        default="Feature maps",  # not set in the state: that would undo a click during the first run
        required=True,
        key=session.VIEW_KEY,
        label_visibility="collapsed",
        persist_state="session",
    )
    session.run_as_fragment(partial(VIEWS.get(view or "", VIEWS["Feature maps"]), image, batch))
