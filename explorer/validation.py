"""Checks of a config before any arithmetic: ranges, names, branches, taps. Each problem names its cell."""

from collections.abc import Iterator

from explorer.config import (
    HEADINGS,
    MAX_CHANNELS,
    MAX_CLASSES,
    MAX_INPUT_CHANNELS,
    MAX_MODULES,
    MAX_SIDE,
    GoogLeNetConfig,
    InceptionModule,
)
from explorer.errors import Problem, number_text, range_problems

_REDUCING = ("ch3x3_reduce", "ch5x5_reduce")


def field_problems(config: GoogLeNetConfig) -> tuple[Problem, ...]:
    """Return every problem that can be found without computing sizes, in the order of the table.

    With too many rows or taps those are the only problems: a link of 300 characters can describe thousands of rows, and
    a message for each would fill the memory.
    """
    if too_many := count_problems(config):
        return too_many
    return (
        *_table_problems(config.modules),
        *(problem for module in config.modules for problem in _module_problems(module)),
        *_input_problems(config),
        *_stem_problems(config),
        *_aux_problems(config),
        *range_problems("classifier", "classes", "Classes", config.classes, 2, MAX_CLASSES),
        *_fraction_problem("classifier", "dropout", "Dropout", config.dropout),
    )


def cell_problem(where: str, field: str, value: int | None) -> Problem | None:
    """Return the problem of one cell of the table, if it has one. ``field`` is the column's name in the config."""
    if value is not None and 1 <= value <= MAX_CHANNELS:
        return None
    heading = HEADINGS[field]
    if value is None:
        if field in _REDUCING or field == "pool_proj":
            return None
        return Problem(
            where,
            field,
            f"{where}, {heading}: the cell is blank. Write the number of filters, or 0 for no such branch.",
        )
    if value == 0 and field in _REDUCING:
        return Problem(
            where,
            field,
            f"{where}, {heading}: 0 kernels would have no output. Leave the cell blank for no 1×1 there.",
        )
    if value == 0:
        return None
    minimum = 1 if field in _REDUCING else 0
    blank = " (or blank)" if field in _REDUCING or field == "pool_proj" else ""
    return Problem(
        where,
        field,
        f"{where}, {heading}: {number_text(value)} is out of range. "
        f"Write a whole number from {minimum} to {MAX_CHANNELS:,}{blank}.",
    )


def count_problems(config: GoogLeNetConfig) -> tuple[Problem, ...]:
    """Return the problems of a config with too many modules or auxiliary heads. Any other check costs more."""
    return tuple(_count_problems(config))


def _count_problems(config: GoogLeNetConfig) -> Iterator[Problem]:
    modules, taps = len(config.modules), len(config.aux.taps)
    if modules > MAX_MODULES:
        yield Problem(
            "table",
            "modules",
            f"The table has {modules:,} modules. At most {MAX_MODULES} can be shown and built: remove some rows.",
        )
    if taps > MAX_MODULES:
        yield Problem(
            "aux",
            "taps",
            f"There are {taps:,} auxiliary heads. At most one per module, {MAX_MODULES} in all, can be built.",
        )


def _table_problems(modules: tuple[InceptionModule, ...]) -> Iterator[Problem]:
    if not modules:
        yield Problem("table", "modules", "The table has no module. Add at least one row, such as 3a.")
    seen: set[str] = set()
    before = 0
    for module in modules:
        if module.name in seen:
            yield Problem(
                module.name,
                "name",
                f"{module.name}, module: there are two modules of this name. Give one of them an unused letter.",
            )
        if module.stage < before:
            yield Problem(
                module.name,
                "name",
                f"{module.name}, module: stage {module.stage} comes after stage {before}. "
                "The numbers of stages must increase, because there is a pool between two stages.",
            )
        seen.add(module.name)
        before = module.stage


def _module_problems(module: InceptionModule) -> Iterator[Problem]:
    for field in HEADINGS:
        problem = cell_problem(module.name, field, getattr(module, field))
        if problem:
            yield problem
    if module.ch1x1 == module.ch3x3 == module.ch5x5 == module.pool_proj == 0:
        yield Problem(
            module.name,
            "branches",
            f"{module.name}: all four branches are 0, so the module would have no output. "
            "Give at least one branch some filters.",
        )


def _input_problems(config: GoogLeNetConfig) -> Iterator[Problem]:
    channels, height, width = config.input_shape
    yield from range_problems("input", "input_shape", "Input channels", channels, 1, MAX_INPUT_CHANNELS)
    yield from range_problems("input", "input_shape", "Input height", height, 1, MAX_SIDE)
    yield from range_problems("input", "input_shape", "Input width", width, 1, MAX_SIDE)


def _stem_problems(config: GoogLeNetConfig) -> Iterator[Problem]:
    for field, label in (
        ("conv1", "Stem conv1"),
        ("conv2_reduce", "Stem conv2 reduce"),
        ("conv2", "Stem conv2"),
    ):
        yield from range_problems("stem", field, label, getattr(config.stem, field), 1, MAX_CHANNELS)


def _aux_problems(config: GoogLeNetConfig) -> Iterator[Problem]:
    aux, names = config.aux, [module.name for module in config.modules]
    for number, tap in enumerate(aux.taps):
        if names and tap not in names:
            yield Problem(
                tap,
                "taps",
                f"The auxiliary head taps {tap}, but there is no such module. Tap one of {', '.join(names)}, or none.",
            )
        if tap in aux.taps[:number]:
            yield Problem(tap, "taps", f"Two auxiliary heads tap {tap}. One head per module is enough.")
    yield from range_problems("aux", "conv", "Auxiliary 1×1 kernels", aux.conv, 1, MAX_CHANNELS)
    yield from range_problems("aux", "hidden", "Auxiliary hidden units", aux.hidden, 1, MAX_CHANNELS)
    yield from _fraction_problem("aux", "dropout", "Auxiliary dropout", aux.dropout)
    if not 0 <= aux.loss_weight <= 10:
        yield Problem(
            "aux",
            "loss_weight",
            f"Auxiliary loss weight: {aux.loss_weight} is out of range. Write a number from 0 to 10.",
        )


def _fraction_problem(where: str, field: str, label: str, value: float) -> Iterator[Problem]:
    if not 0 <= value < 1:
        yield Problem(
            where,
            field,
            f"{label}: {value} is out of range. Write a fraction from 0 up to, but not including, 1.",
        )
