"""The table of one GoogLeNet after the other, with everything lit that differs from the paper's."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from explorer.config import HEADINGS, GoogLeNetConfig
from explorer.diff import find_changes
from explorer.table import MODULE, to_rows
from explorer.views import palette, svg
from explorer.views.heroes.timeline import NARROW, WIDE, Hero, Picture, between, hero
from explorer.views.labels import edit_text

_SECONDS = 2.2  # for each network
_LEFT, _TOP, _ROW = 104, 66, 28  # of the table: where its cells begin, and how high they are
_FOOT = _TOP + 6 * _ROW
_SIDE = 280  # width of the list of settings
_MAX_SETTINGS, _MAX_TEXT = 6, 38
_LIT = palette.SERIES[0]


class _Cell(NamedTuple):
    """A cell of a table: its module, its heading, its number, and whether it differs from the first network's."""

    module: str
    heading: str
    value: int | None
    is_lit: bool


def differences(networks: Mapping[str, GoogLeNetConfig]) -> Hero:
    """Draw the table of each network in turn, by its title; the first is the one that all others are compared with."""
    titles, configs = list(networks), list(networks.values())
    wide, narrow, steps = [], [], []
    for number, (title, config) in enumerate(networks.items()):
        edits = find_changes(configs[0], config)
        settings = [edit_text(edit) for edit in edits if edit.where in ("network", "stem", "aux")]
        cells = list(_cells(config, configs[0]))
        begin = number * _SECONDS
        end = begin + _SECONDS * (1 if number + 1 < len(titles) else 2)
        heading = svg.text(0, 24, title, weight=700, size=22)
        wide.append(
            between(begin, end, heading, *_table(cells, WIDE - _SIDE - 20), *_settings(settings, WIDE - _SIDE, _TOP))
        )
        narrow.append(between(begin, end, heading, *_table(cells, NARROW), *_settings(settings, 0, _FOOT + 10)))
        steps.append((begin, _sentence(title, titles[0], sum(cell.is_lit for cell in cells), len(settings))))
    alt = " ".join(text for _, text in steps)
    more = 10 + _MAX_SETTINGS * _ROW  # for the settings below the table
    pictures = Picture(WIDE, _FOOT + 36, wide), Picture(NARROW, _FOOT + more + _ROW, narrow)
    return hero(alt, *pictures, len(titles) * _SECONDS, steps)


def _sentence(title: str, first: str, cells: int, settings: int) -> str:
    if title == first:
        return f"{title}: Table 1. Every other network is compared with it."
    parts = []
    if cells:
        parts.append("1 cell of the table" if cells == 1 else f"{cells} cells of the table")
    if settings:
        parts.append("1 setting" if settings == 1 else f"{settings} settings")
    return f"{title} differs from {first} in {' and '.join(parts)}." if parts else f"{title} equals {first}."


def _cells(config: GoogLeNetConfig, first: GoogLeNetConfig) -> Iterator[_Cell]:
    known = {row[MODULE]: row for row in to_rows(first)}
    for row in to_rows(config):
        module, before = row[MODULE], known.get(row[MODULE], {})
        for heading in HEADINGS.values():
            yield _Cell(module, heading, row[heading], heading not in before or before[heading] != row[heading])


def _table(cells: list[_Cell], room: float) -> Iterator[str]:
    """Yield a table with its modules from left to right, at most as wide as ``room``."""
    modules, headings = list(dict.fromkeys(cell.module for cell in cells)), list(HEADINGS.values())
    width = min(78.0, (room - _LEFT) / len(modules))
    for line, heading in enumerate(headings):
        yield svg.text(0, _TOP + line * _ROW + 19, heading)
    for column, module in enumerate(modules):
        yield svg.text(_LEFT + (column + 0.5) * width, _TOP - 10, module, anchor="middle", weight=600)
    for cell in cells:
        x, y = _LEFT + modules.index(cell.module) * width, _TOP + headings.index(cell.heading) * _ROW
        text = "–" if cell.value is None else str(cell.value)
        if cell.is_lit:
            yield svg.rect(x + 2, y, width - 4, _ROW - 3, _LIT)
            yield svg.text(x + width / 2, y + 18, text, anchor="middle", weight=700, colour=palette.text_on(_LIT))
        else:
            yield svg.text(x + width / 2, y + 18, text, anchor="middle", faint=True)


def _settings(changes: list[str], x: float, top: float) -> Iterator[str]:
    """Yield the settings that differ, below each other."""
    more = len(changes) - _MAX_SETTINGS
    listed = [*changes[:_MAX_SETTINGS], f"{more} more"] if more > 0 else changes
    for line, text in enumerate(listed):
        y = top + line * _ROW
        yield svg.rect(x, y + 2, 6, 22, _LIT)
        yield svg.text(x + 14, y + 18, text[:_MAX_TEXT], weight=600)
