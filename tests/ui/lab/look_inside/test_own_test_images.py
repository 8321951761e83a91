"""A user's own test images: accuracy with its interval, mistakes, and what is said of images of nothing known."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.data.images import png
from explorer.data.own_test_images import load_sample
from explorer.training.plan import DATASETS, DatasetChoice
from tests.data.files import image_file, zip_file
from tests.ui.app import page_text, run
from tests.ui.lab.look_inside.conftest import WAITING, DirectQueue, choose_view, open_page
from tests.ui.lab.look_inside.test_images import image_file as colour_file
from tests.ui.lab.look_inside.test_images import upload


def clothes(count: int = 20) -> dict[str, bytes]:
    """Return test images of Fashion-MNIST in folders of their classes."""
    images, labels = load_sample(DatasetChoice(name="fashion_mnist"), Path())
    names = DATASETS["fashion_mnist"].classes
    return {f"{names[labels[n]].replace('/', '_')}/{n}.png": png(images[n, 0]) for n in range(count)}


def upload_test_images(at: AppTest, content: bytes) -> AppTest:
    """Upload a zip of test images."""
    uploader = next(one for one in at.file_uploader if one.key == "look_inside_test_images_files")
    uploader.set_value([("own.zip", content, "application/zip")])
    return run(at)


def html(at: AppTest) -> str:
    """Return all HTML of the page."""
    return "\n".join(str(element.proto.body) for element in at.get("html"))


@pytest.mark.slow
def test_own_test_images_have_an_accuracy_with_its_interval(queue: DirectQueue) -> None:
    """And what is left out is said."""
    at = choose_view(open_page(), "Test images")
    others = {f"cat/{number}.png": image_file(number) for number in range(3)}
    at = upload_test_images(at, zip_file(clothes() | others).getvalue())
    text = page_text(at)
    assert "of 20 test images classified correctly (95 % interval" in text
    assert "3 images left out: of classes that the network does not have (cat)." in text


@pytest.mark.slow
def test_the_test_images_of_a_dataset_and_the_most_confident_mistakes(queue: DirectQueue) -> None:
    """Datasets with the classes of the network are offered; mistakes have both names and the probability."""
    at = choose_view(open_page(), "Test images")
    at.selectbox(key="look_inside_test_images_source").set_value("fashion_mnist")
    run(at)
    assert "of 500 test images classified correctly (95 % interval" in page_text(at)
    assert "Most confident mistakes" in page_text(at)
    assert html(at).count("<figure>") == 12
    assert "scales" not in at.selectbox(key="look_inside_test_images_source").options


def test_a_bad_upload_is_explained(queue: DirectQueue) -> None:
    """With the remedy."""
    at = choose_view(open_page(), "Test images")
    at = upload_test_images(at, zip_file({f"cat/{number}.png": image_file(number) for number in range(3)}).getvalue())
    assert any("Name the folders as its classes." in error.value for error in at.error)


def test_an_image_of_something_else_is_compared_with_the_test_images(queue: DirectQueue) -> None:
    """A network knows its classes alone; a labelled sample needs no such sentence."""
    at = open_page()
    assert "This network knows" not in page_text(at)
    at = upload(at, ("red.png", colour_file((255, 0, 0)), "image/png"))
    text = page_text(at)
    assert "This network knows 10 classes (T-shirt/top, Trouser, Pullover, …). It gives one of them to every" in text
    assert "% of 500 test images of Fashion-MNIST" in text


def test_the_parts_of_the_page_wait_together(queue: DirectQueue) -> None:
    """Several follow the same prediction; none of them fails while it is in the queue."""
    at = open_page()
    queue.results["prediction"] = WAITING
    at = upload(at, ("red.png", colour_file((255, 0, 0)), "image/png"))
    assert not at.exception
    assert "This network knows 10 classes" in page_text(at)
    assert "The maximum softmax of this image" not in page_text(at)
