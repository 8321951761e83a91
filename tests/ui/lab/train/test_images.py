"""The images of a run: imported datasets, bad uploads, and the memory of previews."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.data.datasets import imported_datasets
from explorer.runs.manager import Manager
from explorer.settings import data_folder as current_data_folder
from explorer.ui.lab.train import samples
from tests.stored_runs import make_plan
from tests.ui.lab.train.conftest import click, only_run, open_page, page_text


def zip_of(**classes: int) -> bytes:
    """Return a zip file with a folder per class and this number of images in it."""
    file = io.BytesIO()
    generator = np.random.Generator(np.random.PCG64(0))
    with zipfile.ZipFile(file, "w") as archive:
        for name, count in classes.items():
            for number in range(count):
                image = io.BytesIO()
                Image.fromarray(generator.integers(0, 256, (16, 16, 3), np.uint8)).save(image, "PNG")
                archive.writestr(f"{name}/{number}.png", image.getvalue())
    return file.getvalue()


def import_file(app: AppTest, content: bytes) -> AppTest:
    """Upload a file and import it."""
    uploader = next(uploader for uploader in app.get("file_uploader") if uploader.key.startswith("one_files"))
    uploader.upload("own.zip", content).run()
    return click(app, "one_import")


def test_an_imported_dataset_is_chosen(manager: Manager) -> None:
    """A zip of class folders is shown at once; it can be trained on, and deleted."""
    app = import_file(open_page(), zip_of(cat=8, dog=6))
    text = page_text(app)
    assert "<th>cat</th>" in text
    assert "<th>dog</th>" in text
    click(app, "train_start")
    run = only_run(manager)
    assert run.plan.data.name == "own"
    assert run.plan.networks[0].config.classes == 2
    click(app, "one_delete_dataset")
    assert imported_datasets(current_data_folder()) == ()
    assert app.selectbox(key="one_images").value == "fashion_mnist"
    assert "Its images no longer exist." in page_text(open_page(run=run.id))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no images at all", "is not a zip, an .npz or an IDX file"),
        (zip_of(cat=5), "There is only one class. Upload images of at least two classes."),
        (b"PK\x03\x04 cut off", "the zip is damaged or truncated"),
    ],
)
def test_a_bad_upload_is_explained_at_the_uploader(manager: Manager, content: bytes, message: str) -> None:
    """The message is at the uploader and says what would be right; the chosen images stay."""
    app = import_file(open_page(), content)
    assert message in app.error[0].value
    assert app.selectbox(key="one_images").value == "fashion_mnist"


def test_the_server_keeps_only_previews(manager: Manager) -> None:
    """The cache holds a few small images of a dataset."""
    open_page()
    assert samples._preview_html.cache_info().currsize
    assert len(samples._preview_html(make_plan("mini").data, str(current_data_folder()))) < 200_000
