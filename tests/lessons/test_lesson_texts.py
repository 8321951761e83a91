"""The Markdown of the lessons: every number in it equals one of the core, and every placeholder has its live part."""

import re
from pathlib import Path

import pytest

from explorer import PRESETS, summarize
from explorer.config import AuxiliaryHeads
from explorer.lessons import audit, auxiliary, reduction, resolution
from explorer.lessons.questions import BANK
from explorer.lessons.receptive_field import field_distributions, without_branch
from explorer.lessons.reduction import ARTICLE
from explorer.lessons.text import FOLDER, read
from explorer.reduction import direct_path, reduction_path

PAPER = summarize(PRESETS["paper"])
TV = summarize(PRESETS["torchvision"])
RELEASED = PRESETS["inception5h"]
PLAIN, BOTH = direct_path(ARTICLE), reduction_path(ARTICLE)
BIASED = ARTICLE.replace(biases=True)
NAIVE = reduction.naive_steps(PRESETS["paper"])[-1]
HEADS = auxiliary.head_costs(PAPER)
PAGES = Path(__file__).parents[2] / "pages" / "learn"


def _sides(pooling: str) -> list[int]:
    (trace,) = (one for one in resolution.size_traces(PAPER.config, 224, 224) if one.pooling == pooling)
    return [size[0] for _, size in trace.sizes]


def _field(config: str | None = None, without: str | None = None) -> tuple[int, int]:
    network = PRESETS[config or "paper"]
    last = field_distributions(summarize(without_branch(network, without) if without else network))[-1]
    return last.smallest, last.largest


def _head_sizes(side: int) -> dict[str, tuple[int, int]]:
    return {one.pool: one.sizes[0] for one in auxiliary.pool_results(PAPER.config, (side,)) if one.sizes}


def _g(value: int) -> str:
    return f"{value / 1e9:.3f}"


