"""Images of a dataset on the page Train: some of each class, and those that a network misclassified."""

from functools import lru_cache
from pathlib import Path

import streamlit as st

from explorer.data.arrays import DataError
from explorer.data.datasets import dataset_info, load_test_images, preview
from explorer.settings import data_folder
from explorer.training.events import Misclassification
from explorer.training.plan import DatasetChoice, DatasetInfo
from explorer.ui import messages
from explorer.views import formatting as fmt
from explorer.views.image_strips import ClassStrip, error_cards_html, strips_html

_PREVIEW_IMAGES = 12  # of a class


def show_preview(data: DatasetChoice, info: DatasetInfo) -> None:
    """Show some images of each class, with their numbers."""
    try:
        st.html(_preview_html(data, str(data_folder())))
    except DataError as error:
        messages.show_refusal(str(error))
        return
    st.caption(
        f"{fmt.markdown(info.title)}: {info.train:,} training and {info.test:,} test images of "
        f"{fmt.shape(info.shape)}. Test images are never used for training. Source: {fmt.markdown(info.source)}"
    )


def forget_names() -> None:
    """Draw images again after a dataset or its classes got other names."""
    _preview_html.cache_clear()
    misclassified_html.cache_clear()


@lru_cache(maxsize=16)
def _preview_html(data: DatasetChoice, folder: str) -> str:
    """Return the preview as HTML. The cache holds a few small images instead of the whole dataset."""
    return strips_html([ClassStrip(*found) for found in preview(data, Path(folder), _PREVIEW_IMAGES)])


@lru_cache(maxsize=32)
def misclassified_html(data: DatasetChoice, folder: str, found: tuple[Misclassification, ...]) -> str:
    """Return misclassified test images as HTML. Raises DataError if the dataset has changed or no longer exists."""
    test, _ = load_test_images(data, Path(folder))
    if any(mistake.image >= len(test) for mistake in found):
        raise DataError("The images have changed since this run was tested on them.")
    images = test[[mistake.image for mistake in found]].transpose(0, 2, 3, 1)
    return error_cards_html(images, found, dataset_info(data, Path(folder)).classes)
