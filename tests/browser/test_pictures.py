"""The command that writes pictures of all pages: what it writes of one."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.app import APP, wait_until_idle
from tests.browser.pictures import take_pictures

pytestmark = pytest.mark.browser


def read(path: Path) -> Image.Image:
    """Return the picture in a file."""
    with Image.open(path) as picture:
        picture.load()
    return picture


def test_a_page_is_pictured_in_each_theme_and_width(page: Page, serve: Callable[[str], str], tmp_path: Path) -> None:
    """With all of it, in its own colours; the window has its size again afterwards."""
    page.goto(f"{serve(APP)}/compare")
    wait_until_idle(page)
    take_pictures(page, "00 Compare, Tables", Namespace(folder=tmp_path, themes=("light", "dark"), widths=(800, 390)))
    pictures = {path.stem.removeprefix("00_Compare_Tables_"): read(path) for path in tmp_path.glob("*.png")}
    assert sorted(pictures) == ["390_dark", "390_light", "800_dark", "800_light"]
    assert all(picture.width == int(name.split("_")[0]) for name, picture in pictures.items())
    assert pictures["390_light"].height > 844
    assert pictures["800_light"].getpixel((5, 200))[:3] == (255, 255, 255)
    assert pictures["800_dark"].getpixel((5, 200))[:3] == (14, 20, 32)