# Each number of a text, as the text writes it, and its value from the core. Numbers that a sentence starts from
# (kernels, strides, widths) come from the config.
FACTS: dict[str, dict[str, object]] = {
    "reduction": {
        "512": ARTICLE.inputs,
        "64": ARTICLE.filters,
        "5": ARTICLE.kernel,
        "24": ARTICLE.reduction,
        "819,200": PLAIN.parameters,
        "12,288": BOTH.layers[0].weights,
        "38,400": BOTH.layers[1].weights,
        "50,688": BOTH.parameters,
        "16.16": f"{PLAIN.parameters / BOTH.parameters:.2f}",
        "93.8": f"{100 * (1 - BOTH.parameters / PLAIN.parameters):.1f}",
        "819,264": direct_path(BIASED).parameters,
        "50,776": reduction_path(BIASED).parameters,
        "600": BOTH.layers[1].weights // ARTICLE.filters,
        "12,800": PLAIN.parameters // ARTICLE.filters,
        "387": reduction.break_even(ARTICLE),
        "388": reduction.break_even(ARTICLE) + 1,
        **{f"{width:,}": width for width in NAIVE.widths},
        "256": reduction.widths(PAPER)[0],
        "1,024": reduction.widths(PAPER)[-1],
        "97,526,008": NAIVE.parameters,
        "6,998,552": PAPER.parameters(aux=False),
        "12.568": _g(NAIVE.macs),
        "1.583": _g(PAPER.macs()),
    },
    "mistakes": {
        "65": 65,
        "512": 512,
        "5": 5,
        "832,000": 512 * 5 * 5 * 65,
        "819,200": PLAIN.parameters,
        "64": PRESETS["paper"].module("4c").ch5x5,
        "256": 256,
        "25": 25,
        "128": 819_200 // 256 // 25,
        "50,688": BOTH.parameters,
        "819,264": direct_path(BIASED).parameters,
        "50,776": reduction_path(BIASED).parameters,
        "2": 2,
        "1.583": _g(PAPER.macs()),
        "3.165": _g(2 * PAPER.macs()),
        "24": PRESETS["paper"].module("4b").ch5x5_reduce,
        "12,288": PAPER.by_path["inception_4b.branch_5x5.reduce"].weights,
        "160": PRESETS["paper"].module("4b").ch1x1,
        "224": PRESETS["paper"].module("4b").ch3x3,
    },
    "auxiliary": {
        "512": PAPER.by_path["aux_4a.pool"].in_shape[0],
        "14": PAPER.by_path["aux_4a.pool"].in_shape[1],
        "3": PAPER.by_path["aux_4a.pool"].stride,
        "4": PAPER.by_path["aux_4a.pool"].out_shape[1],
        "128": PRESETS["paper"].aux.conv,
        "2,048": auxiliary.hidden_inputs(PAPER, "4a"),
        "1,024": PRESETS["paper"].aux.hidden,
        "1,000": PRESETS["paper"].classes,
        "3,188,840": HEADS.heads[0][1],
        "528": PAPER.by_path["aux_4d.pool"].in_shape[0],
        "3,190,888": HEADS.heads[1][1],
        "224": PRESETS["paper"].input_shape[1],
        "192": 192 if _head_sizes(192) == {"ceil": (4, 4), "floor": (3, 3), "adaptive": (4, 4)} else None,
        "47": resolution.minimum_inputs(PAPER.config)[1].side,
        "48": round(100 * HEADS.parameter_fraction),
        "0.5": f"{100 * HEADS.mac_fraction:.1f}",  # also the effect of the heads on accuracy
        "6,998,552": PAPER.parameters(aux=False),
        "13,378,280": PAPER.parameters(),
        "0.3": AuxiliaryHeads().loss_weight,
        "0.7": 0.7,  # what some articles write
        "1.6": f"{1 + 2 * 0.3:.1f}",
        "11.05": f"{auxiliary.loss_at_equal_logits(1000, 2, 0.3):.2f}",
        "0": 0,
        "68.7": 68.7,  # Caffe's readme
    },
    "which_googlenet": {
        "715": _field()[1],
        "395": field_distributions(summarize(PRESETS["paper"].replace(kernel_5x5="3x3")))[-1].largest,
        "379": _field("torchvision")[1],
        "204": RELEASED.module("4a").ch3x3,
        "208": PRESETS["paper"].module("4a").ch3x3,
        "48": RELEASED.module("5a").ch5x5_reduce,
        "32": PRESETS["paper"].module("5a").ch5x5_reduce,
        "1,008": RELEASED.classes,
        "1,024": audit.K,
        "2.7": audit.PRINTED[0].params,
        "34": audit.PRINTED[0].ops,
        "9,408": PAPER.by_path["stem.conv1"].weights,
        "118": round(PAPER.by_path["stem.conv1"].macs / 1e6),
        "2,712": audit.separable_stem().weights,
        "3.165": _g(2 * PAPER.macs()),
        "1.583": _g(PAPER.macs()),
        "1,585,899,032": audit.mult_adds(PAPER),
        "1,582,671,872": PAPER.macs(),
    },
    "receptive_field": {
        "0": 0,  # what the padding of a convolution counts as
        "1": 1,  # k − 1
        **{str(field): field for field in field_distributions(PAPER)[0].path_counts},
        "262,144": field_distributions(PAPER)[-1].total,
        "75": _field()[0],
        "715": _field()[1],
        "224": PRESETS["paper"].input_shape[1],
        "395": _field(without="5x5")[1] if _field(without="1x1")[0] == _field(without="5x5")[1] else None,
        **{str(side): side for side in (*_sides("ceil"), *_sides("floor"))},
        "225": 225,
        "200": 200,
        "97": 97,
        "31": resolution.minimum_inputs(PAPER.config)[0].side,
        "47": resolution.minimum_inputs(PAPER.config)[1].side,
        "28": PRESETS["mini"].input_shape[1],
        "8": PAPER.concat("3a").jump,
        "2": summarize(PRESETS["mini"]).concat("3a").jump,
    },
}

