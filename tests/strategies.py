"""Random networks for property tests: small and buildable, over every switch of the config.

They are made as a user makes them: type a table, then add, remove and rename rows; each edit that the table accepts
changes the network.
"""

from hypothesis import settings
from hypothesis import strategies as st

from explorer import GoogLeNetConfig, InceptionModule, problems
from explorer.config import AuxiliaryHeads, Stem
from explorer.table import insert_after, remove, rename, unused_name

WIDTHS = st.integers(1, 24)
BRANCHES = WIDTHS | st.just(0) | WIDTHS
REDUCTIONS = WIDTHS | st.none()
POOL_PROJECTIONS = WIDTHS | st.sampled_from([None, 0])
NAMES = st.builds("{}{}".format, st.integers(2, 5), st.sampled_from("abcz")) | st.from_regex(
    r"(0|[1-9][0-9]?)[a-z]", fullmatch=True
)
PROBABILITIES = st.sampled_from([0.0, 0.25, 0.7])


def examples(count: int) -> settings:
    """Return settings for a test with this many examples by hypothesis's own measure, more or fewer by the profile.

    ``--hypothesis-profile=nightly`` draws ten times as many, the others a quarter.
    """
    return settings(max_examples=max(1, count * settings.default.max_examples // 100))


def _with_a_branch(module: InceptionModule) -> InceptionModule:
    return module if module.branches else module.replace(ch1x1=1)


def modules(name: str) -> st.SearchStrategy[InceptionModule]:
    """Rows of that name with any mixture of widths, blanks and zeros that leaves at least one branch."""
    return st.builds(
        InceptionModule,
        name=st.just(name),
        ch1x1=BRANCHES,
        ch3x3_reduce=REDUCTIONS,
        ch3x3=BRANCHES,
        ch5x5_reduce=REDUCTIONS,
        ch5x5=BRANCHES,
        pool_proj=POOL_PROJECTIONS,
    ).map(_with_a_branch)


@st.composite
def typed(draw: st.DrawFn) -> GoogLeNetConfig:
    """A network of one to four rows as first typed; it may have problems."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    names.sort(key=lambda name: int(name[:-1]))
    kind = draw(st.sampled_from(["paper", "small"]))
    sides = st.integers(24, 110) if kind == "paper" else st.integers(6, 40)
    return GoogLeNetConfig(
        input_shape=(draw(st.integers(1, 4)), draw(sides), draw(sides)),
        stem=Stem(kind=kind, conv1=draw(WIDTHS), conv2_reduce=draw(WIDTHS), conv2=draw(WIDTHS)),
        modules=tuple(draw(modules(name)) for name in names),
        kernel_5x5=draw(st.sampled_from(["5x5", "3x3", "two_3x3"])),
        normalisation=draw(st.sampled_from(["lrn", "batch_norm", "none"])),
        conv_bias=draw(st.booleans()),
        pooling=draw(st.sampled_from(["ceil", "torchvision", "padded", "floor"])),
        aux=AuxiliaryHeads(
            taps=tuple(draw(st.lists(st.sampled_from(names), max_size=3, unique=True))),
            pool=draw(st.sampled_from(["ceil", "floor", "adaptive"])),
            conv=draw(WIDTHS),
            hidden=draw(WIDTHS),
            dropout=draw(PROBABILITIES),
            loss_weight=draw(PROBABILITIES),
        ),
        classes=draw(st.integers(2, 40)),
        dropout=draw(PROBABILITIES),
    )


@st.composite
def networks(draw: st.DrawFn) -> GoogLeNetConfig:
    """A buildable network after up to three edits of its rows."""
    config = draw(typed().filter(lambda config: not problems(config)))
    for edit in draw(st.lists(st.sampled_from(["add", "remove", "rename"]), max_size=3)):
        row = draw(st.sampled_from([module.name for module in config.modules]))
        if edit == "add":
            parsed = insert_after(config, row, unused_name(config, row))
        elif edit == "remove":
            parsed = remove(config, row)
        else:
            parsed = rename(config, row, draw(NAMES))
        config = parsed.config or config
    return config
