"""No sentence of the lab has a measured number in its text: each is computed from the run or image it stands beside."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from explorer.training.intervals import LEVEL

ROOT = Path(__file__).parents[3]
PAGES = [*(ROOT / "explorer/ui/lab/train").glob("*.py"), *(ROOT / "explorer/ui/lab/look_inside").glob("*.py")]
VIEWS = (
    *("branch_maps", "channel_maps", "curves", "effective_field", "engines", "evaluation", "flow", "image_strips"),
    *("import_report", "look_inside", "map_images", "module_maps", "results", "training", "unit_charts"),
)
FILES = [*PAGES, *(ROOT / f"explorer/views/{name}.py" for name in VIEWS)]
# A number and its unit, outside a word.
MEASURED = re.compile(
    r"(?<![\w.,×])\d[\d.,]*[ \N{NO-BREAK SPACE}]"
    r"(?:%|(?:training |test )?(?:MB|ms|s|min|images?|steps?|epochs?|seeds?|points?|parameters|MACs)\b)"
)
# Constants, not measurements: the level of all intervals, the paper's schedule, the limit of an upload, the size of
# torchvision's file, the ends of what a probability is rounded to, and a count in the singular.
CONSTANTS = {"95 %", "4 %", "8 epochs", "64 MB", "52 MB", "0.1 %", "99.9 %", "1 image"}


def written(source: str) -> Iterator[str]:
    """Yield the numbers with a unit in the texts of a module, without docstrings and the parts that are computed."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from MEASURED.findall(node.value)


def test_every_number_on_the_pages_is_computed() -> None:
    """What is written by hand is a constant; and the constants are those of the app."""
    found = {number for path in FILES for number in written(path.read_text("utf-8"))}
    assert found == CONSTANTS
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert (f"{100 * (1 - LEVEL):.0f} %", f"{config['server']['maxUploadSize']} MB") == ("95 %", "64 MB")


def test_a_written_measurement_is_found() -> None:
    """In a plain text and in one with computed parts, but not where the number is computed."""
    source = '"""5 images"""\na = "One pass: 118 ms"\nb = f"{name}: 512 training images, 0.3 % of {count} images"\n'
    assert list(written(source)) == ["118 ms", "512 training images", "0.3 %"]
    assert list(written('"2,000 images" "and" f"{n} steps"')) == []  # a docstring
    assert list(written('x = "2,000 images"')) == ["2,000 images"]
