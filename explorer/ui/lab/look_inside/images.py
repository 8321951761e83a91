"""Choose the images: samples, uploads, the camera or the drawing pad; and show and change their preprocessing.

All chosen images form a batch, and one of them is selected. An image is a PNG file in the content store.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.config import GoogLeNetConfig, Problem
from explorer.data.content_store import ContentStoreError
from explorer.data.datasets import load
from explorer.data.images import ImageError, decode
from explorer.data.images import png as to_png
from explorer.data.preprocessing import NORMALISATIONS, Preprocessing, PreprocessingStep, preprocess
from explorer.errors import InputError
from explorer.jobs.inspection import MAX_IMAGES
from explorer.settings import ASSETS, data_folder
from explorer.training.plan import DATASETS, DatasetChoice
from explorer.ui import messages, state
from explorer.ui.components.chart import show_svg
from explorer.ui.components.number import in_range, number_input
from explorer.ui.lab.look_inside import session
from explorer.ui.lab.look_inside.widgets import drawing_pad, selectable_svg
from explorer.ui.state import SessionValue
from explorer.views import formatting as fmt
from explorer.views import look_inside, map_images

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
RESIZING = {"crop": "fill, then crop the centre", "pad": "fit, then pad", "stretch": "stretch"}
FROM_WEIGHTS = "as the weights need"

_SELECTED = SessionValue[Mapping[str, int]]("look_inside_selected", {})  # by source
_OWN_IMAGES = SessionValue[Mapping[str, tuple["ChosenImage", ...]]]("look_inside_own_images", {})  # by source
_UPLOADER = SessionValue("look_inside_uploader", 0)
_REJECTED_FILES = SessionValue[tuple[str, ...]]("look_inside_rejected_files", ())
_FIT, _INVERT, _NORMALISATION = "look_inside_fit", "look_inside_invert", "look_inside_normalisation"


class ChosenImage(NamedTuple):
    """An image: its name, the path of its PNG file in the content store, and what is known about it.

    ``label`` is its ground-truth class, empty if it is unknown or not one of the network's classes.
    """

    name: str
    path: str
    about: str
    label: str = ""


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
    arrays, info = load(dataset, data_folder()), DATASETS[dataset.name]
    credit = f"{info.title}, a test image. {info.source}"
    found = []
    for number, label in enumerate(info.classes):
        for index in np.flatnonzero(arrays.test_labels == number)[:SAMPLES_PER_CLASS]:
            pixels = np.ascontiguousarray(arrays.test[index].transpose(1, 2, 0))
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
        "PNG, JPEG or WebP; several files form a batch",
        ["png", "jpg", "jpeg", "webp"],
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


# ── preprocessing ──────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=32)
def preprocessing_steps(path: str, config: GoogLeNetConfig, how: Preprocessing) -> tuple[PreprocessingStep, ...]:
    """Return the steps from an image to the network input. Raises InputError with the reason if that fails."""
    try:
        with Image.open(path, formats=("PNG",)) as file:
            pixels = np.asarray(file.convert("RGB"))
    except OSError:
        raise InputError("The image file no longer exists. Choose the image again.") from None
    return preprocess(pixels, config, how).steps


def network_input(
    image: ChosenImage, config: GoogLeNetConfig | None = None, how: Preprocessing | None = None
) -> bytes | None:
    """Return the network input before normalisation as PNG; None if preprocessing fails.

    ``config`` and ``how`` are by default those of the inspected network.
    """
    config = config or session.inspected_network().config
    try:
        steps = preprocessing_steps(image.path, config, how or session.preprocessing())
    except InputError:
        return None
    return map_images.png(steps[-2].pixels)


def show_preprocessing(image: ChosenImage) -> None:
    """Show how the image becomes the network input, step by step, with the settings."""
    with st.container(horizontal=True, vertical_alignment="center", key="look_inside_steps_bar"):
        st.markdown("**Network input**", width="content")
        st.space("stretch")
        _show_preprocessing_menu()
    try:
        steps = preprocessing_steps(image.path, session.inspected_network().config, session.preprocessing())
    except InputError as error:
        messages.show_refusal(str(error))
        return
    show_svg(look_inside.steps(steps), "look_inside_steps")


def _show_preprocessing_menu() -> None:
    is_changed = session.preprocessing() != session.inspected_network().preprocessing
    with st.popover("Preprocessing ●" if is_changed else "Preprocessing", icon=":material/tune:"):
        _show_resizing()
        _show_normalisation()
        st.button(
            "Reset to what the weights need",
            icon=":material/restart_alt:",
            on_click=session.set_preprocessing,
            args=(None,),
            disabled=not is_changed,
            key="look_inside_reset_preprocessing",
        )


def _show_resizing() -> None:
    how = session.preprocessing()
    st.session_state[_FIT], st.session_state[_INVERT] = how.fit, how.invert
    st.selectbox("Resizing", list(RESIZING), key=_FIT, format_func=lambda fit: RESIZING[fit], on_change=_on_fit_change)
    messages.show_rejected_input(_FIT)
    if how.fit == "crop":
        number_input(
            "Margin (× the input size)",
            "look_inside_margin",
            how.margin,
            in_range(1, 4, "Margin: enter a number from 1 to 4.", lambda margin: _change(margin=margin)),
            step=0.05,
            help="The shorter side is scaled to this multiple of the input size before the centre is cropped.",
        )
    if how.fit == "pad":
        number_input(
            "Padding value (0 black to 255 white)",
            "look_inside_padding_value",
            how.background,
            in_range(
                0,
                255,
                "Padding value: enter a whole number from 0 to 255.",
                lambda background: _change(background=background),
            ),
        )
    st.toggle(
        "Invert brightness",
        key=_INVERT,
        help="Fashion-MNIST shows light clothes on black.",
        on_change=lambda: _change(invert=bool(st.session_state[_INVERT])),
    )


def _on_fit_change() -> None:
    if st.session_state[_FIT] in RESIZING:
        state.clear_rejected_input()
        _change(fit=st.session_state[_FIT])
    else:
        reason = "Resizing: that method does not exist. Choose one from the list."
        state.reject_input(_FIT, None, (Problem("preprocessing", _FIT, reason),))


def _change(**changed: Any) -> None:
    session.set_preprocessing(session.preprocessing().replace(**changed))


def _show_normalisation() -> None:
    how, needed = session.preprocessing(), session.inspected_network().preprocessing
    known = {FROM_WEIGHTS: (needed.mean, needed.std)}
    known |= {normalisation.title: (normalisation.mean, normalisation.std) for normalisation in NORMALISATIONS.values()}
    channels = session.inspected_network().config.input_shape[0]
    options = {title: values for title, values in known.items() if len(values[0]) in (1, channels)}
    st.session_state[_NORMALISATION] = next(
        (title for title, values in options.items() if values == (how.mean, how.std)), FROM_WEIGHTS
    )

    def on_change() -> None:
        if values := options.get(st.session_state[_NORMALISATION]):
            _change(mean=values[0], std=values[1])

    st.selectbox(
        "Normalisation: (value − mean) / standard deviation", list(options), key=_NORMALISATION, on_change=on_change
    )
