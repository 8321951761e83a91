"""The pictures on the desk: samples, uploads, the camera's or the pad's, of which one is looked at.

All of them together are the batch. A picture lies as a file in the scratch folder; here it goes by its path.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from explorer.config import GoogLeNetConfig
from explorer.data.content_store import ContentStoreError
from explorer.data.images import ImageError, decode
from explorer.jobs.inspection import MAX_IMAGES, InputError, Preprocessing
from explorer.training.plan import DATASETS
from explorer.ui import messages
from explorer.ui.components.chart import picture
from explorer.ui.components.selectable_picture import selectable_picture
from explorer.ui.lab.look_inside import preprocessing, samples, selection
from explorer.ui.lab.look_inside.drawing_pad import drawing_pad
from explorer.views import formatting as fmt
from explorer.views import look_inside, map_images

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile


KINDS = {
    "fashion_mnist": "Fashion-MNIST",
    "scales": "Scales",
    "photographs": "Photographs",
    "upload": "Upload",
    "camera": "Camera",
    "draw": "Draw",
}
MAX_UPLOAD_MB = 20

_KIND = selection.PICTURES
_AT, _OWN, _EDITION, _REFUSED = "look_at", "look_own", "look_edition", "look_files_refused"


class ChosenImage(NamedTuple):
    """A picture on the desk: its name, its file in the scratch folder, and what is known of it.

    ``truth`` is its class, where it has one that the network can tell.
    """

    name: str
    path: str
    about: str
    label: str = ""


def kind() -> str:
    """Return which pictures lie on the desk."""
    chosen = st.session_state.get(_KIND)
    return chosen if chosen in KINDS else _usual_kind()


def _usual_kind() -> str:
    """Return what the network was trained on, else what looks like what it takes."""
    in_use = selection.in_use()
    if in_use.training and (
        known := [n for n, facts in DATASETS.items() if facts.title == in_use.training.facts.title]
    ):
        return known[0] if known[0] in KINDS else "fashion_mnist"
    channels, *sides = in_use.config.input_shape
    if channels == 1:
        return "fashion_mnist"
    return "scales" if max(sides) <= 64 else "photographs"


def chosen_images() -> tuple[ChosenImage, ...]:
    """Return the pictures on the desk."""
    of = kind()
    if of in ("upload", "camera", "draw"):
        return st.session_state.get(_OWN, {}).get(of, ())
    classes = selection.in_use().classes
    return tuple(
        ChosenImage(
            one.name, str(selection.scratch().keep(one.png, ".png")), one.credit, one.truth * (one.truth in classes)
        )
        for one in samples.samples(of)
    )


def selected_image() -> ChosenImage | None:
    """Return the picture that is looked at; None where none is on the desk."""
    on_desk = chosen_images()
    if not on_desk:
        return None
    return on_desk[min(st.session_state.get(_AT, {}).get(kind(), 0), len(on_desk) - 1)]


def show_image_picker() -> None:
    """Let the reader choose which pictures, and one of them."""
    st.session_state[_KIND] = kind()
    st.segmented_control(
        "Pictures", list(KINDS), required=True, key=_KIND, format_func=KINDS.get, label_visibility="collapsed"
    )
    _SOURCES.get(kind(), lambda: None)()
    on_desk = chosen_images()
    if not on_desk:
        return
    chosen = on_desk.index(selected_image())
    if len(on_desk) > 1:
        selectable_picture(
            look_inside.gallery([(one.name, _thumbnail(one.path)) for one in on_desk]),
            key="look_gallery",
            chosen=[str(chosen)],
            on_choose=_choose,
        )
    one = on_desk[chosen]
    st.caption(fmt.markdown(f"{one.name}. {one.about}" if one.about else one.name))


def _choose(number: str) -> None:
    st.session_state[_AT] = {**st.session_state.get(_AT, {}), kind(): int(number)}


def _upload() -> None:
    key = f"look_files_{st.session_state.setdefault(_EDITION, 0)}"
    st.file_uploader(
        "PNG, JPEG or WebP; several at once are a batch",
        ["png", "jpg", "jpeg", "webp"],
        accept_multiple_files=True,
        key=key,
        on_change=_uploaded,
        args=(key,),
        max_upload_size=MAX_UPLOAD_MB,
    )
    for reason in st.session_state.get(_REFUSED, ())[:8]:
        messages.show_refusal(reason)


def _uploaded(key: str) -> None:
    """Take in the files that are pictures, say of each other why not, and make the place free for more."""
    files: list[UploadedFile] = st.session_state[key]
    if not files:
        return
    st.session_state[_EDITION] += 1
    taken, refused = [], []
    for number, file in enumerate(files):
        if number >= MAX_IMAGES:
            refused.append(f"Only the first {MAX_IMAGES} pictures were taken.")
            break
        _take(file.name, file.getvalue(), taken.append, refused.append)
    st.session_state[_REFUSED] = tuple(refused)
    if taken:
        _lay("upload", tuple(taken))


def _take(name: str, content: bytes, take: Callable[[ChosenImage], None], refuse: Callable[[str], None]) -> None:
    """Make a picture of ours of a file, or say why that cannot be."""
    try:
        found = decode(content)
        path = selection.scratch().keep(found.png, ".png")
    except (ImageError, ContentStoreError) as error:
        refuse(f"{name[:60]}: {error}")
        return
    take(ChosenImage(name[:60], str(path), "; ".join(found.notes)))


def _lay(of: str, laid: tuple[ChosenImage, ...]) -> None:
    """Lay pictures on the desk in the place of those of their kind, and look at the first."""
    st.session_state[_OWN] = {**st.session_state.get(_OWN, {}), of: laid}
    st.session_state[_AT] = {**st.session_state.get(_AT, {}), of: 0}


def _camera() -> None:
    photograph = st.camera_input("A photograph", key="look_camera", label_visibility="collapsed")
    _lay_one("camera", "Your photograph", photograph.getvalue() if photograph else b"")


def _draw() -> None:
    _lay_one("draw", "Your drawing", drawing_pad("look_pad"))
    st.caption("Light on black, as Fashion-MNIST shows its clothes. The answer follows each stroke.")


def _lay_one(of: str, name: str, content: bytes) -> None:
    """Lay the one picture of a kind on the desk; nothing where there is none."""
    laid: list[ChosenImage] = []
    if content:
        _take(name, content, laid.append, messages.show_refusal)
    _lay(of, tuple(laid))


_SOURCES = {"upload": _upload, "camera": _camera, "draw": _draw}


@lru_cache(maxsize=256)
def _thumbnail(path: str) -> bytes:
    """Return a small copy of a picture; an empty one where its file has gone."""
    try:
        return look_inside.thumbnail(Path(path).read_bytes())
    except OSError:
        return look_inside.EMPTY


def network_input(
    pick: ChosenImage, config: GoogLeNetConfig | None = None, how: Preprocessing | None = None
) -> bytes | None:
    """Return the picture as a network gets it, before it is normalised, as PNG; None where it cannot be made.

    By default it is the network looked into.
    """
    try:
        made = preprocessing.steps(pick.path, config or selection.in_use().config, how or selection.preparation())
    except InputError:
        return None
    return map_images.png(made[-2].pixels)


def show_steps(pick: ChosenImage) -> None:
    """Show how the picture becomes the network's input, step by step, with what can be changed."""
    with st.container(horizontal=True, vertical_alignment="center", key="look_steps_bar"):
        st.markdown("**What the network gets**", width="content")
        st.space("stretch")
        preprocessing.menu()
    try:
        steps = preprocessing.steps(pick.path, selection.in_use().config, selection.preparation())
    except InputError as error:
        messages.show_refusal(str(error))
        return
    picture(look_inside.steps(steps), "look_steps")
