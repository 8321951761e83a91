"""The named networks: complete, buildable, described, and with the right totals."""

import pytest

from explorer import CATALOGUE, PRESETS, problems, summarize
from explorer.config import HEADINGS
from explorer.presets import ACCURACIES, TABLE_1


def test_names() -> None:
    """The catalogue holds the nine networks, the paper's first."""
    expected = [
        "paper",
        "batch_norm",
        "torchvision",
        "inception5h",
        "naive",
        "no_reduction",
        "two_3x3",
        "half",
        "mini",
    ]
    assert expected == list(CATALOGUE)
    assert {name: preset.config for name, preset in CATALOGUE.items()} == PRESETS


@pytest.mark.parametrize("catalogue", [CATALOGUE, PRESETS])
def test_presets_cannot_be_changed(catalogue: dict[str, object]) -> None:
    """The mappings are read-only, so that no session can change the presets of another."""
    with pytest.raises(TypeError):
        catalogue["paper"] = None


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_buildable(name: str) -> None:
    """No preset has problems."""
    assert () == problems(PRESETS[name])


@pytest.mark.parametrize("name", PRESETS)
def test_totals(name: str) -> None:
    """The totals in the catalogue are those of each network."""
    preset, summary = CATALOGUE[name], summarize(PRESETS[name])
    expected = (preset.parameters, preset.parameters_with_aux, preset.macs)
    assert expected == (summary.parameters(aux=False), summary.parameters(), summary.macs())


@pytest.mark.parametrize("name", PRESETS)
def test_descriptions(name: str) -> None:
    """Each preset has a unique title, a description of one sentence, and a source."""
    preset = CATALOGUE[name]
    assert preset.title
    assert [preset.title] == [other.title for other in CATALOGUE.values() if other.title == preset.title]
    assert preset.story.endswith(".")
    assert preset.story.count(". ") == 0
    assert preset.source


def table(name: str) -> list[tuple[int | None, ...]]:
    """Return the six columns of a preset."""
    return [tuple(getattr(module, field) for field in HEADINGS) for module in PRESETS[name].modules]


PAPER_TABLE = [widths for _, *widths in TABLE_1]


@pytest.mark.parametrize(
    ("name", "divide"),
    [("paper", 1), ("batch_norm", 1), ("torchvision", 1), ("two_3x3", 1), ("half", 2), ("mini", 4)],
)
def test_widths_are_table_1s(name: str, divide: int) -> None:
    """The widths are those of Table 1, or exactly a half or a quarter of them."""
    assert [tuple(width / divide for width in widths) for widths in PAPER_TABLE] == table(name)


def test_naive_has_no_1x1_before_or_after() -> None:
    """Figure 2a: every reducing column is blank, and nothing else differs from the paper."""
    assert [(n1, None, n3, None, n5, None) for n1, _, n3, _, n5, _ in PAPER_TABLE] == table("naive")
    assert PRESETS["paper"] == PRESETS["naive"].replace(modules=PRESETS["paper"].modules)


def test_no_reduction_keeps_the_projections() -> None:
    """Only the reductions before the 3×3 and the 5×5 are blank, and nothing else differs from the paper."""
    assert [(n1, None, n3, None, n5, proj) for n1, _, n3, _, n5, proj in PAPER_TABLE] == table("no_reduction")
    assert PRESETS["paper"] == PRESETS["no_reduction"].replace(modules=PRESETS["paper"].modules)


def test_inception5h_differs_in_two_cells() -> None:
    """Google's released network has 204 3×3 filters in 4a and reduces to 48 in 5a."""
    differing = [
        (module.name, field, getattr(module, field))
        for module, printed in zip(PRESETS["inception5h"].modules, PRESETS["paper"].modules, strict=True)
        for field in HEADINGS
        if getattr(module, field) != getattr(printed, field)
    ]
    assert [("4a", "ch3x3", 204), ("5a", "ch5x5_reduce", 48)] == differing
    assert 1_008 == PRESETS["inception5h"].classes


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("paper", ("5x5", "lrn", True, "ceil", "ceil", 0.4)),
        ("batch_norm", ("5x5", "batch_norm", False, "ceil", "ceil", 0.4)),
        ("torchvision", ("3x3", "batch_norm", False, "torchvision", "adaptive", 0.2)),
        ("inception5h", ("5x5", "lrn", True, "padded", "floor", 0.4)),
        ("two_3x3", ("two_3x3", "lrn", True, "ceil", "ceil", 0.4)),
    ],
)
def test_settings_match_the_source(name: str, settings: tuple[str | bool | float, ...]) -> None:
    """Kernels of the 5×5 branch, normalisation, biases, both poolings and dropout match the network's source."""
    config = PRESETS[name]
    actual = (
        config.kernel_5x5,
        config.normalisation,
        config.conv_bias,
        config.pooling,
        config.aux.pool,
        config.dropout,
    )
    assert settings == actual


def test_half_is_a_quarter_of_the_cost() -> None:
    """Halving every width leaves about a quarter of the weights and MACs."""
    paper, half = summarize(PRESETS["paper"]), summarize(PRESETS["half"])
    assert 0.25 == pytest.approx(half.macs() / paper.macs(), rel=0.1)
    assert 0.25 == pytest.approx(half.parameters(aux=False) / paper.parameters(aux=False), rel=0.2)


def test_mini_is_for_small_grey_images() -> None:
    """The network to train on a laptop takes 28 × 28 grey images of ten classes."""
    assert ((1, 28, 28), 10, "small") == (
        PRESETS["mini"].input_shape,
        PRESETS["mini"].classes,
        PRESETS["mini"].stem.kind,
    )


def test_published_accuracies() -> None:
    """Caffe's model is the paper's network, torchvision's its own; an edited network has none."""
    assert (68.7, 88.9) == ACCURACIES[PRESETS["paper"]][:2]
    assert (69.778, 89.53) == ACCURACIES[PRESETS["torchvision"]][:2]
    assert PRESETS["paper"].replace(classes=10) not in ACCURACIES
