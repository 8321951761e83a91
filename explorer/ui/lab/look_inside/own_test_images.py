"""A user's own test images: accuracy with its interval, and the most confident mistakes of the network."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.data.arrays import DataError
from explorer.data.images import thumbnail
from explorer.data.import_report import ImportOptions, Upload
from explorer.data.own_test_images import Classifier, OwnTestImages, load_inputs, load_sample
from explorer.jobs.image_imports import store_test_images_in_worker
from explorer.jobs.inspection import Evaluation, EvaluationRequest
from explorer.paths import ASSETS
from explorer.settings import data_folder
from explorer.training.plan import DatasetChoice
from explorer.ui import messages, state
from explorer.ui.lab.look_inside import requests, session
from explorer.ui.lab.look_inside.datasets import fitting_datasets
from explorer.ui.state import SessionValue
from explorer.views import evaluation as texts
from explorer.views import formatting as fmt
from explorer.views.image_strips import error_cards_html
from explorer.views.import_report import label_source

KEY = "look_inside_test_images"
MISTAKES = 12
SHOWN_SIDE = 96  # pixels of a misclassified image
_UPLOAD = "upload"
_FORMATS = (
    "A zip or tar with a folder of images per class, named as the classes of the network; or other labelled images "
    "that the page Train imports. Images are preprocessed as every other image here."
)


class _Review(NamedTuple):
    """What the worker made of these files for this classifier: stored test images, or why there are none."""

    files: tuple[str, ...]
    options: ImportOptions
    classifier: Classifier
    images: OwnTestImages | None
    error: str


_OPTIONS = SessionValue("look_inside_test_options", ImportOptions())
_REVIEW = SessionValue[_Review | None]("look_inside_test_review", None)


def show_own_test_images() -> None:
    """Let the user choose labelled test images, and show how the network classifies them."""
    datasets = {dataset.upload or dataset.name: (dataset, info.title) for dataset, info in fitting_datasets()}
    choice = st.selectbox(
        "Test images",
        [_UPLOAD, *datasets],
        key=f"{KEY}_source",
        format_func=lambda token: "upload your own" if token == _UPLOAD else fmt.markdown(datasets[token][1]),
        width=420,
    )
    dataset = datasets[choice][0] if choice in datasets else None
    request = _request(dataset=dataset) if dataset else _upload_request()
    if request is None:
        return
    found = requests.await_result(request, KEY, "Classifying the test images")
    if found:
        _show_result(found, request.stored, dataset)


def _request(stored: str = "", dataset: DatasetChoice | None = None) -> EvaluationRequest:
    return EvaluationRequest(
        network=session.inspected_network().network,
        preprocessing=session.preprocessing(),
        device=state.device(),
        stored=stored,
        dataset=dataset.model_dump_json() if dataset else "",
        folder=str(data_folder()),
    )


def _upload_request() -> EvaluationRequest | None:
    """Show the uploader; return the request for the images in it, None if there are none."""
    files: list[UploadedFile] = st.file_uploader(
        "Labelled test images", accept_multiple_files=True, key=f"{KEY}_files", on_change=_OPTIONS.clear
    )
    if not files:
        st.caption(_FORMATS)
        return None
    with st.spinner("Reading the images."):
        review = _review(files)
    if review.error:
        messages.show_refusal(review.error)
    if review.images is None:
        return None
    _show_sources(review.images)
    st.markdown("\n".join(f"- {fmt.markdown(sentence)}" for sentence in texts.upload_findings(review.images)))
    return _request(stored=review.images.path)


def _review(files: list[UploadedFile]) -> _Review:
    """Return the stored images of the files; made again only if files, options, network or preprocessing change."""
    inspected = session.inspected_network()
    classifier = Classifier(
        config=inspected.config, class_names=inspected.class_names, preprocessing=session.preprocessing()
    )
    identity = tuple(file.file_id for file in files)
    review = _REVIEW.get()
    if review and review[:3] == (identity, _OPTIONS.get(), classifier):
        return review
    images, error = None, ""
    try:
        uploads = [Upload(file.name, file) for file in files]
        images = store_test_images_in_worker(uploads, data_folder(), _OPTIONS.get(), classifier)
    except DataError as failure:
        error = str(failure)
    review = _Review(identity, _OPTIONS.get(), classifier, images, error)
    _REVIEW.set(review)
    return review


def _show_sources(images: OwnTestImages) -> None:
    """If several things in the upload can be the classes, let the user choose."""
    titles = {source.key: label_source(source) for source in images.source.label_sources}
    if len(titles) < 2:
        return
    key = f"{KEY}_classes_from"
    st.session_state[key] = images.source.classes_from

    def on_change() -> None:
        _OPTIONS.set(_OPTIONS.get().replace(classes_from=st.session_state[key]))

    st.selectbox("Classes", list(titles), key=key, format_func=lambda source: titles[source], on_change=on_change)


def _show_result(found: Evaluation, stored: str, dataset: DatasetChoice | None) -> None:
    inspected = session.inspected_network()
    st.markdown(texts.result_text(found))
    mistakes = texts.most_confident_mistakes(found, MISTAKES)
    if not mistakes:
        return
    st.markdown(f"**Most confident mistakes of {fmt.markdown(inspected.short_title)}**")
    try:
        images, _ = load_sample(dataset, data_folder()) if dataset else load_inputs(stored)
    except DataError as error:
        messages.show_refusal(str(error))
        return
    shown = [thumbnail(images[mistake.image].transpose(1, 2, 0), SHOWN_SIDE) for mistake in mistakes]
    names = tuple(map(inspected.class_name, range(inspected.config.classes)))
    st.html(ASSETS / "train.css")
    st.html(error_cards_html(np.stack(shown), mistakes, names))
