"""What the edits of a network are and which other parts they change, in two lines of Markdown."""

from collections.abc import Sequence

from explorer.analysis import NetworkSummary
from explorer.diff import Change, find_changes
from explorer.views import formatting as fmt
from explorer.views.labels import edit_line
from explorer.views.network_table import RIPPLE, mark_and_note

_MAX_LISTED = 3


def edit_summary(title: str, now: NetworkSummary, base: NetworkSummary) -> str:
    """Return the edits of a network against the preset of this ``title``, and the parts that change with them."""
    edits = find_changes(base.config, now.config)
    if not edits:
        name = fmt.markdown(title)
        return f"The network is the preset {name}, without edits.  \nChange a number in the table to edit it."
    edited = ", ".join(_names([edit_line(edit) for edit in edits])).replace("#", r"\#")
    return f"**Edited:** {edited}.  \n{_consequence(now, base, edits)}"


def _consequence(now: NetworkSummary, base: NetworkSummary, edits: tuple[Change, ...]) -> str:
    changed = [name for name in now.by_module if mark_and_note(name, now, base, edits)[0] == RIPPLE]
    if not changed:
        return "No other part of the network changes with it."
    return f"{RIPPLE} The numbers of {', '.join(_names([name.replace('_', ' ') for name in changed]))} change with it."


def _names(names: Sequence[str]) -> list[str]:
    """Return the first names, and how many more there are."""
    listed = [fmt.markdown(name) for name in names[:_MAX_LISTED]]
    more = len(names) - len(listed)
    return [*listed, f"{more} more"] if more else listed
