"""What the 1×1s of a module save is said in numbers of the closed form, in all and by branch."""

import re

import pytest

from explorer import PRESETS, summarize
from explorer.lessons.reduction import without_reductions
from explorer.views.savings import savings_text


def text(preset: str, name: str) -> str:
    """Return the text on a module of a preset."""
    config = PRESETS[preset]
    return savings_text(summarize(config), summarize(without_reductions(config, (name,))), name)


def test_the_paper_s_4b() -> None:
    """1,484,600 parameters, 4.31 times fewer, and each branch's part of them."""
    assert text("paper", "4b") == (
        "**The 1×1s of 4b save 1,484,600 parameters: 4.31× fewer than the naive module.** 3×3: 748,944 fewer (3.64×) · "
        "5×5: 768,488 fewer (16.1×) · pool: 32,832 more, and it passes on 64 channels instead of 512"
    )


@pytest.mark.parametrize("name", [module.name for module in PRESETS["paper"].modules])
def test_the_branches_add_up(name: str) -> None:
    """What the branches save less what the pool's projection costs is what the module saves."""
    written = text("paper", name)
    (total,) = re.findall(r"save ([\d,]+) parameters", written)
    fewer, more = (
        sum(int(number.replace(",", "")) for number in re.findall(rf"([\d,]+) {word}", written.split("**")[2]))
        for word in ("fewer", "more")
    )
    assert int(total.replace(",", "")) == fewer - more


def test_modules_without_reductions() -> None:
    """The naive module says that it is one; a projection alone saves no parameters of its module."""
    assert text("naive", "4a") == "**4a is the naive module:** it has no 1×1 that reduces channels."
    assert "save nothing: the module has 30,784 parameters more" in text("no_reduction", "4a")
