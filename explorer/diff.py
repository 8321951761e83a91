"""Find what differs between two configs, cell by cell, for "paper + 2 edits" and the marks in the table."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from explorer.config import HEADINGS, GoogLeNetConfig, InceptionModule

# Settings outside the table, with their labels on screen.
SETTINGS = {
    "input_shape": "input",
    "kernel_5x5": "5×5 branch",
    "normalisation": "normalisation",
    "conv_bias": "conv biases",
    "pooling": "pooling",
    "classes": "classes",
    "dropout": "dropout",
}
_STEM = {"kind": "stem", "conv1": "stem conv1", "conv2_reduce": "stem conv2 reduce", "conv2": "stem conv2"}
_AUX = {
    "taps": "auxiliary heads on",
    "pool": "auxiliary pool",
    "conv": "auxiliary 1×1",
    "hidden": "auxiliary hidden units",
    "dropout": "auxiliary dropout",
    "loss_weight": "auxiliary loss weight",
}


class Change(NamedTuple):
    """One edit: the row or part, the name of the field in the config, its label on screen, and both values.

    An added module has ``before`` None, a removed one ``after`` None, with the field ``modules``.
    """

    where: str
    field: str
    label: str
    before: Any
    after: Any


def find_changes(base: GoogLeNetConfig, config: GoogLeNetConfig) -> tuple[Change, ...]:
    """Return the edits that turn ``base`` into ``config``, those of the table first. Equal configs have none."""
    return (
        *_table_changes(base, config),
        *_field_changes("network", SETTINGS, base, config),
        *_field_changes("stem", _STEM, base.stem, config.stem),
        *_field_changes("aux", _AUX, base.aux, config.aux),
    )


def _table_changes(base: GoogLeNetConfig, config: GoogLeNetConfig) -> Iterator[Change]:
    old = {module.name: module for module in base.modules}
    new = {module.name: module for module in config.modules}
    for name, module in new.items():
        if name in old:
            yield from _field_changes(name, HEADINGS, old[name], module)
        else:
            yield Change(name, "modules", "module added", None, module)
    for name, module in old.items():
        if name not in new:
            yield Change(name, "modules", "module removed", module, None)
    if [n for n in old if n in new] != [n for n in new if n in old]:
        yield Change("table", "modules", "order", tuple(old), tuple(new))


def _field_changes(where: str, labels: dict[str, str], before: Any, after: Any) -> Iterator[Change]:
    for field, label in labels.items():
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            yield Change(where, field, label, old, new)


def with_module(config: GoogLeNetConfig, module: InceptionModule) -> GoogLeNetConfig:
    """Return the config with the row of that name replaced. Raises KeyError when there is no such row."""
    config.module(module.name)  # raises the KeyError
    return config.replace(modules=tuple(module if old.name == module.name else old for old in config.modules))
