"""Choose the images: samples, uploads, the camera or the drawing pad.

All chosen images form a batch, and one of them is selected. An image is a PNG file in the content store.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.data.content_store import ContentStoreError
from explorer.data.datasets import load_test_images
from explorer.data.images import FORMATS_TEXT, ImageError, decode
from explorer.data.images import png as to_png
from explorer.errors import InputError
from explorer.jobs.inspection import MAX_IMAGES
from explorer.paths import ASSETS
from explorer.settings import data_folder
from explorer.training.plan import DATASETS, DatasetChoice
from explorer.ui import messages
from explorer.ui.lab.look_inside import session
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.ui.lab.look_inside.widgets import drawing_pad, selectable_svg
from explorer.ui.state import SessionValue
from explorer.views import formatting as fmt
from explorer.views import look_inside

SOURCES = {
    "fashion_mnist": "Fashion-MNIST",
    "scales": "Scales",
    "photographs": "Photographs",
    "upload": "Upload",
    "camera": "Camera",
    "draw": "Draw",
}
PHOTOGRAPHS = {  # title and credit by file name
    "chelsea": ("A cat", "Stéfan van der Walt, CC0"),
    "coffee": ("Espresso", "Rachel Michetti, CC0"),
    "rocket": ("A rocket", "SpaceX, public domain"),
    "astronaut": ("An astronaut", "NASA, public domain"),
}
SAMPLES_PER_CLASS = 2
MAX_UPLOAD_MB = 20

_SELECTED = SessionValue[Mapping[str, int]]("look_inside_selected", {})  # by source
_OWN_IMAGES = SessionValue[Mapping[str, tuple["ChosenImage", ...]]]("look_inside_own_images", {})  # by source
_UPLOADER = SessionValue("look_inside_uploader", 0)
_REJECTED_FILES = SessionValue[tuple[str, ...]]("look_inside_rejected_files", ())


# ── samples ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Sample(NamedTuple):
    """An image that comes with the app: its title, PNG file, credit, and label in its own dataset, if it has one."""

    name: str
    png: bytes
    credit: str
    label: str = ""


@lru_cache(maxsize=4)
def samples(source: str) -> tuple[Sample, ...]:
    """Return the samples of a source: ``fashion_mnist``, ``scales`` or ``photographs``."""
    if source == "photographs":
        return tuple(
            Sample(title, decode((ASSETS / "samples" / f"{name}.jpg").read_bytes()).png, credit)
            for name, (title, credit) in PHOTOGRAPHS.items()
        )
    return _test_images(DatasetChoice(name="scales" if source == "scales" else "fashion_mnist"))


def _test_images(dataset: DatasetChoice) -> tuple[Sample, ...]:
    """Return the first test images of each class: no network trained here has seen them."""
    (test, labels), info = load_test_images(dataset, data_folder()), DATASETS[dataset.name]
    credit = f"{info.title}, a test image. {info.source}"
    found = []
    for number, label in enumerate(info.classes):
        for index in np.flatnonzero(labels == number)[:SAMPLES_PER_CLASS]:
            pixels = np.ascontiguousarray(test[index].transpose(1, 2, 0))
            is_grey = pixels.shape[2] == 1
            found.append(Sample(label, to_png(pixels[:, :, 0] if is_grey else pixels), credit, label))
    return tuple(found)


# ── choosing images ────────────────────────────────────────────────────────────────────────────────────────────────


def image_source() -> str:
    """Return where the images come from, a key of :data:`SOURCES`."""
    source = session.IMAGE_SOURCE.get()
    return source if source in SOURCES else _default_source()


def _default_source() -> str:
    """Return the dataset that the network was trained on, or else images that suit its input."""
    inspected = session.inspected_network()
    if inspected.training:
        trained_on = (name for name, info in DATASETS.items() if info.title == inspected.training.facts.title)
        if name := next(trained_on, None):
            return name if name in SOURCES else "fashion_mnist"
    channels, *sides = inspected.config.input_shape
    if channels == 1:
        return "fashion_mnist"
    return "scales" if max(sides) <= 64 else "photographs"


def chosen_images() -> tuple[ChosenImage, ...]:
    """Return the batch of chosen images."""
    source = image_source()
    if source in _CONTROLS:
        return _OWN_IMAGES.get().get(source, ())
    class_names = session.inspected_network().class_names
    return tuple(
        ChosenImage(
            sample.name,
            str(session.content_store().add(sample.png, ".png")),
            sample.credit,
            sample.label if sample.label in class_names else "",
        )
        for sample in samples(source)
    )


def selected_image() -> ChosenImage | None:
    """Return the selected image; None if there are no images."""
    images = chosen_images()
    return images[_selected_index(len(images))] if images else None


def _selected_index(count: int) -> int:
    return min(_SELECTED.get().get(image_source(), 0), count - 1)


def show_image_picker() -> None:
    """Show the controls that choose the images and select one of them."""
    session.IMAGE_SOURCE.set(image_source())
    st.segmented_control(
        "Images",
        list(SOURCES),
        required=True,
        key=session.IMAGE_SOURCE.key,
        format_func=lambda source: SOURCES[source],
        label_visibility="collapsed",
    )
    if control := _CONTROLS.get(image_source()):
        control()
    images = chosen_images()
    if not images:
        return
    index = _selected_index(len(images))
    if len(images) > 1:
        selectable_svg(
            look_inside.gallery([(image.name, _thumbnail(image.path)) for image in images]),
            key="look_inside_gallery",
            selected=[str(index)],
            on_select=_select,
        )
    image = images[index]
    st.caption(fmt.markdown(f"{image.name}. {image.about}" if image.about else image.name))


def _select(index: str) -> None:
    _SELECTED.set({**_SELECTED.get(), image_source(): int(index)})


def link_of_selected() -> str:
    """Return the selected sample as the text of a link; empty for the user's own images, which no link can hold."""
    source = image_source()
    return "" if source in _CONTROLS else f"{source}-{_SELECTED.get().get(source, 0)}"


