"""The dialog that imports images: the report, the choices, and the import itself."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.data.datasets import imported_datasets
from explorer.runs.manager import Manager
from explorer.settings import data_folder as current_data_folder
from explorer.ui.lab.train.drafts import DEFAULT_DATA
from tests.data.files import animals, image_file, npz, zip_file
from tests.data.test_image_sets import READ
from tests.ui.lab.train.conftest import click, open_page, page_text


def open_dialog(content: bytes, name: str = "pets.zip") -> AppTest:
    """Open the dialog and upload a file."""
    app = click(open_page(), "one_own")
    uploader = next(uploader for uploader in app.get("file_uploader") if uploader.key.startswith("import_files"))
    uploader.upload(name, content).run()
    assert not app.exception
    return app


def batches() -> bytes:
    """Return a zip of two classes with two batches each, and a file that is no image."""
    entries = {
        f"{name}/batch{batch}/{number}.png": image_file(10 * place + 5 * batch + number)
        for place, name in enumerate(("circle", "square"))
        for batch in range(2)
        for number in range(4)
    }
    return zip_file(entries | {"notes.txt": b"x"}).getvalue()


@pytest.mark.slow
def test_the_report_comes_before_the_import(manager: Manager) -> None:
    """It shows classes with counts and images, and what is left out; nothing is saved before the click."""
    app = open_dialog(batches())
    text = page_text(app)
    assert "<th>circle</th><td>8</td>" in text
    assert "data:image/png;base64," in text
    assert "16 images in 2 classes, 3 × 32 × 32 each: 14 for training and 2 for testing." in text
    assert "1 file left out: not an image, such as notes.txt." in text
    assert imported_datasets(current_data_folder()) == ()
    click(app, "import_start")
    (upload,) = imported_datasets(current_data_folder())
    assert app.selectbox(key="one_images").value == upload
    assert "pets.zip (yours)" in app.selectbox(key="one_images").options
    assert "import_start" not in [button.key for button in app.button]


@pytest.mark.slow
def test_a_choice_changes_the_report(manager: Manager) -> None:
    """Another level of folders gives other classes."""
    app = open_dialog(batches())
    app.selectbox(key="import_classes_from").set_value("folder 2").run()
    assert "<th>batch0</th><td>8</td>" in page_text(app)
    click(app, "import_start")
    assert "<th>batch0</th>" in page_text(app)


@pytest.mark.slow
def test_the_title_and_the_classes_can_be_named(manager: Manager) -> None:
    """Before the import and after it; a wrong number of names is refused."""
    app = open_dialog(zip_file(animals()).getvalue())
    app.text_area(key="import_class_names").set_value("Katze").run()
    assert "There are 2 classes and 1 names. Write one name per line." in app.error[0].value
    app.text_area(key="import_class_names").set_value("Katze\nHund").run()
    app.text_input(key="import_title").set_value("Haustiere").run()
    click(app, "import_start")
    assert "<th>Katze</th>" in page_text(app)
    (upload,) = imported_datasets(current_data_folder())
    app.text_area(key=f"one_dataset_classes_{upload}").set_value("猫\n狗").run()
    app.text_input(key=f"one_dataset_title_{upload}").set_value("Pets").run()
    assert "<th>猫</th>" in page_text(app)
    assert "Pets (yours)" in app.selectbox(key="one_images").options


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no images at all", r"is not an archive (zip, tar), an .npz, an IDX file"),
        (zip_file({f"cat/{n}.png": image_file(n) for n in range(4)}).getvalue(), "There is only one class."),
        (b"PK\x03\x04 cut off", "the archive is damaged, encrypted or truncated"),
    ],
)
def test_a_bad_upload_is_explained_at_the_uploader(manager: Manager, content: bytes, message: str) -> None:
    """The message says what would be right, nothing can be imported, and the chosen images stay."""
    app = open_dialog(content, "own.zip")
    assert message in app.error[0].value.replace("\\", "")
    assert all(button.disabled for button in app.button if button.key == "import_start")
    assert app.selectbox(key="one_images").value == DEFAULT_DATA.name


def test_a_large_file_can_be_in_the_inbox(manager: Manager) -> None:
    """Whoever runs the server puts it into a folder; no upload is needed."""
    folder = current_data_folder() / "inbox"
    folder.mkdir(parents=True)
    (folder / "big.zip").write_bytes(zip_file(animals()).getvalue())
    (folder / "secret.txt").write_text("x")
    app = click(open_page(), "one_own")
    assert list(app.selectbox(key="import_inbox").options) == ["none", "big.zip"]
    app.selectbox(key="import_inbox").set_value("big.zip").run()
    assert "12 images in 2 classes" in page_text(app)
    click(app, "import_start")
    assert len(imported_datasets(current_data_folder())) == 1


@pytest.mark.slow
def test_12_of_16_bits_can_be_read_as_16(manager: Manager) -> None:
    """The depth is a choice."""
    entries = {}
    for number in range(8):
        file = io.BytesIO()
        Image.fromarray(np.random.default_rng(number).integers(0, 4_096, (16, 16)).astype(np.uint16)).save(file, "PNG")
        entries[f"{'ab'[number // 4]}/{number}.png"] = file.getvalue()
    app = open_dialog(zip_file(entries).getvalue())
    assert app.selectbox(key="import_bits").value == 12
    app.selectbox(key="import_bits").set_value(16).run()
    assert "so 16 bits are scaled to 8." in page_text(app)


def test_an_npz_needs_no_size(manager: Manager) -> None:
    """Arrays keep theirs, so there is no such choice."""
    images = np.random.default_rng(0).integers(0, 256, (12, 10, 10), np.uint8)
    app = open_dialog(npz(images=images, labels=np.arange(12) % 3).getvalue(), "x.npz")
    assert "import_side" not in [box.key for box in app.selectbox]
    assert "12 images in 3 classes, 1 × 10 × 10 each" in page_text(app)


def test_validation_images_and_the_encoding_of_names_are_choices(manager: Manager) -> None:
    """The report follows both; what was read first is the choice that is shown."""
    make, _ = READ["zip, Train, Val and Test"]
    app = open_dialog(make()[0].file.read())
    assert "8 images for validation: left out" in page_text(app)
    assert app.selectbox(key="import_validation").value == "left_out"
    app.selectbox(key="import_validation").set_value("train").run()
    assert "16 for training and 8 for testing." in page_text(app)
    make, _ = READ["zip, names in GBK"]
    app = open_dialog(make()[0].file.read())
    assert app.selectbox(key="import_encoding").value == "gb18030"
    assert "<th>猫</th>" in page_text(app)
    app.selectbox(key="import_encoding").set_value("big5").run()
    assert "<th>猫</th>" not in page_text(app)