# These are not numbers of a network: sources, module names, names of kernels, powers.
_NO_NUMBERS = (
    r"\[[^\]]*\]\([^)]*\)",  # links
    r"arXiv:[0-9.]+",
    r"doi:\S+",
    r"issue [0-9]+",
    r"[Ss]ections? [0-9.]+",
    r"Figures? [0-9][ab]?",
    r"Table 1",
    r"(?:et al\.|Chen & Yan|Norris & Sim|Chollet|CVPR) [0-9]{4}",
    r"torch(?:vision|info) [0-9.]+",
    r"inception(?:5h|_v2)|Inception-v3|d2l|aux[12]|conv[0-9]|top-1",
    r"\b[0-9]{1,2}[a-e]\b",  # modules
    r"\b[0-9]×[0-9]s?\b",  # kernels
    r"[0-9]⁹",
    r"stage 4",
)


def written_numbers(name: str) -> set[str]:
    """Return the numbers in a lesson's text as they are written, without those in ``_NO_NUMBERS``."""
    lesson = read(name)
    text = " ".join([lesson.goal, *(block.content for block in lesson.blocks if block.kind == "text")])
    for pattern in _NO_NUMBERS:
        text = re.sub(pattern, " ", text)
    return {found.rstrip(".,") for found in re.findall(r"[0-9][0-9.,]*", text)}


@pytest.mark.parametrize("name", FACTS)
def test_every_number_in_the_text_equals_the_core(name: str) -> None:
    """A lesson contains exactly the numbers that are computed here."""
    for written, value in FACTS[name].items():
        expected = f"{value:,}" if isinstance(value, int) else str(value)
        assert written == expected
    assert written_numbers(name) == set(FACTS[name])


def test_written_numbers_are_found() -> None:
    """Numbers are found with separators, with decimals, and at the end of a sentence."""
    found = written_numbers("reduction")
    assert {"819,200", "16.16", "387", "12.568", "97,526,008"} <= found
    assert not {"3", "4", "1409.4842", "2014"} & found


def test_every_text_is_checked() -> None:
    """A new lesson needs an entry in ``FACTS``."""
    assert {path.stem for path in FOLDER.glob("*.md")} == set(FACTS)


@pytest.mark.parametrize("name", BANK)
def test_every_lesson_has_its_page_and_its_parts(name: str) -> None:
    """The placeholders in the text are the parts that the page draws, each once, and the prediction is first."""
    page = (PAGES / f"{name}.py").read_text(encoding="utf-8")
    lesson = read(name)
    assert list(lesson.live) == re.findall(r'^ {8}"([a-z_]+)": ', page, re.MULTILINE)
    assert lesson.live[0] == "predict"
    assert 5 <= lesson.minutes <= 15


@pytest.mark.parametrize("name", BANK)
def test_every_lesson_names_its_sources(name: str) -> None:
    """They are at its end and include the paper."""
    last = read(name).blocks[-1].content
    assert "Sources" in last
    assert "1409.4842" in last


def test_the_effect_of_the_heads_is_the_published_papers_statement() -> None:
    """The 0.5 % and the sufficient single head have their source, which is linked; nobody else is named for them."""
    text = " ".join("\n".join(block.content for block in read("auxiliary").blocks).split())
    (sentence,) = re.findall(r"Its published version[^.]*around 0\.5 %[^.]*\.", text)
    assert "(CVPR 2015, section 5)" in sentence
    assert "one of the two is enough" in sentence
    assert "https://doi.org/10.1109/CVPR.2015.7298594" in text


def test_every_mistake_has_its_source() -> None:
    """Each card ends with the source of its calculation."""
    cards = "\n".join(block.content for block in read("mistakes").blocks).split("### ")[1:]
    assert len(cards) == 5
    assert all("*Source: " in card for card in cards)
