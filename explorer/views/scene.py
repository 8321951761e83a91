"""The sample picture of the lessons: a cat before a house, drawn by us (``assets/lessons/scene.svg``)."""

from functools import lru_cache

from explorer.settings import ASSETS

_FILE = ASSETS / "lessons" / "scene.svg"


def scene(x: float, y: float, width: float, height: float) -> str:
    """Return the picture, stretched to a box of a larger SVG; all in pixels."""
    return f'<svg x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" {_drawing()}'


@lru_cache
def _drawing() -> str:
    """Return what follows ``<svg xmlns`` in the file: its viewBox, its shapes and its end."""
    return _FILE.read_text("utf-8").partition('xmlns="http://www.w3.org/2000/svg" ')[2].strip()