def select_from_link(link: str) -> None:
    """Select the sample that a link names; a link to none changes nothing."""
    source, _, index = link.rpartition("-")
    if source in SOURCES and source not in _CONTROLS and index.isdecimal() and int(index) < len(samples(source)):
        session.IMAGE_SOURCE.set(source)
        _SELECTED.set({**_SELECTED.get(), source: int(index)})


@lru_cache(maxsize=256)
def _thumbnail(path: str) -> bytes:
    """Return a small copy of an image; an empty one if its file no longer exists."""
    try:
        return look_inside.thumbnail(Path(path).read_bytes())
    except OSError:
        return look_inside.EMPTY


def _show_uploader() -> None:
    key = f"look_inside_files_{_UPLOADER.get()}"
    st.file_uploader(
        f"{FORMATS_TEXT}; several files form a batch",
        accept_multiple_files=True,
        key=key,
        on_change=_on_upload,
        args=(key,),
        max_upload_size=MAX_UPLOAD_MB,
    )
    for reason in _REJECTED_FILES.get()[:8]:
        messages.show_refusal(reason)


def _on_upload(key: str) -> None:
    """Store the uploaded images, record why others are rejected, and replace the uploader by an empty one."""
    files: list[UploadedFile] = st.session_state[key]
    if not files:
        return
    _UPLOADER.set(_UPLOADER.get() + 1)
    images: list[ChosenImage] = []
    reasons: list[str] = []
    for file in files[:MAX_IMAGES]:
        try:
            images.append(_store_image(file.name, file.getvalue()))
        except InputError as error:
            reasons.append(str(error))
    if len(files) > MAX_IMAGES:
        reasons.append(f"Only the first {MAX_IMAGES} images are used.")
    _REJECTED_FILES.set(tuple(reasons))
    if images:
        _set_own_images("upload", tuple(images))


def _store_image(name: str, content: bytes) -> ChosenImage:
    """Decode an image file and store it as PNG. Raises InputError with the file name and the reason."""
    try:
        decoded = decode(content)
        path = session.content_store().add(decoded.png, ".png")
    except (ImageError, ContentStoreError) as error:
        raise InputError(f"{name[:60]}: {error}") from error
    return ChosenImage(name[:60], str(path), "; ".join(decoded.notes))


def _set_own_images(source: str, images: tuple[ChosenImage, ...]) -> None:
    """Replace the user's images of a source and select the first."""
    _OWN_IMAGES.set({**_OWN_IMAGES.get(), source: images})
    _SELECTED.set({**_SELECTED.get(), source: 0})


def _show_camera() -> None:
    photograph = st.camera_input("A photograph", key="look_inside_camera", label_visibility="collapsed")
    _set_single_image("camera", "Your photograph", photograph.getvalue() if photograph else b"")


def _show_drawing_pad() -> None:
    _set_single_image("draw", "Your drawing", drawing_pad("look_inside_pad"))
    st.caption("White on black, as in Fashion-MNIST. The prediction updates after each stroke.")


def _set_single_image(source: str, name: str, content: bytes) -> None:
    """Make an image file the only image of a source; empty content removes it."""
    images: tuple[ChosenImage, ...] = ()
    if content:
        try:
            images = (_store_image(name, content),)
        except InputError as error:
            messages.show_refusal(str(error))
    _set_own_images(source, images)


_CONTROLS: Mapping[str, Callable[[], None]] = {
    "upload": _show_uploader,
    "camera": _show_camera,
    "draw": _show_drawing_pad,
}
