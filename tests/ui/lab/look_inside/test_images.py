"""Images on the page: samples, uploads with bad files, and files that were deleted."""

import io
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.live import inference
from explorer.paths import ASSETS
from explorer.ui.lab.look_inside import images, session
from tests.ui.app import alt_texts, page_text, run
from tests.ui.lab.look_inside.conftest import DirectQueue, open_page


def image_file(colour: tuple[int, int, int], file_format: str = "PNG") -> bytes:
    """Return an image file of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, file_format)
    return file.getvalue()


def upload(at: AppTest, *files: tuple[str, bytes, str]) -> AppTest:
    """Upload files, given as name, content and type."""
    at.segmented_control(key="look_inside_source").set_value("upload")
    run(at)
    at.file_uploader[-1].set_value(list(files))
    return run(at)


@pytest.mark.slow
def test_several_uploads_are_a_batch_and_each_bad_file_is_explained(queue: DirectQueue) -> None:
    """Valid images form the batch; for each other file its name and the reason are shown as text."""
    at = upload(
        open_page(),
        ("red.png", image_file((255, 0, 0)), "image/png"),
        ("<b>not.png", b"<svg onload=alert(1)>", "image/png"),
        ("blue.jpg", image_file((0, 0, 255), "JPEG"), "image/jpeg"),
        ("cut.png", image_file((0, 255, 0))[:60], "image/png"),
    )
    assert "2 images to select from" in alt_texts(at)
    errors = [error.value for error in at.error]
    assert len(errors) == 2
    assert (
        r"\<b>not.png: This is a drawing (SVG) without pixels, which cannot be read here. Export it as PNG." in errors
    )
    assert any(error.startswith("cut.png: ") for error in errors)
    assert 2 in [len(request.images) for request in queue.of_kind("prediction")]
    assert "the label is" not in page_text(at)


@pytest.mark.slow
def test_only_bad_files_leave_the_batch_as_it_was(queue: DirectQueue) -> None:
    """The last images stay."""
    at = upload(open_page(), ("red.png", image_file((255, 0, 0)), "image/png"))
    before = queue.of_kind("prediction")[-1].images
    at.file_uploader[-1].set_value([("bad.png", b"GIF89a", "image/png")])
    run(at)
    assert at.error
    assert queue.of_kind("prediction")[-1].images == before


@pytest.mark.slow
def test_a_deleted_image_file_is_explained(queue: DirectQueue, data_folder: Path) -> None:
    """The content store is bounded, so an old image may be deleted; nothing else breaks."""
    at = upload(open_page(), ("red.png", image_file((255, 0, 0)), "image/png"))
    for file in session.content_store().folder.glob("*.png"):
        file.unlink()
    queue.computed.clear()
    inference._preprocessed.cache_clear()
    inference._pixels.cache_clear()
    images._thumbnail.cache_clear()
    run(at)
    assert any("no longer there" in error.value for error in at.error)


def test_without_an_image_the_page_says_what_to_do(queue: DirectQueue) -> None:
    """Before the first upload there is no image, and no error."""
    at = open_page()
    at.segmented_control(key="look_inside_source").set_value("upload")
    run(at)
    assert "No image yet." in page_text(at)
    assert not at.error


def test_samples_are_test_images_and_photographs_with_credits() -> None:
    """Two of each class, which no network trained here has seen; each photograph has its author and licence."""
    clothes = images.samples("fashion_mnist")
    assert [sample.label for sample in clothes[:4]] == ["T-shirt/top", "T-shirt/top", "Trouser", "Trouser"]
    assert len(clothes) == 20
    folder = ASSETS / "samples"
    readme = (folder / "README.md").read_text("utf-8")
    names = {path.stem for path in folder.glob("*.jpg")}
    assert names == set(images.PHOTOGRAPHS)
    assert all(f"`{name}.jpg`" in readme for name in names)
    assert all("CC0" in sample.credit or "public domain" in sample.credit for sample in images.samples("photographs"))
