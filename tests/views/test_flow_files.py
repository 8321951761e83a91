"""Files of a flow for slides: documents of their own, a still per step, and a GIF with the same length."""

import io
import zipfile
from xml.etree import ElementTree

import pytest
from PIL import Image

from explorer import PRESETS, summarize
from explorer.views import flow_files
from explorer.views.flow import module_flow

FLOW = module_flow(summarize(PRESETS["mini"]), "4a")


def test_the_animation_is_a_document() -> None:
    """With a namespace, its own colours and the font."""
    document = flow_files.svg_file(FLOW)
    assert ElementTree.fromstring(document).tag == "{http://www.w3.org/2000/svg}svg"
    assert "@font-face" in document
    assert "animateTransform" in document


def test_there_is_a_still_for_each_step() -> None:
    """Numbered, and without movement."""
    with zipfile.ZipFile(io.BytesIO(flow_files.frames_zip(FLOW))) as archive:
        assert [f"flow_4a_{number}.svg" for number in (1, 2, 3, 4)] == archive.namelist()
        for name in archive.namelist():
            document = archive.read(name).decode()
            ElementTree.fromstring(document)
            assert "animate" not in document


@pytest.mark.slow
def test_the_gif_repeats_and_is_as_long() -> None:
    """One frame after another."""
    with Image.open(io.BytesIO(flow_files.gif(FLOW))) as picture:
        frames = picture.n_frames
        assert picture.info["loop"] == 0
        assert picture.size == (round(FLOW.width), round(FLOW.height))
        length = 0
        for frame in range(frames):
            picture.seek(frame)
            length += picture.info["duration"]
    assert abs(length / 1000 - FLOW.duration) < 1
    assert frames > 20
